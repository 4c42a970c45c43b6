"""Subscribers are told of every milestone, in order, by whichever replica has the canary."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from world import Bot, Outside, a_start

from adapters.stores.memory import MemoryStore
from bot.core.canary import Canary, Observing
from bot.core.effects import Milestone
from bot.engine import publishing
from bot.ports import Declined, Notice, PortError

ID = "shop-abc123"
BOTH = ("webhook:ci", "github")


@dataclass
class Listener:
    """Hears what it is told, unless it is away."""

    heard: list[Notice] = field(default_factory=list)
    trouble: Exception | None = None
    hangs: bool = False
    tries: int = 0

    async def notify(self, notice: Notice) -> None:
        self.tries += 1
        if self.hangs:
            await asyncio.sleep(3600)
        if self.trouble is not None:
            raise self.trouble
        self.heard.append(notice)

    @property
    def milestones(self) -> list[str]:
        return [notice.milestone.value for notice in self.heard]


@pytest.fixture
def ci() -> Listener:
    return Listener()


@pytest.fixture
def github() -> Listener:
    return Listener()


@pytest.fixture
async def bot(
    outside: Outside, store: MemoryStore, ci: Listener, github: Listener
) -> AsyncIterator[Bot]:
    made = Bot(outside, store, "one", subscribers={"webhook:ci": ci, "github": github})
    await made.ownership.beat()
    yield made
    await made.die()


def finished(canary: Canary) -> bool:
    return canary.is_finished


async def test_every_subscriber_hears_of_every_milestone_once_and_in_order(
    bot: Bot, ci: Listener, github: Listener
) -> None:
    await bot.service.start(a_start(subscribers=BOTH))
    await bot.until(ID, finished)
    assert ["started", "observing", "promoting", "promoted"] == ci.milestones
    assert ci.milestones == github.milestones
    assert [1, 2, 3, 4] == [notice.number for notice in ci.heard]
    assert len({notice.id for notice in ci.heard}) == 4


async def test_one_that_is_away_keeps_neither_another_nor_the_canary_waiting(
    bot: Bot, outside: Outside, ci: Listener, github: Listener
) -> None:
    """It is told all of it, in order, once it is back; the canary is not finished before."""
    ci.trouble = PortError("the receiver is down")
    await bot.service.start(a_start(subscribers=BOTH))
    ended = await bot.until(ID, lambda c: c.is_ended and len(github.heard) == 4)
    assert not ended.is_finished
    assert "promoted" in outside.topics
    assert not ci.heard
    ci.trouble = None
    await bot.until(ID, finished)
    assert ["started", "observing", "promoting", "promoted"] == ci.milestones


async def test_what_will_never_be_taken_is_given_up(bot: Bot, ci: Listener) -> None:
    ci.trouble = Declined("this address is gone for good")
    await bot.service.start(a_start(subscribers=BOTH))
    await bot.until(ID, finished)
    assert ci.tries == 4


@pytest.mark.parametrize("trouble", [RuntimeError("a bug in it"), ValueError("another")])
async def test_a_fault_in_a_subscriber_is_tried_again(
    bot: Bot, ci: Listener, github: Listener, trouble: Exception
) -> None:
    ci.trouble = trouble
    await bot.service.start(a_start(subscribers=BOTH))
    await bot.until(ID, lambda c: ci.tries > 1 and len(github.heard) == 4)
    ci.trouble = None
    await bot.until(ID, finished)


async def test_one_that_hangs_is_given_up_after_a_day_at_most(
    bot: Bot, ci: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time it is waited for only so long."""
    monkeypatch.setattr(publishing, "DEADLINE", timedelta(milliseconds=50))
    monkeypatch.setattr(publishing, "GIVEN_UP_AFTER", timedelta(0))
    ci.hangs = True
    await bot.service.start(a_start(subscribers=BOTH))
    await bot.until(ID, finished)
    assert not ci.heard


async def test_another_replica_tells_what_the_first_could_not(
    outside: Outside, store: MemoryStore, bot: Bot, ci: Listener, github: Listener
) -> None:
    """What was intended is told by whoever adopts the canary; nothing is forgotten."""
    ci.trouble = PortError("the receiver is down")
    await bot.service.start(a_start(subscribers=BOTH, window=timedelta(seconds=3)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))
    await bot.die()
    heir = Listener()
    other = Bot(outside, store, "two", subscribers={"webhook:ci": heir, "github": github})
    try:
        async with asyncio.timeout(10):
            while ID not in other.service.held:
                await other.ownership.beat()
                await asyncio.sleep(0.05)
        await other.until(ID, finished)
    finally:
        await other.die()
    assert ["started", "observing", "promoting", "promoted"] == heir.milestones


async def test_a_subscriber_that_is_configured_no_more_is_forgotten(bot: Bot) -> None:
    await bot.service.start(a_start(subscribers=("webhook:gone",)))
    assert (await bot.until(ID, finished)).milestones == 4


async def test_a_rollback_is_told_with_its_cause(bot: Bot, outside: Outside, ci: Listener) -> None:
    outside.error_rate = 0.9
    await bot.service.start(a_start(subscribers=BOTH, window=timedelta(seconds=5)))
    await bot.until(ID, finished)
    assert [Milestone.ROLLING_BACK, Milestone.ROLLED_BACK] == [
        notice.milestone for notice in ci.heard[-2:]
    ]
    assert "rolling back" in ci.heard[-2].detail
