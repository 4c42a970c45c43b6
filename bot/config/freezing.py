"""Windows in which nothing is started: by the week, by the day, or once, in a named time zone."""

import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, field_validator, model_validator

from bot.config.tiers import Strict
from bot.config.units import unknown
from bot.core.calendar import DAY, WEEK, Once, Recurring, Window
from bot.core.freezes import ALL

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})")
_MOMENT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{1,2}:\d{2})(?::00)?)?")
_TO: Final = re.compile(r"\s+(?:-|\u2013|to|until)\s+|\s*[-\u2013]\s*")
_WEEKLY: Final = "write for example fri 16:00 - mon 08:00"
_DAILY: Final = "write for example 22:00 - 06:00"
_MOMENT_HOW: Final = "write for example 2026-12-20 00:00, by the wall clock of the timezone"


def clock(text: str, how: str) -> timedelta:
    """A time of day as the time since midnight; 24:00 is the end of the day.

    Raises:
        ValueError: it is none.

    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no time of day; {how}")
    at = timedelta(hours=int(found[1]), minutes=int(found[2]))
    if int(found[2]) > 59 or at > DAY:
        raise ValueError(f"{text!r} is no time of day: the clock goes from 00:00 to 24:00")
    return at


def weekly(text: Any) -> Recurring:
    """Read `fri 16:00 - mon 08:00`.

    Raises:
        ValueError: it is not that.

    """
    begins, ends = (_in_the_week(part) for part in _two(text, _WEEKLY))
    lasts = (ends - begins) % WEEK
    if not lasts:
        raise ValueError(
            f"{text!r} ends where it begins; {_WEEKLY}, or take from and until for a longer one"
        )
    return Recurring(WEEK, begins % WEEK, lasts)


def daily(text: Any) -> Recurring:
    """Read `22:00 - 06:00`.

    Raises:
        ValueError: it is not that.

    """
    begins, ends = (clock(part, _DAILY) for part in _two(text, _DAILY))
    lasts = (ends - begins) % DAY
    if not lasts:
        raise ValueError(
            f"{text!r} ends where it begins; {_DAILY}, or name whole days as in "
            "weekly: sat 00:00 - sun 24:00"
        )
    return Recurring(DAY, begins % DAY, lasts)


def moment(value: Any) -> datetime:
    """Read `2026-12-20 00:00`, or a day alone for its midnight; naive.

    Raises:
        ValueError: it is none, or names an offset of its own.

    """
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            raise ValueError(f"{value} has an offset of its own; {_MOMENT_HOW}")
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(0))
    found = _MOMENT.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{value!r} is no day and time; {_MOMENT_HOW}")
    try:
        day = date.fromisoformat(found[1])
    except ValueError:
        raise ValueError(f"there is no day {found[1]}; {_MOMENT_HOW}") from None
    return datetime.combine(day, time(0)) + clock(found[2] or "00:00", _MOMENT_HOW)


def zone(name: Any) -> str:
    """The name of a time zone.

    Raises:
        ValueError: there is none of that name, or it is one that knows no summer time by mistake.

    """
    text = str(name).strip()
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no timezone {text!r}.{_near(text)}") from None
    if "/" not in text and text not in {"UTC", "GMT"}:
        raise ValueError(
            f"{text} is an abbreviation, and what it does in summer is not what people expect; "
            "name a city, for example Europe/Berlin or America/New_York"
        )
    return text


def _near(text: str) -> str:
    """The zones that may have been meant; a city alone is enough."""
    wanted = text.casefold().replace(" ", "_")
    by_name: dict[str, str] = {}
    for each in sorted(available_timezones()):
        city = each.rpartition("/")[2].casefold()
        by_name.setdefault(city, each)
        by_name[each.casefold()] = each
    found = difflib.get_close_matches(wanted, by_name, n=6, cutoff=0.75)
    names = list(dict.fromkeys(by_name[one] for one in found if "/" in by_name[one]))[:3]
    if names:
        return f" Did you mean {' or '.join(names)}?"
    return " Write for example Europe/Berlin, America/New_York or UTC"


def _two(value: Any, how: str) -> tuple[str, str]:
    parts = _TO.split(str(value).strip())
    if not isinstance(value, str) or len(parts) != 2 or not all(parts):
        raise ValueError(f"{value!r} has no beginning and end; {how}")
    return parts[0], parts[1]


def _in_the_week(text: str) -> timedelta:
    """`fri 16:00` as the time since midnight of Monday."""
    day, _, at = text.strip().partition(" ")
    typed = day.casefold().rstrip(".,")
    found = [n for n, name in enumerate(DAYS) if len(typed) >= 3 and name.startswith(typed)]
    if not found:
        near = difflib.get_close_matches(typed, [*DAYS, *(name[:3] for name in DAYS)], n=1)
        guess = f" Did you mean {near[0][:3]}?" if near else ""
        known = ", ".join(name[:3] for name in DAYS)
        raise ValueError(f"{day!r} is no day of the week; known: {known}.{guess}")
    if not at.strip():
        raise ValueError(f"{text!r} names no time; {_WEEKLY}")
    return found[0] * DAY + clock(at, _WEEKLY)


def _list(value: Any) -> Any:
    """One thing where a list of them may stand."""
    return value if isinstance(value, list | tuple) else (value,)


def _read_all(read: Any) -> BeforeValidator:
    return BeforeValidator(
        lambda value: tuple(
            one if isinstance(one, Recurring) else read(one) for one in _list(value)
        )
    )


Weekly = Annotated[tuple[Recurring, ...], _read_all(weekly)]
Daily = Annotated[tuple[Recurring, ...], _read_all(daily)]
Moment = Annotated[datetime, BeforeValidator(moment)]
Names = Annotated[tuple[str, ...], BeforeValidator(_list), Field(min_length=1)]


class FreezeSettings(Strict):
    """One freeze of the calendar.

    Attributes:
        name: what people call it; shown wherever it holds something.
        services: those it holds; all of them where nothing is said.
        timezone: whose wall clock counts.
        weekly: `fri 16:00 - mon 08:00`, or a list of such.
        daily: `22:00 - 06:00`, or a list of such.
        begins, until: once; `from` and `until` in the file.
        reason: why, for whoever is refused.

    """

    name: Annotated[str, Field(min_length=1, max_length=60)]
    services: Names = (ALL,)
    timezone: Annotated[str, BeforeValidator(zone)] = "UTC"
    weekly: Weekly = ()
    daily: Daily = ()
    begins: Moment | None = Field(default=None, alias="from")
    until: Moment | None = None
    reason: Annotated[str, Field(max_length=300)] = ""

    @field_validator("services")
    @classmethod
    def _all_or_some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if ALL in value and len(value) > 1:
            raise ValueError(f"{ALL} is every service: name it alone, or take it out")
        return tuple(dict.fromkeys(value))

    @model_validator(mode="after")
    def _one_of_three(self) -> "FreezeSettings":
        once = self.begins is not None or self.until is not None
        given = [bool(self.weekly), bool(self.daily), once]
        if sum(given) != 1:
            raise ValueError(
                f"freeze {self.name!r} needs {'one' if any(given) else 'a time: one'} of weekly "
                "(fri 16:00 - mon 08:00), daily (22:00 - 06:00), or from and until"
            )
        if once and (self.begins is None or self.until is None):
            missing = "from" if self.begins is None else "until"
            raise ValueError(f"freeze {self.name!r} has no {missing}; {_MOMENT_HOW}")
        if self.begins is not None and self.until is not None and self.until <= self.begins:
            raise ValueError(
                f"freeze {self.name!r} ends ({self.until:%Y-%m-%d %H:%M}) before it begins "
                f"({self.begins:%Y-%m-%d %H:%M})"
            )
        return self

    @property
    def windows(self) -> tuple[Window, ...]:
        """As the calendar knows it."""
        once = (Once(self.begins, self.until),) if self.begins and self.until else ()
        return tuple(
            Window(self.name, self.timezone, hours, self.services, self.reason)
            for hours in (*self.weekly, *self.daily, *once)
        )


def windows_of(freezes: Iterable[FreezeSettings]) -> tuple[Window, ...]:
    """The whole calendar."""
    return tuple(window for freeze in freezes for window in freeze.windows)


def wrong_freezes(
    freezes: Sequence[FreezeSettings], services: Iterable[str]
) -> list[tuple[tuple[str | int, ...], str]]:
    """What only the whole file can tell is wrong, each with its path in it.

    Services that nobody knows, and names that stand twice.
    """
    known, seen = set(services), set[str]()
    wrong: list[tuple[tuple[str | int, ...], str]] = []
    for place, freeze in enumerate(freezes):
        for number, service in enumerate(freeze.services):
            if service != ALL and service not in known:
                path = ("freezes", place, "services", number)
                wrong.append((path, unknown("service", service, {*known, ALL})))
        if freeze.name in seen:
            what = f"there are two freezes named {freeze.name!r}; give each a name of its own"
            wrong.append((("freezes", place, "name"), what))
        seen.add(freeze.name)
    return wrong
