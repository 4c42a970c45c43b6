"""What repeats goes on whatever the wall clock does, and whatever goes wrong in it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import apscheduler.schedulers.base
import pytest

from bot.engine.ticker import Ticker

SOON = timedelta(milliseconds=10)


class SetBack(datetime):
    """The wall clock after somebody has set it back by an hour."""

    @classmethod
    def now(cls, tz: Any = None) -> "SetBack":
        back = datetime.now(tz) - timedelta(hours=1)
        return cls.fromtimestamp(back.timestamp(), tz)


async def test_what_repeats_goes_on_when_the_clock_is_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The heartbeat and the sweep that mends everybody's timers are due at once, not in an hour."""
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    ticker = Ticker()
    ticker.start()
    ticker.repeat("beat", SOON, work)
    async with asyncio.timeout(5):
        while not done:
            await asyncio.sleep(0.005)
        monkeypatch.setattr(apscheduler.schedulers.base, "datetime", SetBack)
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

    ticker = Ticker()
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

    ticker = Ticker()
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
