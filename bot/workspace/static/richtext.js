// The rich_text block.

import { emoji } from "./emoji.js";
import { h, link } from "./dom.js";
import { channelMention, groupMention, mention, userMention } from "./people.js";
import { formatDate } from "./time.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code", highlight: "mark" };

/** Draw a rich_text block. */
export function richText(block) {
  return h("div", { class: "rich" }, block.elements.map(element));
}

function element(part) {
  const inner = () => part.elements.map(inline);
  switch (part.type) {
    case "rich_text_section":
      return h("div", { class: "rich-section" }, inner());
    case "rich_text_quote":
      return h("blockquote", {}, inner());
    case "rich_text_preformatted":
      return h("pre", {}, inner());
    case "rich_text_list":
      return list(part);
    default:
      return null;
  }
}

function list(part) {
  const tag = part.style === "ordered" ? "ol" : "ul";
  const start = tag === "ol" && part.offset ? part.offset + 1 : null;
  const items = part.elements.map((item) => h("li", {}, item.elements.map(inline)));
  return h(tag, { class: `indent-${part.indent ?? 0}`, start }, items);
}

function inline(part) {
  let node = plain(part);
  for (const [name, tag] of Object.entries(STYLES)) {
    if (part.style?.[name]) node = h(tag, {}, node);
  }
  return node;
}

function plain(part) {
  switch (part.type) {
    case "text":
      return lines(part.text);
    case "link":
      return link(part.url, part.text ?? part.url);
    case "emoji":
      return emoji(part.name, part.unicode) ?? `:${part.name}:`;
    case "user":
      return userMention(part.user_id);
    case "usergroup":
      return groupMention(part.usergroup_id);
    case "channel":
      return channelMention(part.channel_id);
    case "broadcast":
      return mention("@", part.range, true);
    case "date":
      return h("time", {}, formatDate(part.timestamp, part.format, part.fallback ?? ""));
    case "color":
      return part.value;
    default:
      return "";
  }
}

function lines(text) {
  const parts = text.split("\n");
  return h("span", {}, parts.map((part, place) => (place ? [h("br"), part] : part)));
}
