// External selects: a box to type in, and the options that the app suggests for it.

import { h, put } from "./dom.js";

const PAUSE_MS = 120;
let serial = 0;

/** Draw an external select; `chosen` are its options now, `use.suggest` asks the app. */
export function externalSelect(element, chosen, blockId, use) {
  const many = element.type.startsWith("multi_");
  const id = `suggest-${++serial}`;
  const least = element.min_query_length ?? 3;
  let picked = chosen;
  let asked = 0;
  let marked = -1;
  let timer;
  const list = h("div", { class: "suggestions", id, role: "listbox", "aria-label": "Suggestions", hidden: true });
  const chips = h("span", { class: "chips" });
  const box = h("input", {
    type: "text", role: "combobox", autocomplete: "off", placeholder: element.placeholder?.text ?? "Type to search …",
    "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list", data: { part: "search" },
  });
  const field = h("div", { class: "external", data: { actionId: element.action_id, kind: many ? "external-many" : "external" } }, chips, box, list);
  const show = (...rows) => {
    put(list, rows);
    list.hidden = rows.length === 0;
    box.setAttribute("aria-expanded", String(!list.hidden));
    box.removeAttribute("aria-activedescendant");
    marked = -1;
  };
  const draw = () => {
    field.picked = picked;
    field.dataset.value = picked.map((one) => one.value).join(",");
    if (!many) box.value = picked[0]?.text.text ?? "";
    put(chips, many && picked.map((one) => h("button", {
      type: "button", class: "chip", "aria-label": `Remove ${one.text.text}`,
      onclick: () => change(picked.filter((other) => other !== one)),
    }, one.text.text, " ✕")));
  };
  const change = (options) => {
    picked = options;
    draw();
    show();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const choose = (option) => {
    if (many) box.value = "";
    change(many ? [...picked.filter((one) => one.value !== option.value), option] : [option]);
  };
  const row = (option) => h("div", {
    role: "option", id: `${id}-${++serial}`, class: "suggestion", "aria-selected": "false", data: { value: option.value },
    onmousedown: (event) => event.preventDefault(), onclick: () => choose(option),
  }, option.text.text, option.description && h("small", {}, option.description.text));
  const ask = async () => {
    const turn = ++asked;
    const words = box.value;
    if (words.length < least) {
      show(h("p", { class: "suggest-hint" }, `Type ${least} or more characters`));
      return;
    }
    box.setAttribute("aria-busy", "true");
    const answer = await use.suggest(element, blockId, words);
    if (turn !== asked) return;
    box.removeAttribute("aria-busy");
    const groups = answer.option_groups ?? [];
    const rows = [...(answer.options ?? []).map(row), ...groups.map((one) =>
      h("div", { role: "group", "aria-label": one.label.text }, h("p", { class: "suggest-group" }, one.label.text), one.options.map(row)))];
    if (document.activeElement === box) show(...(rows.length ? rows : [h("p", { class: "suggest-hint" }, answer.shown ?? "Nothing found")]));
  };
  const mark = (by) => {
    const rows = [...list.querySelectorAll("[role=option]")];
    if (!rows.length) return;
    rows[marked]?.setAttribute("aria-selected", "false");
    marked = (marked + by + rows.length + (marked < 0 && by < 0 ? 1 : 0)) % rows.length;
    rows[marked].setAttribute("aria-selected", "true");
    rows[marked].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", rows[marked].id);
  };
  box.addEventListener("input", (event) => { event.stopPropagation(); clearTimeout(timer); timer = setTimeout(ask, PAUSE_MS); });
  box.addEventListener("change", (event) => event.stopPropagation());
  box.addEventListener("click", () => { if (list.hidden) ask(); });
  box.addEventListener("blur", () => {
    asked += 1;
    clearTimeout(timer);
    show();
    if (!many && !box.value && picked.length) change([]);
    else draw();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) ask();
      else mark(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      list.querySelector("[aria-selected=true]")?.click();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      show();
    }
  });
  draw();
  return field;
}
