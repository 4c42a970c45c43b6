// The page: fetches what a person sees, draws it, and follows the URL's hash.

import { Refused, act, getState, listen } from "./api.js";
import { composer } from "./composer.js";
import { toast } from "./dialogs.js";
import { h, put } from "./dom.js";
import { drawHome } from "./home.js";
import { showMessages } from "./messages.js";
import { showModal } from "./modal.js";
import { avatar, currentState, firstName, know } from "./people.js";
import { drawWho, isPhone, openMenu, rememberUser, rememberedUser, startShell } from "./shell.js";

const byId = (id) => document.getElementById(id);
const seenNotices = new Set();
const lastSeen = new Map();
let user = rememberedUser();
let place = { channel: null, thread: null, marked: null, home: false };
let drawnPlace = "";
let first = true;
let fetching = false;
let again = false;

const COMPOSER = composer(byId("composer-form"), {
  id: "composer", testid: "composer", label: "Message", placeholder: "", where: () => ({ channel: place.channel }),
});
const REPLY = composer(byId("thread-form"), {
  id: "thread-composer", testid: "thread-composer", label: "Reply", placeholder: "Reply …",
  where: () => ({ channel: place.channel, thread_ts: place.thread }),
});

function readHash() {
  const [channel, kind, ts] = decodeURIComponent(location.hash.slice(1)).split("/");
  const fallback = currentState().channels[0]?.id ?? null;
  const home = channel === "home";
  const known = currentState().channels.some((one) => one.id === channel);
  return { home, channel: known ? channel : fallback, thread: known && kind === "thread" ? ts : null, marked: kind === "message" ? ts : null };
}

const rootsOf = (channel) => channel.messages.filter((m) => !m.thread_ts || m.thread_ts === m.ts || m.broadcast || (m.ephemeral_for && !m.thread_ts));
const threadOf = (channel, ts) => channel.messages.filter((m) => m.ts === ts || m.thread_ts === ts);

function entry(channel) {
  const newest = rootsOf(channel).at(-1)?.ts ?? "";
  const current = !place.home && channel.id === place.channel;
  if (current || !lastSeen.has(channel.id)) lastSeen.set(channel.id, newest);
  const unread = newest > lastSeen.get(channel.id);
  const name = channel.is_im ? currentState().bot.name : channel.name;
  const sign = channel.is_im ? avatar(currentState().bot.id, "mini") : h("span", { class: "hash", "aria-hidden": "true" }, "#");
  return h("li", {}, h("a", {
    href: `#${channel.id}`, class: unread ? "unread" : "", "aria-current": current ? "page" : null,
    data: { channel: channel.id }, "aria-label": unread ? `${name}, new messages` : name,
  }, sign, name));
}

function drawSidebar() {
  const { channels, team, bot, users } = currentState();
  byId("team-name").textContent = team.name;
  const where = place.home ? bot.name : `#${channels.find((c) => c.id === place.channel)?.name ?? bot.name}`;
  document.title = `${where} – ${firstName(user)} – ${team.name}`;
  put(byId("channels"), channels.filter((c) => !c.is_im).map(entry));
  const directs = channels.filter((c) => c.is_im);
  put(byId("directs"), directs.length ? directs.map(entry) : h("li", { class: "none" }, "None yet"));
  put(byId("apps"), h("li", {}, h("a", { href: "#home", "aria-current": place.home ? "page" : null, data: { testid: "app-home" } }, avatar(bot.id, "mini"), bot.name)));
  drawWho(user, users);
}

function drawConnection(live = true) {
  const count = currentState().connections;
  const words = live ? (count ? `app connected${count > 1 ? ` ×${count}` : ""}` : "app not connected") : "reconnecting …";
  byId("connection").textContent = words;
  byId("connection").className = `connection ${live && count ? "on" : "off"}`;
}

