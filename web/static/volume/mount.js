// A viewer in its place on a page: puts the parts together, begins to load, and says what is on its way or did not come.

import { read } from "./address.js";
import { fetched, PartFailed } from "./chunks.js";
import { onKeys, onMip, onPlane } from "./gestures.js";
import { add } from "./palettes.js";
import { Panels } from "./panels.js";
import { Readout } from "./readout.js";
import { Stage } from "./stage.js";
import { Viewer } from "./viewer.js";
import { Volume } from "./volume.js";

// `ownsPage`: the keys of the whole page are its. What one sees is read from the address, where its names begin with
// `prefix`; `keepAddress` is called whenever it may be another.
export function mount(root, { ownsPage, keepAddress, prefix = "" }) {
  const words = JSON.parse(root.dataset.words);
  const volumes = JSON.parse(root.dataset.layers).map((facts) => new Volume(facts));
  root.hidden = false;
  const stageRoot = root.querySelector(".stage");
  const canvases = Object.fromEntries(Array.from(root.querySelectorAll(".plane"), (figure) => [figure.dataset.plane, figure.querySelector("canvas")]));
  const viewer = new Viewer(volumes, canvases, words);
  const asked = read(viewer, location.search, prefix);
  const readout = new Readout(root, viewer);
  const panels = new Panels(root, viewer);
  const stage = new Stage(stageRoot, viewer, keepAddress);
  stage.activate("axial");
  stage.show(asked.view);
  for (const plane of Object.values(viewer.planes)) onPlane(viewer, plane, { readout, active: () => panels.active });
  onMip(viewer);
  onKeys(viewer, stage, ownsPage);
  const loading = new Loading(root, viewer, panels);
  viewer.changed(() => {
    stage.sync();
    panels.sync();
    readout.show();
    loading.say();
    keepAddress();
  });
  root.viewer = viewer; // for what is built on it, and for tests
  viewer.resize();
  viewer.drawNow();
  return { viewer, stage, panels, whole: Promise.all([viewer.load(), loading.palettes()]) };
}

const filled = (pattern, values) => Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), pattern);

class Loading {
  constructor(root, viewer, panels) {
    Object.assign(this, { root, viewer, panels, words: viewer.state.words, paletteFaults: [] });
    this.progress = root.querySelector("[data-progress]");
    this.failed = root.querySelector("[data-failed]");
    this.failed.querySelector("button").addEventListener("click", () => this.again());
  }

  async again() {
    if (this.paletteFaults.length) await this.palettes();
    await this.viewer.again();
    this.viewer.redraw();
  }

  async palettes() {
    this.paletteFaults = [];
    try {
      add(JSON.parse(new TextDecoder().decode(await fetched(this.root.dataset.palettes, { index: "palettes" }))));
    } catch (error) {
      this.paletteFaults = [error instanceof PartFailed ? error : new PartFailed({ index: "palettes" }, { word: "broken" })];
    }
    for (const layer of this.viewer.state.layers) this.panels.offerColours(layer);
    this.viewer.redraw();
  }

  say() {
    const text = this.inWords();
    if (this.progress.textContent !== text) this.progress.textContent = text;
    const faults = [...this.viewer.loader.failed, ...this.viewer.mipFaults, ...this.paletteFaults];
    this.failed.hidden = faults.length === 0;
    const sentences = faults.map((fault) => this.sentence(fault));
    const list = this.failed.querySelector("ul");
    if (list.dataset.said === sentences.join()) return;
    list.dataset.said = sentences.join();
    list.replaceChildren(...sentences.slice(0, 5).map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
  }

  inWords() {
    const { loader, volumes } = this.viewer;
    if (!loader.isBusy) return loader.failed.length ? "" : this.words.loaded;
    const isSeen = volumes.every((volume) => volume.preview || volume.isWhole);
    return isSeen ? filled(this.words.loading, { done: loader.done, total: loader.total }) : this.words.preview;
  }

  sentence({ part, reason: { word, fill } }) {
    const reason = Array.isArray(fill) ? this.words[word].replace("{}", fill[0]) : filled(this.words[word], fill ?? {});
    return filled(part.volume ? this.words.faulty : this.words.faultyAlone, { part: this.nameOf(part), name: part.volume?.name, reason });
  }

  nameOf({ volume, index }) {
    if (index === "mip") return this.words.partMip;
    if (index === "palettes") return this.words.partPalettes;
    if (index < 0) return this.words.partPreview;
    const last = Math.min(volume.shape[2], (index + 1) * volume.chunkSlices);
    return filled(this.words.part, { first: index * volume.chunkSlices + 1, last });
  }
}
