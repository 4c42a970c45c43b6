"""Whole messages and views: what no single block can tell."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from bot.workspace.blocks.data import characters
from bot.workspace.blocks.elements import INTERACTIVE_TYPES
from bot.workspace.blocks.layout import SURFACES
from bot.workspace.blocks.objects import OPTION, OPTION_GROUP, plain
from bot.workspace.blocks.rules import (
    Problems,
    Rule,
    boolean,
    by_type,
    exactly_one,
    fields,
    items,
    one_of,
    string,
)
from bot.workspace.wire import Json, SlackError, short_id

# Not documented; a report of msg_blocks_too_long names about this many characters.
MESSAGE_CHARACTERS = 13_200
MARKDOWN_CHARACTERS = 12_000
VIEW_BYTES = 250_000

_NESTED = ("elements", "child_blocks", "accessory", "element", "actions", "tasks")


def _walk(value: Any, at: str) -> Iterator[tuple[Json, str]]:
    """Give every block and element with its pointer, outermost first."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _walk(item, f"{at}/{place}")
    elif isinstance(value, dict):
        yield value, at
        for name in _NESTED:
            yield from _walk(value.get(name), f"{at}/{name}")


def interactive(blocks: list[Json] | None) -> Iterator[tuple[str, Json]]:
    """Give every element a person can act on, with the id of its block."""
    for block in blocks or []:
        if block.get("type") == "container":
            yield from interactive(block.get("child_blocks"))
            continue
        for element, _ in _walk(block, ""):
            if element.get("type") in INTERACTIVE_TYPES:
                yield block.get("block_id", ""), element


def complete(blocks: list[Json]) -> list[Json]:
    """Copy blocks with the ids and defaults that Slack fills in."""
    done = copy.deepcopy(blocks)
    inner = [child for block in done for child in block.get("child_blocks", [])]
    for block in (*done, *inner):
        if not block.get("block_id"):
            block["block_id"] = short_id()
    for _, element in interactive(done):
        element.setdefault("action_id", short_id())
    _default_texts(done)
    return done


def _default_texts(value: Any) -> None:
    if isinstance(value, dict):
        if value.get("type") == "plain_text" and "text" in value:
            value.setdefault("emoji", True)
        elif value.get("type") == "mrkdwn":
            value.setdefault("verbatim", False)
        for inner in value.values():
            _default_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _default_texts(inner)


def _check_blocks(blocks: Any, surface: str, at: str, problems: Problems) -> None:
    most, rules = SURFACES[surface]
    if not isinstance(blocks, list):
        problems.add(at, "must provide an array")
        return
    if len(blocks) > most:
        problems.add(at, f"no more than {most} items allowed")
    rule = by_type(rules)
    for place, block in enumerate(blocks[:most]):
        rule(block, f"{at}/{place}", problems)
    if not problems.found:
        _check_ids(blocks, at, problems)
        _check_totals(blocks, at, problems)


def _check_ids(blocks: list[Json], at: str, problems: Problems) -> None:
    """Refuse a block_id used twice, and an action_id used twice in one block."""
    seen: set[str] = set()
    for block, pointer in _walk(blocks, at):
        block_id = block.get("block_id")
        if block_id and block_id in seen:
            problems.add(f"{pointer}/block_id", f'`block_id` "{block_id}" already exists')
        seen.add(block_id or "")
    focused = [at for e, at in _walk(blocks, at) if e.get("focus_on_load")]
    for pointer in focused[1:]:
        problems.add(f"{pointer}/focus_on_load", "only one element may have focus_on_load")
    for place, block in enumerate(blocks):
        actions: set[str] = set()
        for element, pointer in _walk(block, f"{at}/{place}"):
            action_id = element.get("action_id")
            if action_id and action_id in actions:
                problems.add(
                    f"{pointer}/action_id",
                    f'`action_id` "{action_id}" already exists in this block',
                )
            actions.add(action_id or "")


def _check_totals(blocks: list[Json], at: str, problems: Problems) -> None:
    kinds = [block.get("type") for block, _ in _walk(blocks, at)]
    if kinds.count("table") > 1:
        problems.add(at, "only_one_table_allowed")
    if kinds.count("data_visualization") > 2:
        problems.add(at, "no more than 2 data_visualization blocks allowed")
    texts = [b.get("text", "") for b, _ in _walk(blocks, at) if b.get("type") == "markdown"]
    if sum(map(len, texts)) > MARKDOWN_CHARACTERS:
        problems.add(at, f"markdown blocks must be less than {MARKDOWN_CHARACTERS + 1} characters")


def check_message(blocks: Any) -> None:
    """Raise `invalid_blocks` or `msg_blocks_too_long` if Slack would refuse these blocks."""
    problems = Problems()
    _check_blocks(blocks, "message", "/blocks", problems)
    if problems.found:
        raise SlackError("invalid_blocks", problems.found)
    if characters(blocks) > MESSAGE_CHARACTERS:
        raise SlackError("msg_blocks_too_long")


def _has_submit(value: Json, at: str, problems: Problems) -> None:
    kinds = [b.get("type") for b in value.get("blocks") or [] if isinstance(b, dict)]
    if "input" in kinds and not value.get("submit"):
        problems.add(at, "missing required field: submit, as the view has an input block")


_SHARED: dict[str, Rule] = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
    "clear_on_close": boolean,
    "notify_on_close": boolean,
}


def _anything(_value: Any, _at: str, _problems: Problems) -> None:
    """Leave the field to another check."""


_VIEWS: dict[str, Rule] = {
    "modal": fields(
        {"title": plain(24), "blocks": _anything},
        {**_SHARED, "submit": plain(24), "close": plain(24), "submit_disabled": boolean},
        _has_submit,
    ),
    "home": fields({"blocks": _anything}, _SHARED),
}


def check_view(view: Any, *kinds: str) -> None:
    """Raise `invalid_arguments` or `view_too_large` if Slack would refuse this view."""
    problems = Problems()
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", ["must provide an object [json-pointer:/view]"])
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")
    one_of(*kinds)(view.get("type"), "/view/type", problems)
    if not problems.found:
        _VIEWS[view["type"]](view, "/view", problems)
        _check_blocks(view.get("blocks"), view["type"], "/view/blocks", problems)
    if problems.found:
        raise SlackError("invalid_arguments", problems.found)


_OPTIONS = fields(
    {},
    {"options": items(OPTION, 100, 0), "option_groups": items(OPTION_GROUP, 100, 0)},
    exactly_one("options", "option_groups"),
)


def check_options(answer: Json) -> None:
    """Raise `dispatch_unknown_error` if Slack would show none of these options."""
    problems = Problems()
    _OPTIONS(answer, "", problems)
    if problems.found:
        raise SlackError("dispatch_unknown_error", problems.found)
