"""A window of the calendar is in force by the wall clock of its zone, also where clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.calendar import (
    DAY,
    WEEK,
    Once,
    Recurring,
    Span,
    Window,
    freezes_of,
    instant,
    lets_go_at,
)
from bot.core.freezes import ALL, Freeze
from bot.core.plan import Actor

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Sydney", date(2026, 4, 5)),
    ("Australia/Sydney", date(2026, 10, 4)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("America/Santiago", date(2026, 9, 6)),
    ("Asia/Kolkata", date(2026, 3, 29)),
]
"""Zones and days on which their clocks change: by an hour, half an hour, at midnight, never."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(hours: float) -> timedelta:
    return timedelta(hours=hours)


def daily(begins: timedelta, ends: timedelta, zone: str = "Europe/Berlin") -> Window:
    return Window("night", zone, Recurring(DAY, begins, (ends - begins) % DAY))


WEEKEND = Window(
    "weekend", "Europe/Berlin", Recurring(WEEK, 4 * DAY + at(16), 2 * DAY + at(16)), (ALL,), "rest"
)


def test_a_weekend_is_frozen_for_everybody_with_its_name_and_its_end() -> None:
    """From Friday at four to Monday at eight, by the clock of Berlin."""
    assert WEEKEND.span(utc("2026-03-06 14:59:59")) is None
    assert WEEKEND.span(utc("2026-03-09 07:00")) is None
    span = Span(utc("2026-03-06 15:00"), utc("2026-03-09 07:00"))
    for now in ("2026-03-06 15:00", "2026-03-08 12:00", "2026-03-09 06:59:59"):
        assert WEEKEND.span(utc(now)) == span
    by = Actor("calendar:weekend", "the calendar (weekend)")
    held = (Freeze(ALL, by, "rest", span.begins, span.ends, "calendar"),)
    assert WEEKEND.in_force(utc("2026-03-08 12:00")) == held


def test_the_next_window_is_the_one_that_has_not_begun() -> None:
    """Also while one is in force; one that is over for good has no next."""
    following = Span(utc("2026-03-13 15:00"), utc("2026-03-16 07:00"))
    assert WEEKEND.next(utc("2026-03-08 12:00")) == following
    assert WEEKEND.next(utc("2026-03-13 14:59")) == following
    once = Window("sale", "UTC", Once(datetime(2026, 12, 20), datetime(2027, 1, 2)))
    assert once.next(utc("2026-12-19 00:00")) == Span(utc("2026-12-20"), utc("2027-01-02"))
    assert once.next(utc("2026-12-20 00:00")) is None
    assert once.span(utc("2026-12-31 12:00")) is not None
    assert once.span(utc("2027-01-02 00:00")) is None


def test_the_weekend_of_the_change_is_an_hour_shorter_or_longer() -> None:
    """Monday at eight is Monday at eight, whatever the clock did on Sunday."""
    spring, autumn = WEEKEND.span(utc("2026-03-28 12:00")), WEEKEND.span(utc("2026-10-25 12:00"))
    assert spring == Span(utc("2026-03-27 15:00"), utc("2026-03-30 06:00"))
    assert autumn == Span(utc("2026-10-23 14:00"), utc("2026-10-26 07:00"))


def test_what_begins_in_the_hour_that_is_left_out_begins_with_the_change() -> None:
    """On 29 March the clocks of Berlin go from two to three."""
    change = utc("2026-03-29 01:00")
    night = daily(at(2.5), at(6))
    assert night.span(change) == Span(change, utc("2026-03-29 04:00"))
    assert night.span(change - MINUTE) is None
    assert daily(at(22), at(2.5)).span(change - MINUTE) == Span(utc("2026-03-28 21:00"), change)
    # All of it is left out: there is none that day.
    gone = daily(at(2.25), at(2.75))
    assert gone.next(utc("2026-03-28 12:00")) == Span(
        utc("2026-03-30 00:15"), utc("2026-03-30 00:45")
    )


def test_the_hour_that_comes_twice_is_frozen_twice() -> None:
    """On 25 October the clocks of Berlin go from three to two: from the first on, to the second."""
    span = Span(utc("2026-10-25 00:15"), utc("2026-10-25 01:45"))
    assert daily(at(2.25), at(2.75)).span(utc("2026-10-25 01:00")) == span
    assert daily(at(2.5), at(4)).span(utc("2026-10-25 00:30")) is not None
    assert daily(at(1), at(2.5)).span(utc("2026-10-25 01:29")) is not None


