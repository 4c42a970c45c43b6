"""What is told is told once, by the canary's owner, and how it ended is shown in the end."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from world import Bot, Outside, a_start

from adapters.stores.memory import MemoryStore
from bot.core.canary import Canary, Observing, Promoted, Thread
from bot.core.effects import Note, ShowEnd, Topic
from bot.ports import PortError, Turn

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
        if self.holding:
            self.holding = False
            self.waiting.set()
            await self.go.wait()
        await turn.confirm()
        await super().tell(canary, note, turn)


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
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await one.service.start(a_start())
    await outside.waiting.wait()
    await two.service.adopt(ID)
    await two.until(ID, lambda c: c.is_finished)

    outside.go.set()
    async with asyncio.timeout(5):
        while ID in one.service.held:
            await asyncio.sleep(0.01)
    await one.die()
    await two.die()

    assert [Topic.PROMOTED] == outside.topics


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
    assert [Topic.PROMOTED] == outside.topics
