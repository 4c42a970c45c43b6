// Confirmation dialogs and toasts.

import { textObject } from "./blocks.js";
import { h } from "./dom.js";

const TOAST_MS = 8000;

/** Ask as the confirm object says; true if the person agrees. */
export function confirmed(confirm) {
  return new Promise((resolve) => {
    const finish = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    const style = confirm.style === "danger" ? "danger" : "primary";
    const dialog = h("dialog", { class: "dialog", "aria-labelledby": "confirm-title", data: { testid: "confirm" } },
      h("h2", { id: "confirm-title" }, textObject(confirm.title)),
      h("div", { class: "text" }, textObject(confirm.text)),
      h("div", { class: "dialog-actions" },
        h("button", { type: "button", class: "button plain", data: { testid: "confirm-cancel" }, onclick: () => finish(false) }, textObject(confirm.deny)),
        h("button", { type: "button", class: `button ${style}`, data: { testid: "confirm-ok" }, onclick: () => finish(true) }, textObject(confirm.confirm))));
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); finish(false); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Show a short notice that goes away by itself. */
export function toast(text) {
  const node = h("div", { class: "toast", data: { testid: "toast" } },
    h("span", { class: "toast-sign", "aria-hidden": "true" }, "!"), h("span", {}, text),
    h("button", { type: "button", class: "icon", "aria-label": "Dismiss", onclick: () => node.remove() }, "✕"));
  // A modal makes all outside of it inert: what must be read then goes into it.
  const host = [...document.querySelectorAll("dialog[open]")].at(-1);
  if (host && !host.querySelector(":scope > .toasts")) host.append(h("div", { class: "toasts", role: "alert" }));
  (host?.querySelector(":scope > .toasts") ?? document.getElementById("toasts")).append(node);
  setTimeout(() => node.remove(), TOAST_MS);
}
