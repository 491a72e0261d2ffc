// A volume in three dimensions, by WebGL 2: the maximum along each ray, or a body that lets light through. Drawn from
// the preview, which a graphics card of any age holds. Fetched only when it is asked for.

const VERTEX = `#version 300 es
out vec2 place;
void main() {
  vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  place = corner * 2.0 - 1.0;
  gl_Position = vec4(place, 0.0, 1.0);
}`;

// Rays are parallel. Places are mm from the middle of the volume, x to the left, y to the back, z to the head.
const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler3D;
uniform sampler3D voxels;
uniform sampler2D colours;
uniform vec3 extent;      // half of the volume, in mm
uniform vec3 right, up, forward;
uniform vec2 reach;       // mm from the middle of the picture to its sides
uniform vec2 window;      // of the texture's values, what becomes the lowest and the highest colour
uniform float stepMm;
uniform bool highest;
in vec2 place;
out vec4 colour;

float at(vec3 mm) { return texture(voxels, mm / extent * 0.5 + 0.5).r; }
float level(float value) { return clamp((value - window.x) / (window.y - window.x), 0.0, 1.0); }
vec3 coloured(float level) { return texture(colours, vec2((level * 255.0 + 0.5) / 256.0, 0.5)).rgb; }

vec3 lit(vec3 mm, float found) {
  vec2 d = vec2(stepMm, 0.0);
  vec3 slope = vec3(at(mm + d.xyy) - at(mm - d.xyy), at(mm + d.yxy) - at(mm - d.yxy), at(mm + d.yyx) - at(mm - d.yyx));
  float steep = length(slope);
  float facing = steep > 1e-5 ? abs(dot(slope / steep, forward)) : 1.0;
  return coloured(found) * mix(1.0, 0.25 + 0.75 * facing, min(1.0, steep / (window.y - window.x) * 4.0));
}

void main() {
  vec3 start = right * place.x * reach.x + up * place.y * reach.y;
  vec3 safe = mix(forward, vec3(1e-6), lessThan(abs(forward), vec3(1e-6)));
  vec3 one = (-extent - start) / safe, other = (extent - start) / safe;
  vec3 low = min(one, other), high = max(one, other);
  float from = max(max(low.x, low.y), low.z), to = min(min(high.x, high.y), high.z);
  if (to <= from) { colour = vec4(0.0, 0.0, 0.0, 1.0); return; }
  float best = -1.0, through = 1.0;
  vec3 sum = vec3(0.0);
  for (float t = from + 0.5 * stepMm; t < to; t += stepMm) {
    vec3 mm = start + forward * t;
    float value = at(mm);
    if (highest) { best = max(best, value); continue; }
    float found = level(value);
    float covers = 1.0 - exp(-found * found * stepMm * 0.12);
    if (covers < 0.004) continue;
    sum += through * covers * lit(mm, found);
    through *= 1.0 - covers;
    if (through < 0.01) break;
  }
  colour = vec4(highest ? coloured(level(best)) : sum, 1.0);
}`;

const NAMES = ["voxels", "colours", "extent", "right", "up", "forward", "reach", "window", "stepMm", "highest"];

export class Solid {
  // Throws if the browser has no WebGL 2.
  constructor(canvas) {
    this.canvas = canvas;
    this.view = { turn: 30, tilt: 10, zoom: 1, highest: true }; // degrees
    this.gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    if (!this.gl) throw new Error("WebGL 2");
    this.program = linked(this.gl);
    this.places = Object.fromEntries(NAMES.map((name) => [name, this.gl.getUniformLocation(this.program, name)]));
  }

  // The preview as a texture of numbers from 0 to 1 over all its values; what is no number is the lowest.
  hold(layer) {
    if (this.layer === layer) return;
    this.layer = layer;
    const { data, lengths } = layer.volume.preview;
    let [low, high] = [Infinity, -Infinity];
    for (const value of data) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const scale = 1 / (high - low || 1);
    this.range = { low, scale };
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0);
    gl.deleteTexture(this.texture);
    this.texture = texture(gl, gl.TEXTURE_3D, gl.LINEAR);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.R16F, ...lengths, 0, gl.RED, gl.FLOAT, Float32Array.from(data, (value) => (value - low) * scale || 0));
  }

  holdColours(colours) {
    if (this.colours === colours) return;
    this.colours = colours;
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE1);
    gl.deleteTexture(this.table);
    this.table = texture(gl, gl.TEXTURE_2D, gl.NEAREST);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(colours.buffer));
  }

  resize() {
    const ratio = Math.min(window.devicePixelRatio || 1, 1.5);
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight].map((side) => Math.max(1, Math.round(side * ratio)));
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
  }

  // What is drawn stays until something it depends on changes: slices that arrive do not.
  draw() {
    const { gl, places, layer, canvas, view } = this;
    if (!layer) return;
    const made = [canvas.width, canvas.height, layer.id, layer.low, layer.high, Object.values(view)].join();
    if (this.made === made && this.drawnColours === this.colours) return;
    Object.assign(this, { made, drawnColours: this.colours });
    const { shape, spacing, facts } = layer.volume;
    const extent = shape.map((length, axis) => (length * spacing[axis]) / 2);
    const [halfWidth, halfHeight] = [Math.hypot(extent[0], extent[1]), Math.hypot(...extent)];
    const perPixel = Math.max((2 * halfWidth) / canvas.width, (2 * halfHeight) / canvas.height) / view.zoom;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.useProgram(this.program);
    gl.uniform1i(places.voxels, 0);
    gl.uniform1i(places.colours, 1);
    gl.uniform3fv(places.extent, extent);
    for (const [name, direction] of Object.entries(directions(view))) gl.uniform3fv(places[name], direction);
    gl.uniform2f(places.reach, (canvas.width * perPixel) / 2, (canvas.height * perPixel) / 2);
    gl.uniform2f(places.window, ...[layer.low, layer.high].map((end) => (end - this.range.low) * this.range.scale));
    gl.uniform1f(places.stepMm, Math.min(...spacing.map((mm, axis) => mm * facts.preview.factor_xyz[axis])) * 0.7);
    gl.uniform1i(places.highest, view.highest ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  async picture() {
    this.draw();
    return new Promise((done) => this.canvas.toBlob(done, "image/png"));
  }
}

// From the front, turned towards the patient's left as the rotating projection is, and tilted to see from above.
export function directions({ turn, tilt }) {
  const [a, b] = [(turn * Math.PI) / 180, (tilt * Math.PI) / 180];
  const right = [Math.cos(a), Math.sin(a), 0];
  const level = [-Math.sin(a), Math.cos(a), 0];
  const forward = [level[0] * Math.cos(b), level[1] * Math.cos(b), -Math.sin(b)];
  return { right, forward, up: [level[0] * Math.sin(b), level[1] * Math.sin(b), Math.cos(b)] };
}

function texture(gl, target, filter) {
  const made = gl.createTexture();
  gl.bindTexture(target, made);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, name, filter);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) gl.texParameteri(target, name, gl.CLAMP_TO_EDGE);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  return made;
}

function linked(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "shader");
  return program;
}
