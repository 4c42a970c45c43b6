// Standard Markdown, as far as the markdown block goes: not Slack's mrkdwn.

import { h, link } from "./dom.js";
import { withEmoji } from "./emoji.js";

/** Draw a Markdown text. */
export function markdown(text) {
  const lines = text.split("\n");
  const nodes = [];
  let place = 0;
  while (place < lines.length) {
    const [node, next] = block(lines, place);
    if (node) nodes.push(node);
    place = next;
  }
  return h("div", { class: "markdown" }, nodes);
}

function take(lines, place, pattern) {
  let end = place;
  while (end < lines.length && pattern.test(lines[end])) end += 1;
  return [lines.slice(place, end), end];
}

function block(lines, place) {
  const line = lines[place];
  if (!line.trim()) return [null, place + 1];
  if (/^```/.test(line)) return fence(lines, place);
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (heading) return [h(`h${Math.min(6, heading[1].length + 2)}`, {}, inline(heading[2])), place + 1];
  if (/^(-{3,}|\*{3,})\s*$/.test(line)) return [h("hr"), place + 1];
  if (/^>/.test(line)) {
    const [quoted, end] = take(lines, place, /^>/);
    return [h("blockquote", {}, markdown(quoted.map((row) => row.replace(/^>\s?/, "")).join("\n"))), end];
  }
  if (/^\s*[-*+]\s/.test(line)) return list(lines, place, "ul", /^\s*[-*+]\s+/);
  if (/^\s*\d+[.)]\s/.test(line)) return list(lines, place, "ol", /^\s*\d+[.)]\s+/);
  if (/^\|/.test(line) && /^\|?[\s:|-]+$/.test(lines[place + 1] ?? "")) return table(lines, place);
  const [paragraph, end] = take(lines, place, /^(?!```|#{1,6}\s|>|\s*[-*+]\s|\s*$|\|)/);
  if (end === place) return [h("p", {}, inline(line)), place + 1];
  return [h("p", {}, paragraph.map((row, at) => (at ? [h("br"), inline(row)] : inline(row)))), end];
}

function fence(lines, place) {
  let end = place + 1;
  while (end < lines.length && !/^```/.test(lines[end])) end += 1;
  return [h("pre", {}, lines.slice(place + 1, end).join("\n")), end + 1];
}

function list(lines, place, tag, mark) {
  const [rows, end] = take(lines, place, mark);
  return [h(tag, {}, rows.map((row) => h("li", {}, inline(row.replace(mark, ""))))), end];
}

function table(lines, place) {
  const [rows, end] = take(lines, place, /^\|/);
  const cells = (row) => row.replace(/^\||\|\s*$/g, "").split("|").map((cell) => inline(cell.trim()));
  const head = h("thead", {}, h("tr", {}, cells(rows[0]).map((cell) => h("th", {}, cell))));
  const body = rows.slice(2).map((row) => h("tr", {}, cells(row).map((cell) => h("td", {}, cell))));
  return [h("div", { class: "table-wrap" }, h("table", {}, head, h("tbody", {}, body))), end];
}

const INLINE = /(`[^`]+`)|\*\*(.+?)\*\*|~~(.+?)~~|\*([^*\s][^*]*)\*|\b_([^_]+)_\b|\[([^\]]+)\]\(([^)\s]+)\)/;

function inline(text) {
  const nodes = [];
  let rest = text;
  for (let match = INLINE.exec(rest); match; match = INLINE.exec(rest)) {
    nodes.push(withEmoji(rest.slice(0, match.index)));
    const [all, code, bold, strike, star, underline, words, url] = match;
    if (code) nodes.push(h("code", {}, code.slice(1, -1)));
    else if (bold) nodes.push(h("strong", {}, inline(bold)));
    else if (strike) nodes.push(h("s", {}, inline(strike)));
    else if (star || underline) nodes.push(h("em", {}, inline(star ?? underline)));
    else nodes.push(link(url, words));
    rest = rest.slice(match.index + all.length);
  }
  nodes.push(withEmoji(rest));
  return nodes;
}
