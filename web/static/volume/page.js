// The page of a volume: one viewer, whose state is in the address.

import { keeper, write } from "./address.js";
import { mount } from "./mount.js";

const root = document.getElementById("viewer");
document.getElementById("gestures").hidden = false;
const { viewer, stage } = mount(root, { ownsPage: true, keepAddress: keeper([root], () => write(viewer, stage.said)) });
