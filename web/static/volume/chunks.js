// Fetches the parts of volumes: previews first, then whole slices from where one looks outwards, few at a time.

const AT_ONCE = 4;

export class PartFailed extends Error {
  // `reason` is one of the page's words, with what fills its places.
  constructor(part, reason) {
    super(reason.word);
    Object.assign(this, { part, reason });
  }
}

export async function fetched(url, part) {
  const response = await fetch(url).catch(() => null);
  if (!response) throw new PartFailed(part, { word: "noAnswer" });
  if (response.redirected) throw new PartFailed(part, { word: "signedOut" });
  if (!response.ok) throw new PartFailed(part, { word: "answered", fill: [response.status] });
  return response.arrayBuffer().catch(() => {
    throw new PartFailed(part, { word: "broken" });
  });
}

export const chunkName = (index) => `full/${String(index).padStart(4, "0")}.gz`;

// `place(volume)` is the slice that is looked at; `told(loader, part)` hears of everything that came or failed.
export class Loader {
  constructor(volumes, place, told) {
    Object.assign(this, { volumes, place, told, failed: [], done: 0 });
    this.waiting = volumes.flatMap((volume) => volume.facts.chunks.bytes.map((_, index) => ({ volume, index })));
    this.total = this.waiting.length + volumes.length;
  }

  get isBusy() {
    return this.done + this.failed.length < this.total;
  }

  previews() {
    return Promise.all(this.volumes.map((volume) => this.load({ volume, index: -1 })));
  }

  // Ends when all whole slices have come or failed.
  async run() {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.drain()));
  }

  async drain() {
    while (this.waiting.length) await this.load(this.take());
  }

  // The part nearest to what is looked at now, not when the page was opened.
  take() {
    const distance = ({ volume, index }) => Math.abs(index + 0.5 - (this.place(volume) + 0.5) / volume.chunkSlices);
    let best = 0;
    for (let each = 1; each < this.waiting.length; each++) {
      if (distance(this.waiting[each]) < distance(this.waiting[best])) best = each;
    }
    return this.waiting.splice(best, 1)[0];
  }

  async load(part) {
    const { volume, index } = part;
    try {
      const buffer = await fetched(volume.facts.data + (index < 0 ? "preview.gz" : chunkName(index)), part);
      check(buffer, volume, part);
      if (index < 0) volume.holdPreview(buffer);
      else volume.holdChunk(index, buffer);
      this.done++;
    } catch (error) {
      if (!(error instanceof PartFailed)) throw error;
      this.failed.push(error);
    }
    this.told(this, part);
  }

  async again() {
    const parts = this.failed.splice(0).map((error) => error.part);
    await Promise.all(parts.filter((part) => part.index < 0).map((part) => this.load(part)));
    this.waiting.push(...parts.filter((part) => part.index >= 0));
    await this.run();
  }
}

function check(buffer, volume, part) {
  const wanted = volume.lengthOf(part.index);
  const found = buffer.byteLength / volume.kind.BYTES_PER_ELEMENT;
  if (found !== wanted) throw new PartFailed(part, { word: "tooShort", fill: { found, wanted } });
}
