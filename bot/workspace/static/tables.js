// The table and data_table blocks.

import { h, put } from "./dom.js";
import { richText } from "./richtext.js";
import { withEmoji } from "./emoji.js";

function content(cell) {
  if (!cell) return "";
  return cell.type === "rich_text" ? richText(cell) : withEmoji(cell.text ?? String(cell.value ?? ""));
}

function drawRow(row, tag, settings) {
  return h("tr", {}, row.map((cell, column) => {
    const set = settings?.[column];
    const align = set?.align ?? (cell?.type === "raw_number" ? "right" : "left");
    const scope = tag === "th" ? "col" : null;
    return h(tag, { scope, class: `align-${align}${set?.is_wrapped ? " wrapped" : ""}` }, content(cell));
  }));
}

/** Draw a table; as in Slack its first row is the header. */
export function table(block) {
  const [head, ...rows] = block.rows;
  const grid = h("table", {},
    h("thead", {}, drawRow(head, "th", block.column_settings)),
    h("tbody", {}, rows.map((row) => drawRow(row, "td", block.column_settings))));
  return h("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Table" }, grid);
}

/** Draw a data table: with a caption, sorting and pages. */
export function dataTable(block) {
  const [head, ...rows] = block.rows;
  const size = block.page_size ?? 5;
  const view = { page: 0, column: null, down: false };
  const box = h("div", { class: "data-table" });
  const valueOf = (row) => row[view.column]?.value ?? (row[view.column]?.text ?? "");
  const sorted = () => {
    if (view.column === null) return rows;
    const order = [...rows].sort((a, b) => (valueOf(a) < valueOf(b) ? -1 : valueOf(a) > valueOf(b) ? 1 : 0));
    return view.down ? order.reverse() : order;
  };
  const draw = () => {
    const pages = Math.ceil(rows.length / size);
    const part = sorted().slice(view.page * size, (view.page + 1) * size);
    const heads = head.map((cell, column) => h("th", { scope: "col" }, sortButton(cell, column)));
    const turn = (by, words, sign) => h("button", {
      type: "button", class: "icon", "aria-label": words,
      disabled: view.page + by < 0 || view.page + by >= pages,
      onclick: () => { view.page += by; draw(); },
    }, sign);
    put(box,
      h("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": block.caption },
        h("table", {}, h("caption", {}, block.caption), h("thead", {}, h("tr", {}, heads)),
          h("tbody", {}, part.map((row) => drawRow(row, "td"))))),
      pages > 1 && h("div", { class: "pages" }, turn(-1, "Previous page", "‹"), `${view.page + 1} of ${pages}`, turn(1, "Next page", "›")));
  };
  const sortButton = (cell, column) => {
    const sign = view.column === column ? (view.down ? " ↓" : " ↑") : "";
    const sort = () => {
      Object.assign(view, { down: view.column === column && !view.down, column, page: 0 });
      draw();
    };
    return h("button", { type: "button", class: "sort", onclick: sort }, content(cell), sign);
  };
  draw();
  return box;
}
