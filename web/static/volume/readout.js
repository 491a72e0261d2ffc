// Values in words: under the crosshair and under the pointer, each volume in its own unit, SUV only where it is one.

const NARROW = "\u202f";
const NONE = "–";

export class Readout {
  constructor(root, viewer) {
    Object.assign(this, { root, viewer, pointer: null });
  }

  show() {
    this.column("crosshair", this.viewer.state.at);
    this.column("pointer", this.pointer);
  }

  // `voxel` is a place in the base, with fractions, or null: the pointer is over no plane.
  point(voxel) {
    this.pointer = voxel;
    this.column("pointer", voxel);
  }

  column(name, voxel) {
    const put = (row, text) => {
      const cell = this.root.querySelector(`${row} [data-at=${name}]`);
      if (cell.textContent !== text) cell.textContent = text;
    };
    const { base } = this.viewer;
    const at = voxel?.map(Math.round);
    const inside = at && base.contains(at);
    const world = inside && base.toWorld(at);
    for (const layer of this.viewer.state.layers) put(`[data-values="${layer.id}"]`, inside ? valueAt(layer, world, this.viewer.state.words) : NONE);
    put("[data-mm]", inside ? world.map((mm) => fixed(mm, 1)).join("  ") : NONE);
    put("[data-voxel]", inside ? at.join("  ") : NONE);
  }
}

export function valueAt(layer, world, words) {
  const { volume } = layer;
  const found = volume.at(volume.toVoxel(world).map(Math.round));
  if (!found) return words.outside;
  if (!Number.isFinite(found.value)) return words.noNumber;
  return (found.exact ? "" : "≈ ") + inUnits(volume, found.value);
}

// "38 HU"; "14 400 Bq/ml · 4.00 SUVbw"; what is stored as SUV is said once.
export function inUnits(volume, value) {
  const { unit, unitWords } = volume.facts;
  const plain = `${number(value)}${unit ? ` ${unit}` : ""}`;
  const factor = volume.suvFactor;
  if (factor === null) return plain;
  const suv = `${fixed(value * factor, 2)} ${unitWords}`;
  return factor === 1 && unit === "g/ml" ? suv : `${suv}\n${plain}`;
}

function number(value) {
  if (Number.isInteger(value)) return grouped(String(value));
  const size = Math.abs(value);
  return size >= 1e7 || size < 1e-3 ? value.toExponential(3) : grouped(size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4))));
}

const grouped = (digits) => digits.replace("-", "−").replace(/\B(?=(\d{3})+$)/g, NARROW);
const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");
