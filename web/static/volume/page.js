// The page of a volume: one viewer, whose state is in the address.

import { mount } from "./mount.js";

document.getElementById("gestures").hidden = false;
mount(document.getElementById("viewer"), { ownsPage: true });
