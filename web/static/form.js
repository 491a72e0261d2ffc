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
      link.textContent = "Copied";
      setTimeout(() => (link.textContent = link.dataset.link), 2000);
    });
  }
}
