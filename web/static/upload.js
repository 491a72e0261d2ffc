// Files of a form are sent as soon as they are chosen or dropped: with a bar, and kept over a reload by the address.
"use strict";

{
  const form = document.querySelector("form[data-form]");
  const token = form.elements.csrf_token.value;
  let waiting = null; // the button that was pressed before all was there

  const remember = (name, reference) => change((params) => params.append(name, reference));
  const forget = (name, reference) => change((params) => {
    const rest = params.getAll(name).filter((each) => each !== reference);
    params.delete(name);
    for (const each of rest) params.append(name, each);
  });

  function change(how) {
    const url = new URL(location.href);
    how(url.searchParams);
    history.replaceState(null, "", url);
  }

  function filled(pattern, values) {
    return Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), pattern);
  }

  class Sending {
    constructor(field, file) {
      Object.assign(this, { field, file, words: field.dataset });
      this.line = document.createElement("p");
      this.line.className = "tick kept sending";
      this.bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
      this.bar.setAttribute("aria-label", file.name);
      this.said = Object.assign(document.createElement("span"), { textContent: file.name });
      this.button = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: this.words.stop });
      this.button.addEventListener("click", () => this.end());
      this.line.append(this.said, this.bar, this.button);
      field.append(this.line);
    }

    begin() {
      this.request = new XMLHttpRequest();
      this.request.open("PUT", `/uploads?name=${encodeURIComponent(this.file.name)}`);
      this.request.setRequestHeader("X-CSRFToken", token);
      this.request.setRequestHeader("Content-Type", "application/octet-stream");
      this.request.responseType = "json";
      this.request.upload.addEventListener("progress", ({ loaded, total }) => this.tell(loaded, total));
      return new Promise((done) => {
        this.request.addEventListener("loadend", () => done(this.answered()));
        this.request.send(this.file);
      });
    }

    tell(loaded, total) {
      this.bar.value = loaded / total;
      this.said.textContent = filled(this.words.sending, { name: this.file.name, percent: Math.floor((100 * loaded) / total) });
    }

    answered() {
      const { status, response } = this.request;
      if (status === 201) this.keep(response);
      else if (this.line.isConnected) this.fail(response?.fault ?? filled(this.words.failed, { name: this.file.name, status: status || "–" }));
    }

    keep({ reference, name }) {
      const hidden = Object.assign(document.createElement("input"), { type: "hidden", name: this.field.dataset.upload, value: reference });
      this.bar.remove();
      this.said.textContent = name;
      this.button.textContent = this.words.remove;
      this.line.prepend(hidden);
      this.reference = reference;
      remember(this.field.dataset.upload, reference);
    }

    fail(text) {
      this.bar.remove();
      this.line.classList.add("msg");
      this.said.textContent = text;
    }

    end() {
      this.request?.abort();
      this.line.remove();
      if (this.reference) forget(this.field.dataset.upload, this.reference);
    }
  }

  async function send(field, files) {
    const several = field.querySelector("input[type=file]").multiple;
    const chosen = several ? [...files] : [...files].slice(0, 1);
    if (!several) for (const line of field.querySelectorAll(".sending")) line.querySelector("button").click();
    const sendings = chosen.map((file) => new Sending(field, file));
    form.dataset.sending = Number(form.dataset.sending ?? 0) + 1;
    for (const sending of sendings) if (sending.line.isConnected) await sending.begin();
    form.dataset.sending = Number(form.dataset.sending) - 1;
    if (waiting && form.dataset.sending === "0") form.requestSubmit(waiting);
  }

  for (const field of form.querySelectorAll("[data-upload]")) {
    const input = field.querySelector("input[type=file]");
    input.addEventListener("change", () => {
      const files = [...input.files];
      input.value = "";
      input.required = false;
      send(field, files);
    });
    for (const kept of field.querySelectorAll(".kept input")) {
      kept.addEventListener("change", () => (kept.checked ? remember : forget)(field.dataset.upload, kept.value));
    }
  }

  const first = form.querySelector("[data-upload]");
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const field = event.target.closest?.("[data-upload]") ?? first;
    if (event.dataTransfer.files.length) send(field, event.dataTransfer.files);
  });

  // Pressed before all is there: it goes off by itself when it is.
  form.addEventListener("submit", (event) => {
    if (!Number(form.dataset.sending ?? 0)) return;
    event.preventDefault();
    waiting = event.submitter ?? form.querySelector("button.pri");
  });
}
