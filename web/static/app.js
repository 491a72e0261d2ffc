// What pages do beyond htmx's polling. Without this file everything works, only not by itself.
"use strict";

const SECOND = 1000;
const SILENT = 15 * SECOND; // an update older than this is not "live"
const skew = Date.now() - Number(document.body.dataset.now); // the server's clock is the one that counts
const words = JSON.parse(document.body.dataset.words); // in the page's language
const filled = (pattern, text) => pattern.replace("{}", text);
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: document.body.dataset.zone });

let updatedAt = Date.now();
let paused = false;

const live = () => document.getElementById("live");
const pollers = () => document.querySelectorAll("#live[hx-get], #strip[hx-get]");

// --- Relative times: the server writes them once, the browser keeps them going. As `coarse` in web/numbers.py.

function coarse(seconds) {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 60) return filled(words.s, seconds);
  if (minutes < 60) return filled(words.min, minutes);
  if (hours >= 24) return filled(words.d, Math.floor(hours / 24));
  return filled(words.h, hours) + (minutes % 60 ? ` ${filled(words.min, minutes % 60)}` : "");
}

function relative(kind, at) {
  const past = Date.now() - skew - at;
  const seconds = Math.max(0, Math.floor((kind === "in" ? -past : past) / SECOND));
  return kind === "in" && !seconds ? words.now : filled(words[kind], coarse(seconds));
}

function tick() {
  for (const time of document.querySelectorAll("time[data-rel]")) {
    const text = relative(time.dataset.rel, Date.parse(time.dateTime));
    if (time.textContent !== text && !holdsSelection(time)) time.textContent = text;
  }
  beat();
}

// --- The pulse in the strip: when the last answer came, whether that is too long ago, and a switch to pause.

function beat() {
  const pulse = document.getElementById("pulse");
  if (!pulse) return;
  const age = Date.now() - updatedAt;
  const late = !paused && !document.hidden && age > SILENT;
  pulse.classList.toggle("bad", late);
  pulse.firstChild.nodeValue = `${paused ? words.paused : late ? words.late : words.live} `;
  pulse.querySelector("b").textContent = late ? coarse(Math.floor(age / SECOND)) : clock.format(updatedAt - skew);
}

function setUpPulse() {
  const pulse = document.getElementById("pulse");
  if (!pulse) return;
  pulse.disabled = false;
  pulse.addEventListener("click", () => {
    paused = !paused;
    pulse.setAttribute("aria-pressed", String(paused));
    if (!paused) wake();
    beat();
  });
}

// --- Polling: not while nobody looks, and never under a selection or the pointer.

function wake() {
  for (const element of pollers()) htmx.trigger(element, "wake");
}

function holdsSelection(element) {
  const selection = document.getSelection();
  return !selection.isCollapsed && selection.containsNode(element, true);
}

function rowIds(root) {
  return Array.from(root.querySelectorAll("tr[id]"), (row) => row.id).join();
}

function wouldMoveRows(task) {
  const table = task.target.querySelector("tbody:hover, tbody:focus-within");
  return table !== null && rowIds(task.target) !== rowIds(task.fragment);
}

const isHeld = (element) => element === live() && (holdsSelection(element) || chosen().length > 0);

document.addEventListener("htmx:before:request", (event) => {
  if (paused || document.hidden || isHeld(event.detail.ctx.sourceElement)) event.preventDefault();
});

document.addEventListener("htmx:before:swap", (event) => {
  const task = event.detail.tasks.find((each) => each.target?.id === "live");
  if (task && task.swapSpec.style !== "none" && (isHeld(task.target) || wouldMoveRows(task))) event.preventDefault();
});

// A page that polls is as live as its own part; any other is as live as the strip.
document.addEventListener("htmx:before:response", (event) => {
  const { response, sourceElement } = event.detail.ctx;
  const leading = live()?.hasAttribute("hx-get") ? "live" : "strip";
  if (response.status < 400 && sourceElement.id === leading) updatedAt = Date.now();
});

// --- What changed is said to who cannot see it: one sentence, politely, and not too often.

const SAY_EVERY = 15 * SECOND;
let saidAt = 0;
let known = sayable();
let saying = 0;

function sayable() {
  return Array.from(live()?.querySelectorAll("[data-say]") ?? [], (each) => each.textContent.replace(/\s+/g, " ").trim());
}

function say() {
  saying = 0;
  const now = sayable();
  const news = now.filter((text) => text && !known.includes(text));
  known = now;
  if (!news.length) return;
  saidAt = Date.now();
  document.getElementById("said").textContent = news.join(". ");
}

document.addEventListener("htmx:after:swap", () => {
  saying ||= setTimeout(say, Math.max(0, saidAt + SAY_EVERY - Date.now()));
});

