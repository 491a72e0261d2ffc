// Tables of 256 colours, as the numbers that a picture's memory holds (red in the lowest byte).

const word = (red, green, blue) => (255 << 24) | (blue << 16) | (green << 8) | red;
const made = (of) => Uint32Array.from({ length: 256 }, (_, level) => word(...of(level)));
const clamp = (value) => Math.round(Math.min(Math.max(value, 0), 255));

// What is there before, and without, the table of colours.
const tables = new Map([
  ["grey", made((level) => [level, level, level])],
  ["grey-inverted", made((level) => [255 - level, 255 - level, 255 - level])],
  ["hot-iron", made((level) => [level * 2, (level - 128) * 2, (level - 192) * 4].map(clamp))],
]);

export const names = () => Array.from(tables.keys());

export const palette = (name) => tables.get(name) ?? tables.get("grey");

// As scripts/palettes.py writes them.
export function add({ palettes = {} }) {
  for (const [name, colours] of Object.entries(palettes)) tables.set(name, made((level) => colours[level]));
}
