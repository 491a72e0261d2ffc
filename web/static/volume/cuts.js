// From voxels to a plane of values. A cut is a plane of a volume's own grid; it is then sampled on the grid that is
// drawn, which may be another volume's: no volume is ever resampled as a whole.

import { axisOf } from "./affine.js";

// Of each axis that can be cut across, the axes of the cut: fast, slow.
export const OF_CUT = [[1, 2], [0, 2], [0, 1]];

// Values of slices first..last across an axis: the one, or the highest of them (slab), or a mix of two (`share` of
// the second). Null if none of them is in the volume.
export function cut(volume, across, first, last, share = 0) {
  const count = volume.shape[across];
  const from = Math.max(0, first);
  const to = Math.min(count - 1, last);
  if (from > to || !(volume.preview || volume.slices.some(Boolean))) return null;
  const [fast, slow] = OF_CUT[across];
  const plane = { width: volume.shape[fast], height: volume.shape[slow], data: null };
  plane.data = new Float32Array(plane.width * plane.height);
  fill(volume, across, from, plane.data);
  if (to === from) return plane;
  const next = new Float32Array(plane.data.length);
  for (let at = from + 1; at <= to; at++) {
    fill(volume, across, at, next);
    if (share) mix(plane.data, next, share);
    else highest(plane.data, next);
  }
  return plane;
}

function highest(into, other) {
  for (let at = 0; at < into.length; at++) if (other[at] > into[at] || into[at] !== into[at]) into[at] = other[at];
}

function mix(into, other, share) {
  for (let at = 0; at < into.length; at++) into[at] += share * (other[at] - into[at]);
}

function fill(volume, across, at, out) {
  if (across === 2) fillSlice(volume, at, out);
  else if (across === 1) fillRows(volume, at, out);
  else fillColumns(volume, at, out);
}

function fillRows(volume, at, out) {
  const [nx, , nz] = volume.shape;
  for (let k = 0; k < nz; k++) {
    const slice = volume.slices[k];
    if (slice) out.set(slice.subarray(at * nx, (at + 1) * nx), k * nx);
    else fillRow(volume, at, k, out, k * nx);
  }
}

// Sagittal: each value lies in a line of memory of its own, together with its neighbours. What takes the time is to
// fetch the line, so the eight planes beside each other are kept on the way: who steps through them has them already.
const BESIDE = 8;
const gathered = new WeakMap(); // by volume: the values of one block of planes, eight beside each other

function fillColumns(volume, at, out) {
  if (!volume.slices.some(Boolean)) return fillColumnsOfPreview(volume, at, out);
  const first = at - (at % BESIDE);
  let kept = gathered.get(volume);
  if (kept?.first !== first || kept.version !== volume.version) {
    kept = { first, version: volume.version, data: gather(volume, first) };
    gathered.set(volume, kept);
  }
  const { data } = kept;
  for (let to = 0, from = at - first; to < out.length; to++, from += BESIDE) out[to] = data[from];
}

// Small enough to lie near, and only looked at until the first slices come: nothing is kept.
function fillColumnsOfPreview(volume, at, out) {
  if (!volume.preview) return out.fill(NaN);
  const [, ny, nz] = volume.shape;
  const { data, rows, planes, maps } = volume.preview;
  for (let k = 0, to = 0; k < nz; k++) {
    const from = maps[2][k] * planes + maps[0][at];
    for (let j = 0; j < ny; j++, to++) out[to] = data[from + maps[1][j] * rows];
  }
}

function gather(volume, first) {
  const [nx, ny, nz] = volume.shape;
  const Kind = volume.preview || volume.isWhole ? (volume.preview?.data ?? volume.slices[0]).constructor : Float32Array;
  const data = new Kind(ny * nz * BESIDE);
  for (let k = 0, to = 0; k < nz; k++) {
    const slice = volume.slices[k];
    if (!slice) gatherPreview(volume, first, k, data, to);
    else for (let j = 0, from = first, at = to; j < ny; j++, from += nx, at += BESIDE) {
      data[at] = slice[from]; // at the end of a row these go on into the next one: nobody asks for those
      data[at + 1] = slice[from + 1];
      data[at + 2] = slice[from + 2];
      data[at + 3] = slice[from + 3];
      data[at + 4] = slice[from + 4];
      data[at + 5] = slice[from + 5];
      data[at + 6] = slice[from + 6];
      data[at + 7] = slice[from + 7];
    }
    to += ny * BESIDE;
  }
  return data;
}

