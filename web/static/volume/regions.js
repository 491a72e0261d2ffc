// What was measured, as the viewers outline it.

import { fetched } from "./chunks.js";

// `labels` is the address of the parts on the grid of the volume `id`. Raises PartFailed.
export async function region(labels, id) {
  return { id, mask: new Uint16Array(await fetched(labels, { index: "labels" })) };
}
