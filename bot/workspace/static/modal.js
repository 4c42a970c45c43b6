// The modal on top of a person's stack.

import { act } from "./api.js";
import { drawBlocks, textObject } from "./blocks.js";
import { toast } from "./dialogs.js";
import { h } from "./dom.js";
import { initialState, valueOf } from "./elements.js";

let dialog = null;
let shown = "";
let shownId = "";

function typedValues() {
  const values = {};
  for (const field of dialog?.querySelectorAll("[data-input-block]") ?? []) {
    values[field.dataset.inputBlock] = { [field.dataset.actionId]: valueOf(field) };
  }
  return values;
}

function hide() {
  dialog?.close();
  dialog?.remove();
  dialog = null;
  shown = shownId = "";
}

/** Show the top of the stack, or nothing; what was typed stays. */
export function showModal(stack, user) {
  const view = stack.at(-1);
  if (!view) {
    hide();
    return;
  }
  const print = JSON.stringify([view.id, view.hash, view.errors, user]);
  if (print === shown) return;
  const typed = shownId === view.id ? typedValues() : {};
  hide();
  shown = print;
  shownId = view.id;
  dialog = draw(view, user, typed);
  document.body.append(dialog);
  dialog.showModal();
}

function draw(view, user, typed) {
  const send = async (path, body) => {
    try {
      await act(path, { user, view_id: view.id, ...body });
    } catch (error) {
      toast(error.message);
    }
  };
  const use = async (element, blockId, value) => send("click", { action_id: element.action_id, block_id: blockId, value });
  use.errorOf = (block) => view.errors?.[block.block_id];
  use.stateOf = (block) => {
    const value = typed[block.block_id]?.[block.element.action_id];
    const state = view.state.values[block.block_id]?.[block.element.action_id] ?? initialState(block.element);
    return value === undefined || value === null ? state : stateFrom(block.element, value);
  };
  const close = () => send("close_view", {});
  const form = h("form", { novalidate: true, onsubmit: async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    await send("submit", { values: typedValues() });
    button.disabled = false;
  } },
    h("header", { class: "modal-head" }, h("h2", { id: "modal-title" }, textObject(view.title)),
      h("button", { type: "button", class: "icon", "aria-label": "Close", data: { testid: "modal-x" }, onclick: close }, "✕")),
    h("div", { class: "modal-body blocks" }, drawBlocks(view.blocks, use)),
    h("footer", { class: "dialog-actions" },
      h("button", { type: "button", class: "button plain", data: { testid: "modal-close" }, onclick: close }, view.close ? textObject(view.close) : "Close"),
      view.submit && h("button", { type: "submit", class: "button primary", data: { testid: "modal-submit" } }, textObject(view.submit))));
  const made = h("dialog", { class: "dialog modal", "aria-labelledby": "modal-title", data: { testid: "modal", viewId: view.id } }, form);
  made.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
  return made;
}

function stateFrom(element, value) {
  const options = [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
  if (Array.isArray(value)) return { selected_options: options.filter((option) => value.includes(option.value)) };
  return { value, selected_date: value, selected_time: value, selected_user: value, selected_channel: value,
    selected_conversation: value, selected_option: options.find((option) => option.value === value) };
}
