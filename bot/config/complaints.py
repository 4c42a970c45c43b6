"""What pydantic finds wrong, in the words of whoever wrote it."""

import difflib
from collections.abc import Mapping
from typing import Any, Final

_KINDS: Final = {
    "tuple_type": "must be a list, such as [a, b]",
    "list_type": "must be a list, such as [a, b]",
    "set_type": "must be a list, such as [a, b]",
    "dict_type": "must be a mapping of names to values",
    "mapping_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of settings to values",
    "model_attributes_type": "must be a mapping of settings to values",
    "string_type": "must be a text; put it in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "url_parsing": "must be an address, such as https://example.com",
    "url_scheme": "must be an address, such as https://example.com",
}
_BOUNDS: Final = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}
_SIZES: Final = {
    "too_short": ("min_length", "must have at least {} of them"),
    "too_long": ("max_length", "must have at most {} of them"),
    "string_too_short": ("min_length", "must have at least {} letters"),
    "string_too_long": ("max_length", "must have at most {} letters"),
}


def complaint(found: Mapping[str, Any]) -> str | None:
    """What must stand there instead; None for what pydantic says better.

    Args:
        found: one of a `ValidationError`'s errors.

    """
    kind, context = found["type"], found.get("ctx") or {}
    if kind in _KINDS:
        return _KINDS[kind]
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"{words} {context[bound]}"
    if kind in _SIZES:
        bound, words = _SIZES[kind]
        return words.format(context[bound])
    if kind in {"literal_error", "enum"}:
        return _choices(str(context["expected"]), found.get("input"))
    return None


def _choices(expected: str, said: Any) -> str:
    names = [name.strip("' ") for name in expected.replace(" or ", ", ").split(",")]
    near = difflib.get_close_matches(str(said), names, n=1)
    guess = f"; did you mean {near[0]}?" if near else ""
    return f"must be one of {', '.join(names)}{guess}"