// --- Rows that are ticked: what can be done to them appears with the first tick, and the rows stand still.

const chosen = () => document.querySelectorAll("#pick .pick[name=id]:checked, #pick [name=all]:checked");

function showChosen() {
  const bar = document.querySelector("[data-bar]");
  if (!bar) return;
  const all = document.querySelector("#pick [data-all]");
  const boxes = document.querySelectorAll("#pick .pick[name=id]");
  const number = Array.from(boxes).filter((box) => box.checked).length;
  bar.classList.add("over");
  bar.hidden = chosen().length === 0;
  bar.querySelector("[data-chosen]").textContent = bar.dataset.bar.replace("0", number);
  const rest = bar.querySelector("[data-total]"); // all that match, where more do than are ticked
  if (rest) rest.hidden = number >= Number(rest.dataset.total);
  all.hidden = false;
  all.checked = number === boxes.length;
  all.indeterminate = number > 0 && number < boxes.length;
}

document.addEventListener("change", (event) => {
  if (!event.target.closest("#pick")) return;
  if (event.target.matches("[data-all]")) {
    for (const box of document.querySelectorAll("#pick .pick[name=id]")) box.checked = event.target.checked;
  }
  showChosen();
  if (chosen().length === 0) wake();
});

document.addEventListener("htmx:after:swap", showChosen);
window.addEventListener("pageshow", showChosen);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) wake();
});

// --- Forms: sent once. The key in the form makes a second one harmless; this keeps it from being sent.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  if ("unticks" in form.dataset) sessionStorage.setItem("acted", "yes");
});

// What was done to ticked rows is done: whoever goes back finds none ticked, and the rows as they are now.
function untick() {
  sessionStorage.removeItem("acted");
  for (const box of document.querySelectorAll("#pick [type=checkbox]")) box.checked = false;
  showChosen();
  wake();
}

window.addEventListener("pageshow", () => {
  if (document.getElementById("pick") && sessionStorage.getItem("acted")) untick();
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// --- Copy buttons, shown only where they can work.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const parts = document.querySelectorAll(`${button.dataset.copy} pre`);
  await navigator.clipboard.writeText(Array.from(parts, (part) => part.textContent).join("\n"));
  button.textContent = words.copied;
});

function showCopyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
}

// --- The menu closes when one goes elsewhere; keys and the palette come with the first key (keys.js).

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open], details.views[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// Escape closes what stands open, the way a dialog does by itself, and gives the focus back.
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("details.menu[open], details.views[open]");
  if (event.key !== "Escape" || event.defaultPrevented || !menu || document.querySelector("dialog[open]")) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// The palette opens before its code is there: what is typed meanwhile stands in its field.
function openPalette() {
  const palette = document.getElementById("palette");
  if (palette.open) return;
  for (const other of document.querySelectorAll("dialog[open]")) other.close();
  palette.querySelector("input").value = "";
  palette.showModal();
  loadKeys().then((module) => module.find());
}

let keys = null;
const loadKeys = () => (keys ??= import(document.body.dataset.keys));
const isTyping = (element) => element.matches("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  const opens = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";
  const single = "keysOn" in document.body.dataset && !event.ctrlKey && !event.metaKey && !event.altKey && event.key.length === 1;
  if (!opens && (!single || isTyping(event.target) || document.querySelector("dialog[open]"))) return;
  if (opens || event.key === "/") event.preventDefault(); // the browser has a use for these
  if (opens) openPalette();
  else loadKeys().then((module) => module.press(event.key));
});

document.querySelector(".find")?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openPalette();
});

// A tab takes along what is chosen in the filter and was not asked for yet.
document.addEventListener("click", (event) => {
  const tab = event.target.closest(".tabs a");
  const form = document.querySelector("#live form[role=search]");
  if (!tab || !form || event.ctrlKey || event.metaKey || event.shiftKey || ![...form.elements].some(isChanged)) return;
  event.preventDefault();
  const said = new URLSearchParams([...new FormData(form)].filter(([name, text]) => text && name !== "tab"));
  const wanted = new URL(tab.href).searchParams.get("tab");
  if (wanted) said.set("tab", wanted);
  location.assign(`${form.action}?${said}`);
});

function isChanged(field) {
  if (!field.options) return field.matches("input") && field.value !== field.defaultValue;
  return field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
}

document.addEventListener("htmx:after:swap", showCopyButtons);
showCopyButtons();
for (const field of document.querySelectorAll("[data-viewer]")) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const here of document.querySelectorAll("nav.main [aria-current], .tabs [aria-current]")) {
  here.scrollIntoView({ block: "nearest", inline: "center" }); // on a phone these scroll
}
setUpPulse();
tick();
setInterval(tick, SECOND);
