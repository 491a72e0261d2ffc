// The state in the address, so that a link shows what one sees: read once, written whenever something changed. What is
// as it would be without it is left out. Windows are in stored values. Of a second viewer all names begin with `prefix`,
// but for the view, which is that of both.

const WRITE_MS = 300; // browsers refuse addresses that change too often

const written = (value) => String(Number(value.toPrecision(7)));
const finite = (text) => (text !== null && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : null);

export function read(viewer, search, prefix = "") {
  const asked = new URLSearchParams(search);
  const { state } = viewer;
  const at = ["x", "y", "z"].map((name, axis) => finite(asked.get(`${prefix}${name}`)) ?? state.at[axis]);
  viewer.place(at);
  state.layers.forEach((layer, order) => readLayer(layer, asked, `${prefix}${order ? "over" : ""}`));
  const opacity = finite(asked.get(`${prefix}opacity`));
  if (opacity !== null) state.opacity = Math.min(Math.max(opacity, 0), 100) / 100;
  for (const name of Object.keys(state.slabs)) state.slabs[name] = Math.max(0, finite(asked.get(`${prefix}slab-${name}`)) ?? 0);
  if (asked.get(`${prefix}between`) === "nearest") state.linear = false;
  return { view: asked.get("view") ?? "" };
}

function readLayer(layer, asked, prefix) {
  const ends = numbers(asked.get(`${prefix}window`));
  if (ends.length === 2 && !ends.includes(null)) layer.setWindow(...ends);
  if (asked.get(`${prefix}colours`)) layer.setMap(asked.get(`${prefix}colours`));
}

// The address of a volume's page: what lies below is in its path, what lies over it in the query.
export function write(viewer, view) {
  const [base, over] = viewer.state.layers;
  const said = new URLSearchParams(over ? { over: over.id } : {});
  say(viewer, said);
  if (view) said.set("view", view);
  replace(said, location.pathname.replace(/[^/]+$/, base.id));
}

export function replace(said, path = location.pathname) {
  history.replaceState(history.state, "", `${path}?${said}`.replaceAll("%2C", ","));
}

// What there is to say of one viewer.
export function say(viewer, said, prefix = "") {
  const { state } = viewer;
  const [base, over] = state.layers;
  ["x", "y", "z"].forEach((name, axis) => said.set(`${prefix}${name}`, state.at[axis]));
  writeLayer(base, said, prefix);
  if (over) {
    writeLayer(over, said, `${prefix}over`);
    if (state.opacity !== viewer.own.opacity) said.set(`${prefix}opacity`, Math.round(state.opacity * 100));
  }
  for (const [name, thick] of Object.entries(state.slabs)) if (thick) said.set(`${prefix}slab-${name}`, written(thick));
  if (!state.linear) said.set(`${prefix}between`, "nearest");
}

export const numbers = (text) => (text ?? "").split(",").map(finite);

// Calls `writeNow` a moment after what it returns was called. An address that was only opened stays as it was.
export function keeper(roots, writeNow) {
  let writing = 0;
  let touched = false;
  for (const root of roots) {
    for (const event of ["pointerdown", "wheel", "input"]) {
      root.addEventListener(event, () => (touched = true), { capture: true, passive: true });
    }
  }
  document.addEventListener("keydown", () => (touched = true), { capture: true });
  return () => {
    if (!touched) return;
    clearTimeout(writing);
    writing = setTimeout(writeNow, WRITE_MS);
  };
}

function writeLayer(layer, said, prefix) {
  const { low, high, map } = layer.own;
  if (layer.low !== low || layer.high !== high) said.set(`${prefix}window`, `${written(layer.low)},${written(layer.high)}`);
  if (layer.map !== map) said.set(`${prefix}colours`, layer.map);
}
