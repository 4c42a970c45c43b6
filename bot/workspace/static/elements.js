// Interactive elements: buttons, menus and inputs.

import { textObject } from "./blocks.js";
import { confirmed } from "./dialogs.js";
import { h, safeUrl } from "./dom.js";
import { currentState } from "./people.js";

const TYPED = {
  plain_text_input: "text", number_input: "text", email_text_input: "email", url_text_input: "url",
  datepicker: "date", timepicker: "time", datetimepicker: "datetime-local",
};
const LISTED = {
  users: () => currentState().users.map((user) => [user.id, `@${user.name}`]),
  channels: () => currentState().channels.filter((c) => !c.is_im).map((c) => [c.id, `#${c.name}`]),
};
LISTED.conversations = LISTED.channels;

async function perform(node, element, blockId, use, value) {
  if (element.confirm && !(await confirmed(element.confirm))) return false;
  node.setAttribute("aria-busy", "true");
  node.disabled = true;
  try {
    await use(element, blockId, value);
  } finally {
    node.removeAttribute("aria-busy");
    node.disabled = false;
  }
  return true;
}

function button(element, blockId, use) {
  const style = element.style ?? "plain";
  const node = h("button", {
    type: "button", class: `button ${style}`, "aria-label": element.accessibility_label,
    data: { actionId: element.action_id, value: element.value ?? "" },
  }, textObject(element.text));
  node.addEventListener("click", async () => {
    const done = await perform(node, element, blockId, use);
    const url = element.url && safeUrl(element.url);
    if (done && url) window.open(url, "_blank", "noopener");
  });
  return node;
}

function overflow(element, blockId, use) {
  const box = h("details", { class: "overflow", data: { actionId: element.action_id } });
  const choice = (option) => h("button", {
    type: "button", role: "menuitem", data: { value: option.value },
    onclick: (event) => { box.open = false; perform(event.currentTarget, element, blockId, use, option.value); },
  }, textObject(option.text));
  box.append(h("summary", { class: "button plain", "aria-label": "More actions" }, "⋯"),
    h("div", { class: "overflow-menu", role: "menu" }, element.options.map(choice)));
  return box;
}

/** Draw an element that sends an action as soon as it is used. */
export function clickable(element, blockId, use) {
  if (element.type === "button" || element.type === "workflow_button") return button(element, blockId, use);
  if (element.type === "overflow") return overflow(element, blockId, use);
  const field = inputElement(element, initialState(element));
  field.addEventListener("change", () => perform(field, element, blockId, use, valueOf(field)));
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

/** Give the state an element has before anybody touched it. */
export function initialState(element) {
  const state = { value: element.initial_value };
  for (const [name, value] of Object.entries(element)) {
    if (name.startsWith("initial_")) state[name.replace("initial_", "selected_")] = value;
  }
  return state;
}

function optionsOf(element) {
  const groups = element.option_groups ?? [];
  return [...(element.options ?? []), ...groups.flatMap((group) => group.options)];
}

function choices(element, state, type) {
  const many = state.selected_options?.map((option) => option.value) ?? [state.selected_option?.value];
  const name = `${element.action_id}-${Math.random()}`;
  return h("div", { class: "choices", role: type === "radio" ? "radiogroup" : "group", data: { actionId: element.action_id, kind: type } },
    element.options.map((option) => h("label", { class: "choice" },
      h("input", { type, name, value: option.value, checked: many.includes(option.value) }),
      h("span", {}, textObject(option.text), option.description && h("small", {}, textObject(option.description))))));
}

function menu(element, state) {
  const listed = LISTED[element.type.replace("multi_", "").replace("_select", "")];
  const pairs = listed ? listed() : optionsOf(element).map((option) => [option.value, option.text.text]);
  const multiple = element.type.startsWith("multi_");
  const chosen = [state.selected_options, state.selected_option, state.selected_user, state.selected_channel,
    state.selected_conversation, state.selected_users, state.selected_channels, state.selected_conversations]
    .flat().filter(Boolean).map((one) => one.value ?? one);
  const hint = h("option", { value: "", selected: chosen.length === 0 }, element.placeholder?.text ?? "Choose …");
  return h("select", { class: "select", multiple, data: { actionId: element.action_id, kind: "menu" } },
    !multiple && hint, pairs.map(([value, words]) => h("option", { value, selected: chosen.includes(value) }, words)));
}

/** Draw an input with a given state. */
export function inputElement(element, state) {
  if (element.type === "radio_buttons") return choices(element, state, "radio");
  if (element.type === "checkboxes") return choices(element, state, "checkbox");
  if (element.type.endsWith("_select")) return menu(element, state);
  const value = state.value ?? state.selected_date ?? state.selected_time ?? "";
  const common = { placeholder: element.placeholder?.text, data: { actionId: element.action_id, kind: element.type } };
  if (element.multiline) {
    const area = h("textarea", { ...common, rows: 4, maxlength: element.max_length });
    area.value = value;
    return area;
  }
  const numeric = element.type === "number_input" ? "decimal" : null;
  return h("input", { ...common, type: TYPED[element.type] ?? "text", value, inputmode: numeric, maxlength: element.max_length });
}

/** Read what a person put into an input. */
export function valueOf(field) {
  const kind = field.dataset.kind;
  if (kind === "radio") return field.querySelector("input:checked")?.value ?? null;
  if (kind === "checkbox") return [...field.querySelectorAll("input:checked")].map((box) => box.value);
  if (field.multiple) return [...field.selectedOptions].map((option) => option.value);
  if (kind === "datetimepicker") return field.value ? Math.floor(new Date(field.value) / 1000) : null;
  return field.value || null;
}

/** Draw an input block: label, input, hint and what is wrong with it. */
export function inputField(block, use) {
  const state = use?.stateOf?.(block) ?? initialState(block.element);
  const field = inputElement(block.element, state);
  const id = `input-${block.block_id}`;
  const error = use?.errorOf?.(block);
  field.id = id;
  field.dataset.inputBlock = block.block_id;
  if (error) field.setAttribute("aria-invalid", "true");
  return h("div", { class: error ? "input-block wrong" : "input-block" },
    h("label", { for: id }, textObject(block.label), block.optional && h("span", { class: "muted" }, " (optional)")),
    field,
    error && h("p", { class: "field-error", role: "alert" }, error),
    block.hint && h("p", { class: "hint" }, textObject(block.hint)));
}