function gatherPreview(volume, first, k, out, to) {
  const [nx, ny] = volume.shape;
  if (!volume.preview) return out.fill(NaN, to, to + ny * BESIDE);
  const { data, rows, planes, maps } = volume.preview;
  const last = Math.min(BESIDE, nx - first);
  for (let j = 0; j < ny; j++, to += BESIDE) {
    const from = maps[2][k] * planes + maps[1][j] * rows;
    for (let beside = 0; beside < last; beside++) out[to + beside] = data[from + maps[0][first + beside]];
  }
}

function fillSlice(volume, k, out) {
  if (volume.slices[k]) return out.set(volume.slices[k]);
  if (!volume.preview) return out.fill(NaN);
  const [nx, ny] = volume.shape;
  const { data, rows, planes, maps } = volume.preview;
  for (let j = 0; j < ny; j++) {
    const from = maps[2][k] * planes + maps[1][j] * rows;
    for (let i = 0; i < nx; i++) out[j * nx + i] = data[from + maps[0][i]];
  }
}

// One row of a coronal cut, of the preview.
function fillRow(volume, at, k, out, to) {
  const [nx] = volume.shape;
  if (!volume.preview) return out.fill(NaN, to, to + nx);
  const { data, rows, planes, maps } = volume.preview;
  const from = maps[2][k] * planes + maps[1][at] * rows;
  for (let i = 0; i < nx; i++) out[to + i] = data[from + maps[0][i]];
}

// The values of `volume` on a grid. The grid's pixel (u, v) lies at `origin + u * du + v * dv` in the voxels of the
// grid's own volume, which `map` takes to those of `volume`; `lengths` are the voxels of the grid's volume along its
// axes; `slab` is the number of slices of `volume` of which the highest is taken. Outside is NaN.
export function sampled(volume, grid, map, lengths, slab, linear) {
  const sources = axisOf(map, lengths);
  return sources ? sampledStraight(volume, grid, map, sources, slab, linear) : sampledOblique(volume, grid, map, slab, linear);
}

// Each axis of `volume` runs along one of the grid: cut first, then pick along rows and columns by tables.
function sampledStraight(volume, grid, map, sources, slab, linear) {
  const along = sources.map((source) => (source === grid.u ? "u" : source === grid.v ? "v" : "across"));
  const across = along.indexOf("across");
  const start = point(map, grid.origin)[across];
  const { first, last, share } = range(start, slab, linear && volume.shape[across] > 1, volume.shape[across]);
  const out = new Float32Array(grid.width * grid.height);
  const plane = first === null ? null : cut(volume, across, first, last, share);
  if (!plane) return out.fill(NaN);
  const [fast, slow] = OF_CUT[across];
  const tables = [fast, slow].map((axis) => table(volume, grid, map, axis, along[axis], linear));
  const [columns, rows] = along[fast] === "u" ? tables : [tables[1], tables[0]];
  const [columnStep, rowStep] = along[fast] === "u" ? [1, plane.width] : [plane.width, 1];
  return pick(plane.data, columns, columnStep, rows, rowStep, out, linear);
}

// Which slices lie at a place across: two and how much of the second, or those of a slab.
function range(at, slab, linear, count) {
  const middle = Math.round(at);
  if (middle < -0.5 || middle > count - 0.5) return { first: null };
  if (slab > 1) return { first: middle - Math.floor((slab - 1) / 2), last: middle + Math.ceil((slab - 1) / 2), share: 0 };
  const first = Math.min(Math.max(Math.floor(at), 0), count - 1);
  const share = Math.min(Math.max(at - first, 0), 1);
  if (!linear || share < 1e-6 || first + 1 >= count) return { first: middle, last: middle, share: 0 };
  return { first, last: first + 1, share };
}

function point(map, [x, y, z]) {
  return [0, 4, 8].map((row) => map[row] * x + map[row + 1] * y + map[row + 2] * z + map[row + 3]);
}

function step(map, axis, [x, y, z]) {
  return map[4 * axis] * x + map[4 * axis + 1] * y + map[4 * axis + 2] * z;
}

