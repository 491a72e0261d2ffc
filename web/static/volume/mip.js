// The rotating maximum intensity projection that the worker made: frames of one byte a pixel, the first seen from the
// front, each next from further to the patient's left. It is coloured like the layer it belongs to.

import { crosshair, strokePath, text } from "./marks.js";
import { projected } from "./outline.js";
import { inUnits } from "./readout.js";

const TURN_MS = 110;

export class Mip {
  constructor(canvas, state) {
    Object.assign(this, { canvas, state, frame: 0, playing: false, frames: null, layer: null });
    this.context = canvas.getContext("2d", { alpha: false });
    this.backing = document.createElement("canvas");
    this.size = { width: 0, height: 0 };
    this.listeners = [];
  }

  // `listener` hears when another frame is shown, and when it begins or ceases to turn.
  turned(listener) {
    this.listeners.push(listener);
  }

  get facts() {
    return this.layer.volume.facts.mip;
  }

  get degrees() {
    return Math.round((this.frame * 360) / (this.facts?.frames ?? 36));
  }

  // Takes the frames of a layer's volume; false if they are not what the sidecar says.
  hold(layer, buffer) {
    const { frames, width, height } = layer.volume.facts.mip;
    if (buffer.byteLength !== frames * width * height) return false;
    Object.assign(this, { layer, frames: new Uint8Array(buffer) });
    Object.assign(this.backing, { width, height });
    this.backingContext = this.backing.getContext("2d", { alpha: false, willReadFrequently: true });
    this.image = this.backingContext.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    return true;
  }

  turnTo(frame) {
    const { frames } = this.facts ?? { frames: 36 };
    this.frame = ((Math.round(frame) % frames) + frames) % frames;
    this.draw();
    for (const listener of this.listeners) listener();
  }

  play(playing) {
    this.playing = playing && this.frames !== null;
    clearTimeout(this.timer);
    if (this.playing) this.timer = setTimeout(() => this.next(), TURN_MS);
    for (const listener of this.listeners) listener();
  }

  next() {
    if (!document.hidden) this.turnTo(this.frame + 1);
    this.play(this.playing);
  }

  // --- Drawing

  draw() {
    if (!this.frames || !this.size.width) return;
    this.paint();
    this.drawOn(this.context, window.devicePixelRatio || 1);
  }

  // Bytes to colours by one table: a byte is a value between the ends of the projection, the window is the layer's.
  paint() {
    const { low, high, width, height } = this.facts;
    const { projectionColours: colours, low: black, high: white } = this.layer;
    const table = Uint32Array.from({ length: 256 }, (_, byte) => {
      const level = ((low + (byte / 255) * (high - low) - black) / (white - black)) * 255 + 0.5;
      return colours[level > 255 ? 255 : level > 0 ? level | 0 : 0];
    });
    const from = this.frame * width * height;
    for (let at = 0; at < this.pixels.length; at++) this.pixels[at] = table[this.frames[from + at]];
    this.backingContext.putImageData(this.image, 0, 0);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = window.devicePixelRatio || 1;
    this.size = { width, height };
    Object.assign(this.canvas, { width: Math.max(1, Math.round(width * ratio)), height: Math.max(1, Math.round(height * ratio)) });
  }

  // Left, top, width, height on the canvas in CSS pixels.
  get box() {
    const { width, height, pixel_mm: [wide, high] } = this.facts;
    const scale = Math.min(this.size.width / (width * wide), this.size.height / (height * high));
    const [w, h] = [width * wide * scale, height * high * scale];
    return [(this.size.width - w) / 2, (this.size.height - h) / 2, w, h];
  }

  drawOn(context, ratio) {
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.size.width, this.size.height);
    context.imageSmoothingEnabled = this.state.linear;
    context.drawImage(this.backing, ...this.box);
    const own = this.state.outlines.filter((outline) => outline.volume === this.layer.volume);
    for (const outline of own) strokePath(context, projected(outline, this), outline.colour, this.box, this.facts);
    if (this.state.marks.crosshair) crosshair(context, this.toScreen(this.voxel), this.size);
    if (this.state.marks.letters) this.letters(context);
    this.sayLimit(context);
  }

  // Its bytes end somewhere: a window that goes further is told so, if there are such values.
  sayLimit(context) {
    const { volume, high } = this.layer;
    if (high <= this.facts.high * (1 + 1e-6) || !(volume.facts.range[1] > this.facts.high)) return;
    const limit = inUnits(volume, this.facts.high).split("\n")[0];
    text(context, this.state.words.upTo.replace("{}", limit), 10, this.size.height - 14, "left");
  }

  letters(context) {
    if (!this.layer.volume.facts.orientation) return;
    const { words } = this.state;
    const quarters = [[words.right, words.left], [words.anterior, words.posterior], [words.left, words.right], [words.posterior, words.anterior]];
    const quarter = (this.frame * 4) / this.facts.frames;
    if (!Number.isInteger(quarter)) return;
    text(context, quarters[quarter][0], 14, this.size.height / 2);
    text(context, quarters[quarter][1], this.size.width - 14, this.size.height / 2);
  }

  // --- Places: what is seen in column c lies on a line through the volume

  get voxel() {
    const base = this.state.layers[0].volume;
    return this.layer.volume.toVoxel(base.toWorld(this.state.at));
  }

  // The column of voxel (i, j), a fraction: both may be fractions themselves.
  column(i, j) {
    const { shape, spacing } = this.layer.volume;
    const angle = (2 * Math.PI * this.frame) / this.facts.frames;
    const x = (i - (shape[0] - 1) / 2) * spacing[0];
    const y = (j - (shape[1] - 1) / 2) * spacing[1];
    return (x * Math.cos(angle) + y * Math.sin(angle)) / this.facts.pixel_mm[0] + Math.floor(this.facts.width / 2);
  }

  // Slices of the volume in one row of the picture.
  get slicesARow() {
    return Math.round(this.facts.pixel_mm[1] / this.layer.volume.spacing[2]) || 1;
  }

  toScreen([i, j, k]) {
    const [left, top, width, height] = this.box;
    const row = this.facts.height - (k + 0.5) / this.slicesARow;
    return [left + ((this.column(i, j) + 0.5) * width) / this.facts.width, top + (row * height) / this.facts.height];
  }

  // The voxel of the base with the highest value behind a place of the picture, or null beside the volume.
  hottest(x, y) {
    const [left, top, width, height] = this.box;
    const wanted = Math.floor(((x - left) / width) * this.facts.width);
    const row = Math.floor(((y - top) / height) * this.facts.height);
    const { volume } = this.layer;
    const [nx, ny, nz] = volume.shape;
    const low = (this.facts.height - 1 - row) * this.slicesARow;
    let best = null;
    for (let k = Math.max(0, low); k < Math.min(nz, low + this.slicesARow); k++) {
      for (let j = 0; j < ny; j++) {
        for (let i = 0; i < nx; i++) {
          if (Math.floor(this.column(i, j) + 0.5 + 1e-6) !== wanted) continue;
          const found = volume.at([i, j, k]);
          if (found && (best === null ? found.value === found.value : found.value > best.value)) best = { value: found.value, voxel: [i, j, k] };
        }
      }
    }
    return best && this.state.layers[0].volume.toVoxel(volume.toWorld(best.voxel));
  }

  async picture() {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: this.size.width * 2, height: this.size.height * 2 });
    this.drawOn(canvas.getContext("2d", { alpha: false }), 2);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }
}
