// A volume as one of the layers that are shown: its window, in stored values, and its colours. What people read and
// type is SUV where the volume has it.

import { palette } from "./palettes.js";

export class Layer {
  // PET that lies over something is hot from the start: inverted grey would hide what is below it.
  constructor(volume, isOver) {
    this.volume = volume;
    this.presets = (volume.facts.windows ?? []).map((each) => {
      const [low, high] = [each.low, each.high].map((end) => (each.suv ? end / volume.suvFactor : end));
      return { name: each.name, low, high };
    });
    const first = this.presets[0] ?? { low: 0, high: 1 };
    this.own = { low: first.low, high: first.high, map: isOver && this.mapAlone === "grey-inverted" ? "hot-iron" : this.mapAlone };
    this.setWindow(first.low, first.high);
    this.setMap(this.own.map);
  }

  get mapAlone() {
    return this.volume.facts.colour_map || "grey";
  }

  // The projection is seen alone, so it has the colours that the volume would have alone, until others are chosen.
  get projectionColours() {
    return this.map === this.own.map ? palette(this.mapAlone) : this.colours;
  }

  get id() {
    return this.volume.id;
  }

  get name() {
    return this.volume.name;
  }

  // What is read over what is stored.
  get factor() {
    return this.volume.suvFactor ?? 1;
  }

  setWindow(low, high) {
    if (!Number.isFinite(low) || !Number.isFinite(high)) return;
    const least = Math.max(Math.abs(high), Math.abs(low), 1e-6) * 1e-6;
    Object.assign(this, { low, high: Math.max(high, low + least) });
  }

  setMap(name) {
    this.map = name;
    this.colours = palette(name);
  }

  get preset() {
    return this.presets.findIndex(({ low, high }) => close(low, this.low) && close(high, this.high));
  }

  nextPreset() {
    if (!this.presets.length) return;
    const { low, high } = this.presets[(this.preset + 1) % this.presets.length];
    this.setWindow(low, high);
  }

  // A window by drag: `wider` and `higher` are shares of its present width. One that begins at nothing, as those of
  // PET do, keeps that: its upper end alone says what is black.
  dragWindow({ low, high }, wider, higher) {
    const width = high - low;
    if (low === 0 && this.volume.facts.modality === "PT") return this.setWindow(0, width * Math.max(0.02, 1 + wider + higher));
    const middle = (low + high) / 2 + higher * width;
    const half = (width * Math.max(0.01, 1 + wider)) / 2;
    this.setWindow(middle - half, middle + half);
  }
}

const close = (one, other) => Math.abs(one - other) <= 1e-6 * Math.max(1e-9, Math.abs(one), Math.abs(other));
