// Elements that send an action: buttons, overflow menus, and inputs when they change.

import { textObject } from "./blocks.js";
import { confirmed } from "./dialogs.js";
import { h, safeUrl } from "./dom.js";
import { initialState, inputElement, rememberer, valueOf } from "./fields.js";
import { popup } from "./popup.js";

const TYPING_PAUSE_MS = 150;
const WRITTEN = ["plain_text_input", "number_input", "email_text_input", "url_text_input"];

async function perform(node, element, blockId, use, value) {
  if (element.confirm && !(await confirmed(element.confirm))) return false;
  node.setAttribute("aria-busy", "true");
  try {
    await use(element, blockId, value);
  } finally {
    node.removeAttribute("aria-busy");
  }
  return true;
}

function open(url) {
  const safe = url && safeUrl(url);
  if (safe) window.open(safe, "_blank", "noopener");
}

function button(element, blockId, use) {
  const style = element.style ?? "plain";
  const node = h("button", {
    type: "button", class: `button ${style}`, "aria-label": element.accessibility_label,
    data: { actionId: element.action_id, value: element.value ?? "" },
  }, textObject(element.text));
  node.addEventListener("click", async () => {
    if (node.hasAttribute("aria-busy")) return;
    if (await perform(node, element, blockId, use)) open(element.url);
  });
  return node;
}

function overflow(element, blockId, use) {
  const opener = h("button", { type: "button", class: "button plain kebab", "aria-label": "More actions" }, h("span", { "aria-hidden": "true" }, "⋯"));
  const choose = async (option) => {
    if (await perform(opener, element, blockId, use, option.value)) open(option.url);
  };
  const items = element.options.map((option) => h("button", { type: "button", role: "menuitem", data: { value: option.value }, onclick: () => choose(option) },
    h("span", {}, textObject(option.text), option.description && h("small", {}, textObject(option.description)))));
  const home = popup(opener, h("div", {}, items));
  home.dataset.actionId = element.action_id;
  return home;
}

/** Make an input send an action when it changes, as its element says. */
export function wire(field, element, blockId, use) {
  const send = () => perform(field, element, blockId, use, valueOf(field));
  if (!WRITTEN.includes(element.type)) {
    let restore = rememberer(field);
    field.addEventListener("change", async () => {
      if (await send()) restore = rememberer(field);
      else restore();
    });
    return;
  }
  const when = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  let timer;
  if (when.includes("on_character_entered")) {
    field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(send, TYPING_PAUSE_MS); });
  }
  if (when.includes("on_enter_pressed")) {
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      send();
    });
  }
}

/** Draw an element that sends an action as soon as it is used. */
export function clickable(element, blockId, use) {
  if (element.type === "button" || element.type === "workflow_button") return button(element, blockId, use);
  if (element.type === "overflow") return overflow(element, blockId, use);
  const state = use?.stateOf?.(blockId, element) ?? initialState(element);
  const field = inputElement(element, state, blockId, use);
  const named = field.querySelector("[data-part=search]") ?? field;
  named.setAttribute("aria-label", element.placeholder?.text ?? "Choose");
  wire(field, element, blockId, use);
  return field;
}

/** Draw feedback and icon buttons. */
export function contextAction(element, blockId, use) {
  if (element.type === "icon_button") return button({ ...element, text: element.text }, blockId, use);
  return h("span", {}, [element.positive_button, element.negative_button].map((each) => {
    const node = h("button", { type: "button", class: "button plain", data: { actionId: element.action_id, value: each.value } }, textObject(each.text));
    node.addEventListener("click", () => perform(node, element, blockId, use, each.value));
    return node;
  }));
}