// For each pixel along a row or column: the voxel before it, the one after, and the share of the latter. -1: outside.
function table(volume, grid, map, axis, direction, linear) {
  const length = direction === "u" ? grid.width : grid.height;
  const first = point(map, grid.origin)[axis];
  const by = step(map, axis, direction === "u" ? grid.du : grid.dv);
  const count = volume.shape[axis];
  const [before, after, share] = [new Int32Array(length), new Int32Array(length), new Float32Array(length)];
  for (let each = 0; each < length; each++) {
    const at = first + each * by;
    const inside = at >= -0.5 && at < count - 0.5;
    const low = linear ? Math.floor(at) : Math.round(at);
    before[each] = inside ? Math.min(Math.max(low, 0), count - 1) : -1;
    after[each] = Math.min(Math.max(low, -1) + 1, count - 1);
    share[each] = low < 0 ? 0 : at - low;
  }
  return { before, after, share };
}

function pick(data, columns, columnStep, rows, rowStep, out, linear) {
  const width = columns.before.length;
  const height = rows.before.length;
  for (let v = 0, to = 0; v < height; v++) {
    const above = rows.before[v] * rowStep;
    if (above < 0) {
      out.fill(NaN, to, to + width);
      to += width;
    } else if (linear) {
      const below = rows.after[v] * rowStep;
      const down = rows.share[v];
      for (let u = 0; u < width; u++, to++) {
        const left = columns.before[u] * columnStep;
        if (left < 0) {
          out[to] = NaN;
          continue;
        }
        const right = columns.after[u] * columnStep;
        const over = columns.share[u];
        const top = data[above + left] + over * (data[above + right] - data[above + left]);
        const bottom = data[below + left] + over * (data[below + right] - data[below + left]);
        out[to] = top + down * (bottom - top);
      }
    } else {
      for (let u = 0; u < width; u++, to++) {
        const left = columns.before[u] * columnStep;
        out[to] = left < 0 ? NaN : data[above + left];
      }
    }
  }
  return out;
}

// The grids lean against each other: each pixel by itself, with the highest of `slab` steps across.
function sampledOblique(volume, grid, map, slab, linear) {
  const out = new Float32Array(grid.width * grid.height).fill(NaN);
  if (!volume.preview && !volume.isWhole) return out;
  const across = [0, 1, 2].map((axis) => step(map, axis, grid.across));
  const length = Math.hypot(...across) || 1;
  const value = linear ? blended : nearest;
  for (let each = 0; each < slab; each++) {
    const by = (each - Math.floor((slab - 1) / 2)) / length;
    const [x, y, z] = point(map, grid.origin).map((at, axis) => at + by * across[axis]);
    const [[ux, uy, uz], [vx, vy, vz]] = [grid.du, grid.dv].map((way) => [0, 1, 2].map((axis) => step(map, axis, way)));
    for (let v = 0, to = 0; v < grid.height; v++) {
      for (let u = 0; u < grid.width; u++, to++) {
        const found = value(volume, x + u * ux + v * vx, y + u * uy + v * vy, z + u * uz + v * vz);
        if (found > out[to] || out[to] !== out[to]) out[to] = found;
      }
    }
  }
  return out;
}

function nearest(volume, x, y, z) {
  const [nx, ny, nz] = volume.shape;
  if (!(x >= -0.5 && y >= -0.5 && z >= -0.5 && x < nx - 0.5 && y < ny - 0.5 && z < nz - 0.5)) return NaN;
  return raw(volume, Math.round(x), Math.round(y), Math.round(z));
}

function raw(volume, i, j, k) {
  const slice = volume.slices[k];
  if (slice) return slice[j * volume.shape[0] + i];
  const { data, rows, planes, maps } = volume.preview;
  return data[maps[2][k] * planes + maps[1][j] * rows + maps[0][i]];
}

function blended(volume, x, y, z) {
  const [nx, ny, nz] = volume.shape;
  if (!(x >= -0.5 && y >= -0.5 && z >= -0.5 && x < nx - 0.5 && y < ny - 0.5 && z < nz - 0.5)) return NaN;
  const i = Math.max(0, Math.floor(x)), j = Math.max(0, Math.floor(y)), k = Math.max(0, Math.floor(z));
  const i1 = Math.min(i + 1, nx - 1), j1 = Math.min(j + 1, ny - 1), k1 = Math.min(k + 1, nz - 1);
  const a = Math.max(0, x - i), b = Math.max(0, y - j), c = Math.max(0, z - k);
  const row = (jj, kk) => {
    const left = raw(volume, i, jj, kk);
    return left + a * (raw(volume, i1, jj, kk) - left);
  };
  const near = row(j, k);
  const far = row(j, k1);
  const nearPlane = near + b * (row(j1, k) - near);
  return nearPlane + c * (far + b * (row(j1, k1) - far) - nearPlane);
}
