"""Freezes in the configuration are read as people write them, and their mistakes are explained."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from bot.config.freezing import FreezeSettings, windows_of, wrong_freezes
from bot.core.calendar import Window

FILE = """
- name: weekend
  timezone: Europe/Berlin
  weekly: fri 16:00 - mon 08:00
  reason: nobody is here
- name: end of year
  from: 2026-12-20 00:00
  until: 2027-01-02
  timezone: America/New_York
- name: nights
  services: [shop, cart]
  daily: ["22:00 - 06:00", "12:00 \u2013 13:00"]
"""


def read(**settings: Any) -> FreezeSettings:
    return FreezeSettings.model_validate({"name": "n", **settings})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_file_is_read_as_it_is_written() -> None:
    """By the week, once, and several times a day; each with its zone, services and reason."""
    freezes = [FreezeSettings.model_validate(one) for one in yaml.safe_load(FILE)]
    weekend, year, nights, noon = windows_of(freezes)
    assert (weekend.name, weekend.reason, weekend.scopes) == (
        "weekend",
        "nobody is here",
        ("all",),
    )
    assert _in_force(weekend, "2026-03-06 15:00", "2026-03-09 07:00")
    assert _in_force(year, "2026-12-20 05:00", "2027-01-02 05:00")
    assert nights.scopes == ("shop", "cart")
    assert _in_force(nights, "2026-03-02 22:00", "2026-03-03 06:00")
    assert _in_force(noon, "2026-03-02 12:00", "2026-03-02 13:00")
    assert not wrong_freezes(freezes, ("shop", "cart"))


def _in_force(window: Window, begins: str, ends: str) -> bool:
    span = window.span(utc(begins))
    return span is not None and (span.begins, span.ends) == (utc(begins), utc(ends))


@pytest.mark.parametrize(
    ("settings", "lasts"),
    [
        ({"weekly": "Friday 16:00 - Monday 08:00"}, timedelta(hours=64)),
        ({"weekly": "sat 00:00 - sun 24:00"}, timedelta(days=2)),
        ({"weekly": "wed 12:00 to wed 11:00"}, timedelta(days=6, hours=23)),
        ({"daily": "22:00-06:00"}, timedelta(hours=8)),
        ({"daily": "18:00 - 24:00"}, timedelta(hours=6)),
        ({"from": "2026-12-20T18:00", "until": "2026-12-20 24:00"}, timedelta(hours=6)),
    ],
)
def test_several_ways_to_write_it_are_understood(
    settings: dict[str, Any], lasts: timedelta
) -> None:
    """Whole names of days, dashes and words, and the end of the day as 24:00."""
    (window,) = read(**settings).windows
    span = window.next(utc("2026-01-01 00:00"))
    assert span is not None
    assert span.ends - span.begins == lasts


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "needs a time: one of weekly"),
        ({"daily": "1:00 - 2:00", "weekly": "fri 16:00 - mon 08:00"}, "needs one of weekly"),
        ({"daily": "1:00 - 2:00", "until": "2027-01-02"}, "needs one of weekly"),
        ({"until": "2027-01-02 00:00"}, "has no from; write for example 2026-12-20"),
        ({"from": "2027-01-02 00:00"}, "has no until"),
        ({"from": "2027-01-02", "until": "2026-12-20"}, "before it begins (2027-01-02 00:00)"),
        ({"from": "2026-02-31", "until": "2026-12-20"}, "there is no day 2026-02-31"),
        ({"from": "soon", "until": "2026-12-20"}, "'soon' is no day and time"),
        ({"from": utc("2026-12-20"), "until": "2026-12-21"}, "has an offset of its own"),
        ({"weekly": "fri 16:00"}, "no beginning and end; write for example fri 16:00 - mon 08:00"),
        ({"weekly": "fry 16:00 - mon 08:00"}, "'fry' is no day of the week; known: mon, tue"),
        ({"weekly": "fry 16:00 - mon 08:00"}, "Did you mean fri?"),
        ({"weekly": "fri - mon"}, "'fri' names no time"),
        ({"weekly": "fri 25:00 - mon 08:00"}, "from 00:00 to 24:00"),
        ({"weekly": "fri 16:00 - fri 16:00"}, "ends where it begins"),
        ({"daily": "22 - 6"}, "'22' is no time of day; write for example 22:00 - 06:00"),
        ({"daily": "22:00 - 22:00"}, "ends where it begins"),
        ({"daily": "0:00 - 24:00"}, "whole days"),
        ({"daily": 1320}, "no beginning and end"),
        ({"daily": "1:00 - 2:00", "timezone": "Europe/Berln"}, "Did you mean Europe/Berlin"),
        ({"daily": "1:00 - 2:00", "timezone": "berlin"}, "Did you mean Europe/Berlin"),
        ({"daily": "1:00 - 2:00", "timezone": "new york"}, "Did you mean America/New_York"),
        ({"daily": "1:00 - 2:00", "timezone": "Europe"}, "there is no timezone 'Europe'"),
        ({"daily": "1:00 - 2:00", "timezone": "../x"}, "Write for example Europe/Berlin"),
        ({"daily": "1:00 - 2:00", "timezone": ""}, "there is no timezone ''"),
        ({"daily": "1:00 - 2:00", "timezone": "EST"}, "EST is an abbreviation"),
        ({"daily": "1:00 - 2:00", "services": ["all", "shop"]}, "all is every service"),
        ({"daily": "1:00 - 2:00", "services": []}, "at least 1 item"),
        ({"daily": "1:00 - 2:00", "service": "shop"}, "Extra inputs"),
        ({"daily": "1:00 - 2:00", "name": ""}, "at least 1 character"),
    ],
)
def test_a_mistake_is_explained(settings: dict[str, Any], said: str) -> None:
    """What is wrong, and what would be right."""
    with pytest.raises(ValidationError) as caught:
        read(**settings)
    assert said in str(caught.value)


def test_unknown_services_and_names_that_stand_twice_are_found() -> None:
    """Each with its path in the file, for only the whole file can tell."""
    night = read(services=["shop", "crat"], daily="22:00 - 06:00")
    wrong = wrong_freezes([night, read(daily="1:00 - 2:00")], ("shop", "cart"))
    (service, name) = wrong
    assert service[0] == ("freezes", 0, "services", 1)
    assert "unknown service 'crat'" in service[1]
    assert "Did you mean cart?" in service[1]
    assert name[0] == ("freezes", 1, "name")
    assert "two freezes named 'n'" in name[1]
