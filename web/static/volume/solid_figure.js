// The figure of the volume in three dimensions: its fields and drags. Nothing of it is made before it is first shown.

import { palette } from "./palettes.js";
import { put } from "./stage.js";

export class SolidFigure {
  constructor(figure, viewer) {
    Object.assign(this, { figure, viewer, canvas: figure.querySelector("canvas"), solid: null, layerId: null });
    this.fields = Object.fromEntries(["turn", "tilt", "zoom", "kind", "of"].map((name) => [name, figure.querySelector(`[data-solid-${name}]`)]));
    for (const name of ["turn", "tilt"]) this.on(name, (value) => (this.solid.view[name] = value));
    this.on("zoom", (value) => (this.solid.view.zoom = Math.max(10, value) / 100));
    this.fields.kind.addEventListener("change", () => this.change(() => (this.solid.view.highest = this.fields.kind.value === "highest")));
    this.fields.of?.addEventListener("change", () => this.change(() => (this.layerId = this.fields.of.value)));
    viewer.changed(() => this.draw());
  }

  on(name, set) {
    const field = this.fields[name];
    field.addEventListener("input", () => field.value !== "" && this.change(() => set(Number(field.value))));
  }

  change(act) {
    if (!this.solid) return;
    act();
    this.draw();
  }

  get isShown() {
    return this.canvas.clientWidth > 0;
  }

  get layer() {
    const { layers } = this.viewer.state;
    return layers.find((layer) => layer.id === this.layerId) ?? layers.at(-1);
  }

  async show() {
    if (!this.solid) await this.make();
    this.draw();
  }

  async make() {
    const { Solid } = await import("./solid.js");
    try {
      this.solid = new Solid(this.canvas);
    } catch (error) {
      const { message } = error;
      this.figure.querySelector("[data-solid-none]").hidden = false;
      this.canvas.hidden = true;
      if (message !== "WebGL 2") throw error;
      return;
    }
    this.gestures();
  }

  draw() {
    if (!this.solid || !this.isShown || !this.layer.volume.preview) return;
    const { layer, solid } = this;
    solid.resize();
    solid.hold(layer);
    const inverted = layer.map === "grey-inverted" && !solid.view.highest; // a body that is black where it is dense
    solid.holdColours(inverted ? palette("hot-iron") : solid.view.highest ? layer.projectionColours : layer.colours);
    solid.draw();
    for (const name of ["turn", "tilt"]) put(this.fields[name], Math.round(solid.view[name]));
    put(this.fields.zoom, Math.round(solid.view.zoom * 100));
    if (this.fields.of) put(this.fields.of, layer.id);
  }

  gestures() {
    let drag = null;
    const { canvas, solid } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      drag = { x: event.clientX, y: event.clientY, ...solid.view };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drag) return;
      this.change(() => {
        solid.view.turn = (((drag.turn - (event.clientX - drag.x) / 2) % 360) + 360) % 360;
        solid.view.tilt = Math.min(Math.max(drag.tilt + (event.clientY - drag.y) / 2, -90), 90);
      });
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (drag = null));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.change(() => (solid.view.zoom = Math.min(Math.max(solid.view.zoom * Math.exp(-event.deltaY / 500), 0.1), 10)));
    }, { passive: false });
  }
}
