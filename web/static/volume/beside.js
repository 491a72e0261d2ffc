// Two viewers side by side. Where one goes, the other follows: in millimetres, further by an offset, for a patient seldom
// lies twice in the same place. Zoom, projection and shown planes follow, too; windows where both have the same unit.

import { mount } from "./mount.js";

const sides = ["viewer", "viewer-2"].map((id) => mount(document.getElementById(id), { ownsPage: false }));
const [one, other] = sides.map(({ viewer }) => viewer);
const stages = new Map(sides.map(({ viewer, stage }) => [viewer, stage]));
const form = document.getElementById("linked");
const fields = ["x", "y", "z"].map((name) => form.elements[name]);
form.hidden = false;

const place = (viewer) => viewer.base.toWorld(viewer.state.at);
const middle = ({ base }) => base.toWorld(base.shape.map((length) => (length - 1) / 2));
const less = (these, those) => these.map((each, axis) => each - those[axis]);
const more = (these, those) => these.map((each, axis) => each + those[axis]);

// In one frame of reference the same millimetres are the same place; else middle on middle, until somebody says better.
let offset = "shareFrame" in form.dataset ? [0, 0, 0] : less(middle(other), middle(one));
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

showOffset();
if (isTicked("windows")) sameWindow(one, other);
other.moveToWorld(more(place(one), offset));
