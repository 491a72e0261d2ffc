// The page of a volume: puts the parts together and begins to load.

import { read, write } from "./address.js";
import { fetched, PartFailed } from "./chunks.js";
import { onKeys, onMip, onPlane } from "./gestures.js";
import { add } from "./palettes.js";
import { Panels } from "./panels.js";
import { Readout } from "./readout.js";
import { Stage } from "./stage.js";
import { Viewer } from "./viewer.js";
import { Volume } from "./volume.js";

const WRITE_MS = 300; // browsers refuse addresses that change too often

let writing = 0;
let touched = false; // an address that was only opened stays as it was

const root = document.getElementById("viewer");
const words = JSON.parse(root.dataset.words);
const volumes = JSON.parse(root.dataset.layers).map((facts) => new Volume(facts));
root.hidden = false;
document.getElementById("gestures").hidden = false;

const stageRoot = root.querySelector(".stage");
const canvases = Object.fromEntries(Array.from(root.querySelectorAll(".plane"), (figure) => [figure.dataset.plane, figure.querySelector("canvas")]));
const viewer = new Viewer(volumes, canvases, words);
const asked = read(viewer, location.search);
const readout = new Readout(root, viewer);
const panels = new Panels(root, viewer);
const stage = new Stage(stageRoot, viewer, keepAddress);
stage.activate("axial");
stage.show(asked.view);
for (const plane of Object.values(viewer.planes)) onPlane(viewer, plane, { readout, active: () => panels.active });
onMip(viewer);
onKeys(viewer, stage);

function keepAddress() {
  if (!touched) return;
  clearTimeout(writing);
  writing = setTimeout(() => write(viewer, stageRoot.dataset.view === "all" ? "" : stageRoot.dataset.view), WRITE_MS);
}

for (const event of ["pointerdown", "keydown", "wheel", "input"]) {
  root.addEventListener(event, () => (touched = true), { capture: true, passive: true });
}
document.addEventListener("keydown", () => (touched = true), { capture: true });

// --- What is still on its way, and what did not come

const progress = document.getElementById("progress");
const failed = document.getElementById("failed");
const filled = (pattern, values) => Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), pattern);

function reasonOf({ word, fill }) {
  return Array.isArray(fill) ? words[word].replace("{}", fill[0]) : filled(words[word], fill ?? {});
}

function partName({ volume, index }) {
  if (index === "mip") return words.partMip;
  if (index === "palettes") return words.partPalettes;
  if (index < 0) return words.partPreview;
  const last = Math.min(volume.shape[2], (index + 1) * volume.chunkSlices);
  return filled(words.part, { first: index * volume.chunkSlices + 1, last });
}

let paletteFaults = [];

function sayLoading() {
  const { loader } = viewer;
  const hasPreview = viewer.volumes.every((volume) => volume.preview || volume.isWhole);
  const text = !loader.isBusy ? (loader.failed.length ? "" : words.loaded)
    : hasPreview ? filled(words.loading, { done: loader.done, total: loader.total }) : words.preview;
  if (progress.textContent !== text) progress.textContent = text;
  const faults = [...loader.failed, ...viewer.mipFaults, ...paletteFaults];
  failed.hidden = faults.length === 0;
  const sentences = faults.map(({ part, reason }) => filled(part.volume ? words.faulty : words.faultyAlone, {
    part: partName(part), name: part.volume?.name, reason: reasonOf(reason),
  }));
  const list = failed.querySelector("ul");
  if (list.dataset.said === sentences.join()) return;
  list.dataset.said = sentences.join();
  list.replaceChildren(...sentences.slice(0, 5).map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
}

failed.querySelector("button").addEventListener("click", async () => {
  if (paletteFaults.length) await loadPalettes();
  await viewer.again();
  viewer.redraw();
});

async function loadPalettes() {
  paletteFaults = [];
  try {
    add(JSON.parse(new TextDecoder().decode(await fetched(root.dataset.palettes, { index: "palettes" }))));
  } catch (error) {
    paletteFaults = [error instanceof PartFailed ? error : new PartFailed({ index: "palettes" }, { word: "broken" })];
  }
  for (const layer of viewer.state.layers) panels.offerColours(layer);
  viewer.redraw();
}

viewer.changed(() => {
  stage.sync();
  panels.sync();
  readout.show();
  sayLoading();
  keepAddress();
});

root.viewer = viewer; // for what is built on it, and for tests
viewer.resize();
viewer.drawNow();
await Promise.all([viewer.load(), loadPalettes()]);
