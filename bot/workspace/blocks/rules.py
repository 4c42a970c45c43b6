"""Small rules that are put together into the shape of every block."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.workspace.wire import Json


class Problems:
    """What is wrong with a payload, each with the JSON pointer of the place."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, pointer: str, message: str) -> None:
        """Note one problem."""
        self.found.append(f"{message} [json-pointer:{pointer}]")


Rule = Callable[[Any, str, Problems], None]


def string(longest: int, shortest: int = 1) -> Rule:
    """Ask for a string within limits, counted in characters."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add(at, "must provide a string")
        elif len(value) < shortest:
            problems.add(at, f"must be more than {shortest - 1} characters")
        elif len(value) > longest:
            problems.add(at, f"must be less than {longest + 1} characters")

    return check


def integer(low: int, high: int) -> Rule:
    """Ask for a whole number within limits."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            problems.add(at, "must provide an integer")
        elif not low <= value <= high:
            problems.add(at, f"must be between {low} and {high}")

    return check


def number(value: Any, at: str, problems: Problems) -> None:
    """Ask for a JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.add(at, "must provide a number")


def boolean(value: Any, at: str, problems: Problems) -> None:
    """Ask for true or false."""
    if not isinstance(value, bool):
        problems.add(at, "must provide a boolean")


def one_of(*allowed: str) -> Rule:
    """Ask for one of some words."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if value not in allowed:
            problems.add(at, f"must be one of {', '.join(allowed)}")

    return check


def pattern(matches: Callable[[str], object], meaning: str) -> Rule:
    """Ask for a string of some form."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, str) or not matches(value):
            problems.add(at, f"must be {meaning}")

    return check


def items(rule: Rule, most: int, least: int = 1) -> Rule:
    """Ask for an array whose length and items are right."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add(at, "must provide an array")
            return
        if len(value) > most:
            problems.add(at, f"no more than {most} items allowed")
        if len(value) < least:
            problems.add(at, f"no fewer than {least} items allowed")
        for place, item in enumerate(value[:most]):
            rule(item, f"{at}/{place}", problems)

    return check


def fields(
    required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None, *also: Rule
) -> Rule:
    """Ask for an object with these fields and no others; `also` checks what spans fields."""
    known = {**required, **(optional or {})}

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(at, "must provide an object")
            return
        for name in required:
            if value.get(name) is None:
                problems.add(at, f"missing required field: {name}")
        for name, inner in value.items():
            if name == "type":
                continue
            if name not in known:
                problems.add(at, f"invalid additional property: {name}")
            elif inner is not None:
                known[name](inner, f"{at}/{name}", problems)
        for rule in also:
            rule(value, at, problems)

    return check


def by_type(rules: Mapping[str, Rule]) -> Rule:
    """Pick the rule by the object's `type`."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(at, "must provide an object")
        elif "type" not in value:
            problems.add(at, "missing required field: type")
        elif not isinstance(value["type"], str) or value["type"] not in rules:
            problems.add(f"{at}/type", f"unsupported type: {value['type']}")
        else:
            rules[value["type"]](value, at, problems)

    return check


def later(rule: Callable[[], Rule]) -> Rule:
    """Look a rule up when it is used: shapes that hold themselves."""

    def check(value: Any, at: str, problems: Problems) -> None:
        rule()(value, at, problems)

    return check


def any_of(*names: str) -> Rule:
    """Ask for at least one of these fields."""

    def check(value: Json, at: str, problems: Problems) -> None:
        if not any(value.get(name) for name in names):
            problems.add(at, f"must provide at least one of {', '.join(names)}")

    return check


def exactly_one(*names: str) -> Rule:
    """Ask for one of these fields and no second."""

    def check(value: Json, at: str, problems: Problems) -> None:
        if sum(value.get(name) is not None for name in names) != 1:
            problems.add(at, f"must provide exactly one of {', '.join(names)}")

    return check


def unique(path: str, key: str) -> Rule:
    """Ask that the items of a field differ in a key."""

    def check(value: Json, at: str, problems: Problems) -> None:
        seen: set[Any] = set()
        inner = value.get(path)
        for place, item in enumerate(inner if isinstance(inner, list) else []):
            mark = str(item.get(key)) if isinstance(item, dict) else ""
            if mark in seen:
                problems.add(f"{at}/{path}/{place}/{key}", f"`{key}` must be unique")
            seen.add(mark)

    return check
