"""What one line of a log file says: when, how bad, what; JSON or plain text."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

TIME_FIELDS: Final = ("ts", "time", "timestamp", "@timestamp", "asctime", "date")
LEVEL_FIELDS: Final = ("level", "severity", "lvl", "log.level", "levelname")
MESSAGE_FIELDS: Final = ("message", "msg", "event")
EXCEPTION_FIELDS: Final = (
    *("exc_info", "exception", "stack", "traceback", "stack_trace", "error", "err"),
)
_STACK_FIELDS: Final = ("stack", "stacktrace", "stack_trace", "traceback")

_TIME: Final = re.compile(
    r"(?<![\w.])(\d{4})([-/])(\d\d)\2(\d\d)[T ](\d\d:\d\d:\d\d)([.,]\d{1,9})?"
    r"\s?(Z|UTC|[+-]\d\d:?\d\d)?(?!\w)"
)
_TIME_WITHIN: Final = 64
"""Characters at the beginning of a plain line in which its time is looked for."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the JSON fields, tried in order; a dot goes into an object.

    Attributes:
        arm: the field that names the backend; empty when the file is one backend's own.
        zone: where times without a zone were written.

    """

    time: tuple[str, ...] = TIME_FIELDS
    level: tuple[str, ...] = LEVEL_FIELDS
    message: tuple[str, ...] = MESSAGE_FIELDS
    exception: tuple[str, ...] = EXCEPTION_FIELDS
    arm: str = ""
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `at` is None when it carries no time, `level` when it carries no level."""

    text: str
    at: datetime | None = None
    level: str | None = None
    arm: str = ""
    is_json: bool = False


def parsed(line: str, fields: Fields) -> Line:
    """What the line says; a line that is no JSON object is plain text."""
    if line.lstrip()[:1] == "{":
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            return _of_record(record, fields)
    found = _TIME.search(line[:_TIME_WITHIN])
    if found is None:
        return Line(line)
    year, _, month, day, clock, fraction, zone = found.groups()
    iso = f"{year}-{month}-{day}T{clock}{(fraction or '').replace(',', '.')}{zone or ''}"
    return Line(line, at=instant(iso.replace("UTC", "Z"), fields.zone))


def instant(value: object, zone: tzinfo) -> datetime | None:
    """A time in ISO 8601, or in seconds, milli-, micro- or nanoseconds since 1970."""
    match value:
        case bool() | None:
            return None
        case int() | float():
            return _since_epoch(float(value))
        case str():
            try:
                at = datetime.fromisoformat(value.strip())
            except ValueError:
                return _since_epoch_text(value)
            return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)
        case _:
            return None


def _since_epoch_text(value: str) -> datetime | None:
    try:
        return _since_epoch(float(value))
    except ValueError:
        return None


def _since_epoch(number: float) -> datetime | None:
    """The unit is told by the size: 1e11 seconds are the year 5138."""
    for unit in (1e9, 1e6, 1e3):
        if abs(number) >= 1e8 * unit:
            number /= unit
            break
    try:
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _of_record(record: Mapping[str, Any], fields: Fields) -> Line:
    message = _text(_first(record, fields.message))
    exception = _exception(_first(record, fields.exception))
    parts = [part for part in (message, exception) if part]
    if len(parts) == 2 and exception in message:
        parts = [message]
    level = _first(record, fields.level)
    return Line(
        text="\n".join(parts) or _text(dict(record)),
        at=instant(_first(record, fields.time), fields.zone),
        level=None if level is None else _text(level),
        arm=_text(_first(record, (fields.arm,))) if fields.arm else "",
        is_json=True,
    )


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first field that is there and not empty."""
    for name in names:
        value: Any = record.get(name)
        if value is None and "." in name:
            value = record
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
        if value not in (None, "", [], {}):
            return value
    return None


def _exception(value: Any) -> str:
    """A traceback, or `Type: message` of an object that describes an exception."""
    if isinstance(value, bool | int | float):
        return ""
    if not isinstance(value, Mapping):
        return _text(value)
    if stack := _first(value, _STACK_FIELDS):
        return _text(stack)
    kind = _first(value, ("type", "kind", "name", "class", "exc_type"))
    message = _first(value, ("message", "msg", "value", "exc_value"))
    return ": ".join(_text(part) for part in (kind, message) if part) or _text(value)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case [*lines] if all(isinstance(line, str) for line in lines):
            return "\n".join(lines)
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)
