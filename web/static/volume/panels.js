// The panels beside the pictures: windows, colours, opacity, zoom. Fields follow the state and change it.

import { names } from "./palettes.js";
import { put } from "./stage.js";

export class Panels {
  constructor(root, viewer) {
    Object.assign(this, { root, viewer, words: viewer.state.words });
    for (const layer of viewer.state.layers) this.setUpLayer(layer);
    this.setUpView();
  }

  // The layer that a drag and the key w act on.
  get active() {
    const id = this.root.querySelector("[data-active]:checked")?.value;
    return this.viewer.state.layers.find((layer) => layer.id === id) ?? this.viewer.state.layers.at(-1);
  }

  field(selector) {
    return this.root.querySelector(selector);
  }

  panelOf(layer) {
    return this.field(`[data-layer="${layer.id}"]`);
  }

  setUpLayer(layer) {
    const panel = this.panelOf(layer);
    const [preset, colours, low, high] = ["preset", "colours", "low", "high"].map((name) => panel.querySelector(`[data-${name}]`));
    const redraw = () => this.viewer.redraw();
    preset.replaceChildren(...layer.presets.map(({ name }, at) => new Option(name, at)), new Option(this.words.custom, -1));
    preset.addEventListener("change", () => {
      const chosen = layer.presets[preset.value];
      if (chosen) layer.setWindow(chosen.low, chosen.high);
      redraw();
    });
    colours.addEventListener("change", () => (layer.setMap(colours.value), redraw()));
    for (const field of [low, high]) {
      field.addEventListener("input", () => {
        if (low.value === "" || high.value === "") return;
        layer.setWindow(low.value / layer.factor, high.value / layer.factor);
        redraw();
      });
      field.addEventListener("blur", redraw);
    }
    panel.addEventListener("pointerdown", () => (panel.querySelector("[data-active]").checked = true));
    panel.addEventListener("focusin", () => (panel.querySelector("[data-active]").checked = true));
    this.offerColours(layer);
  }

  offerColours(layer) {
    const select = this.panelOf(layer).querySelector("[data-colours]");
    select.replaceChildren(...names().map((name) => new Option(this.words[`map-${name}`] ?? name, name)));
    layer.setMap(layer.map);
  }

  setUpView() {
    const { viewer } = this;
    const on = (selector, event, act) => this.root.querySelectorAll(selector).forEach((each) => each.addEventListener(event, () => act(each)));
    on("[data-opacity]", "input", (field) => field.value !== "" && viewer.set({ opacity: Math.min(Math.max(field.value, 0), 100) / 100 }));
    on("[data-zoom]", "input", (field) => field.value > 0 && viewer.set({ zoom: Math.min(Math.max(field.value, 10), 2000) / 100, pixelsPerMm: null }));
    on("[data-sampling]", "change", (field) => viewer.set({ linear: field.value === "linear" }));
    on("[data-mark]", "change", (box) => viewer.set({ marks: { ...viewer.state.marks, [box.dataset.mark]: box.checked } }));
    on("[data-swap]", "click", () => viewer.swap());
    on("[data-fit]", "click", () => viewer.fit());
    on("[data-window]", "click", () => (this.active.nextPreset(), viewer.redraw()));
  }

  sync() {
    const { state } = this.viewer;
    for (const layer of state.layers) this.syncLayer(layer);
    this.root.querySelectorAll("[data-opacity]").forEach((field) => put(field, Math.round(state.opacity * 100)));
    const over = this.field("[data-over-name]");
    if (over) over.textContent = state.layers.at(-1).name;
    put(this.field("[data-zoom]"), Math.round(state.zoom * 100));
    put(this.field("[data-sampling]"), state.linear ? "linear" : "nearest");
  }

  syncLayer(layer) {
    const panel = this.panelOf(layer);
    put(panel.querySelector("[data-preset]"), String(layer.preset));
    put(panel.querySelector("[data-colours]"), layer.map);
    put(panel.querySelector("[data-low]"), layer.low * layer.factor);
    put(panel.querySelector("[data-high]"), layer.high * layer.factor);
    const ramp = panel.querySelector("[data-ramp]");
    if (ramp.dataset.map === layer.map) return;
    ramp.dataset.map = layer.map;
    const image = new ImageData(256, 1);
    new Uint32Array(image.data.buffer).set(layer.colours);
    ramp.getContext("2d").putImageData(image, 0, 0);
  }
}
