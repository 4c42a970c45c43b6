"""What repeats goes on whatever the wall clock does, and whatever goes wrong in it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import apscheduler.schedulers.base
import apscheduler.triggers.interval
import pytest

from bot.engine.ticker import Ticker

SOON = timedelta(milliseconds=10)
HOUR = timedelta(hours=1)


class SetBack(datetime):
    """The scheduler's wall clock after somebody has set it back by an hour."""

    @classmethod
    def now(cls, tz: Any = None) -> "SetBack":
        back = datetime.now(tz) - HOUR
        return cls.fromtimestamp(back.timestamp(), tz)


class Wall:
    """The bot's wall clock."""

    back = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) - self.back


async def test_what_repeats_goes_on_when_the_clock_is_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The heartbeat and the sweep that mends everybody's timers are due at once, not in an hour."""
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    clock = Wall()
    ticker = Ticker(clock)
    ticker.start()
    ticker.repeat("beat", SOON, work)
    async with asyncio.timeout(5):
        while not done:
            await asyncio.sleep(0.005)
        for place in (apscheduler.schedulers.base, apscheduler.triggers.interval):
            monkeypatch.setattr(place, "datetime", SetBack)
        clock.back = HOUR
        await asyncio.sleep(0.05)
        before = len(done)
        while len(done) < before + 3:
            await asyncio.sleep(0.005)
    ticker.stop()


async def test_what_repeats_survives_its_own_faults() -> None:
    """One that fails is done again."""
    done: list[int] = []

    async def work() -> None:
        done.append(1)
        raise RuntimeError("a bug")

    ticker = Ticker(Wall())
    ticker.start()
    ticker.repeat("sweep", SOON, work)
    async with asyncio.timeout(5):
        while len(done) < 3:
            await asyncio.sleep(0.005)
    ticker.stop()


async def test_an_arm_replaces_the_one_before() -> None:
    """A canary is woken once, at the time given last; a disarmed one never."""
    woken: list[str] = []

    async def wake(canary_id: str) -> None:
        woken.append(canary_id)

    ticker = Ticker(Wall())
    ticker.start()
    now = datetime.now(UTC)
    ticker.arm("a", now + timedelta(hours=1), wake)
    ticker.arm("a", now + SOON, wake)
    ticker.arm("b", now + SOON, wake)
    ticker.disarm("b")
    async with asyncio.timeout(5):
        while not woken:
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)
    ticker.stop()
    assert ["a"] == woken
