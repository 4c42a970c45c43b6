"""What a person may put into an element: known people and channels, real dates, suggested options."""

from datetime import date, time
from typing import Any

from bot.workspace.elements import chosen_state
from bot.workspace.store import Store
from bot.workspace.wire import Json, RefusedError, choices

# Where an element stands: its view, or the message as one person sees it; then block and action.
Place = tuple[str, str, str]


def suggested(store: Store, place: Place, element: Json, state: Json | None = None) -> Json:
    """Give an external select the options its person has been offered so far."""
    if not element["type"].endswith("external_select"):
        return element
    now = state or {}
    kept = [element.get("initial_option"), now.get("selected_option")]
    kept += [*element.get("initial_options", []), *now.get("selected_options", [])]
    offered = store.suggested.get(place, {})
    return element | {"options": [*offered.values(), *(o for o in kept if o)]}


def picked(store: Store, element: Json, value: Any) -> Any:
    """Check a value which is no option; people and channels may be named instead of their ids.

    Raises a RefusedError that lists what is known or shows the form.
    """
    kind = element["type"].removeprefix("multi_")
    if value in (None, "", []):
        return value
    if kind in ("users_select", "channels_select", "conversations_select"):
        named = _people(store) if kind == "users_select" else _channels(store)
        if element["type"].startswith("multi_"):
            many = value if isinstance(value, list) else [value]
            return [_known(named, element, each) for each in many]
        return _known(named, element, value)
    if kind in _FORMS:
        try:
            _FORMS[kind][0](value)
        except (TypeError, ValueError):
            raise RefusedError(
                f"{value!r} is not for {element['action_id']!r}: give {_FORMS[kind][1]}"
            ) from None
    return value


def _seconds(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 10**9 <= value < 10**10:
        raise ValueError("no Unix time of ten digits")


def _clock(value: Any) -> None:
    if len(value) != len("13:37"):
        raise ValueError("not HH:mm")
    time.fromisoformat(value)


_FORMS: dict[str, tuple[Any, str]] = {
    "datepicker": (date.fromisoformat, "a date as YYYY-MM-DD"),
    "timepicker": (_clock, "a time as HH:mm"),
    "datetimepicker": (_seconds, "a Unix time in seconds"),
}


def _people(store: Store) -> dict[str, str]:
    return {person.id: person.name for person in store.people.values()}


def _channels(store: Store) -> dict[str, str]:
    return {channel.id: channel.name for channel in store.channels.values()}


def _known(named: dict[str, str], element: Json, value: Any) -> str:
    for found, name in named.items():
        if value in (found, name):
            return found
    known = choices(list(named.values()))
    raise RefusedError(f"{value!r} is not for {element['action_id']!r}; there is: {known}")


def filled(store: Store, place: Place, element: Json, value: Any, state: Json | None) -> Json:
    """Give the state of an input after a person has put a value into it."""
    offered = suggested(store, place, element, state)
    return chosen_state(offered, picked(store, element, value))
