// The box to write in: words, commands, history and hints.

import { act } from "./api.js";
import { toast } from "./dialogs.js";
import { h, put } from "./dom.js";
import { currentState } from "./people.js";

const history = [];

/** Fill a form with a message box; `where()` gives the channel and perhaps the thread. */
export function composer(form, { id, testid, label, placeholder, where }) {
  const hint = h("div", { class: "hints", id: `${id}-hints`, role: "listbox", "aria-label": "Commands", hidden: true });
  const box = h("textarea", { id, rows: 1, "aria-label": label, placeholder, enterkeyhint: "send", "aria-controls": `${id}-hints`, data: { testid } });
  const send = h("button", { type: "submit", class: "send", "aria-label": "Send", data: { testid: `${testid}-send` } }, "➤");
  let back = -1;
  const fit = () => {
    box.style.height = "auto";
    // A hidden box has no height to measure.
    if (box.scrollHeight) box.style.height = `${Math.min(box.scrollHeight, 160)}px`;
    send.disabled = !box.value.trim();
  };
  const set = (text) => { box.value = text; fit(); hints(); };
  const matching = () => (/^\/\S*$/.test(box.value)
    ? currentState().commands.filter((one) => one.command.startsWith(box.value)) : currentState().commands.filter((one) => box.value.startsWith(`${one.command} `) && box.value.trim() === one.command));
  const hints = () => {
    const found = box.value ? matching() : [];
    hint.hidden = found.length === 0;
    put(hint, found.map((one) => h("button", { type: "button", role: "option", class: "hint-row", onclick: () => { set(`${one.command} `); box.focus(); } },
      h("strong", {}, one.command), h("code", {}, one.usage_hint), h("span", { class: "muted" }, one.description))));
  };
  const recall = (by) => {
    back = Math.max(-1, Math.min(history.length - 1, back + by));
    set(back < 0 ? "" : history[back]);
  };
  box.addEventListener("input", () => { back = -1; fit(); hints(); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Tab" && !hint.hidden && !box.value.includes(" ")) {
      event.preventDefault();
      set(`${matching()[0].command} `);
    } else if (event.key === "ArrowUp" && (back >= 0 || !box.value)) {
      event.preventDefault();
      recall(1);
    } else if (event.key === "ArrowDown" && back >= 0) {
      event.preventDefault();
      recall(-1);
    } else if (event.key === "Escape") {
      hint.hidden = true;
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (!text) return;
    if (history[0] !== text) history.unshift(text);
    back = -1;
    set("");
    try {
      await act(text.startsWith("/") ? "command" : "post", { user: currentState().user, text, ...where() });
    } catch (error) {
      set(text);
      toast(error.message);
    }
  });
  put(form, hint, h("div", { class: "box" }, box, send));
  fit();
  return { rename: (words) => { box.placeholder = words; } };
}
