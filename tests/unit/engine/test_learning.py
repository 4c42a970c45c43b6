"""Before the first request goes to a canary, the judge has learnt stable's past."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from world import TICK, Bot, Outside, a_start, a_store

from adapters.stores.codec import observed
from bot.core import judge
from bot.core.canary import Canary, Promoted
from bot.core.events import Prepared
from bot.core.reading import Counters
from bot.core.replay import replay
from bot.core.slo import Component, NoData, Readiness
from bot.ports import MetricHistory, PortError, Snapshot

ID = "shop-abc123"


@dataclass
class Remembering(Outside):
    """A service whose metrics keep a past."""

    answer: str = "an hour"
    asked: list[tuple[str, timedelta, timedelta]] = field(default_factory=list)
    ready: bool = True

    async def history(
        self, backend: str, since: datetime, until: datetime, step: timedelta
    ) -> tuple[Snapshot, ...] | NoData:
        self.asked.append((backend, until - since, step))
        match self.answer:
            case "hangs":
                await asyncio.sleep(3600)
            case "refuses":
                raise PortError("connection refused")
            case "nothing":
                return NoData("no such series")
            case _:
                pass
        ticks = range(round((until - since) / step) + 1)
        return tuple(
            Snapshot(since + tick * step, {"s": Counters(100 * tick, tick // 2)}) for tick in ticks
        )

    async def check(self, backend: str) -> Readiness | NoData:
        revision = {"blue": "v1", "green": "v2"}[backend]
        return Readiness((Component("db", self.ready or backend == "blue"),), revision)


async def run(outside: Outside) -> tuple[Canary, Collection[Prepared]]:
    """A canary from start to end, and what was read to prepare it."""
    store = a_store()
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(milliseconds=400)))
    canary = await bot.until(ID, lambda c: c.is_finished)
    await bot.die()
    seen = observed(await store.happenings(ID))
    again = replay(canary.plan.objectives, seen)
    assert again.verdict == judge.verdict(canary.judge)
    return canary, [one for one in seen if isinstance(one, Prepared)]


async def test_stables_past_is_learnt_before_any_traffic_moves() -> None:
    """The stable backend's last 360 ticks are asked for once, and a replay knows them too."""
    outside = Remembering()
    assert isinstance(outside, MetricHistory)

    canary, prepared = await run(outside)

    assert outside.asked == [("blue", 360 * TICK, TICK)]
    assert canary.judge.past.requests == 36_000
    assert [one.memory is not None for one in prepared] == [True]
    assert any("learnt from 360 looks" in entry.text for entry in canary.timeline)


@pytest.mark.parametrize(
    ("answer", "why"),
    [("refuses", "connection refused"), ("nothing", "no such series")],
)
async def test_without_a_past_a_canary_is_judged_all_the_same(answer: str, why: str) -> None:
    """What the history's source does not say is noted, and keeps nobody from starting."""
    canary, _ = await run(Remembering(answer=answer))

    assert isinstance(canary.phase, Promoted)
    assert canary.judge.past.requests == 0
    assert any(why in entry.text for entry in canary.timeline)


async def test_metrics_that_keep_no_past_are_not_asked_for_one() -> None:
    """A source without a memory is no fault."""
    canary, _ = await run(Outside())

    assert isinstance(canary.phase, Promoted)
    assert any("keep no history" in entry.text for entry in canary.timeline)


async def test_a_past_that_does_not_come_delays_the_start_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A history that hangs is given up after its deadline."""
    monkeypatch.setattr("bot.engine.effects.PAST_DEADLINE", timedelta(milliseconds=50))

    canary, _ = await run(Remembering(answer="hangs"))

    assert isinstance(canary.phase, Promoted)
    assert any("no answer within 0.05 s" in entry.text for entry in canary.timeline)


async def test_a_revision_that_is_not_ready_is_not_worth_a_history() -> None:
    """The past is asked for when the canary can begin, not at every attempt."""
    outside, store = Remembering(ready=False), a_store()
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start())
    await bot.until(ID, lambda c: getattr(c.phase, "waiting_for", "") != "")
    await bot.die()

    assert outside.asked == []
