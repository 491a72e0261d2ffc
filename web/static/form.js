// What the form of a job does beyond being sent: it can be copied as a link, and says what was changed.
"use strict";

{
  const form = document.querySelector("form[data-form]");
  const secret = new Set(["csrf_token", "key", "parent"]);

  document.getElementById("faults")?.focus();

  function linkToForm() {
    const url = new URL(form.querySelector("[data-link]").href);
    url.search = "";
    for (const [name, value] of new FormData(form)) {
      const says = typeof value === "string" && !secret.has(name) && (value || name.startsWith("arg-"));
      if (says) url.searchParams.append(name, value);
    }
    return url.href;
  }

  const link = form.querySelector("[data-link]");
  if (link && navigator.clipboard) {
    link.textContent = link.dataset.link;
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      await navigator.clipboard.writeText(linkToForm());
      link.textContent = words.copied;
      setTimeout(() => (link.textContent = link.dataset.link), 2000);
    });
  }

  // --- Editing an earlier run: what differs from it says so, as the server does when it answers with faults.

  const isTick = (control) => control.type === "checkbox";
  const touched = (control) =>
    isTick(control) ? control.checked !== control.defaultChecked
    : control.options ? Array.from(control.options).some((option) => option.selected && !option.defaultSelected)
    : control.value !== control.defaultValue;
  const before = (control) =>
    isTick(control) ? (control.defaultChecked ? words.yes : words.no)
    : control.options ? Array.from(control.options).find((option) => option.defaultSelected)?.text
    : control.defaultValue;

  function sayChanged(field) {
    const controls = Array.from(field.querySelectorAll("input:not([type=hidden], [type=file]), select, textarea"));
    const said = field.querySelector(".was");
    if (controls.length !== 1 || (said && !said.dataset.mine)) return;
    said?.remove();
    if (!touched(controls[0])) return;
    const words = Object.assign(document.createElement("p"), { className: "help was" });
    words.dataset.mine = "yes";
    words.textContent = filled(words.changed, before(controls[0]) || words.blank);
    field.append(words);
  }

  if ("edits" in form.dataset) {
    form.addEventListener("input", (event) => {
      const field = event.target.closest(".field");
      if (field) sayChanged(field);
    });
  }
}
