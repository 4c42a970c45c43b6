"""How people write durations, percentages and thresholds."""

import difflib
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from bot.core.plan import Weight

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def duration(value: Any) -> timedelta:
    """Read `20m`, `90s`, `1h30m` or `250ms`.

    Raises:
        ValueError: it is none of these.

    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        raise ValueError(
            f"{value!r} is not a duration; write for example 20m, 90s, 1h30m or 250ms"
        )
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds > 366 * 86400:
        raise ValueError(f"{value!r} is longer than a year")
    return timedelta(seconds=seconds)


def weight(value: Any) -> Weight:
    """Read `5`, `0.5` or `5 %`.

    Raises:
        ValueError: it is no percentage between 0 and 100.

    """
    return value if isinstance(value, Weight) else Weight.percent(_number(value))


def fraction(value: Any) -> float:
    """Read a percentage (`5%`) or a fraction (`0.05`) as a fraction.

    Raises:
        ValueError: it is neither, or outside 0..1.

    """
    text = str(value).strip()
    try:
        found = float(_number(text)) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise ValueError(f"{value!r} is no share; write for example 5% or 0.05") from None
    if not 0 <= found <= 1:
        raise ValueError(f"{value!r} lies outside 0% to 100%")
    return found


def written(value: timedelta) -> str:
    """A duration as `duration()` reads it."""
    seconds = value.total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence for a name nobody knows, with the known ones and the likely one."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    return f"unknown {what} {name!r}; known: {', '.join(names) or 'none'}.{guess}"


def _number(value: Any) -> str:
    return str(value).strip().removesuffix("%").strip()


Duration = Annotated[timedelta, BeforeValidator(duration)]
Percent = Annotated[Weight, BeforeValidator(weight)]
Fraction = Annotated[float, BeforeValidator(fraction)]
