// What pages do beyond htmx's polling. Without this file everything works, only not by itself.
"use strict";

const SECOND = 1000;
const skew = Date.now() - Number(document.body.dataset.now); // the server's clock is the one that counts
const silent = 15 * SECOND; // an update older than this is not "live"

let lastUpdate = Date.now();

// --- Relative times: the server writes them once, the browser keeps them going. As web/numbers.py `coarse`.

function coarse(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

function relative(kind, at) {
  const past = Date.now() - skew - at;
  const seconds = Math.max(0, Math.floor((kind === "in" ? -past : past) / SECOND));
  if (kind === "in") return seconds ? `in ${coarse(seconds)}` : "now";
  return kind === "ago" ? `${coarse(seconds)} ago` : coarse(seconds);
}

function tick() {
  for (const time of document.querySelectorAll("time[data-rel]")) {
    const text = relative(time.dataset.rel, Date.parse(time.dateTime));
    if (time.textContent !== text && !holdsSelection(time)) time.textContent = text;
  }
  pulse();
}

// --- The pulse in the strip: when the last answer came, and whether that is too long ago.

function pulse() {
  const element = document.getElementById("pulse");
  if (!element) return;
  const age = Date.now() - lastUpdate;
  element.classList.toggle("bad", age > silent);
  if (age <= silent) {
    element.firstChild.nodeValue = "Live ";
    return;
  }
  element.firstChild.nodeValue = "Not live ";
  element.querySelector("b").textContent = `for ${coarse(Math.floor(age / SECOND))}`;
}

function updated(response) {
  const date = Date.parse(response.headers.get("Date"));
  const element = document.getElementById("pulse");
  lastUpdate = Date.now();
  if (!element || !date) return;
  element.querySelector("b").textContent = clock.format(date);
}

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: document.body.dataset.zone });

// --- Polling: not while nobody looks, and never under a selection or the pointer.

function holdsSelection(element) {
  const selection = document.getSelection();
  return !selection.isCollapsed && selection.containsNode(element, true);
}

function rowIds(root) {
  return Array.from(root?.querySelectorAll("tr[id]") ?? [], (row) => row.id).join();
}

function wouldMoveRows(live, task) {
  const moved = rowIds(live) !== rowIds(task.fragment);
  return moved && (live.querySelector("tbody:hover") || live.querySelector("tbody")?.contains(document.activeElement));
}

document.addEventListener("htmx:before:request", (event) => {
  const element = event.detail.ctx.sourceElement;
  if (document.hidden || (element.id === "live" && holdsSelection(element))) event.preventDefault();
});

document.addEventListener("htmx:before:swap", (event) => {
  const task = event.detail.tasks.find((each) => each.target?.id === "live");
  if (task && wouldMoveRows(task.target, task)) event.preventDefault();
});

// A page that polls is as live as its own part; any other is as live as the strip.
document.addEventListener("htmx:before:response", (event) => {
  const { response, sourceElement } = event.detail.ctx;
  const pagePolls = document.getElementById("live")?.hasAttribute("hx-get");
  if (response.status < 400 && sourceElement.id === (pagePolls ? "live" : "strip")) updated(response.raw);
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const id of ["live", "strip"]) {
    const element = document.getElementById(id);
    if (element?.hasAttribute("hx-get")) htmx.trigger(element, "wake");
  }
});

// --- Forms: sent once. The key in the form makes a second one harmless; this keeps it from being sent.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// --- Copy buttons, shown only where they can work.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const parts = document.querySelectorAll(`${button.dataset.copy} pre`);
  await navigator.clipboard.writeText(Array.from(parts, (part) => part.textContent).join("\n"));
  button.textContent = "Copied";
});

function showCopyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("htmx:after:swap", showCopyButtons);
showCopyButtons();
tick();
setInterval(tick, SECOND);
