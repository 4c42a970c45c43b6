"""How people write how long and until when; the time of day is UTC, for the bot knows no other."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from bot.config.units import duration
from bot.slack.grammar.asked import Misread
from bot.slack.grammar.typed import short

LONGEST_FREEZE: Final = timedelta(days=90)

_SPAN: Final = re.compile(r"(?:\d+(?:[.,]\d+)?(?:[a-z]+))+")
_PART: Final = re.compile(r"(\d+(?:[.,]\d+)?)([a-z]+)")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)?")
_UNITS: Final = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
}
_UNIT: Final = {name: unit for unit, names in _UNITS.items() for name in names}
_CLOCK: Final = re.compile(r"(\d{1,2})[:.](\d{2})\s*(am|pm)?z?|(\d{1,2})(am|pm)")
_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_STAMP: Final = re.compile(r"(\d{4}-\d{2}-\d{2})t(.+)")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAMED: Final = {"noon": time(12, tzinfo=UTC), "midnight": time(0, tzinfo=UTC)}
_UTC: Final = frozenset({"utc", "gmt", "z"})
_ENDLESS: Final = frozenset({"lifted", "unlocked", "unfrozen", "resumed", "released", "forever"})
_NOTICE: Final = ("further", "notice")
_ZONES: Final = re.compile(
    r"(?:local|[ewc]es?t|[ecmp][sd]t|[bijk]st|msk|ees?t|ae[sd]t|hkt|sgt"
    r"|(?:utc|gmt)?[+-]\d{1,2}(?::?\d{2})?)"
)


def written_span(word: str) -> str | None:
    """A duration as the configuration writes it: `20min` as `20m`; None where it is none."""
    text = word.casefold()
    if not _SPAN.fullmatch(text):
        return None
    parts = [(number.replace(",", "."), _UNIT.get(unit)) for number, unit in _PART.findall(text)]
    if any(unit is None for _, unit in parts):
        return None
    return "".join(
        f"{float(number) * 7:g}d" if unit == "w" else f"{number}{unit}" for number, unit in parts
    )


def span_of(word: str) -> timedelta | None:
    """A duration, or None where the word is none, or none that anybody can mean."""
    text = written_span(word)
    if text is None:
        return None
    try:
        return duration(text)
    except (ValueError, OverflowError):
        return None


def no_span(word: str, example: str = "") -> str:
    """Why this word is no duration: `10` needs a unit."""
    if _NUMBER.fullmatch(word):
        number = word.replace(",", ".")
        return f"{number} what? Write {number}m for minutes, or {number}s, {number}h."
    more = f" Write for example {example}." if example else " Write for example 20m, 90s or 1h30m."
    return f"“{short(word)}” is not a duration.{more}"


def end_of(words: Sequence[str], now: datetime) -> tuple[datetime, int] | Misread:
    """When `until …` ends, and how many words say so.

    Args:
        words: what follows `until`.
        now: the time, aware UTC.

    """
    left = [word.casefold().rstrip(",;") for word in words[:3]]
    if not left:
        return Misread("Until when?", _HOW)
    stamp = _STAMP.fullmatch(left[0])
    if stamp:
        left = [stamp[1], stamp[2], *left[1:]]
    day = _day_of(left[0], now)
    if isinstance(day, Misread):
        return day
    told = left if day is None else left[1:]
    clock = _clock_of(told[0]) if told else None
    if clock is None:
        return _no_time(words[0], told, day)
    used = 1 if day is None or stamp else 2
    zone = told[1] if len(told) > 1 else ""
    if _ZONES.fullmatch(zone):
        return Misread(f"Times are read as UTC, not as “{short(zone)}”.", _HOW)
    used += zone in _UTC
    if day is None and (late := _day_after(words[used:], now)):
        return Misread(f"“{short(late)}” comes before the time.", f"Write until {late} {told[0]}")
    at = _next(day, clock, left[0], now)
    if at <= now:
        return Misread(f"{at:%Y-%m-%d %H:%M} UTC is past: it is {now:%Y-%m-%d %H:%M} UTC now.", "")
    return at, used


def is_endless(words: Sequence[str]) -> int:
    """How many of the words after `until` say that somebody will end it; 0 where none do."""
    told = tuple(word.casefold().rstrip(",;.") for word in words[:2])
    if told == _NOTICE:
        return 2
    return 1 if told and told[0] in _ENDLESS else 0


_HOW: Final = "Write until 18:00, until friday 9:00 or until 2026-12-24 18:00, in UTC, or for 2h"


def _day_of(word: str, now: datetime) -> date | Misread | None:
    """A date, a weekday, today or tomorrow; None for anything else."""
    written = _DAY.fullmatch(word)
    if written:
        try:
            return date(*(int(part) for part in written.groups()))
        except ValueError:
            return Misread(f"There is no day {word}.", _HOW)
    if word in {"today", "tomorrow"}:
        return now.date() + timedelta(days=word == "tomorrow")
    days = [n for n, name in enumerate(_WEEKDAYS) if len(word) >= 3 and name.startswith(word)]
    return now.date() + timedelta(days=(days[0] - now.weekday()) % 7) if days else None


def _day_after(words: Sequence[str], now: datetime) -> str:
    """A day that stands after its time, where it would be lost; nothing otherwise."""
    left = [word for word in words[:2] if word.casefold() != "on"][:1]
    return left[0] if left and _day_of(left[0].casefold().rstrip(",;"), now) is not None else ""


def _clock_of(word: str) -> time | None:
    if word in _NAMED:
        return _NAMED[word]
    found = _CLOCK.fullmatch(word)
    if found is None:
        return None
    hour, minute = int(found[1] or found[4]), int(found[2] or 0)
    half = found[3] or found[5]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute, tzinfo=UTC) if hour < 24 and minute < 60 else None


def _no_time(word: str, told: Sequence[str], day: date | None) -> Misread:
    if day is not None:
        return Misread(f"“{short(word)}” at what time? Write until {short(word)} 9:00.", "")
    if _NUMBER.fullmatch(told[0]):
        return Misread(f"“{short(word)}” is no time of day.", _HOW)
    return Misread(f"“{short(word)}” is not a time.", _HOW)


def _next(day: date | None, clock: time, word: str, now: datetime) -> datetime:
    """The next such moment: a time that is over means tomorrow's, a weekday's next week's."""
    at = datetime.combine(day or now.date(), clock)
    if at > now:
        return at
    if day is None:
        return at + timedelta(days=1)
    weekday = any(name.startswith(word) for name in _WEEKDAYS)
    return at + timedelta(days=7) if weekday else at
