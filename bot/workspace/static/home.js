// The app's home tab, one of a person's own.

import { h, put } from "./dom.js";
import { drawView } from "./view.js";

/** Draw the home tab of `user`; `home` is null before the app has published one. */
export function drawHome(box, home, user) {
  if (!home) {
    put(box, h("div", { class: "empty" }, h("h2", {}, "Nothing here yet"), h("p", {}, "The app has not set up its home tab yet.")));
    return;
  }
  let inner = box.querySelector(":scope > .blocks");
  if (!inner) {
    inner = h("div", { class: "blocks" });
    put(box, inner);
  }
  const print = JSON.stringify([home.id, home.hash, user]);
  if (inner.print === print) return;
  inner.print = print;
  drawView(inner, home, user);
}
