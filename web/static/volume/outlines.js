// Which of the kept measurements are outlined: boxes beside each of two viewers. The same rule has the same colour in both.

import { PartFailed } from "./chunks.js";
import { OUTLINE_COLOURS } from "./marks.js";
import { region } from "./regions.js";

export class Outlines {
  constructor(changed) {
    this.regions = new Map(); // by box
    this.fields = [...document.querySelectorAll("[data-outlines]")];
    for (const field of this.fields) {
      field.hidden = false;
      field.addEventListener("change", () => this.draw(field).then(changed));
    }
  }

  boxes(field) {
    return [...(field ?? document).querySelectorAll("[data-labels]")];
  }

  get checked() {
    return this.boxes().filter((box) => box.checked).map((box) => box.value);
  }

  read(asked) {
    const wanted = asked.get("outlines")?.split(",");
    if (wanted) for (const box of this.boxes()) box.checked = wanted.includes(box.value);
    for (const field of this.fields) this.draw(field);
  }

  say(said) {
    if (this.boxes().some((box) => box.checked !== box.defaultChecked)) said.set("outlines", this.checked.join());
  }

  // What cannot be fetched is said, and its box is no longer ticked.
  async draw(field) {
    const fault = field.querySelector(".msg");
    fault.hidden = true;
    for (const box of this.boxes(field).filter((each) => each.checked && !this.regions.has(each))) {
      try {
        this.regions.set(box, await region(box.dataset.labels, box.dataset.volume));
      } catch (error) {
        if (!(error instanceof PartFailed)) throw error;
        box.checked = fault.hidden = false;
      }
    }
    const shown = this.boxes(field).filter((box) => box.checked && this.regions.has(box));
    const colour = (box) => OUTLINE_COLOURS[box.dataset.rule % OUTLINE_COLOURS.length];
    document.getElementById(field.dataset.outlines).viewer.setOutlines(shown.map((box) => ({ ...this.regions.get(box), colour: colour(box) })));
  }
}
