// Slack's mrkdwn as DOM nodes: *bold* _italic_ ~strike~ `code` ```pre``` > quote <links|words> :emoji:

import { emoji } from "./emoji.js";
import { h, link } from "./dom.js";
import { channelMention, groupMention, mention, userMention } from "./people.js";
import { formatDate } from "./time.js";

const MARKS = { "*": "strong", "_": "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;

/** Undo Slack's three escapes. */
export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** Draw a mrkdwn text. */
export function mrkdwn(text) {
  const parts = text.split("```");
  const nodes = [];
  parts.forEach((part, place) => {
    const closed = place < parts.length - 1;
    if (place % 2 === 1 && closed) {
      nodes.push(h("pre", {}, unescape(part.replace(/^\n|\n$/g, ""))));
    } else {
      nodes.push(...lines(place % 2 === 1 ? "```" + part : part));
    }
  });
  return nodes;
}

function lines(text) {
  const nodes = [];
  let quoted = [];
  const flush = () => {
    if (quoted.length) nodes.push(h("blockquote", {}, inline(quoted.join("\n"))));
    quoted = [];
  };
  const all = text.split("\n");
  all.forEach((line, place) => {
    const match = /^(?:&gt;|>)\s?(.*)$/.exec(line);
    if (match) {
      quoted.push(match[1]);
      return;
    }
    const afterQuote = quoted.length > 0;
    flush();
    if (place > 0 && !afterQuote) nodes.push(h("br"));
    nodes.push(...inline(line));
  });
  flush();
  return nodes;
}

/** Draw mrkdwn without quotes and code blocks. */
export function inline(text) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(unescape(plain));
    plain = "";
  };
  let place = 0;
  while (place < text.length) {
    const found = special(text, place);
    if (found) {
      flush();
      nodes.push(found.node);
      place = found.end;
    } else {
      plain += text[place];
      place += 1;
    }
  }
  flush();
  return nodes;
}

function special(text, place) {
  const sign = text[place];
  if (sign === "\n") return { node: h("br"), end: place + 1 };
  if (sign === "`") return code(text, place);
  if (sign === "<") return angle(text, place);
  if (sign === ":") return shortcode(text, place);
  return MARKS[sign] ? marked(text, place, sign) : null;
}

function code(text, place) {
  const end = text.indexOf("`", place + 1);
  if (end <= place + 1 || text.slice(place, end).includes("\n")) return null;
  return { node: h("code", {}, unescape(text.slice(place + 1, end))), end: end + 1 };
}

function marked(text, place, sign) {
  if (WORD.test(text[place - 1] ?? " ") || /\s/.test(text[place + 1] ?? " ")) return null;
  for (let end = text.indexOf(sign, place + 2); end > 0; end = text.indexOf(sign, end + 1)) {
    const inner = text.slice(place + 1, end);
    if (inner.includes("\n")) return null;
    if (!/\s/.test(text[end - 1]) && !WORD.test(text[end + 1] ?? " ")) {
      return { node: h(MARKS[sign], {}, inline(inner)), end: end + 1 };
    }
  }
  return null;
}

function shortcode(text, place) {
  const match = /^:([a-z0-9_+'-]+):/.exec(text.slice(place, place + 60));
  const found = match && emoji(match[1]);
  return found ? { node: found, end: place + match[0].length } : null;
}

function angle(text, place) {
  const end = text.indexOf(">", place);
  if (end < 0) return null;
  const [target, ...rest] = text.slice(place + 1, end).split("|");
  return { node: reference(target, unescape(rest.join("|"))), end: end + 1 };
}

function reference(target, words) {
  if (/^@[UW]/.test(target)) return userMention(target.slice(1));
  if (/^#[CGD]/.test(target)) return channelMention(target.slice(1));
  if (target.startsWith("!subteam^")) return groupMention(target.slice(9));
  if (target.startsWith("!date^")) {
    const [, stamp, format, url] = target.split("^");
    const shown = h("time", { title: words }, formatDate(Number(stamp), format, words));
    return url ? link(unescape(url), shown) : shown;
  }
  if (target.startsWith("!")) return mention("@", words || target.slice(1), true);
  const url = unescape(target);
  return link(url, words || url.replace(/^mailto:/, ""));
}
