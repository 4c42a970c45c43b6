"""What is told is told once, by the canary's owner, and how it ended is shown in the end."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import ADA
from world import Bot, Now, Outside, a_start

from adapters.stores.memory import MemoryStore
from bot.core.canary import (
    Canary,
    Observing,
    Paused,
    Promoted,
    RolledBack,
    RollingBack,
    Thread,
)
from bot.core.commands import Approve, Pause
from bot.core.effects import Note, ShowEnd, Topic
from bot.core.events import Ticked
from bot.core.plan import FULL, ZERO, Gate
from bot.ports import Conflict, PortError, Turn

ID = "shop-abc123"


class Forgetful(Outside):
    """A Slack that posts, and loses the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[Turn] = []
        self.losing = 1

    async def open(self, canary: Canary, turn: Turn) -> Thread:
        self.turns.append(turn)
        if self.losing:
            self.losing -= 1
            raise PortError("Slack did not answer")
        return await super().open(canary, turn)


class Holding(Outside):
    """A Slack in which a post waits for its turn until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting, self.go = asyncio.Event(), asyncio.Event()
        self.holding = True

    async def tell(self, canary: Canary, note: Note, turn: Turn) -> None:
        if self.holding and note.topic is Topic.PROMOTED:
            self.holding = False
            self.waiting.set()
            await self.go.wait()
        await turn.confirm()
        await super().tell(canary, note, turn)


async def taken_over(outside: Outside, store: MemoryStore, when: asyncio.Event) -> tuple[Bot, Bot]:
    """A canary's first owner, which does not know that it has lost it, and the one that ended it."""
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await one.service.start(a_start())
    await when.wait()
    await two.service.adopt(ID)
    await two.until(ID, lambda c: c.is_finished)
    return one, two


async def test_a_post_is_looked_for_after_its_answer_was_lost(store: MemoryStore) -> None:
    """The first time there is nothing to look for; after a failure there may be."""
    outside = Forgetful()
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start())
    await bot.until(ID, lambda c: c.is_finished)
    await bot.die()

    assert [False, True] == [turn.again for turn in outside.turns]


async def test_whoever_takes_over_looks_before_posting(store: MemoryStore) -> None:
    """The one before may have posted and died before the answer came."""
    outside = Forgetful()
    outside.slack_down = True
    one = Bot(outside, store, "one")
    await one.ownership.beat()
    await one.service.start(a_start(window=timedelta(minutes=1)))
    await one.until(ID, lambda c: isinstance(c.phase, Observing))
    await one.die()
    await store.resign("one")
    outside.turns.clear()

    two = Bot(outside, store, "two")
    await two.ownership.beat()
    async with asyncio.timeout(5):
        while not outside.turns:
            await asyncio.sleep(0.01)
    await two.die()

    assert outside.turns[0].again


async def test_a_replica_that_lost_its_canary_while_waiting_says_nothing(
    store: MemoryStore,
) -> None:
    """Its note was told by the new owner; the thread holds it once."""
    outside = Holding()
    one, two = await taken_over(outside, store, outside.waiting)

    outside.go.set()
    async with asyncio.timeout(5):
        while ID in one.service.held:
            await asyncio.sleep(0.01)
    await one.die()
    await two.die()

    assert [Topic.STARTED, Topic.PROMOTED] == outside.topics


class Late(Outside):
    """A Slack to which a post is on its way while its sender stands still."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.lands = asyncio.Event(), asyncio.Event()

    async def tell(self, canary: Canary, note: Note, turn: Turn) -> None:
        await turn.confirm()
        if note.topic is Topic.PROMOTED and not self.sent.is_set():
            self.sent.set()
            await self.lands.wait()
        await super().tell(canary, note, turn)


async def test_a_post_that_lands_after_its_canary_was_lost_is_taken_back(
    store: MemoryStore,
) -> None:
    """The new owner looked, found nothing, and said it; then the first one's post landed."""
    outside = Late()
    one, two = await taken_over(outside, store, outside.sent)
    assert [] == outside.retracted

    outside.lands.set()
    async with asyncio.timeout(5):
        while not outside.retracted:
            await asyncio.sleep(0.01)
    await one.die()
    await two.die()

    (note,) = outside.retracted
    assert note is not None
    assert Topic.PROMOTED == note.topic


async def test_how_it_ended_is_shown_by_whoever_comes_next(
    bot: Bot, outside: Outside, store: MemoryStore
) -> None:
    """All was told and the last edit was not made when the bot died: another one makes it."""
    await bot.service.start(a_start())
    await bot.until(ID, lambda c: c.is_finished)
    record = await store.load(ID)
    assert record is not None
    undone = replace(record.canary, intents=(ShowEnd(),))
    await store.save(replace(record, canary=undone), ())
    await bot.die()
    await store.resign("one")
    outside.shown.clear()

    two = Bot(outside, store, "two")
    await two.ownership.beat()
    canary = await two.until(ID, lambda c: c.is_finished)
    await two.die()

    assert isinstance(canary.phase, Promoted)
    assert any(isinstance(shown.phase, Promoted) for shown in outside.shown)
    assert [Topic.STARTED, Topic.PROMOTED] == outside.topics


class Away(MemoryStore):
    """A store that is away for those who ask through it."""

    def __init__(self, whole: MemoryStore) -> None:
        super().__init__(Now())
        self.__dict__.update(whole.__dict__)
        self.away = False

    async def load(self, canary_id: str) -> Any:
        self._ask()
        return await super().load(canary_id)

    async def save(self, *args: Any) -> Any:
        self._ask()
        return await super().save(*args)

    async def beat(self, owner: str) -> None:
        self._ask()
        await super().beat(owner)

    def _ask(self) -> None:
        if self.away:
            raise PortError("Redis cannot be reached")


