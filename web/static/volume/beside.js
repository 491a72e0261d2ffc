// Two viewers side by side. Where one goes, the other follows: in millimetres, by an offset that can be set, for a patient
// never lies twice in the same place. Windows follow where both have the same unit; zoom and projection always.

import { mount } from "./mount.js";

const roots = ["viewer", "viewer-2"].map((id) => document.getElementById(id));
const [one, other] = roots.map((root) => mount(root, { ownsPage: false }).viewer);
const form = document.getElementById("linked");
const fields = ["x", "y", "z"].map((name) => form.elements[name]);
form.hidden = false;

const place = (viewer) => viewer.base.toWorld(viewer.state.at);
const middle = ({ base }) => base.toWorld(base.shape.map((length) => (length - 1) / 2));
const less = (these, those) => these.map((each, axis) => each - those[axis]);
const more = (these, those) => these.map((each, axis) => each + those[axis]);
const isIn = ({ base }, world) => base.contains(base.toVoxel(world).map(Math.round));

// As in the scanner, unless the middle of the first is not in the second at all: then middle on middle.
let offset = isIn(other, middle(one)) ? [0, 0, 0] : less(middle(other), middle(one));
let seen = new Map();

const isLinked = () => form.elements.linked.checked;

function showOffset() {
  fields.forEach((field, axis) => document.activeElement === field || (field.value = Math.round(offset[axis] * 10) / 10));
}

// What of a viewer the other one follows.
function stateOf(viewer) {
  const [layer] = viewer.state.layers;
  return { at: viewer.state.at.join(), window: [layer.low, layer.high].join(), zoom: viewer.state.zoom, frame: viewer.mip.frame };
}

function follow(leader, follower, by) {
  const now = stateOf(leader);
  const before = seen.get(leader);
  seen.set(leader, now);
  if (!before || !isLinked()) return;
  if (now.at !== before.at) follower.moveToWorld(more(place(leader), by));
  if (now.zoom !== before.zoom) follower.set({ zoom: now.zoom, centre: follower.state.at });
  if (now.window !== before.window) sameWindow(leader, follower);
  if (now.frame !== before.frame && follower.mip.frames && follower.mip.frame !== now.frame) follower.mip.turnTo(now.frame);
  seen.set(follower, stateOf(follower)); // what was done here is no move of its own
}

function sameWindow(leader, follower) {
  const [from, to] = [leader, follower].map((viewer) => viewer.state.layers[0]);
  if (from.volume.facts.unitWords !== to.volume.facts.unitWords) return;
  to.setWindow(...[from.low, from.high].map((end) => (end * from.factor) / to.factor));
  follower.redraw();
}

const negative = () => offset.map((each) => -each);

one.changed(() => follow(one, other, offset));
other.changed(() => follow(other, one, negative()));
one.mip.turned(() => follow(one, other, offset));
other.mip.turned(() => follow(other, one, negative()));

form.elements.linked.addEventListener("change", () => {
  if (!isLinked()) return;
  offset = less(place(other), place(one));
  seen = new Map([one, other].map((viewer) => [viewer, stateOf(viewer)]));
  showOffset();
});

for (const field of fields) {
  field.addEventListener("input", () => {
    if (fields.some(({ value }) => value === "")) return;
    offset = fields.map(({ value }) => Number(value));
    if (isLinked()) other.moveToWorld(more(place(one), offset));
    seen.set(other, stateOf(other));
  });
}
form.addEventListener("submit", (event) => event.preventDefault());

showOffset();
other.moveToWorld(more(place(one), offset));
