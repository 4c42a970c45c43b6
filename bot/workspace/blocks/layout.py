"""Layout blocks: what a message, a modal or a home tab is made of."""

from bot.workspace.blocks.data import CHART, DATA_TABLE, TABLE
from bot.workspace.blocks.elements import (
    ACCESSORY,
    ACTION_ELEMENT,
    BUTTON,
    CONTEXT_ACTION,
    CONTEXT_ELEMENT,
    INPUT_ELEMENT,
)
from bot.workspace.blocks.objects import (
    BLOCK_ID,
    IMAGE_ELEMENT,
    SLACK_FILE,
    URL,
    WEB_URL,
    plain,
    text,
)
from bot.workspace.blocks.rich_text import RICH_TEXT
from bot.workspace.blocks.rules import (
    Problems,
    Rule,
    any_of,
    boolean,
    by_type,
    exactly_one,
    fields,
    items,
    later,
    one_of,
    string,
)
from bot.workspace.wire import Json

_ID: dict[str, Rule] = {"block_id": BLOCK_ID}


def _pending_only_in_plan(value: Json, at: str, problems: Problems) -> None:
    if value.get("status") == "pending":
        problems.add(f"{at}/status", "pending is allowed inside a plan only")


def _task_card(*also: Rule) -> Rule:
    source = by_type({"url": fields({"url": URL, "text": string(255)})})
    return fields(
        {
            "task_id": string(255),
            "title": string(255),
            "status": one_of("pending", "in_progress", "complete", "error"),
        },
        {
            **_ID,
            "details": by_type({"rich_text": RICH_TEXT}),
            "output": by_type({"rich_text": RICH_TEXT}),
            "sources": items(source, 10),
        },
        *also,
    )


_CARD = fields(
    {},
    {
        **_ID,
        "hero_image": by_type({"image": IMAGE_ELEMENT}),
        "icon": by_type({"image": IMAGE_ELEMENT}),
        "title": text(150),
        "subtitle": text(150),
        "body": text(200),
        "actions": items(by_type({"button": BUTTON}), 3),
    },
    any_of("hero_image", "title", "actions", "body"),
)
_CONTAINER = fields(
    {"child_blocks": items(later(lambda: by_type(_CHILDREN)), 10)},
    {
        **_ID,
        "title": plain(150),
        "rich_text_title": by_type({"rich_text": RICH_TEXT}),
        "subtitle": text(150),
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": by_type({"image": IMAGE_ELEMENT}),
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
)

_BASIC: dict[str, Rule] = {
    "actions": fields({"elements": items(ACTION_ELEMENT, 25)}, _ID),
    "context": fields({"elements": items(CONTEXT_ELEMENT, 10)}, _ID),
    "divider": fields({}, _ID),
    "header": fields({"text": plain(150)}, _ID),
    "image": fields(
        {"alt_text": string(2000)},
        {**_ID, "image_url": WEB_URL, "slack_file": SLACK_FILE, "title": plain(2000)},
        exactly_one("image_url", "slack_file"),
    ),
    "input": fields(
        {"label": plain(2000), "element": INPUT_ELEMENT},
        {**_ID, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": RICH_TEXT,
    "section": fields(
        {},
        {
            **_ID,
            "text": text(3000),
            "fields": items(text(2000), 10),
            "accessory": ACCESSORY,
            "expand": boolean,
        },
        any_of("text", "fields"),
    ),
    "video": fields(
        {
            "alt_text": string(2000),
            "title": plain(199),
            "thumbnail_url": WEB_URL,
            "video_url": WEB_URL,
        },
        {
            **_ID,
            "author_name": string(49),
            "description": plain(199),
            "provider_icon_url": WEB_URL,
            "provider_name": string(255),
            "title_url": WEB_URL,
        },
    ),
}
_RICH: dict[str, Rule] = {
    "table": TABLE,
    "data_table": DATA_TABLE,
    "data_visualization": CHART,
    "container": _CONTAINER,
    "carousel": fields({"elements": items(by_type({"card": _CARD}), 10)}, _ID),
}
_ALERT = fields(
    {"text": text(200)}, {**_ID, "level": one_of("default", "info", "warning", "error", "success")}
)
_MARKDOWN = fields({"text": string(12000)}, _ID)
_CHILDREN: dict[str, Rule] = {
    **_BASIC,
    "table": TABLE,
    "data_table": DATA_TABLE,
    "data_visualization": CHART,
    "card": _CARD,
    "markdown": _MARKDOWN,
}
# What each surface takes and how many blocks.
SURFACES: dict[str, tuple[int, dict[str, Rule]]] = {
    "message": (
        50,
        {
            **_BASIC,
            **_RICH,
            "card": _CARD,
            "markdown": _MARKDOWN,
            "context_actions": fields({"elements": items(CONTEXT_ACTION, 5)}, _ID),
            "plan": fields(
                {"title": string(255)},
                {**_ID, "tasks": items(by_type({"task_card": _task_card()}), 50)},
            ),
            "task_card": _task_card(_pending_only_in_plan),
        },
    ),
    "modal": (100, {**_BASIC, "alert": _ALERT, "card": _CARD}),
    "home": (100, {**_BASIC, **_RICH, "card": _CARD}),
}