async def breached_alone(outside: Outside, store: Away) -> Bot:
    """A replica that has seen a breach and flipped the traffic back while it had no store."""
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing) and bool(c.thread))
    store.away, outside.error_rate = True, 0.9
    async with asyncio.timeout(10):
        while outside.weights["green"] != ZERO:
            await asyncio.sleep(0.01)
    return bot


async def test_nothing_is_told_that_is_not_saved(store: MemoryStore) -> None:
    """While the store is away the traffic goes back; the words wait, or another would say others."""
    outside, mine = Outside(), Away(store)
    bot = await breached_alone(outside, mine)
    await asyncio.sleep(0.3)
    assert Topic.BREACH not in outside.topics

    mine.away = False
    await bot.until(ID, lambda c: c.is_finished)
    await bot.die()
    assert [Topic.BREACH] == outside.topics[-1:]
    assert 1 == outside.topics.count(Topic.BREACH)


async def test_a_replica_that_knows_old_news_does_not_refuse(store: MemoryStore) -> None:
    """It lost the canary without noticing; the click is taken as of what the canary is now."""
    outside = Outside()
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await two.ownership.beat()
    gate = Gate((ADA.id,), timedelta(minutes=5))
    await one.service.start(a_start(window=timedelta(minutes=1), start_gate=gate))
    await two.service.command(ID, Approve(ADA, datetime.now(UTC), "start"))
    await two.until(ID, lambda c: isinstance(c.phase, Observing))

    answer = await one.service.command(ID, Pause(ADA, datetime.now(UTC)))
    seen = await one.service.live("shop")
    await one.die()
    await two.die()

    assert isinstance(answer, Canary)
    assert isinstance(answer.phase, Paused)
    assert isinstance(seen and seen.phase, Paused)


async def test_what_was_decided_without_the_store_is_written_before_anything_is_adopted(
    store: MemoryStore,
) -> None:
    """The heartbeat that finds the store back brings the breach with its reasons."""
    outside, mine = Outside(), Away(store)
    bot = await breached_alone(outside, mine)

    mine.away = False
    await bot.ownership.beat()

    record = await store.load(ID)
    await bot.die()
    assert record is not None
    assert isinstance(record.canary.phase, RollingBack | RolledBack)
    assert "breach" == record.canary.phase.cause.kind


async def test_a_breach_that_another_replica_never_heard_of_stays_a_breach(
    store: MemoryStore,
) -> None:
    """One acted upon it while it could not write, another took the canary: it is told as it was."""
    outside, mine = Outside(), Away(store)
    one, two = await breached_alone(outside, mine), Bot(outside, store, "two")
    outside.error_rate = 0.0
    await two.service.adopt(ID)

    mine.away = False
    await one.ownership.beat()

    canary = await two.until(ID, lambda c: isinstance(c.phase, RolledBack))
    await one.die()
    await two.die()
    assert isinstance(canary.phase, RolledBack)
    assert "breach" == canary.phase.cause.kind
    assert canary.phase.cause.findings


async def test_a_breach_that_came_too_late_for_a_promotion_undoes_it(store: MemoryStore) -> None:
    """One acted upon it while it could not write, another promoted: what was decided holds."""
    outside, mine = Outside(), Away(store)
    one = await breached_alone(outside, mine)
    record = await store.claim(ID, "two", 1)
    assert record is not None
    promoted = replace(
        record.canary, phase=Promoted(datetime.now(UTC)), asked=FULL, next_look_at=None, intents=()
    )
    await store.save(replace(record, canary=promoted), ())
    outside.weights = {"blue": ZERO, "green": FULL}

    mine.away = False
    await one.ownership.beat()

    async with asyncio.timeout(10):
        while outside.weights["green"] != ZERO:
            await asyncio.sleep(0.01)
    (last, *_) = await one.service.recent("shop", 1)
    await one.die()
    assert ID == last.undoes
    assert "decided while the store was away" in last.reason


async def test_after_an_outage_the_others_may_first_say_that_they_live(store: MemoryStore) -> None:
    """Everybody's heartbeat has run out; a canary changes hands only when its owner is gone."""
    outside, mine = Outside(), Away(store)
    one, two = Bot(outside, store, "one"), Bot(outside, mine, "two")
    await one.ownership.beat()
    await one.service.start(a_start(window=timedelta(minutes=1)))
    mine.away = True
    await two.ownership.beat()
    await asyncio.sleep(0.4)  # longer than the silence after which an owner is taken for dead

    mine.away = False
    await two.ownership.beat()
    assert ID not in two.service.held

    async with asyncio.timeout(10):
        while ID not in two.service.held:
            await asyncio.sleep(0.1)
            await two.ownership.beat()
    await one.die()
    await two.die()


async def test_what_waits_for_its_turn_does_nothing_for_a_canary_that_was_let_go(
    bot: Bot, outside: Outside, store: MemoryStore
) -> None:
    """A tick that waited while the canary was lost must not take it up again."""
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing) and bool(c.thread))
    held = bot.loop.held[ID]
    async with held.lock:
        waiting = asyncio.create_task(bot.loop.handle(held, Ticked(datetime.now(UTC))))
        await asyncio.sleep(0)
        bot.loop.let_go(held)

    with pytest.raises(Conflict):
        await waiting
    assert ID not in bot.service.held
    assert [ID] == outside.posts
