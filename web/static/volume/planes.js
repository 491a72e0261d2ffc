// The three planes on canvas. Values of each layer are kept as they were cut, so that a window, a table of colours or
// an opacity that changes only costs the colouring.
//
// Planes are seen as radiologists see them: axial from the feet with the front on top, coronal from the front,
// sagittal from the left; the head is up. A plane is drawn on the grid of the lowest layer, or a whole number of
// times finer if a layer above it is finer, and is then scaled to the screen.

import { multiply } from "./affine.js";
import { cut, sampled } from "./cuts.js";
import { caption, drawMarks } from "./marks.js";

export const PLANES = {
  axial: { u: 0, v: 1, across: 2, turned: false },
  coronal: { u: 0, v: 2, across: 1, turned: true },
  sagittal: { u: 1, v: 2, across: 0, turned: true },
};

const LARGEST = 1024; // pixels along a side of what is drawn

export class Plane {
  // `state` is the page's: layers (lowest first), opacity, at, centre, zoom, slabs, linear, outlines.
  constructor(name, canvas, state) {
    Object.assign(this, PLANES[name], { name, canvas, state });
    this.context = canvas.getContext("2d", { alpha: false });
    this.backing = document.createElement("canvas");
    this.backingContext = this.backing.getContext("2d", { alpha: false, willReadFrequently: true });
    this.values = new Map(); // of each layer, by its volume's id: values on the grid, and what they were made of
    this.size = { width: 0, height: 0 };
  }

  get base() {
    return this.state.layers[0].volume;
  }

  get spacing() {
    return [this.base.spacing[this.u], this.base.spacing[this.v]];
  }

  get slices() {
    return this.base.shape[this.across];
  }

  // How many pixels are drawn for each voxel of the base.
  get finer() {
    const ratios = this.state.layers.slice(1).map(({ volume }) => Math.min(...this.spacing) / Math.min(...volume.spacing));
    const most = Math.floor(LARGEST / Math.max(this.base.shape[this.u], this.base.shape[this.v]));
    return Math.max(1, Math.min(8, most, Math.round(Math.max(1, ...ratios))));
  }