function drawPlace() {
  const channel = currentState().channels.find((one) => one.id === place.channel);
  const moved = drawnPlace !== JSON.stringify([place.channel, place.home, user]);
  drawnPlace = JSON.stringify([place.channel, place.home, user]);
  byId("home").hidden = !place.home;
  byId("scroll").hidden = place.home;
  byId("composer-form").hidden = place.home;
  if (place.home) {
    put(byId("title"), currentState().bot.name);
    byId("topic").textContent = "Home";
    byId("members").textContent = "";
    drawHome(byId("home"), currentState().home, user);
  } else if (channel) {
    const name = channel.is_im ? currentState().bot.name : channel.name;
    put(byId("title"), channel.is_im ? null : h("span", { class: "hash" }, "#"), name);
    byId("topic").textContent = channel.topic?.value ?? "";
    byId("members").textContent = `${channel.members.length} members`;
    const to = channel.is_im ? name : `#${name}`;
    COMPOSER.rename(isPhone() ? `Message ${to} as ${firstName(user)}` : `Message ${to} as ${firstName(user)}, or /canary start shop v2`);
    REPLY.rename(`Reply as ${firstName(user)} …`);
    showMessages(byId("messages"), byId("scroll"), rootsOf(channel), { days: true, jump: moved, marked: place.marked });
    if (!rootsOf(channel).length) emptyHint(name);
    if (place.marked) byId("messages").querySelector(".marked")?.scrollIntoView({ block: "center" });
  }
  drawThread(place.home ? null : channel);
}

function emptyHint(name) {
  put(byId("messages"), h("li", { class: "empty" }, h("img", { src: "/static/canary.svg", alt: "", width: 56, height: 56 }),
    h("h2", {}, `This is the start of #${name}`), h("p", {}, "Write something, or try ", h("code", {}, "/canary start shop v2"))));
}

let drawnThread = null;
function drawThread(channel) {
  const pane = byId("thread");
  const messages = channel && place.thread ? threadOf(channel, place.thread) : [];
  pane.hidden = messages.length === 0;
  document.body.classList.toggle("with-thread", messages.length > 0);
  if (!messages.length) {
    drawnThread = null;
    return;
  }
  byId("thread-place").textContent = `#${channel.name ?? "direct message"}`;
  showMessages(byId("thread-messages"), byId("thread-scroll"), messages, { inThread: true, jump: drawnThread !== place.thread });
  drawnThread = place.thread;
}

function drawNotices() {
  for (const notice of currentState().notices) {
    if (!seenNotices.has(notice.id) && !first) toast(notice.text);
    seenNotices.add(notice.id);
  }
}

function drawAll() {
  place = readHash();
  drawPlace();
  drawSidebar();
  drawConnection();
  showModal(currentState().views, user);
  drawNotices();
}

async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    do {
      again = false;
      if (!user) user = (await getState()).users[0].id;
      const wanted = user;
      const state = await getState(wanted);
      if (user !== wanted) {
        again = true; // somebody else was chosen meanwhile
        continue;
      }
      know(state);
      user = state.user;
      drawAll();
      first = false;
    } while (again);
  } catch (error) {
    if (error instanceof Refused && user) {
      // A person who is not in this workspace: mistyped, or remembered from another one.
      if (new URLSearchParams(location.search).has("user")) toast(error.message);
      rememberUser(null);
      user = null;
      setTimeout(refresh);
    } else {
      drawConnection(false);
    }
  } finally {
    fetching = false;
  }
}

byId("thread-close").addEventListener("click", () => { location.hash = place.channel; });

function switchTo(id) {
  user = id;
  rememberUser(id);
  first = true;
  openMenu(false);
  refresh();
  openHome();
}

function openHome() {
  if (readHash().home) act("home", { user }).catch((error) => toast(error.message));
}

window.addEventListener("hashchange", () => {
  openMenu(false);
  drawAll();
  openHome();
  if (!place.home && !place.thread && matchMedia("(hover: hover)").matches) byId("composer").focus();
});

startShell(switchTo);
refresh().then(openHome);
listen(refresh, (live) => (live ? refresh() : drawConnection(false)));
