// A volume in the browser: slices as they arrive, the preview until then, and its place in the scanner.

import { apply, invert, ofRows } from "./affine.js";

const KINDS = { int16: Int16Array, float32: Float32Array };

export class Volume {
  // `facts` is what the page was told of the sidecar.
  constructor(facts) {
    this.facts = facts;
    this.id = facts.id;
    this.name = facts.name;
    this.shape = facts.shape_xyz;
    this.spacing = facts.spacing_xyz;
    this.affine = ofRows(facts.affine);
    this.inverse = invert(this.affine);
    this.slices = new Array(this.shape[2]); // typed arrays of whole axial slices; nothing where none has come yet
    this.preview = null;
    this.version = 0; // rises with everything that comes: what was drawn before may be drawn better now
  }

  get kind() {
    return KINDS[this.facts.dtype];
  }

  get chunkSlices() {
    return this.facts.chunks.slices;
  }

  get isWhole() {
    for (let k = 0; k < this.shape[2]; k++) if (!this.slices[k]) return false;
    return true;
  }

  // SUV of one stored unit, or null for what is no SUV.
  get suvFactor() {
    return this.facts.suv?.factor ?? null;
  }

  holdPreview(buffer) {
    const [px, py, pz] = this.facts.preview.shape_xyz;
    const factors = this.facts.preview.factor_xyz;
    const maps = this.shape.map((length, axis) => Uint32Array.from({ length }, (_, at) => Math.floor(at / factors[axis])));
    this.preview = { data: new this.kind(buffer), rows: px, planes: px * py, maps, lengths: [px, py, pz] };
    this.version++;
  }

  holdChunk(index, buffer) {
    const data = new this.kind(buffer);
    const size = this.shape[0] * this.shape[1];
    for (let each = 0; each * size < data.length; each++) {
      this.slices[index * this.chunkSlices + each] = data.subarray(each * size, (each + 1) * size);
    }
    this.version++;
  }

  // How many values chunk `index` has, the preview for -1.
  lengthOf(index) {
    const product = (lengths) => lengths[0] * lengths[1] * lengths[2];
    if (index < 0) return product(this.facts.preview.shape_xyz);
    const slices = Math.min(this.chunkSlices, this.shape[2] - index * this.chunkSlices);
    return product([this.shape[0], this.shape[1], slices]);
  }

  toWorld(voxel) {
    return apply(this.affine, voxel);
  }

  toVoxel(world) {
    return apply(this.inverse, world);
  }

  contains([i, j, k]) {
    const [nx, ny, nz] = this.shape;
    return i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz;
  }

  // The stored value of a voxel. `exact` is false while only the preview tells it; null outside and before that.
  at([i, j, k]) {
    if (!this.contains([i, j, k])) return null;
    const slice = this.slices[k];
    if (slice) return { value: slice[j * this.shape[0] + i], exact: true };
    if (!this.preview) return null;
    const { data, rows, planes, maps } = this.preview;
    return { value: data[maps[2][k] * planes + maps[1][j] * rows + maps[0][i]], exact: false };
  }
}
