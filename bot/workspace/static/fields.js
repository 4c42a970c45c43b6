// Inputs: drawing them with what they hold, and reading what a person has put in.

import { textObject } from "./blocks.js";
import { h } from "./dom.js";
import { currentState } from "./people.js";
import { externalSelect } from "./suggest.js";

const TYPED = {
  plain_text_input: "text", number_input: "text", email_text_input: "email", url_text_input: "url",
  datepicker: "date", timepicker: "time", datetimepicker: "datetime-local",
};
const LISTED = {
  users: () => currentState().users.map((user) => [user.id, `${user.real_name} (@${user.name})`]),
  channels: () => currentState().channels.filter((c) => !c.is_im).map((c) => [c.id, `#${c.name}`]),
};
LISTED.conversations = LISTED.channels;
const COUNTED_FROM = 30;
let serial = 0;

/** Give the state an element has before anybody touched it. */
export function initialState(element) {
  const state = { value: element.initial_value };
  for (const [name, value] of Object.entries(element)) {
    if (name.startsWith("initial_")) state[name.replace("initial_", "selected_")] = value;
  }
  return state;
}

const optionsOf = (element) => [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];

/** List what a state has chosen, as options or ids. */
const chosenIn = (state) => [state.selected_options, state.selected_option, state.selected_user, state.selected_channel,
  state.selected_conversation, state.selected_users, state.selected_channels, state.selected_conversations].flat().filter(Boolean);

/** Make a state out of what `valueOf` has read. */
export function stateFrom(element, value) {
  if (element.type.endsWith("external_select")) return { selected_options: value };
  const many = [value].flat().filter((one) => one !== null);
  if (element.options || element.option_groups) return { selected_options: optionsOf(element).filter((option) => many.includes(option.value)) };
  return { value, selected_users: many, selected_date: value, selected_time: value, selected_date_time: value };
}

function choices(type, pairs, chosen, element) {
  const name = `choice-${++serial}`;
  const most = element.max_selected_items ?? Infinity;
  const box = h("div", {
    class: pairs.length > 10 || element.type.startsWith("multi_") ? "choices many" : "choices",
    role: type === "radio" ? "radiogroup" : "group", data: { actionId: element.action_id, kind: type },
  }, pairs.map(([value, words, more]) => h("label", { class: "choice" },
    h("input", { type, name, value, checked: chosen.includes(value) }),
    h("span", {}, words, more && h("small", {}, more)))));
  const limit = () => {
    const boxes = [...box.querySelectorAll("input")];
    const full = boxes.filter((one) => one.checked).length >= most;
    for (const one of boxes) one.disabled = full && !one.checked;
  };
  if (most < Infinity) box.addEventListener("change", limit);
  limit();
  return box;
}

const described = (option) => [option.value, textObject(option.text), option.description && textObject(option.description)];

function menu(element, state, blockId, use) {
  const kind = element.type.replace("multi_", "").replace("_select", "");
  const chosen = chosenIn(state);
  if (kind === "external") return externalSelect(element, chosen, blockId, use);
  const values = chosen.map((one) => one.value ?? one);
  const listed = LISTED[kind];
  if (element.type.startsWith("multi_")) {
    return choices("checkbox", listed ? listed() : optionsOf(element).map(described), values, element);
  }
  const row = ([value, words]) => h("option", { value, selected: values.includes(value) }, words);
  const plain = (option) => row([option.value, option.text.text]);
  return h("select", { class: "select", data: { actionId: element.action_id, kind: "menu" } },
    h("option", { value: "", selected: values.length === 0 }, element.placeholder?.text ?? "Choose …"),
    listed ? listed().map(row) : (element.options ?? []).map(plain),
    (element.option_groups ?? []).map((group) => h("optgroup", { label: group.label.text }, group.options.map(plain))));
}

/** Write a Unix time as the local picker wants it. */
function localTime(seconds) {
  if (!seconds) return "";
  const then = new Date(seconds * 1000);
  return new Date(then - then.getTimezoneOffset() * 6e4).toISOString().slice(0, 16);
}

