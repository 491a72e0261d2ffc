// The boundary of a region on the planes. A region is a typed array on the grid of one volume: 0 is outside, other
// numbers are labels, between which there is a line, too.

import { multiply } from "./affine.js";
import { sampled } from "./cuts.js";

export class Outline {
  constructor(volume, mask, colour) {
    const [nx, ny, nz] = volume.shape;
    if (mask.length !== nx * ny * nz) throw new RangeError(`a mask of ${mask.length} voxels on ${nx} x ${ny} x ${nz}`);
    const slices = Array.from({ length: nz }, (_, k) => mask.subarray(k * nx * ny, (k + 1) * nx * ny));
    Object.assign(this, { volume, colour, paths: new Map() });
    this.region = { shape: volume.shape, slices, preview: null, isWhole: true };
  }

  // In pixels of the picture of a plane. What a slab shows is the outline of the region seen through it.
  path(plane) {
    const grid = plane.grid;
    const slab = plane.slabOf(this.volume);
    const made = [plane.base.id, grid.origin, grid.width, slab].join();
    const kept = this.paths.get(plane.name);
    if (kept?.made === made) return kept.path;
    const map = multiply(this.volume.inverse, plane.base.affine);
    const labels = sampled(this.region, grid, map, plane.base.shape, slab, false);
    const path = boundary(labels, grid.width, grid.height);
    this.paths.set(plane.name, { made, path });
    return path;
  }
}

// The same on the rotating projection of the region's own volume, for its present frame, in pixels of the frame.
export function projected(outline, mip) {
  const { frames, width, height } = mip.facts;
  if (!outline.paths.has(mip)) outline.paths.set(mip, new Array(frames));
  const paths = outline.paths.get(mip);
  paths[mip.frame] ??= boundary(shadow(outline, mip, width, height), width, height);
  return paths[mip.frame];
}

function shadow({ region, volume }, mip, width, height) {
  const labels = new Uint8Array(width * height);
  const [nx, ny] = volume.shape;
  const columns = Int32Array.from({ length: nx * ny }, (_, at) => Math.floor(mip.column(at % nx, Math.floor(at / nx)) + 0.5 + 1e-6));
  region.slices.forEach((slice, k) => {
    const row = (height - 1 - Math.floor(k / mip.slicesARow)) * width;
    for (let at = 0; at < slice.length; at++) if (slice[at]) labels[row + columns[at]] = 1;
  });
  return labels;
}

// Along the edges of pixels whose neighbour has another label; edges in one line are one stroke.
export function boundary(labels, width, height) {
  const path = new Path2D();
  const label = (u, v) => (u < 0 || v < 0 || u >= width || v >= height ? 0 : labels[v * width + u] || 0);
  for (let v = 0; v <= height; v++) {
    runs(width, (u) => label(u, v - 1) !== label(u, v), (from, to) => {
      path.moveTo(from, v);
      path.lineTo(to, v);
    });
  }
  for (let u = 0; u <= width; u++) {
    runs(height, (v) => label(u - 1, v) !== label(u, v), (from, to) => {
      path.moveTo(u, from);
      path.lineTo(u, to);
    });
  }
  return path;
}

function runs(length, differs, draw) {
  let from = -1;
  for (let at = 0; at <= length; at++) {
    const edge = at < length && differs(at);
    if (edge && from < 0) from = at;
    if (!edge && from >= 0) {
      draw(from, at);
      from = -1;
    }
  }
}
