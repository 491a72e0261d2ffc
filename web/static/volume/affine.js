// Affine maps of three dimensions as 12 numbers: three rows of (a, b, c, t). Voxel (x, y, z) to mm, and back.

export const ofRows = (rows) => Float64Array.from(rows.slice(0, 3).flat());

export function apply(m, [x, y, z]) {
  return [0, 4, 8].map((row) => m[row] * x + m[row + 1] * y + m[row + 2] * z + m[row + 3]);
}

export function multiply(m, n) {
  const product = new Float64Array(12);
  for (let row = 0; row < 12; row += 4) {
    for (let column = 0; column < 4; column++) {
      product[row + column] = m[row] * n[column] + m[row + 1] * n[4 + column] + m[row + 2] * n[8 + column] + (column === 3 ? m[row + 3] : 0);
    }
  }
  return product;
}

export function invert(m) {
  const [a, b, c, , d, e, f, , g, h, i] = m;
  const minors = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d];
  const determinant = a * minors[0] + b * minors[3] + c * minors[6];
  const inverse = new Float64Array(12);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) inverse[4 * row + column] = minors[3 * row + column] / determinant;
  }
  const moved = apply(inverse, [m[3], m[7], m[11]]);
  for (let row = 0; row < 3; row++) inverse[4 * row + 3] = -moved[row];
  return inverse;
}

// For each axis of the result the one axis that feeds it, or null if some axis is fed by two: the grids are
// oblique to each other. `lengths` are the voxels that go in: a lean of less than 1/20 voxel over them is none.
export function axisOf(m, lengths) {
  const sources = [0, 1, 2].map((row) => {
    const share = lengths.map((length, column) => Math.abs(m[4 * row + column]) * length);
    const most = share.indexOf(Math.max(...share));
    return share.every((each, column) => column === most || each < 0.05) ? most : null;
  });
  return new Set(sources).size === 3 && !sources.includes(null) ? sources : null;
}
