// The list of messages, in a channel or in a thread.

import { act } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { toast } from "./dialogs.js";
import { h, safeUrl, sync } from "./dom.js";
import { emoji } from "./emoji.js";
import { enlargeable } from "./lightbox.js";
import { mrkdwn } from "./mrkdwn.js";
import { avatar, currentState, handle, shownName } from "./people.js";
import { clock, dayName, fullTime } from "./time.js";

const TOGETHER_S = 300;
const NEAR_END_PX = 80;
const watched = new WeakMap();

/** Bring a list in step with its messages; stays at the end if it was there. */
export function showMessages(list, scroll, messages, options) {
  if (!watched.has(scroll)) watch(list, scroll);
  const rows = messages.map((message, place) => row(message, messages[place - 1], options));
  sync(list, rows, (one) => one.message.ts, (one) => JSON.stringify([one, currentState().user, filesOf(one.message)]), (one) => draw(one));
  if (options.jump) watched.set(scroll, true);
  if (watched.get(scroll)) scroll.scrollTop = scroll.scrollHeight;
}

/** Stay at the end when the list grows, as with an image that has loaded, or the pane shrinks. */
function watch(list, scroll) {
  watched.set(scroll, true);
  scroll.addEventListener("scroll", () => {
    watched.set(scroll, scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX);
  }, { passive: true });
  const follow = new ResizeObserver(() => {
    if (watched.get(scroll)) scroll.scrollTop = scroll.scrollHeight;
  });
  follow.observe(list);
  follow.observe(scroll);
}

function row(message, before, options) {
  const sameDay = before && dayName(before.ts) === dayName(message.ts);
  const together = sameDay && before.user === message.user && !message.blocks && !before.blocks
    && message.ts - before.ts < TOGETHER_S && !message.ephemeral_for === !before.ephemeral_for && !message.broadcast;
  return { message, together: Boolean(together), day: options.days && !sameDay ? dayName(message.ts) : null,
    inThread: Boolean(options.inThread), marked: options.marked === message.ts };
}

const filesOf = (message) => (message.files ?? []).map((file) => currentState().files[file.id]);

function draw({ message, together, day, inThread, marked }) {
  const classes = ["message", together && "together", message.ephemeral_for && "ephemeral", marked && "marked"];
  const article = h("article", { class: classes.filter(Boolean).join(" "), data: { ts: message.ts, user: message.user } },
    h("div", { class: "gutter" }, together ? h("time", { class: "small-time", title: fullTime(message.ts) }, clock(message.ts)) : avatar(message.user)),
    h("div", { class: "body" },
      message.ephemeral_for && h("div", { class: "only-you" }, "Only visible to you"),
      message.broadcast && !inThread && h("a", { class: "broadcast", href: `#${message.channel}/thread/${message.thread_ts}` }, "replied to a thread"),
      !together && head(message), content(message), files(message), reactions(message), !inThread && replies(message)));
  return h("li", { class: day ? "row new-day" : "row" }, day && h("div", { class: "day", role: "separator" }, h("span", {}, day)), article);
}

function head(message) {
  const isApp = Boolean(message.bot_id);
  return h("div", { class: "head" }, h("strong", { class: "author" }, shownName(message.user)),
    isApp && h("span", { class: "badge" }, "APP"),
    h("a", { class: "time", href: `#${message.channel}/message/${message.ts}`, title: fullTime(message.ts) }, clock(message.ts)));
}

function content(message) {
  const use = async (element, blockId, value) => {
    const where = { user: currentState().user, channel: message.channel, message_ts: message.ts };
    try {
      await act("click", { ...where, action_id: element.action_id, block_id: blockId, value });
    } catch (error) {
      toast(error.message);
    }
  };
  use.suggest = (element, blockId, value) => act("options", {
    user: currentState().user, channel: message.channel, message_ts: message.ts, action_id: element.action_id, block_id: blockId, value,
  }).catch((error) => ({ shown: error.message }));
  if (message.blocks) return h("div", { class: "blocks" }, drawBlocks(message.blocks, use));
  return message.text && h("div", { class: "text" }, mrkdwn(message.text), message.edited && h("span", { class: "edited" }, " (edited)"));
}

function files(message) {
  return filesOf(message).filter(Boolean).map((file) => {
    const url = safeUrl(file.url_private);
    if (!file.mimetype.startsWith("image/")) {
      return h("a", { class: "file", href: url, download: file.name }, h("span", { "aria-hidden": "true" }, "▤"), h("span", {}, file.title, h("small", {}, `${file.size} bytes`)));
    }
    const image = h("img", { class: "picture", src: url, alt: file.alt_txt || file.title, loading: "lazy" });
    return h("figure", { class: "image", data: { file: file.id } }, h("figcaption", {}, file.title || file.name), enlargeable(image, url, file.title, file.alt_txt));
  });
}

function reactions(message) {
  if (!message.reactions) return null;
  return h("div", { class: "reactions" }, message.reactions.map((one) =>
    h("span", { class: "reaction", title: one.users.map(handle).join(", ") }, emoji(one.name) ?? `:${one.name}:`, ` ${one.count}`)));
}

function replies(message) {
  const count = message.reply_count ?? 0;
  const href = `#${message.channel}/thread/${message.thread_ts && message.broadcast ? message.thread_ts : message.ts}`;
  if (!count) {
    return message.ephemeral_for ? null
      : h("a", { class: "reply-hover", href, "aria-label": "Reply in a thread", data: { testid: "reply" } }, "Reply in thread");
  }
  return h("a", { class: "replies", href, data: { testid: "replies" } },
    h("span", { class: "faces" }, message.reply_users.slice(0, 4).map((user) => avatar(user, "mini"))),
    h("strong", {}, count === 1 ? "1 reply" : `${count} replies`),
    h("span", { class: "muted" }, `last ${dayName(message.latest_reply).toLowerCase()} at ${clock(message.latest_reply)}`));
}
