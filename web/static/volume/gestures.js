// Mouse, pen, touch and keys on the pictures. Each has a field in the page that does the same.

const SWIPE = 14; // CSS pixels of a swipe for one slice
const STILL = 8; // what moves less than this is a tap
const WHEEL = 40; // of a wheel's pixels for one slice

export function onPlane(viewer, plane, { readout, active }) {
  const { canvas } = plane;
  const fingers = new Map();
  let drag = null;
  let wheel = 0;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  const go = ([x, y]) => viewer.moveTo(plane.toVoxel(x, y));

  canvas.addEventListener("contextmenu", (event) => event.preventDefault());

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    const at = place(event);
    fingers.set(event.pointerId, at);
    if (event.pointerType === "touch") drag = fingers.size === 2 ? pinch() : { kind: "swipe", from: at, last: at, slices: 0 };
    else if (event.button === 1) drag = { kind: "pan", last: at };
    else if (event.button === 2 || event.shiftKey) drag = { kind: "window", from: at, layer: active(), window: ends(active()) };
    else drag = { kind: "cross" };
    if (event.button === 1) event.preventDefault();
    if (drag.kind === "cross") go(at);
  });

  canvas.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (event.pointerType !== "touch") readout.point(plane.toVoxel(...at));
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, at);
    if (drag) moved[drag.kind](at);
  });

  const moved = {
    cross: go,
    pan(at) {
      viewer.pan(plane, at[0] - drag.last[0], at[1] - drag.last[1]);
      drag.last = at;
    },
    window([x, y]) {
      drag.layer.dragWindow(drag.window, (x - drag.from[0]) / 200, (drag.from[1] - y) / 200);
      viewer.redraw();
    },
    swipe(at) {
      drag.last = at;
      const slices = Math.trunc((drag.from[1] - at[1]) / SWIPE);
      if (slices !== drag.slices) viewer.step(plane.name, slices - drag.slices);
      drag.slices = slices;
    },
    pinch() {
      const now = pinch();
      viewer.pan(plane, now.middle[0] - drag.middle[0], now.middle[1] - drag.middle[1]);
      viewer.zoomBy(now.apart / drag.apart, plane, ...now.middle);
      drag = now;
    },
  };

  function pinch() {
    const [[ax, ay], [bx, by]] = fingers.values();
    return { kind: "pinch", middle: [(ax + bx) / 2, (ay + by) / 2], apart: Math.max(1, Math.hypot(ax - bx, ay - by)) };
  }

  const up = (event) => {
    const tapped = drag?.kind === "swipe" && Math.hypot(drag.last[0] - drag.from[0], drag.last[1] - drag.from[1]) < STILL;
    if (event.type === "pointerup" && tapped) go(drag.from);
    fingers.delete(event.pointerId);
    drag = null;
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => readout.point(null));

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) return viewer.zoomBy(Math.exp(-event.deltaY / 200), plane, ...place(event));
    wheel += event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / WHEEL : event.deltaY;
    const slices = Math.trunc(wheel) || (Math.abs(event.deltaY) >= WHEEL ? Math.sign(event.deltaY) : 0);
    wheel -= slices;
    if (slices) viewer.step(plane.name, -Math.min(Math.max(slices, -10), 10));
  }, { passive: false });
}

const ends = ({ low, high }) => ({ low, high });

export function onMip(viewer) {
  const { mip } = viewer;
  const { canvas } = mip;
  let drag = null;

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    mip.play(false);
    drag = { x: event.clientX, frame: mip.frame, turned: false };
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!drag || !mip.frames) return;
    const by = event.clientX - drag.x;
    if (Math.abs(by) < 4 && !drag.turned) return;
    drag.turned = true;
    mip.turnTo(drag.frame - (by / Math.max(200, mip.size.width)) * mip.facts.frames);
  });

  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.turned && mip.frames) {
      const box = canvas.getBoundingClientRect();
      const found = mip.hottest(event.clientX - box.left, event.clientY - box.top);
      if (found) viewer.moveTo(found);
    }
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => (drag = null));

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    mip.turnTo(mip.frame + Math.sign(event.deltaY));
  }, { passive: false });
}

// Arrows work on the pictures, and for the viewer that owns the page wherever nothing else needs them.
export function onKeys(viewer, stage, ownsPage) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const focused = document.activeElement;
    const isHere = focused?.matches(".plane canvas") && stage.root.contains(focused);
    if (!isHere && !(ownsPage && (focused === document.body || focused?.matches("#main")))) return;
    const slices = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    const planes = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!slices && !planes) return;
    event.preventDefault();
    if (stage.active === "solid") return;
    if (planes) stage.next(planes);
    else if (stage.active === "mip") viewer.mip.turnTo(viewer.mip.frame + slices);
    else viewer.step(stage.active, slices * (event.shiftKey ? 10 : 1));
  });
}
