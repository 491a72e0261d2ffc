// Measuring on the volume's page: the form is sent without leaving it, and regions are outlined on the planes.

import { PartFailed } from "./chunks.js";
import "./page.js"; // the viewer on which regions are outlined
import { region } from "./regions.js";

const ASK_AGAIN_MS = 500;
const SPHERE_MM = 20;

const root = document.getElementById("viewer");
const section = document.getElementById("measurements");
const form = document.getElementById("measure");
const faults = form.querySelector("[data-faults]");
const rule = form.elements["arg-rule"];
const outlined = new Map(); // by the address of its labels: {id, mask}
let seen = labelsIn(section); // before the measurement that is at work

// --- The form: what belongs to the rule is shown, and named in its unit

function fitForm() {
  for (const field of form.querySelectorAll("[data-for]")) field.hidden = !field.dataset.for.split(" ").includes(rule.value);
  const unit = form.querySelector("[data-unit]");
  unit.textContent = rule.value === "percent" ? "%" : unit.dataset.unit;
}

rule.addEventListener("change", () => {
  const threshold = form.elements["arg-threshold"];
  if (rule.value === "percent" && threshold.value === "2.5") threshold.value = "41";
  if (rule.value === "absolute" && threshold.value === "41") threshold.value = "2.5";
  fitForm();
});

const here = form.querySelector("[data-here]");
here.hidden = false;
here.addEventListener("click", () => {
  const { base, state } = root.viewer;
  const place = base.toWorld(state.at).map((mm) => mm.toFixed(1)).join(", ");
  const field = rule.value === "percist" && !form.elements["arg-reference"].value ? "arg-reference" : "arg-centre";
  form.elements[field].value = place;
  if (field === "arg-centre" && !form.elements["arg-radius_mm"].value) form.elements["arg-radius_mm"].value = SPHERE_MM;
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button.pri");
  button.disabled = true;
  try {
    await send();
  } catch {
    form.submit(); // the page that answers says what is wrong
  } finally {
    button.disabled = false;
  }
});

async function send() {
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const said = page.getElementById("measured");
  if (answer.status !== 422 && !said) throw new Error(answer.status);
  faults.hidden = answer.status !== 422;
  faults.textContent = [...page.querySelectorAll(".msg")].map((each) => each.textContent.trim()).join(" ");
  if (said) {
    form.elements.key.value = crypto.randomUUID();
    take(said);
  }
}

// --- What was measured

function take(said) {
  document.getElementById("measured").replaceWith(said);
  prepare();
}

function labelsIn(part) {
  return new Set(Array.from(part.querySelectorAll("[data-labels]"), (each) => each.dataset.labels));
}

function prepare() {
  const measured = document.getElementById("measured");
  for (const button of measured.querySelectorAll("[data-outline]")) {
    button.hidden = false;
    button.setAttribute("aria-pressed", outlined.has(button.closest("[data-labels]").dataset.labels));
  }
  const known = labelsIn(measured);
  for (const labels of outlined.keys()) if (!known.has(labels)) outlined.delete(labels);
  draw();
  if ("measuring" in measured.dataset) setTimeout(askAgain, ASK_AGAIN_MS, measured.dataset.url);
}

async function askAgain(url) {
  try {
    const answer = await fetch(url);
    const said = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("measured");
    if (!said) throw new Error(answer.status);
    take(said);
    if ("measuring" in said.dataset) return; // what was measured may be there a moment before its run has ended
    const added = [...said.querySelectorAll("[data-labels]")].find((each) => !seen.has(each.dataset.labels));
    seen = labelsIn(said);
    if (added) await outline(added);
  } catch {
    setTimeout(askAgain, 4 * ASK_AGAIN_MS, url); // the site is away for a while
  }
}

section.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-outline]");
  if (button) await outline(button.closest("[data-labels]"));
  const place = target.closest("[data-at]");
  if (place) goTo(place.dataset.at.split(",").map(Number));
});

async function outline(measured) {
  const { labels, volume } = measured.dataset;
  if (outlined.has(labels)) outlined.delete(labels);
  else {
    try {
      outlined.set(labels, await region(labels, volume));
    } catch (error) {
      if (!(error instanceof PartFailed)) throw error;
      faults.hidden = false;
      faults.textContent = section.dataset.missing;
    }
  }
  measured.querySelector("[data-outline]").setAttribute("aria-pressed", outlined.has(labels));
  draw();
}

const draw = () => root.viewer.setOutlines([...outlined.values()]);

function goTo(world) {
  root.viewer.moveTo(root.viewer.base.toVoxel(world));
}

fitForm();
prepare();
