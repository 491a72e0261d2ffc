// Two viewers side by side. Where one goes, the other follows: in millimetres, further by an offset, for a patient seldom
// lies twice in the same place. Zoom, projection and shown planes follow, too; windows where both have the same unit.

import { keeper, numbers, replace, say } from "./address.js";
import { mount } from "./mount.js";
import { Outlines } from "./outlines.js";

const SECOND = "second-"; // what the address says of the second viewer begins so
const form = document.getElementById("linked");
const roots = ["viewer", "viewer-2"].map((id) => document.getElementById(id));
const keepAddress = keeper([...roots.map((root) => root.closest("section")), form], write);
const sides = roots.map((root, order) => mount(root, { ownsPage: false, prefix: order ? SECOND : "", keepAddress }));
const [one, other] = sides.map(({ viewer }) => viewer);
const stages = new Map(sides.map(({ viewer, stage }) => [viewer, stage]));
const outlines = new Outlines(keepAddress);
const fields = ["x", "y", "z"].map((name) => form.elements[name]);
form.hidden = false;

const place = (viewer) => viewer.base.toWorld(viewer.state.at);
const middle = ({ base }) => base.toWorld(base.shape.map((length) => (length - 1) / 2));
const less = (these, those) => these.map((each, axis) => each - those[axis]);
const more = (these, those) => these.map((each, axis) => each + those[axis]);

// In one frame of reference the same millimetres are the same place; else middle on middle, until somebody says better.
const own = "shareFrame" in form.dataset ? [0, 0, 0] : less(middle(other), middle(one));
let offset = own;
let seen = new Map();

// The box of the windows is there only where both have the same unit.
const isTicked = (name) => Boolean(form.elements[name]?.checked);

function showOffset() {
  fields.forEach((field, axis) => document.activeElement === field || (field.value = Math.round(offset[axis] * 10) / 10));
}

// What of a viewer the other one follows.
function stateOf(viewer) {
  const [layer] = viewer.state.layers;
  const { at, zoom, centre } = viewer.state;
  const sight = [zoom, ...centre].join();
  return { at: at.join(), sight, window: [layer.low, layer.high].join(), frame: viewer.mip.frame, view: stages.get(viewer).view };
}

function follow(leader, follower, by) {
  const now = stateOf(leader);
  const before = seen.get(leader);
  seen.set(leader, now);
  if (!before) return;
  if (isTicked("linked")) goAlong(leader, follower, by, { now, before });
  if (isTicked("windows") && now.window !== before.window) sameWindow(leader, follower);
  seen.set(follower, stateOf(follower)); // what was done here is no move of its own
}

function goAlong(leader, follower, by, { now, before }) {
  if (now.at !== before.at) follower.moveToWorld(more(place(leader), by));
  if (now.sight !== before.sight) lookAt(leader, follower, by);
  if (now.frame !== before.frame && follower.mip.frames && follower.mip.frame !== now.frame) follower.mip.turnTo(now.frame);
  if (now.view !== before.view && stages.get(follower).view !== now.view) stages.get(follower).show(now.view);
}

function lookAt(leader, follower, by) {
  const { zoom, centre } = leader.state;
  if (zoom === 1) follower.fit();
  else follower.set({ zoom, pixelsPerMm: null, centre: follower.base.toVoxel(more(leader.base.toWorld(centre), by)) });
}

function sameWindow(leader, follower) {
  const [from, to] = [leader, follower].map((viewer) => viewer.state.layers[0]);
  to.setWindow(...[from.low, from.high].map((end) => (end * from.factor) / to.factor));
  follower.redraw();
}

const negative = () => offset.map((each) => -each);
const remember = () => (seen = new Map([one, other].map((viewer) => [viewer, stateOf(viewer)])));

one.changed(() => follow(one, other, offset));
other.changed(() => follow(other, one, negative()));
one.mip.turned(() => follow(one, other, offset));
other.mip.turned(() => follow(other, one, negative()));

form.elements.linked.addEventListener("change", () => {
  if (!isTicked("linked")) return;
  offset = less(place(other), place(one));
  remember();
  showOffset();
});

form.elements.windows?.addEventListener("change", () => {
  if (!isTicked("windows")) return;
  sameWindow(one, other);
  remember();
});

for (const field of fields) {
  field.addEventListener("input", () => {
    if (fields.some(({ value }) => value === "")) return;
    offset = fields.map(({ value }) => Number(value));
    if (isTicked("linked")) other.moveToWorld(more(place(one), offset));
    remember();
  });
}
form.addEventListener("submit", (event) => event.preventDefault());

// --- The address

function write() {
  const said = new URLSearchParams();
  say(one, said);
  say(other, said, SECOND);
  if (isTicked("linked")) for (const name of ["x", "y", "z"]) said.delete(SECOND + name);
  else said.set("linked", "no");
  if (form.elements.windows && !isTicked("windows")) said.set("windows", "no");
  if (offset.some((each, axis) => each !== own[axis])) said.set("further", offset.map((mm) => Number(mm.toFixed(2))).join());
  if (stages.get(one).said) said.set("view", stages.get(one).said);
  outlines.say(said);
  replace(said);
}

function read() {
  const asked = new URLSearchParams(location.search);
  for (const name of ["linked", "windows"]) if (form.elements[name] && asked.get(name) === "no") form.elements[name].checked = false;
  const further = numbers(asked.get("further"));
  if (further.length === 3 && !further.includes(null)) offset = further;
  outlines.read(asked);
}

form.addEventListener("input", keepAddress);

read();
showOffset();
if (isTicked("windows")) sameWindow(one, other);
if (isTicked("linked")) other.moveToWorld(more(place(one), offset));
