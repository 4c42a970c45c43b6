"""The calendar of freezes: windows of wall-clock time in a zone, and when they are in force.

Where the clocks change, a window holds rather too long than too short: one that begins in the hour
that comes twice begins with the first, one that ends in it ends with the second. What would begin
or end in the hour that is left out does so at the moment of the change.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.core.freezes import ALL, Freeze
from bot.core.plan import Actor

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)

_MONDAY: Final = datetime(1, 1, 1)  # noqa: DTZ001 - wall-clock time; each window has a zone for it


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another, aware UTC; the end is not part of it."""

    begins: datetime
    ends: datetime

    def __contains__(self, now: datetime) -> bool:
        return self.begins <= now < self.ends


@dataclass(frozen=True, slots=True)
class Recurring:
    """Every day, or every week, at the same time of the wall clock.

    Attributes:
        every: `DAY` or `WEEK`.
        begins: after midnight, or after midnight of Monday.
        lasts: by the wall clock; less than `every`.

    """

    every: timedelta
    begins: timedelta
    lasts: timedelta

    def __post_init__(self) -> None:
        if self.every not in {DAY, WEEK} or not timedelta(0) <= self.begins < self.every:
            raise ValueError("a window recurs by the day or the week, and begins within it")
        if not timedelta(0) < self.lasts < self.every:
            raise ValueError(
                "a window that recurs lasts more than nothing, and less than for ever"
            )

    def around(self, wall: datetime) -> Iterator[tuple[datetime, datetime]]:
        """From the one before last on, in order, by the wall clock; enough to find the next."""
        number = (wall - _MONDAY) // self.every
        for each in range(number - 2, number + 5):
            begins = _MONDAY + each * self.every + self.begins
            yield begins, begins + self.lasts


@dataclass(frozen=True, slots=True)
class Once:
    """One time only; naive times of the wall clock."""

    begins: datetime
    ends: datetime

    def __post_init__(self) -> None:
        if self.ends <= self.begins:
            raise ValueError("a window ends after it has begun")

    def around(self, _wall: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Itself."""
        yield self.begins, self.ends


@dataclass(frozen=True, slots=True)
class Window:
    """A freeze that is configured.

    Attributes:
        zone: the name of a time zone, such as `Europe/Berlin`, whose wall clock counts.
        scopes: names of services, or `ALL`.

    """

    name: str
    zone: str
    hours: Recurring | Once
    scopes: tuple[str, ...] = (ALL,)
    reason: str = ""

    def span(self, now: datetime) -> Span | None:
        """What it is in force for at this moment; None where it is not."""
        return next((span for span in self._spans(now) if now in span), None)

    def next(self, now: datetime) -> Span | None:
        """The next that begins after this moment; None where none does."""
        return next((span for span in self._spans(now) if span.begins > now), None)

    def in_force(self, now: datetime) -> tuple[Freeze, ...]:
        """A freeze for each of its scopes; none where it is not in force."""
        span = self.span(now)
        if span is None:
            return ()
        by = Actor(f"calendar:{self.name}", f"the calendar ({self.name})")
        return tuple(
            Freeze(scope, by, self.reason, span.begins, span.ends, "calendar")
            for scope in self.scopes
        )

    def _spans(self, now: datetime) -> Iterator[Span]:
        zone = ZoneInfo(self.zone)
        for begins, ends in self.hours.around(now.astimezone(zone).replace(tzinfo=None)):
            span = Span(instant(begins, zone, last=False), instant(ends, zone, last=True))
            if span.begins < span.ends:  # or all of it lies in an hour that is left out
                yield span


def freezes_of(windows: Sequence[Window], now: datetime) -> tuple[Freeze, ...]:
    """What the calendar freezes at this moment, of every window one by one.

    Each until the calendar lets go of its scope: where one window follows on another, the end of
    the first frees nothing.
    """
    return tuple(
        replace(freeze, until=lets_go_at(windows, freeze.scope, now) or freeze.until)
        for window in windows
        for freeze in window.in_force(now)
    )


def lets_go_at(windows: Iterable[Window], scope: str, now: datetime) -> datetime | None:
    """When the calendar next leaves this service, or everything, free.

    None where it is free now, or where windows follow on each other without an end.
    """
    mine = [window for window in windows if {ALL, scope} & set(window.scopes)]
    at = now
    for _ in range(len(mine) * 400):
        spans = [span for window in mine if (span := window.span(at)) is not None]
        if not spans:
            return None if at == now else at
        at = max(span.ends for span in spans)
    return None


def instant(wall: datetime, zone: ZoneInfo, *, last: bool) -> datetime:
    """When the wall clock of this zone shows that time, aware UTC.

    Args:
        wall: naive.
        zone: whose clock it is.
        last: which one of two, where the clock shows it twice. Where it never does, it is the
            moment of the change in either case.

    """
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if last else first
    return _change(second, first, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between two at which the zone's clock changes, to the second."""
    was = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == was:
            before = middle
        else:
            after = middle
    return after
