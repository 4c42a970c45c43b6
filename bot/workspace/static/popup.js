// Menus that open beside their button, always within the screen.

import { h } from "./dom.js";

const GAP = 6;

/** Give the frame that the page is drawn in: the window, or the phone within it. */
function frame() {
  const framed = document.documentElement.classList.contains("framed");
  return framed ? document.body.getBoundingClientRect() : new DOMRect(0, 0, innerWidth, innerHeight);
}

function place(menu, opener) {
  const room = frame();
  const from = opener.getBoundingClientRect();
  menu.style.maxWidth = `${room.width - 2 * GAP}px`;
  menu.style.maxHeight = `${room.height - 2 * GAP}px`;
  const { width, height } = menu.getBoundingClientRect();
  const left = Math.min(Math.max(from.right - width, room.left + GAP), room.right - width - GAP);
  const below = from.bottom + GAP;
  const fits = below + height <= room.bottom - GAP;
  const top = fits ? below : Math.max(room.top + GAP, from.top - GAP - height);
  menu.style.left = `${left}px`;
  menu.style.top = `${Math.min(top, room.bottom - GAP - height)}px`;
}

function move(menu, event) {
  const items = [...menu.querySelectorAll("[role^=menuitem]")];
  const now = items.indexOf(document.activeElement);
  const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: items.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items.at(next % items.length).focus();
}

/** Make `opener` open `menu`; gives both as one node. */
export function popup(opener, menu) {
  opener.setAttribute("aria-haspopup", "menu");
  opener.setAttribute("aria-expanded", "false");
  menu.setAttribute("popover", "auto");
  menu.setAttribute("role", "menu");
  menu.classList.add("popup");
  opener.popoverTargetElement = menu;
  const close = () => { if (menu.matches(":popover-open")) menu.hidePopover(); };
  const away = (event) => { if (!menu.contains(event.target)) close(); };
  menu.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    opener.setAttribute("aria-expanded", String(open));
    document[open ? "addEventListener" : "removeEventListener"]("scroll", away, true);
    window[open ? "addEventListener" : "removeEventListener"]("resize", close);
    if (!open) return;
    place(menu, opener);
    (menu.querySelector("[aria-checked=true]") ?? menu.querySelector("[role^=menuitem]"))?.focus({ preventScroll: true });
  });
  menu.addEventListener("keydown", (event) => move(menu, event));
  menu.addEventListener("click", close);
  return h("span", { class: "popup-home" }, opener, menu);
}
