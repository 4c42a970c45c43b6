// What is around the messages: who one is, light or dark, wide or as on a phone, the menu.

import { h, put } from "./dom.js";
import { avatar, firstName } from "./people.js";
import { popup } from "./popup.js";

const PHONE_PX = 600;
const DRAWER_PX = 760;
const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const asked = () => new URLSearchParams(location.search);
let choose = () => {};
let who = null;

function setAsked(name, value) {
  const url = new URL(location.href);
  if (value) url.searchParams.set(name, value);
  else url.searchParams.delete(name);
  window.history.replaceState(null, "", url);
}

/** Give who the URL asks for, or else who was last here; a name or an id. */
export const rememberedUser = () => asked().get("user") ?? localStorage.getItem("workspace-user");

/** Keep who one is for this window, in the URL, and for the next; null forgets. */
export function rememberUser(id) {
  setAsked("user", id);
  if (id) localStorage.setItem("workspace-user", id);
  else localStorage.removeItem("workspace-user");
}

/** Tell if the page is as narrow as a phone, or drawn as one. */
export const isPhone = () => root.classList.contains("phone");

function measure() {
  const framed = asked().get("width") === "phone" && innerWidth > PHONE_PX;
  root.classList.toggle("framed", framed);
  root.classList.toggle("phone", framed || innerWidth <= PHONE_PX);
  root.classList.toggle("drawer", framed || innerWidth <= DRAWER_PX);
  const button = byId("width");
  button.hidden = innerWidth <= PHONE_PX;
  button.setAttribute("aria-pressed", String(framed));
}

function setTheme(theme) {
  if (theme) root.dataset.theme = theme;
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  byId("theme").textContent = dark ? "☀" : "☾";
  return dark;
}

/** Show or hide the sidebar where it is behind the menu button. */
export function openMenu(open) {
  document.body.classList.toggle("menu-open", open);
  byId("menu").setAttribute("aria-expanded", String(open));
}

const title = (one) => one.profile.title;

/** Show who one is, in the sidebar and at the top of the page. */
export function drawWho(user, users) {
  const print = JSON.stringify([user, users]);
  if (print === who) return;
  who = print;
  const select = byId("user-switch");
  put(select, users.map((one) => h("option", { value: one.id }, `${one.real_name}${title(one) ? ` · ${title(one)}` : ""}`)));
  select.value = user;
  const opener = h("button", { type: "button", class: "who", "aria-label": `You are ${firstName(user)}. Switch person`, data: { testid: "who", person: user } },
    avatar(user, "small"), h("span", { class: "who-name" }, firstName(user)), h("span", { class: "caret", "aria-hidden": "true" }, "▾"));
  const row = (one) => h("button", { type: "button", role: "menuitemradio", "aria-checked": String(one.id === user), data: { testid: `who-${one.name}` }, onclick: () => choose(one.id) },
    avatar(one.id, "small"), h("span", {}, one.real_name, h("small", {}, title(one) || `@${one.name}`)), h("span", { class: "tick", "aria-hidden": "true" }, one.id === user && "✓"));
  const menu = h("div", { class: "people", "aria-label": "Be somebody else" }, h("p", { class: "popup-title", role: "presentation" }, "Who you are in this window"), users.map(row));
  put(byId("who"), popup(opener, menu));
}

/** Start it all; `onUser(id)` is called when somebody else is chosen. */
export function startShell(onUser) {
  choose = onUser;
  byId("user-switch").addEventListener("change", (event) => choose(event.target.value));
  byId("theme").addEventListener("click", () => {
    const next = setTheme(root.dataset.theme) ? "light" : "dark";
    localStorage.setItem("workspace-theme", next);
    setTheme(next);
  });
  byId("width").addEventListener("click", () => {
    openMenu(false);
    setAsked("width", root.classList.contains("framed") ? null : "phone");
    measure();
  });
  byId("menu").addEventListener("click", () => openMenu(!document.body.classList.contains("menu-open")));
  byId("shade").addEventListener("click", () => openMenu(false));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") openMenu(false); });
  window.addEventListener("resize", measure);
  setTheme(localStorage.getItem("workspace-theme"));
  measure();
}
