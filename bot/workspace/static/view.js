// The blocks of a modal or a home tab: redrawn in place, so that what was typed, focus and caret stay.

import { act } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { toast } from "./dialogs.js";
import { sync } from "./dom.js";
import { keptOf, stateFrom, valueOf } from "./fields.js";

const inputsIn = (box) => [...box.querySelectorAll("[data-input-block]")];

/** Read every input, by block and action. */
export function typedValues(box) {
  const values = {};
  for (const field of inputsIn(box)) values[field.dataset.inputBlock] = { [field.dataset.actionId]: valueOf(field) };
  return values;
}

function remembered(box) {
  const name = (field) => JSON.stringify([field.dataset.inputBlock, field.dataset.actionId, field.dataset.elementType]);
  return new Map(inputsIn(box).map((field) => [name(field), keptOf(field)]));
}

/** Note where the focus and caret are; gives what puts them back if they were lost. */
function focusKeeper(box) {
  const held = document.activeElement;
  if (!held || !box.contains(held)) return () => {};
  const block = held.closest("[data-block-id]")?.dataset.blockId;
  const action = held.closest("[data-action-id]")?.dataset.actionId;
  const { selectionStart, selectionEnd } = held;
  return () => {
    if (box.contains(document.activeElement)) return;
    const row = [...box.children].find((one) => one.dataset.blockId === block);
    const found = row && [...row.querySelectorAll("[data-action-id]")].find((one) => one.dataset.actionId === action);
    if (!found) return;
    const inner = "input:checked, [data-part=search], input, button";
    const target = found.matches("input, textarea, select, button") ? found : found.querySelector(inner);
    target?.focus({ preventScroll: true });
    if (typeof selectionStart === "number") target?.setSelectionRange?.(selectionStart, selectionEnd);
  };
}

/** Bring `box` in step with a view of `user`; nodes of blocks that are the same are left alone. */
export function drawView(box, view, user) {
  const kept = box.dataset.viewId === view.id && box.dataset.person === user ? remembered(box) : new Map();
  if (box.dataset.viewId !== view.id || box.dataset.person !== user) box.replaceChildren();
  Object.assign(box.dataset, { viewId: view.id, person: user });
  const where = { user, view_id: view.id };
  const use = async (element, blockId, value) => {
    try {
      await act("click", { ...where, action_id: element.action_id, block_id: blockId, value, values: typedValues(box) });
    } catch (error) {
      toast(error.message);
    }
  };
  use.suggest = (element, blockId, value) => act("options", { ...where, action_id: element.action_id, block_id: blockId, value })
    .catch((error) => ({ shown: error.message }));
  use.errorOf = (block) => view.errors?.[block.block_id];
  use.stateOf = (blockId, element) => {
    const name = JSON.stringify([blockId, element.action_id, element.type]);
    return kept.has(name) ? stateFrom(element, kept.get(name)) : view.state.values[blockId]?.[element.action_id];
  };
  const refocus = focusKeeper(box);
  sync(box, view.blocks, (block) => block.block_id, (block) => JSON.stringify([block, use.errorOf(block)]), (block) => drawBlocks([block], use)[0]);
  refocus();
}
