"""How durations are written in adapters' options: `250ms`, `2s`, `1h30m`, or seconds."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def duration(value: Any) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: it is none; with examples of what would be.

    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    text = f"{text}s" if text[-1:].isdigit() else text
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        raise ValueError(f"{value!r} is not a duration; write for example 250ms, 2s or 1h30m")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


Duration = Annotated[timedelta, BeforeValidator(duration), Field(ge=timedelta(0))]
"""A duration, none at all included."""
