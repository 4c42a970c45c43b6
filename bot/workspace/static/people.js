// Names, colours and pictures of the people, channels and groups of the current state.

import { h } from "./dom.js";

let state = { users: [], channels: [], groups: [], bot: null };

/** Use a newly fetched state. */
export function know(fresh) {
  state = fresh;
}

export const currentState = () => state;

/** Find a person or the bot. */
export function person(id) {
  if (id === "USLACKBOT") return { id, name: "Slackbot", real_name: "Slackbot", color: "6b7785", is_bot: true };
  if (state.bot && id === state.bot.id) return state.bot;
  return state.users.find((user) => user.id === id);
}

export const firstName = (id) => shownName(id).split(" ")[0];
export const shownName = (id) => person(id)?.real_name ?? id;
export const handle = (id) => person(id)?.name ?? id;
export const channelName = (id) => state.channels.find((channel) => channel.id === id)?.name ?? id;
export const groupHandle = (id) => state.groups.find((group) => group.id === id)?.handle ?? id;

/** Draw somebody's picture: initials on their colour, or the bird. */
export function avatar(id, size = "") {
  const who = person(id);
  if (who && state.bot && who.id === state.bot.id) {
    return h("img", { class: `avatar ${size}`, src: "/static/canary.svg", alt: "" });
  }
  const name = who?.real_name ?? "?";
  const initials = name.split(/\s+/).map((part) => part[0]).slice(0, 2).join("");
  const picture = h("span", { class: `avatar ${size}`, "aria-hidden": "true" }, initials);
  picture.style.backgroundColor = `#${who?.color ?? "6b7785"}`;
  return picture;
}

/** Write a mention of a person, channel, group or everybody. */
export function mention(sign, name, own = false) {
  return h("span", { class: own ? "mention own" : "mention" }, `${sign}${name}`);
}

export const userMention = (id) => mention("@", handle(id), id === state.user);
export const channelMention = (id) => h("a", { class: "mention", href: `#${id}` }, `#${channelName(id)}`);
export const groupMention = (id) =>
  mention("@", groupHandle(id), state.groups.some((g) => g.id === id && g.users.includes(state.user)));
