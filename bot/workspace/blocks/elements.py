"""Interactive elements: buttons, menus, pickers and inputs, each with its limits."""

import re
from collections.abc import Mapping
from datetime import date

from bot.workspace.blocks.objects import (
    ACTION_ID,
    CONFIRM,
    CONVERSATION_FILTER,
    DISPATCH,
    IMAGE_ELEMENT,
    OPTION,
    OPTION_GROUP,
    URL,
    option,
    plain,
    text,
)
from bot.workspace.blocks.rich_text import RICH_TEXT
from bot.workspace.blocks.rules import (
    Problems,
    Rule,
    boolean,
    by_type,
    exactly_one,
    fields,
    integer,
    items,
    one_of,
    pattern,
    string,
)
from bot.workspace.wire import Json

_TIME = pattern(re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z").match, "a time as HH:mm")
_NUMERAL = pattern(re.compile(r"-?\d+(\.\d+)?\Z").match, "a number in a string")
_ID = string(255)


def _is_date(value: str) -> bool:
    """Tell if there is such a day."""
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None


_DATE = pattern(_is_date, "a date as YYYY-MM-DD")
_COMMON: dict[str, Rule] = {"action_id": ACTION_ID, "focus_on_load": boolean}
_PLACEHOLDER: dict[str, Rule] = {**_COMMON, "placeholder": plain(150)}
_MENU: dict[str, Rule] = {**_PLACEHOLDER, "confirm": CONFIRM}
_TYPED: dict[str, Rule] = {**_PLACEHOLDER, "dispatch_action_config": DISPATCH}
_STYLE = one_of("primary", "danger")


def _initial_is_known(value: Json, at: str, problems: Problems) -> None:
    """Refuse an initial option which is none of the options."""
    known = _all_options(value)
    initial = value.get("initial_options") or [value.get("initial_option")]
    for chosen in initial:
        if isinstance(chosen, dict) and chosen not in known:
            problems.add(at, "initial option must be one of the options")


def _not_above(low: str, high: str) -> Rule:
    """Refuse a least value above the greatest."""

    def check(value: Json, at: str, problems: Problems) -> None:
        try:
            wrong = float(value.get(low) or "-inf") > float(value.get(high) or "inf")
        except (TypeError, ValueError):
            return  # its own rule says so
        if wrong:
            problems.add(at, f"{low} must not be greater than {high}")

    return check


def _all_options(value: Json) -> list[Json]:
    groups = value.get("option_groups") or []
    inner = [option for group in groups for option in group.get("options", [])]
    return [*(value.get("options") or []), *inner]


def _menu(kind: str, extra: Mapping[str, Rule], *also: Rule) -> dict[str, Rule]:
    """Give the single and the multiple form of a select menu."""
    many = {f"{name}s" if name.startswith("initial") else name: r for name, r in extra.items()}
    for name in [n for n in many if n.startswith("initial")]:
        many[name] = items(many[name], 100)
    return {
        f"{kind}_select": fields({}, {**_MENU, **extra}, *also),
        f"multi_{kind}_select": fields(
            {}, {**_MENU, **many, "max_selected_items": integer(1, 100)}, *also
        ),
    }


BUTTON = fields(
    {"text": plain(75)},
    {
        "action_id": ACTION_ID,
        "url": URL,
        "value": string(2000),
        "style": _STYLE,
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
_FEEDBACK = fields({"text": plain(75), "value": string(2000)}, {"accessibility_label": string(75)})
_STATIC: dict[str, Rule] = {
    "options": items(OPTION, 100),
    "option_groups": items(OPTION_GROUP, 100),
    "initial_option": OPTION,
}
MENUS: dict[str, Rule] = {
    **_menu("static", _STATIC, exactly_one("options", "option_groups"), _initial_is_known),
    **_menu("external", {"min_query_length": integer(0, 255), "initial_option": OPTION}),
    **_menu("users", {"initial_user": _ID}),
    **_menu("channels", {"initial_channel": _ID, "response_url_enabled": boolean}),
    **_menu(
        "conversations",
        {
            "initial_conversation": _ID,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": CONVERSATION_FILTER,
        },
    ),
}
PICKERS: dict[str, Rule] = {
    "datepicker": fields({}, {**_MENU, "initial_date": _DATE}),
    "datetimepicker": fields(
        {}, {**_COMMON, "confirm": CONFIRM, "initial_date_time": integer(10**9, 10**10 - 1)}
    ),
    "timepicker": fields({}, {**_MENU, "initial_time": _TIME, "timezone": string(255)}),
    "radio_buttons": fields(
        {"options": items(option(markdown=True), 10)},
        {**_COMMON, "confirm": CONFIRM, "initial_option": option(markdown=True)},
        _initial_is_known,
    ),
    "checkboxes": fields(
        {"options": items(option(markdown=True), 10)},
        {**_COMMON, "confirm": CONFIRM, "initial_options": items(option(markdown=True), 10)},
        _initial_is_known,
    ),
}
OVERFLOW = fields(
    {"options": items(option(url=True), 5)}, {"action_id": ACTION_ID, "confirm": CONFIRM}
)
_WORKFLOW = fields(
    {"text": plain(75), "workflow": fields({"trigger": fields({"url": URL})})},
    {"action_id": ACTION_ID, "style": _STYLE, "accessibility_label": string(75)},
)
INPUTS: dict[str, Rule] = {
    "plain_text_input": fields(
        {},
        {
            **_TYPED,
            "initial_value": string(3000, 0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
        _not_above("min_length", "max_length"),
    ),
    "number_input": fields(
        {"is_decimal_allowed": boolean},
        {**_TYPED, "initial_value": _NUMERAL, "min_value": _NUMERAL, "max_value": _NUMERAL},
        _not_above("min_value", "max_value"),
    ),
    "email_text_input": fields({}, {**_TYPED, "initial_value": string(255)}),
    "url_text_input": fields({}, {**_TYPED, "initial_value": string(3000)}),
    "rich_text_input": fields({}, {**_TYPED, "initial_value": RICH_TEXT}),
    "file_input": fields(
        {},
        {"action_id": ACTION_ID, "filetypes": items(string(20), 100), "max_files": integer(1, 10)},
    ),
}
_FEEDBACK_BUTTONS = fields(
    {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, {"action_id": ACTION_ID}
)
_ICON_BUTTON = fields(
    {"icon": one_of("trash"), "text": plain(75)},
    {
        "action_id": ACTION_ID,
        "value": string(2000),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
        "visible_to_user_ids": items(_ID, 100),
    },
)

_CLICKABLE: dict[str, Rule] = {
    "button": BUTTON,
    "overflow": OVERFLOW,
    "workflow_button": _WORKFLOW,
    **MENUS,
    **PICKERS,
}
ACTION_ELEMENT = by_type(_CLICKABLE)
ACCESSORY = by_type({**_CLICKABLE, "image": IMAGE_ELEMENT})
INPUT_ELEMENT = by_type({**INPUTS, **MENUS, **PICKERS})
CONTEXT_ELEMENT = by_type({"image": IMAGE_ELEMENT, "mrkdwn": text(3000), "plain_text": text(3000)})
CONTEXT_ACTION = by_type({"feedback_buttons": _FEEDBACK_BUTTONS, "icon_button": _ICON_BUTTON})

INTERACTIVE_TYPES = frozenset(
    {*_CLICKABLE, *INPUTS, "feedback_buttons", "icon_button"} - {"workflow_button"}
)