@cache
def _around(day: date, zone: str) -> list[tuple[datetime, datetime]]:
    """Every minute around this day, with what the wall clock shows then."""
    first = datetime.combine(day, time(0), UTC) - 3 * DAY
    every = (first + number * MINUTE for number in range(8 * 24 * 60))
    return [(now, now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for now in every]


def _by_looking(
    walls: list[tuple[datetime, datetime]], begins: datetime, ends: datetime
) -> tuple[datetime, datetime]:
    """The window as somebody with a clock in front of them would have it."""
    begun = [now for now, wall in walls if wall == begins]
    ended = [now for now, wall in walls if wall == ends]
    first = begun[0] if begun else next(now for now, wall in walls if wall > begins)
    last = ended[-1] if ended else next(now for now, wall in walls if wall > ends)
    return first, last


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 24 * 60 - 1),
)
def test_a_daily_window_is_what_somebody_with_a_clock_would_see(
    change: tuple[str, date], begins: int, lasts: int
) -> None:
    """Minute by minute around a change of the clocks: in force or not, and since and until when."""
    zone, day = change
    window = Window("n", zone, Recurring(DAY, begins * MINUTE, lasts * MINUTE))
    walls = _around(day, zone)
    spans = []
    for number in (-2, -1, 0, 1):
        first = datetime.combine(day, time(0)) + number * DAY + begins * MINUTE
        spans.append(_by_looking(walls, first, first + lasts * MINUTE))
    middle = datetime.combine(day, time(0), UTC)
    for now, _ in walls:
        if not middle - DAY / 2 <= now < middle + DAY:
            continue
        seen = next((one for one in spans if one[0] <= now < one[1]), None)
        span = window.span(now)
        assert (None if span is None else (span.begins, span.ends)) == seen, now
        begin = min((one for one in spans if now < one[0] < one[1]), default=None)
        following = window.next(now)
        if begin is not None:
            assert following is not None
            assert (following.begins, following.ends) == begin, now


@settings(max_examples=60)
@given(
    st.sampled_from(CHANGES),
    st.integers(0, 7 * 24 * 60 - 1),
    st.integers(1, 7 * 24 * 60 - 1),
    st.integers(0, 7 * 24 * 60),
)
def test_a_weekly_window_lasts_as_long_as_the_clock_on_the_wall_says(
    change: tuple[str, date], begins: int, lasts: int, now: int
) -> None:
    """What is in force holds now; what comes next has not begun; both begin and end on the wall."""
    zone, day = change
    window = Window("w", zone, Recurring(WEEK, begins * MINUTE, lasts * MINUTE))
    moment = datetime.combine(day, time(0), UTC) - WEEK / 2 + now * MINUTE
    span, following = window.span(moment), window.next(moment)
    assert following is not None
    assert moment < following.begins < following.ends
    assert following.begins <= moment + WEEK + HOUR
    if span is not None:
        assert span.begins <= moment < span.ends
        assert span.ends <= following.begins + HOUR
        assert abs((span.ends - span.begins) - lasts * MINUTE) <= HOUR


@given(st.sampled_from(CHANGES), st.integers(0, 3 * 24 * 60), st.booleans())
def test_an_instant_shows_its_time_on_the_wall_or_is_the_change(
    change: tuple[str, date], minutes: int, last: bool
) -> None:
    zone, day = ZoneInfo(change[0]), change[1]
    wall = datetime.combine(day, time(0)) - DAY + minutes * MINUTE
    found = instant(wall, zone, last=last)
    shown = found.astimezone(zone).replace(tzinfo=None)
    before = (found - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert shown == wall or before < wall < shown


def test_windows_that_overlap_are_each_in_force_and_let_go_together() -> None:
    """Free is a service only after the last of those that follow on each other."""
    day, night = daily(at(16), at(20), "UTC"), daily(at(18), at(2), "UTC")
    late = Window("late", "UTC", Recurring(DAY, at(2), at(1)), ("shop",))
    now = utc("2026-03-02 19:00")
    assert [one.until for one in freezes_of((day, night, late), now)] == [
        utc("2026-03-03 02:00"),
        utc("2026-03-03 02:00"),
    ]
    assert lets_go_at((day, night, late), "cart", now) == utc("2026-03-03 02:00")
    assert lets_go_at((day, night, late), "shop", now) == utc("2026-03-03 03:00")
    assert lets_go_at((day, night), "shop", utc("2026-03-02 12:00")) is None
    ever = daily(at(0), at(13), "UTC"), daily(at(12), at(1), "UTC")
    assert lets_go_at(ever, "shop", now) is None
    assert freezes_of(ever, now)[0].until == utc("2026-03-03 01:00")


def test_each_of_its_services_is_frozen() -> None:
    """And each freeze has a key of its own."""
    window = Window("n", "UTC", Once(datetime(2026, 3, 2), datetime(2026, 3, 3)), ("shop", "cart"))
    held = window.in_force(utc("2026-03-02 12:00"))
    assert [one.scope for one in held] == ["shop", "cart"]
    assert len({one.key for one in held} | {"shop", "cart"}) == 4
    assert not window.in_force(utc("2026-03-03 00:00"))


@pytest.mark.parametrize(
    ("begins", "lasts"), [(at(0), at(0)), (at(0), DAY), (DAY, at(1)), (-at(1), at(1))]
)
def test_what_recurs_leaves_a_gap(begins: timedelta, lasts: timedelta) -> None:
    """A window that never opens or never closes is a mistake."""
    with pytest.raises(ValueError, match="window"):
        Recurring(DAY, begins, lasts)
    with pytest.raises(ValueError, match="ends after"):
        Once(datetime(2026, 3, 2), datetime(2026, 3, 2))
