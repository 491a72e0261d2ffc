// Keys and the palette, fetched with the first key that is pressed. What each does is listed by web/keyboard.py.
// A link or button says its own key (aria-keyshortcuts); there is no table of them here.

const SECOND = 1000;
let before = { key: "", at: 0 }; // "g" waits a moment for the key that says where to

export function press(key) {
  const sequence = before.key && Date.now() - before.at < 1.5 * SECOND ? `${before.key} ${key}` : key;
  before = key === "g" ? { key, at: Date.now() } : { key: "", at: 0 };
  const act = { "/": toSearch, j: () => move(1), k: () => move(-1), x: select, "?": showKeys }[sequence];
  if (act) act();
  else document.querySelector(`[aria-keyshortcuts="${CSS.escape(sequence)}"]`)?.click();
}

function toSearch() {
  const field = document.querySelector("main input[type=search]");
  if (!field) return openPalette(); // of app.js
  field.focus();
  field.select();
}

function showKeys() {
  document.getElementById("keys").showModal();
}

// --- Rows: the focus goes to the link of a row, so that Enter opens it and a screen reader reads it.

const rowLink = (row) => row.querySelector("a:not(.btn)");

function move(step) {
  const rows = Array.from(document.querySelectorAll("main tbody tr")).filter(rowLink);
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
  if (!next) return;
  rowLink(next).focus({ focusVisible: true, preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function select() {
  document.activeElement.closest("main tbody tr")?.querySelector("input[type=checkbox]")?.click();
}

// --- The palette: a combobox over a list that the server makes; the field keeps the focus.

const dialog = document.getElementById("palette");
const field = dialog.querySelector("input[type=search]");
const place = dialog.querySelector(".options");
const status = dialog.querySelector("[role=status]");
const form = dialog.querySelector("form");
const options = () => Array.from(place.querySelectorAll("[role=option]"));
let armed = null; // the job that the next Enter starts
let moved = null; // what the arrows chose since something was typed
let asked = 0;
let found = Promise.resolve(); // settled when the options are those of what stands in the field

export function find() {
  moved = null;
  found = ask();
}

const target = (option) => option.dataset.url ?? option.dataset.start;

async function ask() {
  const number = ++asked;
  const url = `${dialog.dataset.url}?q=${encodeURIComponent(field.value)}`;
  const response = await fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (number !== asked) return; // something else was typed meanwhile
  if (response?.status === 401) location.reload();
  if (!response?.ok) return;
  const list = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("options");
  if (number !== asked) return;
  place.replaceChildren(list);
  field.setAttribute("aria-expanded", "true");
  const kept = moved && options().find((each) => target(each) === moved); // chosen before the answer came
  choose(kept ?? options()[0]);
  status.textContent = list.dataset.said;
}

function choose(option) {
  armed = null;
  for (const each of options()) each.setAttribute("aria-selected", String(each === option));
  if (!option) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function open(option) {
  if (!option) return;
  if (option.dataset.url) return location.assign(option.dataset.url);
  if (armed === option) return start(option);
  choose(option);
  armed = option;
  status.textContent = option.dataset.again;
}

function start(option) {
  form.action = option.dataset.start;
  form.elements.key.value = option.dataset.key;
  form.requestSubmit();
}

function step(by) {
  const all = options();
  const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
  const next = all[(at + by + all.length) % all.length];
  moved = next && target(next);
  choose(next);
}

field.addEventListener("input", () => {
  armed = null;
  const number = ++asked;
  found = new Promise((done) => setTimeout(done, 80)).then(() => number === asked && ask());
});

field.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const act = { ArrowDown: () => step(1), ArrowUp: () => step(-1), Enter: () => found.then(() => open(options().find(isChosen))) }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

const isChosen = (option) => option.getAttribute("aria-selected") === "true";

place.addEventListener("click", (event) => open(event.target.closest("[role=option]")));
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside it
});
