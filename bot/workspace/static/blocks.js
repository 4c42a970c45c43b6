// Layout blocks as DOM nodes.

import { chart } from "./charts.js";
import { h, safeUrl } from "./dom.js";
import { clickable, contextAction, wire } from "./elements.js";
import { withEmoji } from "./emoji.js";
import { inputField } from "./fields.js";
import { enlargeable } from "./lightbox.js";
import { markdown } from "./markdown.js";
import { mrkdwn } from "./mrkdwn.js";
import { currentState } from "./people.js";
import { richText } from "./richtext.js";
import { dataTable, table } from "./tables.js";

/** Draw a text object. */
export function textObject(text) {
  if (!text) return null;
  if (text.type === "mrkdwn") return mrkdwn(text.text);
  return text.emoji === false ? text.text : withEmoji(text.text);
}

/** Draw an image whose source is a URL or an upload. */
export function picture(image, className) {
  const file = currentState().files?.[image.slack_file?.id];
  const url = safeUrl(image.image_url ?? file?.url_private ?? image.slack_file?.url ?? "");
  return h("img", { class: className, src: url, alt: image.alt_text ?? "", loading: "lazy" });
}

/** Draw an image block: it opens large when clicked. */
function large(block) {
  const image = picture(block, "picture");
  return enlargeable(image, image.getAttribute("src"), block.title?.text, block.alt_text);
}

const titled = (title, ...inner) => h("figure", { class: "image" }, title && h("figcaption", {}, textObject(title)), inner);

const DRAW = {
  header: (block) => h("h3", { class: "header" }, textObject(block.text)),
  divider: () => h("hr"),
  section: (block, use) => h("div", { class: block.accessory ? "section with-accessory" : "section" },
    h("div", { class: "section-body" },
      block.text && h("div", { class: "text" }, textObject(block.text)),
      block.fields && h("div", { class: "fields" }, block.fields.map((f) => h("div", { class: "field" }, textObject(f))))),
    block.accessory && h("div", { class: "accessory" },
      block.accessory.type === "image" ? picture(block.accessory, "thumb") : clickable(block.accessory, block.block_id, use))),
  context: (block) => h("div", { class: "context" }, block.elements.map((element) =>
    (element.type === "image" ? picture(element, "tiny") : h("span", {}, textObject(element))))),
  actions: (block, use) => h("div", { class: "actions" }, block.elements.map((e) => clickable(e, block.block_id, use))),
  context_actions: (block, use) => h("div", { class: "actions" }, block.elements.map((e) => contextAction(e, block.block_id, use))),
  image: (block) => titled(block.title, large(block)),
  input: (block, use) => inputField(block, use, wire),
  rich_text: richText,
  table,
  data_table: dataTable,
  data_visualization: chart,
  markdown: (block) => markdown(block.text),
  alert: (block) => h("div", { class: `alert ${block.level ?? "default"}`, role: "note" }, textObject(block.text)),
  card: (block, use) => h("article", { class: "card" },
    block.hero_image && picture(block.hero_image, "hero"),
    h("div", { class: "card-head" }, block.icon && picture(block.icon, "tiny"),
      h("div", {}, block.title && h("strong", {}, textObject(block.title)), block.subtitle && h("div", { class: "muted" }, textObject(block.subtitle)))),
    block.body && h("div", { class: "text" }, textObject(block.body)),
    block.actions && h("div", { class: "actions" }, block.actions.map((e) => clickable(e, block.block_id, use)))),
  carousel: (block, use) => h("div", { class: "carousel" }, block.elements.map((card) => DRAW.card(card, use))),
  container: (block, use) => container(block, use),
  plan: (block) => h("section", { class: "plan" }, h("strong", {}, block.title), h("ol", {}, (block.tasks ?? []).map((t) => h("li", {}, task(t))))),
  task_card: (block) => task(block),
  video: (block) => titled(block.title, h("img", { class: "picture", src: safeUrl(block.thumbnail_url), alt: block.alt_text })),
};

const STATUS = { pending: "○", in_progress: "◐", complete: "✓", error: "✕" };

function task(block) {
  return h("div", { class: `task ${block.status}` },
    h("span", { class: "task-sign", role: "img", "aria-label": block.status.replace("_", " ") }, STATUS[block.status]),
    h("div", {}, h("div", {}, block.title), block.details && richText(block.details), block.output && richText(block.output)));
}

function container(block, use) {
  const inner = h("div", { class: "blocks" }, drawBlocks(block.child_blocks, use));
  const head = block.title ? textObject(block.title) : block.rich_text_title && richText(block.rich_text_title);
  if (!block.is_collapsible) return h("section", { class: "container" }, head && h("strong", {}, head), inner);
  return h("details", { class: "container", open: !block.default_collapsed }, h("summary", {}, head ?? "Details"), inner);
}

/** Draw blocks; `use(element, blockId, value)` is called when a person acts on one. */
export function drawBlocks(blocks, use) {
  return blocks.map((block) => {
    const node = DRAW[block.type]?.(block, use) ?? h("div", { class: "muted" }, `(a ${block.type} block)`);
    node.dataset.blockId = block.block_id ?? "";
    node.dataset.blockType = block.type;
    return node;
  });
}
