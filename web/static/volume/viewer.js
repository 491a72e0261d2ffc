// The picture as a whole: the state, what may be done to it, and what is then drawn anew. It knows no fields and no
// gestures; whoever does is told by `changed`. Also the door for what comes later: `setOutlines`, `moveTo`.

import { fetched, Loader, PartFailed } from "./chunks.js";
import { Layer } from "./layers.js";
import { Mip } from "./mip.js";
import { Outline } from "./outline.js";
import { OUTLINE_COLOURS } from "./marks.js";
import { Plane, PLANES } from "./planes.js";

const OPACITY = 0.6;

export class Viewer {
  constructor(volumes, canvases, words) {
    const [base] = volumes;
    this.state = {
      layers: volumes.map((volume, order) => new Layer(volume, order > 0)), // the lowest first
      opacity: OPACITY, // of what lies over the base
      at: base.shape.map((length) => Math.floor(length / 2)), // the crosshair, a voxel of the base
      centre: base.shape.map((length) => (length - 1) / 2), // of the view, in voxels of the base
      zoom: 1, // 1: the whole plane fits
      pixelsPerMm: null, // instead of zoom, for who needs pixels of a certain size
      slabs: { axial: 0, coronal: 0, sagittal: 0 }, // thickness in mm; 0: one slice
      linear: true, // between voxels
      marks: { crosshair: true, letters: true },
      outlines: [],
      words,
    };
    this.own = { opacity: OPACITY };
    this.planes = Object.fromEntries(Object.keys(PLANES).map((name) => [name, new Plane(name, canvases[name], this.state)]));
    this.mip = new Mip(canvases.mip, this.state);
    this.listeners = [];
    this.marked = new Set();
    this.loader = new Loader(volumes, (volume) => this.sliceOf(volume), (loader, part) => this.came(loader, part));
    this.mipFaults = [];
  }

  get base() {
    return this.state.layers[0].volume;
  }

  get volumes() {
    return this.state.layers.map((layer) => layer.volume);
  }

  changed(listener) {
    this.listeners.push(listener);
  }

  // --- Loading

  // The projection comes after the previews: they are the first picture.
  async load() {
    const top = this.state.layers.at(-1);
    await this.loader.previews();
    await Promise.all([this.loader.run(), this.projectionOf(top)]);
  }

  // A first picture at once; what makes it better a few times a second.
  came(loader, { index }) {
    this.redraw(loader.isBusy && index >= 0 ? 150 : 0);
  }

  sliceOf(volume) {
    return volume === this.base ? this.state.at[2] : volume.toVoxel(this.base.toWorld(this.state.at))[2];
  }

  async projectionOf(layer) {
    this.mipFaults = [];
    const part = { volume: layer.volume, index: "mip" };
    try {
      const buffer = await fetched(`${layer.volume.facts.data}mip.gz`, part);
      if (!this.mip.hold(layer, buffer)) throw new PartFailed(part, { word: "broken" });
    } catch (error) {
      if (!(error instanceof PartFailed)) throw error;
      this.mipFaults = [error];
    }
    this.redraw();
  }

  async again() {
    const projections = this.mipFaults.map((error) => this.state.layers.find((layer) => layer.volume === error.part.volume));
    await Promise.all([this.loader.again(), ...projections.map((layer) => this.projectionOf(layer))]);
  }

  // --- What may be done

  place(voxel) {
    this.state.at = voxel.map((at, axis) => Math.min(Math.max(Math.round(at), 0), this.base.shape[axis] - 1));
  }

  moveTo(voxel) {
    const before = this.state.at;
    this.place(voxel);
    if (!this.state.at.some((at, axis) => at !== before[axis])) return;
    this.reveal();
    this.redraw();
  }

  // A crosshair that left the picture takes the picture along.
  reveal() {
    for (const plane of Object.values(this.planes)) {
      const { width, height } = plane.size;
      const [x, y] = plane.toScreen(this.state.at);
      if (width && (x < 0 || x > width)) this.recentre(plane.u);
      if (height && (y < 0 || y > height)) this.recentre(plane.v);
    }
  }

  recentre(axis) {
    this.state.centre = this.state.centre.map((at, each) => (each === axis ? this.state.at[axis] : at));
  }

  moveToWorld(mm) {
    this.moveTo(this.base.toVoxel(mm));
  }

  step(plane, by) {
    const { across } = this.planes[plane];
    this.moveTo(this.state.at.map((at, axis) => (axis === across ? at + by : at)));
  }

  set(changes) {
    Object.assign(this.state, changes);
    this.redraw();
  }

  setSlab(plane, mm) {
    this.state.slabs[plane] = Math.max(0, mm) || 0;
    this.redraw();
  }

  zoomBy(factor, plane, x, y) {
    const pointed = plane.toVoxel(x, y);
    const zoom = Math.min(Math.max(this.state.zoom * factor, 0.1), 20);
    factor = zoom / this.state.zoom;
    const centre = this.state.centre.map((at, axis) => (axis === plane.across ? at : pointed[axis] + (at - pointed[axis]) / factor));
    this.set({ zoom, centre, pixelsPerMm: null });
  }

  pan(plane, dx, dy) {
    const [su, sv] = plane.spacing;
    const centre = [...this.state.centre];
    centre[plane.u] -= dx / (su * plane.scale);
    centre[plane.v] -= ((plane.turned ? -1 : 1) * dy) / (sv * plane.scale);
    this.set({ centre });
  }

  fit() {
    this.set({ zoom: 1, pixelsPerMm: null, centre: this.base.shape.map((length) => (length - 1) / 2) });
  }

  // What was on top becomes the base: the planes are then its own.
  swap() {
    const world = [this.state.at, this.state.centre].map((place) => this.base.toWorld(place));
    this.state.layers.reverse();
    this.place(this.base.toVoxel(world[0]));
    this.state.centre = this.base.toVoxel(world[1]);
    this.state.opacity = 1 - this.state.opacity;
    this.redraw();
  }

  // `regions` are {id, mask, colour}: a typed array on the grid of the volume of that id. Others are taken away.
  setOutlines(regions) {
    this.state.outlines = regions.map(({ id, mask, colour }, order) => {
      const volume = this.volumes.find((each) => each.id === id);
      return new Outline(volume, mask, colour ?? OUTLINE_COLOURS[order % OUTLINE_COLOURS.length]);
    });
    this.redraw();
  }

  // --- Drawing, once for all that changed since the last picture

  redraw(afterMs = 0) {
    if (this.asked && !afterMs) clearTimeout(this.asked);
    else if (this.asked) return;
    this.asked = setTimeout(() => requestAnimationFrame(() => this.drawNow()), afterMs);
  }

  resize() {
    for (const each of [...Object.values(this.planes), this.mip]) each.resize();
    this.redraw();
  }

  drawNow() {
    this.asked = 0;
    for (const plane of Object.values(this.planes)) if (plane.size.width) plane.draw();
    if (this.mip.frames) this.mip.draw();
    for (const listener of this.listeners) listener(this);
    this.mark();
  }

  // For whoever measures: when there was a first picture, and when all of it was there.
  mark() {
    const { volumes, marked } = this;
    const said = { "volume-first-picture": volumes.every((volume) => volume.preview || volume.isWhole), "volume-whole": !this.loader.isBusy };
    for (const [name, isThere] of Object.entries(said)) {
      if (!isThere || marked.has(name)) continue;
      marked.add(name);
      performance.mark(name);
    }
  }
}
