// What is drawn over a plane: crosshair, letters of orientation, a bar of known length, outlines.

const LIGHT = "rgb(255 255 255 / 0.9)";
const DARK = "rgb(0 0 0 / 0.6)";
const HALO = "rgb(0 0 0 / 0.85)"; // of letters, which have to be read on white
const LENGTHS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const GAP = 12; // CSS pixels around the place itself that the crosshair leaves free
export const OUTLINE_COLOURS = ["#4dd2ff", "#ffd166", "#9cff57", "#ff9ff3"];

export function drawMarks(context, plane, marks) {
  outlines(context, plane);
  if (marks.crosshair) crosshair(context, plane.toScreen(plane.state.at), plane.size);
  if (marks.letters) letters(context, plane);
  if (marks.letters && plane.base.facts.spacing_known) scaleBar(context, plane);
}

// Light on dark, so that it is seen on black and on white.
function stroked(context, draw, width = 1) {
  for (const [colour, wide] of [[DARK, width + 2], [LIGHT, width]]) {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.beginPath();
    draw();
    context.stroke();
  }
}

export function crosshair(context, [x, y], { width, height }) {
  const [cx, cy] = [Math.round(x) + 0.5, Math.round(y) + 0.5];
  stroked(context, () => {
    for (const [from, to] of [[0, cx - GAP], [cx + GAP, width]]) {
      context.moveTo(from, cy);
      context.lineTo(to, cy);
    }
    for (const [from, to] of [[0, cy - GAP], [cy + GAP, height]]) {
      context.moveTo(cx, from);
      context.lineTo(cx, to);
    }
  });
}

// What a saved picture tells of itself: which slice of what, in which windows. Nobody's name.
export function caption(context, plane) {
  const { layers, opacity, at, slabs, words } = plane.state;
  const thick = slabs[plane.name] ? `, ${slabs[plane.name]} mm` : "";
  const lines = [`${words[plane.name]} ${at[plane.across] + 1} / ${plane.slices}${thick}`];
  layers.forEach((layer, order) => {
    const ends = [layer.low, layer.high].map((end) => Number((end * layer.factor).toPrecision(4))).join(" … ");
    lines.push(`${layer.name} ${ends} ${layer.volume.facts.unitWords}${order ? `, ${Math.round(opacity * 100)} %` : ""}`);
  });
  lines.reverse().forEach((line, row) => text(context, line, 10, plane.size.height - 14 - 18 * row, "left"));
}

export function text(context, words, x, y, align = "center") {
  context.font = "600 13px system-ui, sans-serif";
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.strokeStyle = HALO;
  context.lineWidth = 4;
  context.strokeText(words, x, y);
  context.fillStyle = LIGHT;
  context.fillText(words, x, y);
}

// The side of the body to which each axis of the base grows, by the largest part of its direction. Null: unknown.
export function sides(volume, words) {
  if (!volume.facts.orientation) return null;
  const names = [[words.right, words.left], [words.anterior, words.posterior], [words.foot, words.head]];
  return [0, 1, 2].map((axis) => {
    const direction = [0, 4, 8].map((row) => volume.affine[row + axis]);
    const most = direction.reduce((best, each, at) => (Math.abs(each) > Math.abs(direction[best]) ? at : best), 0);
    const [minus, plus] = names[most];
    return direction[most] < 0 ? { low: plus, high: minus } : { low: minus, high: plus };
  });
}

function letters(context, plane) {
  const found = sides(plane.base, plane.state.words);
  if (!found) return;
  const { width, height } = plane.size;
  const [across, down] = [found[plane.u], found[plane.v]];
  text(context, across.low, 14, height / 2);
  text(context, across.high, width - 14, height / 2);
  text(context, plane.turned ? down.high : down.low, width / 2, 14);
  text(context, plane.turned ? down.low : down.high, width / 2, height - 14);
}

function scaleBar(context, plane) {
  const { width, height } = plane.size;
  const length = LENGTHS.findLast((mm) => mm * plane.scale <= Math.min(140, width / 3));
  if (!length) return;
  const [right, bottom] = [width - 14.5, height - 14.5];
  const left = Math.round(right - length * plane.scale) + 0.5;
  stroked(context, () => {
    context.moveTo(left, bottom - 5);
    context.lineTo(left, bottom);
    context.lineTo(right, bottom);
    context.lineTo(right, bottom - 5);
  }, 1.5);
  text(context, length < 10 ? `${length} mm` : `${length / 10} cm`, (left + right) / 2, bottom - 11);
}

function outlines(context, plane) {
  const box = [...plane.corner, ...plane.extent.map((length) => length * plane.scale)];
  for (const outline of plane.state.outlines) strokePath(context, outline.path(plane), outline.colour, box, plane.backing);
}

// A path in the pixels of a picture that is drawn into `box`: left, top, width, height on the canvas.
export function strokePath(context, path, colour, [left, top, wide, high], { width, height }) {
  context.save();
  context.translate(left, top);
  context.scale(wide / width, high / height);
  const pixel = Math.max(wide / width, high / height);
  for (const [each, thick] of [[DARK, 3.5], [colour, 1.75]]) {
    context.strokeStyle = each;
    context.lineWidth = thick / pixel;
    context.stroke(path);
  }
  context.restore();
}
