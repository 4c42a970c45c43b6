"""Composition objects: texts, options, confirmations, images and conversation filters."""

import re

from bot.workspace.blocks.rules import (
    Rule,
    any_of,
    boolean,
    by_type,
    exactly_one,
    fields,
    items,
    one_of,
    pattern,
    string,
)

BLOCK_ID = string(255, 0)
ACTION_ID = string(255)
URL = string(3000)
WEB_URL = pattern(re.compile(r"https?://\S{1,2990}\Z").match, "an http or https URL")
FILE_ID = pattern(re.compile(r"F[A-Z0-9]{8,}\Z").match, "a Slack file id")


def plain(longest: int) -> Rule:
    """Ask for a plain_text object."""
    return by_type({"plain_text": fields({"text": string(longest)}, {"emoji": boolean})})


def text(longest: int) -> Rule:
    """Ask for a plain_text or mrkdwn object."""
    return by_type(
        {
            "plain_text": fields({"text": string(longest)}, {"emoji": boolean}),
            "mrkdwn": fields({"text": string(longest)}, {"verbatim": boolean}),
        }
    )


SLACK_FILE = fields({}, {"id": FILE_ID, "url": URL}, exactly_one("id", "url"))

CONFIRM = fields(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)


def option(*, markdown: bool = False, url: bool = False) -> Rule:
    """Ask for an option; only radio buttons and checkboxes may use mrkdwn."""
    label = text(75) if markdown else plain(75)
    optional: dict[str, Rule] = {"description": label}
    if url:
        optional["url"] = URL
    return fields({"text": label, "value": string(150)}, optional)


OPTION = option()
OPTION_GROUP = fields({"label": plain(75), "options": items(OPTION, 100)})

DISPATCH = fields(
    {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), 2)}
)

CONVERSATION_FILTER = fields(
    {},
    {
        "include": items(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
    any_of("include", "exclude_external_shared_channels", "exclude_bot_users"),
)

IMAGE_ELEMENT = fields(
    {"alt_text": string(2000)},
    {"image_url": WEB_URL, "slack_file": SLACK_FILE},
    exactly_one("image_url", "slack_file"),
)
