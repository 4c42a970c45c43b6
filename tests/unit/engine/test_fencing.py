"""No flip of a replica that has lost its canary stays, and no rollback waits for a store."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import ADA
from world import Bot, Now, Outside, a_start, a_store

from adapters.stores.memory import MemoryStore
from bot.core.canary import Observing, Promoted, RolledBack
from bot.core.commands import Abort
from bot.core.plan import FULL, ZERO, Weight
from bot.core.slo import Arms
from bot.core.undoing import UndoRequest
from bot.ports import PortError

ID = "shop-abc123"


class Late(Outside):
    """A router whose next flip upwards lands only when it is told to, as of a stopped process."""

    def __init__(self) -> None:
        super().__init__()
        self.holding = False
        self.held = asyncio.Event()
        self.landing = asyncio.Event()

    async def shift(self, arms: Arms[str], weight: Weight) -> None:
        if self.holding and weight > ZERO:
            self.holding = False
            self.held.set()
            await asyncio.shield(self.landing.wait())
        await super().shift(arms, weight)


class Slow(MemoryStore):
    """A store that takes its time to save, or never answers."""

    seconds = 0.0
    lost = False

    async def save(self, *args: Any) -> Any:
        if self.seconds:
            await asyncio.sleep(self.seconds)
            if self.lost:
                raise PortError("Redis did not answer in time")
        return await super().save(*args)


def now() -> datetime:
    return datetime.now(UTC)


async def settled(outside: Outside, weight: Weight) -> None:
    """Wait until the router carries this weight and goes on carrying it."""
    async with asyncio.timeout(10):
        since = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - since < 0.3:
            if outside.weights["green"] != weight:
                since = asyncio.get_running_loop().time()
            await asyncio.sleep(0.01)


async def test_a_late_flip_upwards_is_taken_back() -> None:
    """Stopped in the middle of a promotion, aborted by another replica, then woken: 0 % it is."""
    outside, store = Late(), a_store()
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await one.service.start(a_start(window=timedelta(milliseconds=200)))
    await one.until(ID, lambda c: isinstance(c.phase, Observing))
    outside.holding = True
    await asyncio.wait_for(outside.held.wait(), 10)

    await two.service.command(ID, Abort(ADA, now()))
    await two.until(ID, lambda c: isinstance(c.phase, RolledBack))
    await two.die()
    outside.landing.set()

    await settled(outside, ZERO)
    assert FULL in outside.flips, "the late flip did land"
    await one.die()


async def test_a_late_flip_upwards_does_not_take_back_an_undo() -> None:
    """Promoted by another replica and undone since: the undo is the last word, not the promotion."""
    outside, store = Late(), a_store()
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await one.service.start(a_start(window=timedelta(milliseconds=200)))
    await one.until(ID, lambda c: isinstance(c.phase, Observing))
    outside.holding = True
    await asyncio.wait_for(outside.held.wait(), 10)

    await two.service.adopt(ID)
    await two.until(ID, lambda c: c.is_finished)
    await two.service.undo(UndoRequest("shop-undo", "shop", ADA))
    await two.until("shop-undo", lambda c: c.is_finished)
    await two.die()
    outside.landing.set()

    await settled(outside, ZERO)
    assert [FULL, FULL] == [weight for weight in outside.flips if weight == FULL]
    await one.die()


async def test_a_late_flip_back_does_not_undo_a_promotion() -> None:
    """What another replica has promoted stays so, whatever a replica decides that has lost it."""
    outside, store = Outside(), Slow(Now(), silence=timedelta(milliseconds=300))
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await one.service.start(a_start(window=timedelta(minutes=1)))
    await one.until(ID, lambda c: isinstance(c.phase, Observing))
    record = await store.claim(ID, "two", 1)
    assert record is not None
    promoted = Promoted(now())
    canary = record.canary
    store.seconds = 0.6  # one's save hangs so long that it flips first
    aborting = asyncio.create_task(one.service.command(ID, Abort(ADA, now())))
    await settled(outside, ZERO)

    await MemoryStore.save(store, _ended(record, canary, promoted), ())
    store.seconds = 0.0
    await asyncio.gather(aborting, return_exceptions=True)

    await settled(outside, FULL)
    await one.die()
    await two.die()


def _ended(record: Any, canary: Any, phase: Promoted) -> Any:
    from dataclasses import replace

    return replace(record, canary=replace(canary, phase=phase, intents=()))


@pytest.mark.parametrize("lost", [False, True])
async def test_a_rollback_does_not_wait_for_a_store_that_hangs(lost: bool) -> None:
    """The traffic is back long before the store has answered, or given up."""
    outside, store = Outside(), Slow(Now())
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))

    store.seconds, store.lost = 3.0, lost
    aborting = asyncio.create_task(bot.service.command(ID, Abort(ADA, now())))
    await settled(outside, ZERO)

    assert not aborting.done(), "the store has not answered yet"
    store.lost = False
    store.seconds = 0.0
    await aborting
    canary = await bot.until(ID, lambda c: c.is_finished)
    assert isinstance(canary.phase, RolledBack)
    assert [ZERO] == [weight for weight in outside.flips if weight == ZERO]
    await bot.die()


async def test_a_store_that_answers_is_waited_for() -> None:
    """In ordinary times everything is saved before it is done."""
    outside, store = Outside(), a_store()
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))

    seen: list[str] = []
    shift = outside.shift

    async def spied(arms: Arms[str], weight: Weight) -> None:
        record = await store.load(ID)
        assert record is not None
        seen.append(record.canary.phase.kind)
        await shift(arms, weight)

    outside.shift = spied  # type: ignore[method-assign] # a spy
    await bot.service.command(ID, Abort(ADA, now()))
    await bot.until(ID, lambda c: c.is_finished)
    await bot.die()

    assert seen == ["rolling_back"]
