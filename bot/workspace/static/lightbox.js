// A picture, large, on top of the page.

import { h } from "./dom.js";

function open(url, title, alt) {
  const close = () => { dialog.close(); dialog.remove(); };
  const dialog = h("dialog", { class: "lightbox", "aria-label": title || alt || "Picture", data: { testid: "lightbox" } },
    h("header", {}, h("div", { class: "lightbox-words" }, h("strong", {}, title || "Picture"), alt && alt !== title && h("p", {}, alt)),
      h("a", { class: "button plain", href: url, target: "_blank", rel: "noopener" }, "Original"),
      h("button", { type: "button", class: "icon", "aria-label": "Close the picture", data: { testid: "lightbox-close" }, onclick: close }, "✕")),
    h("div", { class: "lightbox-room" }, h("img", { src: url, alt })));
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
  dialog.addEventListener("click", (event) => { if (event.target.matches("dialog, .lightbox-room")) close(); });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("button").focus();
}

/** Draw a picture which opens large when clicked. */
export function enlargeable(image, url, title, alt) {
  return h("button", { type: "button", class: "enlarge", "aria-label": `Enlarge: ${alt || title || "picture"}`, data: { testid: "picture" },
    onclick: () => open(url, title, alt) }, image);
}
