// The pictures in the page: which of them are shown, which is the one that keys act on, and the fields under each.

import { valueAt } from "./readout.js";
import { SolidFigure } from "./solid_figure.js";

const SAY_MS = 400;

export class Stage {
  constructor(root, viewer, changed) {
    Object.assign(this, { root, viewer, changed, words: viewer.state.words, active: "axial" });
    this.figures = new Map(Array.from(root.querySelectorAll(".plane"), (figure) => [figure.dataset.plane, figure]));
    for (const [name, figure] of this.figures) this.setUp(name, figure);
    this.solid = new SolidFigure(this.figures.get("solid"), viewer);
    for (const button of root.querySelectorAll("[data-show]")) button.addEventListener("click", () => this.show(button.dataset.show));
    const resized = new ResizeObserver(() => viewer.resize());
    for (const figure of this.figures.values()) resized.observe(figure);
  }

  setUp(name, figure) {
    figure.querySelector("canvas").addEventListener("focus", () => this.activate(name));
    figure.addEventListener("pointerdown", () => this.activate(name));
    figure.querySelector("[data-enlarge]").addEventListener("click", () => this.show(this.view === name ? "all" : name));
    figure.querySelector("[data-picture]").addEventListener("click", () => this.save(name));
    if (name === "mip") return this.setUpMip(figure);
    if (name === "solid") return;
    const { viewer } = this;
    const plane = viewer.planes[name];
    const [slice, slab] = [figure.querySelector("[data-slice]"), figure.querySelector("[data-slab]")];
    slice.addEventListener("input", () => slice.value !== "" && viewer.step(name, slice.value - 1 - viewer.state.at[plane.across]));
    slab.addEventListener("input", () => viewer.setSlab(name, Number(slab.value)));
  }

  setUpMip(figure) {
    const { mip } = this.viewer;
    const [degrees, turn, of] = ["[data-degrees]", "[data-turn]", "[data-of]"].map((each) => figure.querySelector(each));
    degrees.addEventListener("input", () => mip.turnTo(Number(degrees.value) / 10));
    turn.addEventListener("click", () => mip.play(!mip.playing));
    of?.addEventListener("change", () => this.viewer.projectionOf(this.viewer.state.layers.find((layer) => layer.id === of.value)));
    mip.turned(() => {
      if (document.activeElement !== degrees) degrees.value = mip.degrees;
      turn.setAttribute("aria-pressed", String(mip.playing));
      turn.textContent = mip.playing ? this.words.pause : this.words.play;
      mip.canvas.setAttribute("aria-label", this.words.turned.replace("{}", mip.degrees));
    });
  }

  // --- Which are shown

  get isNarrow() {
    return matchMedia("(max-width: 760px)").matches;
  }

  // `all` is no choice on a phone: there is one plane at a time.
  get view() {
    const { view } = this.root.dataset;
    return view === "all" && this.isNarrow ? this.active : view;
  }

  // As the address says it: nothing of all.
  get said() {
    const { view } = this.root.dataset;
    return view === "all" ? "" : view;
  }

  show(name) {
    const view = this.figures.has(name) ? name : "all";
    if (view !== "all") this.activate(view);
    this.root.dataset.view = view;
    this.sync();
    this.changed();
    if (view === "solid") this.solid.show();
  }

  activate(name) {
    this.active = name;
    for (const [each, figure] of this.figures) figure.classList.toggle("active", each === name);
  }

  next(by) {
    const names = Array.from(this.figures.keys()).filter((name) => name !== "solid");
    const name = names[(names.indexOf(this.active) + by + names.length) % names.length];
    if (this.view === this.active) this.show(name);
    this.activate(name);
    this.figures.get(name).querySelector("canvas").focus({ preventScroll: true });
  }

  // --- Fields follow the state, except the one that is being typed into

  sync() {
    const { view } = this;
    for (const button of this.root.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(button.dataset.show === view));
    for (const [name, figure] of this.figures) {
      figure.querySelector("[data-enlarge]").textContent = this.root.dataset.view === name ? this.words.all : this.words.enlarge;
      if (name in this.viewer.planes) this.syncPlane(name, figure);
    }
    const of = this.root.querySelector("[data-of]");
    if (of && this.viewer.mip.layer && document.activeElement !== of) of.value = this.viewer.mip.layer.id;
  }

  syncPlane(name, figure) {
    const plane = this.viewer.planes[name];
    const slice = figure.querySelector("[data-slice]");
    slice.max = plane.slices;
    put(slice, this.viewer.state.at[plane.across] + 1);
    put(figure.querySelector("[data-slab]"), this.viewer.state.slabs[name]);
    figure.querySelector("[data-slices]").textContent = plane.slices;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => this.describe(), SAY_MS);
  }

  // For those who cannot see the pictures: what each shows, once it stands still.
  describe() {
    const { state, base, planes } = this.viewer;
    const world = base.toWorld(state.at);
    const values = state.layers.map((layer) => `${layer.name}: ${valueAt(layer, world, this.words)}`).join("; ").replaceAll("\n", ", ");
    for (const [name, plane] of Object.entries(planes)) {
      const said = { plane: this.words[name], slice: state.at[plane.across] + 1, count: plane.slices, values };
      const label = Object.entries(said).reduce((text, [word, value]) => text.replace(`{${word}}`, value), this.words.slice);
      plane.canvas.setAttribute("aria-label", label);
    }
  }

  async save(name) {
    const { viewer, solid } = this;
    const from = { mip: viewer.mip, solid: solid.solid }[name] ?? viewer.planes[name];
    if (!from) return;
    const place = { mip: viewer.mip.degrees, solid: Math.round(solid.solid?.view.turn) }[name] ?? viewer.state.at[from.across] + 1;
    const names = from.layer?.name ?? viewer.state.layers.map((layer) => layer.name).join("+");
    const href = URL.createObjectURL(await from.picture());
    Object.assign(document.createElement("a"), { href, download: `${names}-${name}-${place}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
  }
}

export function put(field, value) {
  const text = typeof value === "number" ? String(Number(value.toPrecision(6))) : value;
  if (document.activeElement !== field && field.value !== text) field.value = text;
}
