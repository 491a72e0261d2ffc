// The state in the address, so that a link shows what one sees: read once, written whenever something changed. What is
// as it would be without it is left out. Windows are in stored values.

const written = (value) => String(Number(value.toPrecision(7)));
const finite = (text) => (text !== null && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : null);

export function read(viewer, search) {
  const asked = new URLSearchParams(search);
  const { state } = viewer;
  const at = ["x", "y", "z"].map((name, axis) => finite(asked.get(name)) ?? state.at[axis]);
  viewer.place(at);
  state.layers.forEach((layer, order) => readLayer(layer, asked, order ? "over" : ""));
  const opacity = finite(asked.get("opacity"));
  if (opacity !== null) state.opacity = Math.min(Math.max(opacity, 0), 100) / 100;
  for (const name of Object.keys(state.slabs)) state.slabs[name] = Math.max(0, finite(asked.get(`slab-${name}`)) ?? 0);
  if (asked.get("between") === "nearest") state.linear = false;
  return { view: asked.get("view") ?? "" };
}

function readLayer(layer, asked, prefix) {
  const ends = (asked.get(`${prefix}window`) ?? "").split(",").map(finite);
  if (ends.length === 2 && !ends.includes(null)) layer.setWindow(...ends);
  if (asked.get(`${prefix}colours`)) layer.setMap(asked.get(`${prefix}colours`));
}

export function write(viewer, view) {
  const { state } = viewer;
  const said = new URLSearchParams();
  const [base, over] = state.layers;
  if (over) said.set("over", over.id);
  ["x", "y", "z"].forEach((name, axis) => said.set(name, state.at[axis]));
  writeLayer(base, said, "");
  if (over) {
    writeLayer(over, said, "over");
    if (state.opacity !== viewer.own.opacity) said.set("opacity", Math.round(state.opacity * 100));
  }
  for (const [name, thick] of Object.entries(state.slabs)) if (thick) said.set(`slab-${name}`, written(thick));
  if (!state.linear) said.set("between", "nearest");
  if (view) said.set("view", view);
  const path = location.pathname.replace(/[^/]+$/, base.id);
  history.replaceState(history.state, "", `${path}?${said}`.replaceAll("%2C", ","));
}

function writeLayer(layer, said, prefix) {
  const { low, high, map } = layer.own;
  if (layer.low !== low || layer.high !== high) said.set(`${prefix}window`, `${written(layer.low)},${written(layer.high)}`);
  if (layer.map !== map) said.set(`${prefix}colours`, layer.map);
}
