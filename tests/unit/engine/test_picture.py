"""The picture comes last, once, and never in anybody's way."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import ADA
from world import Bot, Outside, a_start

from adapters.stores.memory import MemoryStore
from bot.core.canary import Canary, Observing, PendingApproval, Promoted, RolledBack
from bot.core.commands import Abort
from bot.core.effects import Note, ShowPicture
from bot.core.events import Observed, PictureShown, Prepared
from bot.core.plan import Gate
from bot.ports import PortError, Turn

ID = "shop-abc123"


def finished(canary: Canary) -> bool:
    return canary.is_finished


class Drawing(Outside):
    """A Slack that keeps the order of what it is told, and may lose pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []
        self.drawn: list[tuple[bool, int]] = []
        self.losing = 0
        self.holding = asyncio.Event()
        self.holding.set()

    async def tell(self, canary: Canary, note: Note, turn: Turn) -> None:
        await super().tell(canary, note, turn)
        self.order.append(note.topic.value)

    async def settle(self, canary: Canary, turn: Turn) -> None:
        await super().settle(canary, turn)
        self.order.append("end")

    async def picture(
        self, canary: Canary, seen: Sequence[Prepared | Observed], turn: Turn
    ) -> None:
        self.drawn.append((turn.again, sum(isinstance(one, Observed) for one in seen)))
        await self.holding.wait()
        if self.losing:
            self.losing -= 1
            raise PortError("the answer was lost")
        await super().picture(canary, seen, turn)
        self.order.append("picture")


async def a_bot(outside: Outside, store: MemoryStore, owner: str = "one") -> Bot:
    bot = Bot(outside, store, owner)
    await bot.ownership.beat()
    return bot


async def test_the_picture_comes_after_the_end_and_once(store: MemoryStore) -> None:
    """Of everything that was seen."""
    outside = Drawing()
    bot = await a_bot(outside, store)
    await bot.service.start(a_start())
    canary = await bot.until(ID, finished)
    await bot.die()

    assert ["started", "promoted", "end", "picture"] == outside.order
    assert [(False, canary.judge.looks)] == outside.drawn


async def test_a_rollback_has_a_picture_too(store: MemoryStore) -> None:
    """After a breach, its log lines and its end."""
    outside = Drawing()
    outside.error_rate = 0.5
    bot = await a_bot(outside, store)
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    canary = await bot.until(ID, finished)
    await bot.die()

    assert isinstance(canary.phase, RolledBack)
    assert ["breach", "end", "picture"] == outside.order[-3:]


async def test_a_picture_that_failed_is_tried_again_with_a_look_first(store: MemoryStore) -> None:
    """It may stand although its answer was lost."""
    outside = Drawing()
    outside.losing = 2
    bot = await a_bot(outside, store)
    await bot.service.start(a_start())
    await bot.until(ID, finished)
    await bot.die()

    assert [False, True, True] == [again for again, _ in outside.drawn]
    assert [ID] == outside.pictures


async def test_what_was_never_watched_has_no_picture(store: MemoryStore) -> None:
    """There is nothing to draw."""
    outside = Drawing()
    bot = await a_bot(outside, store)
    gate = Gate(("anyone",), timedelta(minutes=1))
    await bot.service.start(a_start(start_gate=gate))
    await bot.until(ID, lambda c: isinstance(c.phase, PendingApproval))
    await bot.service.command(ID, Abort(ADA, datetime.now(UTC)))
    await bot.until(ID, finished)
    await bot.die()

    assert [] == outside.drawn
    assert "end" == outside.order[-1]


async def test_whoever_comes_next_draws_it_and_looks_first(store: MemoryStore) -> None:
    """The one before was killed in the middle, and may have put it there."""
    outside = Drawing()
    outside.holding.clear()
    one = await a_bot(outside, store)
    await one.service.start(a_start())
    async with asyncio.timeout(10):
        while not outside.drawn:
            await asyncio.sleep(0.01)
    await one.die()
    await store.resign("one")
    outside.holding.set()

    two = await a_bot(outside, store, "two")
    canary = await two.until(ID, finished)
    await two.die()

    assert isinstance(canary.phase, Promoted)
    assert [False, True] == [again for again, _ in outside.drawn]
    assert [ID] == outside.pictures
    assert ["started", "promoted", "end", "picture"] == outside.order


async def test_a_picture_that_takes_long_keeps_nothing_waiting(store: MemoryStore) -> None:
    """The service is free for the next canary meanwhile."""
    outside = Drawing()
    outside.holding.clear()
    bot = await a_bot(outside, store)
    await bot.service.start(a_start())
    canary = await bot.until(ID, lambda c: isinstance(c.phase, Promoted) and bool(outside.drawn))
    assert not canary.is_finished
    outside.weights = {"blue": outside.weights["green"], "green": outside.weights["blue"]}
    assert isinstance(await bot.service.start(a_start(canary_id="shop-next")), Canary)
    await bot.until("shop-next", lambda c: isinstance(c.phase, Observing))
    outside.holding.set()
    await bot.until(ID, finished)
    await bot.die()


async def test_what_cannot_be_read_back_is_not_drawn_and_ends_nothing(store: MemoryStore) -> None:
    """A damaged stream costs the picture only: the record is finished without it."""

    async def damaged(_canary_id: str) -> Sequence[Prepared | Observed]:
        raise ValueError("the stream cannot be read")

    outside = Drawing()
    bot = await a_bot(outside, store)
    bot.loop.runner._past = damaged
    await bot.service.start(a_start())
    canary = await bot.until(ID, finished)
    await bot.die()
    assert canary.is_finished
    assert "picture" not in outside.order


async def test_a_picture_is_given_up_after_an_hour(store: MemoryStore) -> None:
    """What Slack does not take for so long it will never take; words are tried for ever."""
    outside = Drawing()
    outside.losing = 1000
    bot = await a_bot(outside, store)
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))
    held = bot.loop.held[ID]
    runner = bot.loop.runner
    old = replace(held.canary, last_look_at=datetime.now(UTC) - timedelta(hours=2))

    async def ours() -> None:
        """It is."""

    turn = Turn(again=False, confirm=ours)
    assert isinstance(await runner.outward(old, ShowPicture(), turn), PictureShown)
    with pytest.raises(PortError):
        await runner.outward(held.canary, ShowPicture(), turn)
    await bot.die()
