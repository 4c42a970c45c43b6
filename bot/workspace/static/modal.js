// The modal on top of a person's stack.

import { act } from "./api.js";
import { textObject } from "./blocks.js";
import { toast } from "./dialogs.js";
import { h, put } from "./dom.js";
import { avatar, shownName } from "./people.js";
import { drawView, typedValues } from "./view.js";

const CAN_FOCUS = "a[href], button:not(:disabled), input:not(:disabled), select, textarea, [tabindex='0']";
let dialog = null;
let shown = "";
let opener = null;

function hide() {
  if (!dialog) return;
  dialog.close();
  dialog.remove();
  dialog = null;
  shown = "";
  if (opener?.isConnected) opener.focus({ preventScroll: true });
}

/** Show the top of the stack, or nothing; what was typed stays. */
export function showModal(stack, user) {
  const view = stack.at(-1);
  if (!view) {
    hide();
    return;
  }
  const print = JSON.stringify([view.id, view.hash, view.errors, user, stack.length]);
  if (print === shown) return;
  const fresh = dialog?.dataset.viewId !== view.id || dialog.dataset.person !== user;
  if (fresh) {
    if (!dialog) opener = document.activeElement;
    const old = dialog;
    dialog = frame(view.id, user);
    document.body.append(dialog);
    dialog.showModal();
    old?.close();
    old?.remove();
  }
  shown = print;
  fill(view, user, stack.length);
  if (fresh) focusFirst(view);
  else if (Object.keys(view.errors ?? {}).length) dialog.querySelector("[aria-invalid]")?.focus();
}

function focusFirst(view) {
  const wanted = view.blocks.map((block) => block.element ?? block.accessory).find((element) => element?.focus_on_load);
  const field = wanted && [...dialog.querySelectorAll("[data-action-id]")].find((one) => one.dataset.actionId === wanted.action_id);
  const inside = (box) => (box?.matches("input, select, textarea, button") ? box : box?.querySelector("input, select, textarea, button"));
  const first = inside(field) ?? inside(dialog.querySelector("[data-input-block]")) ?? dialog.querySelector(".modal-body [data-action-id], [type=submit], [data-testid=modal-close]");
  first?.focus({ preventScroll: true });
  first?.select?.call(first);
}

const send = async (path, body) => {
  const { person, viewId } = dialog.dataset;
  try {
    await act(path, { user: person, view_id: viewId, ...body });
  } catch (error) {
    toast(error.message);
  }
};

async function submit(event) {
  event.preventDefault();
  const box = event.currentTarget.closest("dialog");
  if (box.classList.contains("sending")) return;
  box.classList.add("sending");
  box.querySelector("[type=submit]")?.setAttribute("aria-busy", "true");
  await send("submit", { values: typedValues(box.querySelector(".modal-body")) });
  box.classList.remove("sending");
  box.querySelector("[type=submit]")?.removeAttribute("aria-busy");
}

/** Keep Tab within the modal; the browser's own bars are no part of it. */
function keepTab(event) {
  if (event.key !== "Tab") return;
  const stops = [...event.currentTarget.querySelectorAll(CAN_FOCUS)].filter((one) => one.checkVisibility() && one.tabIndex >= 0);
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  const last = document.activeElement;
  const same = last === edge || (last.type === "radio" && edge.type === "radio" && last.name === edge.name);
  if (!same) return;
  event.preventDefault();
  (event.shiftKey ? stops.at(-1) : stops[0]).focus();
}

function frame(viewId, user) {
  const made = h("dialog", { class: "dialog modal", "aria-labelledby": "modal-title", onkeydown: keepTab, data: { testid: "modal", viewId, person: user } },
    h("form", { novalidate: true, onsubmit: submit },
      h("header", { class: "modal-head" }), h("div", { class: "modal-body blocks" }), h("footer", { class: "modal-foot" })));
  made.addEventListener("cancel", (event) => {
    if (event.target !== made) return;
    event.preventDefault();
    send("close_view", {});
  });
  return made;
}

function fill(view, user, depth) {
  const close = () => send("close_view", {});
  const back = depth > 1;
  drawView(dialog.querySelector(".modal-body"), view, user);
  const buttons = JSON.stringify([view.title, view.close, view.submit, view.submit_disabled, depth]);
  if (dialog.buttons === buttons) return;
  const held = dialog.contains(document.activeElement) && document.activeElement.dataset.testid;
  dialog.buttons = buttons;
  put(dialog.querySelector(".modal-head"),
    h("h2", { id: "modal-title" }, textObject(view.title)), back && h("span", { class: "depth", title: "Modals on top of each other" }, `${depth} of 3`),
    h("button", { type: "button", class: "icon", "aria-label": "Close", data: { testid: "modal-x" }, onclick: () => send("close_view", { clear: true }) }, "✕"));
  put(dialog.querySelector(".modal-foot"),
    h("span", { class: "as", title: "Only this local page says so" }, avatar(user, "mini"), shownName(user)),
    h("button", { type: "button", class: "button plain", data: { testid: "modal-close" }, onclick: close }, view.close ? textObject(view.close) : back ? "Back" : "Close"),
    view.submit && h("button", { type: "submit", class: "button primary", disabled: view.submit_disabled, data: { testid: "modal-submit" } }, textObject(view.submit)));
  if (held) dialog.querySelector(`[data-testid=${held}]`)?.focus();
}