/** Draw an input with a given state. */
export function inputElement(element, state, blockId, use) {
  if (element.type === "radio_buttons" || element.type === "checkboxes") {
    const type = element.type === "checkboxes" ? "checkbox" : "radio";
    return choices(type, element.options.map(described), chosenIn(state).map((one) => one.value), element);
  }
  if (element.type.endsWith("_select")) return menu(element, state, blockId, use);
  const value = element.type === "datetimepicker" ? localTime(state.selected_date_time) : state.value ?? state.selected_date ?? state.selected_time ?? "";
  const common = { placeholder: element.placeholder?.text, data: { actionId: element.action_id, kind: element.type } };
  if (element.multiline) {
    const area = h("textarea", { ...common, rows: 4 });
    area.value = value;
    return area;
  }
  const numeric = element.type === "number_input" ? (element.is_decimal_allowed ? "decimal" : "numeric") : null;
  return h("input", { ...common, type: TYPED[element.type] ?? "text", value, inputmode: numeric, autocomplete: "off" });
}

/** Read what a person put into an input: null or an empty list is nothing. */
export function valueOf(field) {
  const kind = field.dataset.kind;
  if (kind === "radio") return field.querySelector("input:checked")?.value ?? null;
  if (kind === "checkbox") return [...field.querySelectorAll("input:checked")].map((box) => box.value);
  if (kind === "external") return field.picked[0]?.value ?? null;
  if (kind === "external-many") return field.picked.map((one) => one.value);
  if (kind === "datetimepicker") return field.value ? Math.floor(new Date(field.value) / 1000) : null;
  return field.value || null;
}

/** Read an input so that it can be drawn again as it is. */
export const keptOf = (field) => field.picked ?? valueOf(field);

/** Put an input back to what it was, as when its change was not confirmed. */
export function rememberer(field) {
  const boxes = [...field.querySelectorAll("input[type=radio], input[type=checkbox]")];
  if (!boxes.length) {
    const { value } = field;
    return () => { if (value !== undefined) field.value = value; };
  }
  const checked = boxes.map((box) => box.checked);
  return () => boxes.forEach((box, place) => { box.checked = checked[place]; });
}

function counter(field, element) {
  const note = h("span", { class: "counter", "aria-live": "polite" });
  const count = () => {
    const left = element.max_length - field.value.length;
    note.textContent = left <= COUNTED_FROM ? String(left) : "";
    note.classList.toggle("over", left < 0);
  };
  field.addEventListener("input", count);
  count();
  return note;
}

/** Draw an input block: label, input, hint and what is wrong with it; `wire` makes it send its changes. */
export function inputField(block, use, wire) {
  const { element } = block;
  const field = inputElement(element, use?.stateOf?.(block.block_id, element) ?? initialState(element), block.block_id, use);
  const id = `field-${++serial}`;
  const error = use?.errorOf?.(block);
  const target = field.querySelector("[data-part=search]") ?? field;
  const grouped = Boolean(field.getAttribute("role"));
  const about = [error && `${id}-error`, block.hint && `${id}-hint`].filter(Boolean).join(" ");
  target.id = id;
  field.dataset.inputBlock = block.block_id;
  field.dataset.elementType = element.type;
  if (grouped) field.setAttribute("aria-labelledby", `${id}-label`);
  if (about) target.setAttribute("aria-describedby", about);
  if (!block.optional && target.getAttribute("role") !== "group") target.setAttribute("aria-required", "true");
  if (error) target.setAttribute("aria-invalid", "true");
  if (block.dispatch_action) wire(field, element, block.block_id, use);
  const label = [textObject(block.label), block.optional && h("span", { class: "muted" }, " (optional)")];
  return h("div", { class: error ? "input-block wrong" : "input-block" },
    h("div", { class: "label-row" }, grouped ? h("span", { class: "label", id: `${id}-label` }, label) : h("label", { class: "label", for: id, id: `${id}-label` }, label),
      element.max_length && counter(field, element)),
    field,
    error && h("p", { class: "field-error", id: `${id}-error`, role: "alert" }, error),
    block.hint && h("p", { class: "hint", id: `${id}-hint` }, textObject(block.hint)));
}