  // Of the picture, in voxels of the base: where its first pixel lies, and the steps right, down and through.
  get grid() {
    const finer = this.finer;
    const [origin, du, dv, across] = [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]];
    const half = 0.5 / finer - 0.5;
    origin[this.across] = this.state.at[this.across];
    origin[this.u] = half;
    origin[this.v] = this.turned ? this.base.shape[this.v] - 1 - half : half;
    du[this.u] = 1 / finer;
    dv[this.v] = (this.turned ? -1 : 1) / finer;
    across[this.across] = 1;
    const [width, height] = [this.base.shape[this.u] * finer, this.base.shape[this.v] * finer];
    return { u: this.u, v: this.v, width, height, origin, du, dv, across };
  }

  // Slices of `volume` that the slab is thick, at least one.
  slabOf(volume) {
    const thick = this.state.slabs[this.name];
    return Math.max(1, Math.round(thick / (this.acrossSpacing(volume) || 1)));
  }

  acrossSpacing(volume) {
    const map = multiply(volume.inverse, this.base.affine);
    const steps = [0, 1, 2].map((row) => map[4 * row + this.across]);
    return this.base.spacing[this.across] / Math.hypot(...steps);
  }

  // --- Values

  valuesOf(layer, grid) {
    const { volume } = layer;
    const slab = this.slabOf(volume);
    const made = [this.base.id, grid.origin, grid.width, volume.version, slab, this.state.linear].join();
    const kept = this.values.get(volume.id);
    if (kept?.made === made) return kept.data;
    const data = volume === this.base && grid.width === volume.shape[this.u] ? this.own(slab) : this.other(volume, grid, slab);
    this.values.set(volume.id, { made, data });
    return data;
  }

  own(slab) {
    const at = this.state.at[this.across];
    const plane = cut(this.base, this.across, at - Math.floor((slab - 1) / 2), at + Math.ceil((slab - 1) / 2));
    if (!plane) return new Float32Array(this.base.shape[this.u] * this.base.shape[this.v]).fill(NaN);
    return this.turned ? upsideDown(plane) : plane.data;
  }

  other(volume, grid, slab) {
    const map = multiply(volume.inverse, this.base.affine);
    return sampled(volume, grid, map, this.base.shape, slab, this.state.linear);
  }

  // --- Colours

  draw() {
    this.paint();
    this.show();
  }

  paint() {
    const grid = this.grid;
    if (this.backing.width !== grid.width || this.backing.height !== grid.height) {
      Object.assign(this.backing, { width: grid.width, height: grid.height });
      this.image = this.backingContext.createImageData(grid.width, grid.height);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.painted = null;
    }
    const [base, ...over] = this.state.layers;
    if (!this.state.layers.some(({ volume }) => volume.version)) return; // nothing has come: it is black
    const values = new Map(this.state.layers.map((layer) => [layer, this.valuesOf(layer, grid)]));
    if (!this.isNew(values)) return;
    colour(this.pixels, values.get(base), base);
    for (const layer of over) blend(this.pixels, values.get(layer), layer, this.state.opacity);
    this.backingContext.putImageData(this.image, 0, 0);
  }

  // Whether anything differs from what was painted last.
  isNew(values) {
    const now = [this.state.opacity];
    for (const [layer, data] of values) now.push(data, layer.low, layer.high, layer.colours);
    const same = this.painted?.length === now.length && now.every((each, at) => each === this.painted[at]);
    this.painted = now;
    return !same;
  }

  // --- On the screen

  get ratio() {
    return window.devicePixelRatio || 1;
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.size = { width, height };
    const [wide, high] = [Math.max(1, Math.round(width * this.ratio)), Math.max(1, Math.round(height * this.ratio))];
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
  }

  // CSS pixels per millimetre at which the whole plane just fits.
  get fitting() {
    const [wide, high] = this.extent;
    return Math.min(this.size.width / wide, this.size.height / high);
  }

  get extent() {
    return [this.base.shape[this.u] * this.spacing[0], this.base.shape[this.v] * this.spacing[1]];
  }

  get scale() {
    return this.state.pixelsPerMm ?? this.fitting * this.state.zoom;
  }

  // Where the picture's left upper corner is on the canvas, in CSS pixels: the centre of the view is in the middle.
  get corner() {
    const across = (axis, spacing, turned) => {
      const at = this.state.centre[axis] + 0.5;
      return (turned ? this.base.shape[axis] - at : at) * spacing * this.scale;
    };
    const [su, sv] = this.spacing;
    return [this.size.width / 2 - across(this.u, su, false), this.size.height / 2 - across(this.v, sv, this.turned)];
  }

  // From a voxel of the base to CSS pixels, and back.
  toScreen(voxel) {
    const [left, top] = this.corner;
    const [su, sv] = this.spacing;
    const down = this.turned ? this.base.shape[this.v] - voxel[this.v] - 0.5 : voxel[this.v] + 0.5;
    return [left + (voxel[this.u] + 0.5) * su * this.scale, top + down * sv * this.scale];
  }

  toVoxel(x, y) {
    const [left, top] = this.corner;
    const [su, sv] = this.spacing;
    const voxel = [...this.state.at];
    const down = (y - top) / (sv * this.scale);
    voxel[this.u] = (x - left) / (su * this.scale) - 0.5;
    voxel[this.v] = this.turned ? this.base.shape[this.v] - down - 0.5 : down - 0.5;
    return voxel;
  }

  show() {
    if (!this.size.width) return;
    this.drawOn(this.context, this.ratio, this.state.marks);
  }

  drawOn(context, ratio, marks) {
    const { width, height } = this.size;
    const [left, top] = this.corner;
    const [wide, high] = this.extent.map((length) => length * this.scale);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = this.state.linear;
    context.drawImage(this.backing, left, top, wide, high);
    drawMarks(context, this, marks);
  }

  // The plane as it is shown, as a PNG.
  async picture() {
    const canvas = document.createElement("canvas");
    const ratio = Math.max(2, this.ratio);
    Object.assign(canvas, { width: this.size.width * ratio, height: this.size.height * ratio });
    const context = canvas.getContext("2d", { alpha: false });
    this.drawOn(context, ratio, this.state.marks);
    caption(context, this);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }
}

function upsideDown({ data, width, height }) {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < height; row++) turned.set(data.subarray(row * width, (row + 1) * width), (height - 1 - row) * width);
  return turned;
}

// A level is the nearest of 256 between low and high; what is no number has the lowest colour.
function colour(pixels, values, { low, high, colours }) {
  const scale = 255 / (high - low);
  for (let at = 0; at < pixels.length; at++) {
    const level = (values[at] - low) * scale + 0.5;
    pixels[at] = colours[level > 255 ? 255 : level > 0 ? level | 0 : 0];
  }
}

// Mixed in two steps of two bytes each; where the layer has no value, what is below it stays.
function blend(pixels, values, { low, high, colours }, opacity) {
  const share = Math.round(opacity * 256);
  const rest = 256 - share;
  const scale = 255 / (high - low);
  for (let at = 0; at < pixels.length; at++) {
    const value = values[at];
    if (value !== value) continue;
    const level = (value - low) * scale + 0.5;
    const over = colours[level > 255 ? 255 : level > 0 ? level | 0 : 0];
    const under = pixels[at];
    const redBlue = ((over & 0xff00ff) * share + (under & 0xff00ff) * rest + 0x800080) >>> 8;
    const green = (((over >>> 8) & 0xff) * share + ((under >>> 8) & 0xff) * rest + 0x80) & 0xff00;
    pixels[at] = 0xff000000 | (redBlue & 0xff00ff) | green;
  }
}
