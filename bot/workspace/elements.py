"""Using an element: what a person chose becomes an action or a state."""

import re
from typing import Any

from bot.workspace.wire import Json, RefusedError, choices

_ONE = ("static_select", "external_select", "radio_buttons", "overflow")
_MANY = ("multi_static_select", "multi_external_select", "checkboxes")
_PICKED = {
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}
_TYPED = ("plain_text_input", "number_input", "email_text_input", "url_text_input")
_FORMS = (
    ("email_text_input", r"[^@\s]+@[^@\s]+\.[^@\s]+", "Please enter a valid email address."),
    ("url_text_input", r"https?://\S+", "Please enter a valid URL."),
)
REQUIRED = "Please complete this required field."


def _options(element: Json) -> list[Json]:
    inner = [option for g in element.get("option_groups") or [] for option in g["options"]]
    return [*(element.get("options") or []), *inner]


def _option(element: Json, value: Any) -> Json:
    for option in _options(element):
        if value in (option["value"], option):
            return option
    known = choices([option["value"] for option in _options(element)])
    asks = " (ask /_/options first)" if element["type"].endswith("external_select") else ""
    raise RefusedError(
        f"{value!r} is no option of {element['action_id']!r}; there is: {known}{asks}"
    )


def acted(element: Json, block_id: str, request: Json, action_ts: str) -> Json:
    """Describe an action: what it holds is what was drawn, not what the request says."""
    kind = element["type"]
    action: Json = {
        "type": kind,
        "action_id": element["action_id"],
        "block_id": block_id,
        "action_ts": action_ts,
    }
    chosen = request.get("value")
    if kind in ("button", "icon_button"):
        if chosen is not None and chosen != element.get("value"):
            drawn = element.get("value")
            raise RefusedError(f"the button holds {drawn!r} now, not {chosen!r}", status=409)
        kept = ("text", "value", "style", "url", "confirm", "icon")
        return action | {name: element[name] for name in kept if name in element}
    if kind == "feedback_buttons":
        buttons = [element["positive_button"], element["negative_button"]]
        known = [button["value"] for button in buttons]
        if chosen not in known:
            raise RefusedError(f"{chosen!r} is no feedback; there is: {choices(known)}")
        return action | {"text": buttons[known.index(chosen)]["text"], "value": chosen}
    if kind in _TYPED:
        return action | {"value": chosen_state(element, chosen)["value"]}
    if chosen is None:
        raise RefusedError(f"{element['action_id']!r} is a {kind}: say which value was chosen")
    extra = {k: element[k] for k in ("placeholder", "confirm") if k in element}
    return action | extra | chosen_state(element, chosen)


def chosen_state(element: Json, value: Any) -> Json:
    """Give the state of an element after a person has put a value into it."""
    kind = element["type"]
    state: Json = {"type": kind}
    if kind in _ONE:
        return state | {"selected_option": None if value is None else _option(element, value)}
    if kind in _MANY:
        many = value if isinstance(value, list) else [] if value is None else [value]
        most = element.get("max_selected_items", len(many))
        if len(many) > most:
            raise RefusedError(f"{element['action_id']!r} takes at most {most}, not {len(many)}")
        return state | {"selected_options": [_option(element, v) for v in many]}
    if kind in _PICKED:
        return state | {_PICKED[kind]: value if value or not kind.startswith("multi_") else []}
    if kind == "number_input" and value is not None:
        value = str(value)
    return state | {"value": None if value in (None, "") else value}


def complaint(element: Json, state: Json, *, optional: bool) -> str | None:
    """Say what a form would complain about before it is sent, or nothing."""
    value = next((v for k, v in state.items() if k != "type"), None)
    if value in (None, "", []):
        return None if optional else REQUIRED
    if element["type"] == "number_input":
        return _number_complaint(element, str(value))
    for kind, form, words in _FORMS:
        if element["type"] == kind and not re.fullmatch(form, str(value)):
            return words
    if element["type"] == "plain_text_input":
        length = len(str(value))
        if length < element.get("min_length", 0):
            return f"Must be at least {element['min_length']} characters."
        if length > element.get("max_length", 3000):
            return f"Must be at most {element.get('max_length', 3000)} characters."
    return None


def _number_complaint(element: Json, value: str) -> str | None:
    form = r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+"
    if not re.fullmatch(form, value):
        return "Please enter a valid number."
    if "min_value" in element and float(value) < float(element["min_value"]):
        return f"Must be at least {element['min_value']}."
    if "max_value" in element and float(value) > float(element["max_value"]):
        return f"Must be at most {element['max_value']}."
    return None


def initial_value(element: Json) -> Json | None:
    """Give the state of an input as it is drawn, before anybody has touched it."""
    kind = element["type"]
    state: Json = {"type": kind}
    if kind.endswith(("_input",)):
        return state | {"value": element.get("initial_value")}
    if kind in ("checkboxes", "multi_static_select", "multi_external_select"):
        return state | {"selected_options": element.get("initial_options", [])}
    if kind in ("static_select", "external_select", "radio_buttons"):
        return state | {"selected_option": element.get("initial_option")}
    for name in ("user", "channel", "conversation"):
        if kind == f"{name}s_select":
            return state | {f"selected_{name}": element.get(f"initial_{name}")}
        if kind == f"multi_{name}s_select":
            return state | {f"selected_{name}s": element.get(f"initial_{name}s", [])}
    for picker, name in (
        ("datepicker", "date"),
        ("timepicker", "time"),
        ("datetimepicker", "date_time"),
    ):
        if kind == picker:
            return state | {f"selected_{name}": element.get(f"initial_{name}")}
    return None
