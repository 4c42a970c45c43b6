"""A promotion is taken back through the engine: once, whatever dies, and never by mistake."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import ADA, GRACE, NOON
from world import Bot, Now, Outside, a_start

from adapters.stores.memory import MemoryStore
from bot.core.canary import Canary, Observing, Promoted, RolledBack, RollingBack
from bot.core.commands import Abort
from bot.core.effects import Topic
from bot.core.machine import Refused
from bot.core.orphans import stray
from bot.core.plan import FULL, ZERO, Gate, Split, Weight
from bot.core.slo import Component, NoData, Readiness
from bot.core.undoing import UndoRequest
from bot.engine.effects import EffectRunner
from bot.engine.guard import Guard
from bot.engine.orphans import Home, Orphans
from bot.ports import PortError, ServicePorts

ID, UNDO = "shop-abc123", "shop-undo"


def request(canary_id: str = UNDO, promoted: str = "") -> UndoRequest:
    return UndoRequest(canary_id, "shop", GRACE, "it is slow", promoted)


def finished(canary: Canary) -> bool:
    return canary.is_finished


async def promoted(bot: Bot) -> Canary:
    await bot.service.start(a_start())
    canary = await bot.until(ID, finished)
    assert isinstance(canary.phase, Promoted)
    return canary


def reason(answer: Canary | Refused) -> str:
    assert isinstance(answer, Refused), answer
    return answer.reason


async def test_all_traffic_goes_back_and_the_promotion_stays_on_record(
    bot: Bot, outside: Outside
) -> None:
    """One flip, one note in the same thread; what was undone is as it was."""
    before = await promoted(bot)
    told = len(outside.notes)

    answer = await bot.service.undo(request())
    assert isinstance(answer, Canary)
    undone = await bot.until(UNDO, finished)

    assert isinstance(undone.phase, RolledBack)
    assert ("undo", GRACE) == (undone.phase.cause.kind, undone.phase.cause.by)
    assert {"blue": FULL, "green": ZERO} == outside.weights
    assert ZERO == outside.flips[-1]
    assert [Topic.ROLLED_BACK] == [note.topic for note in outside.notes[told:]]
    assert [ID] == outside.posts
    assert before.thread == undone.thread
    assert before == await bot.service.find(ID)


async def test_a_new_canary_just_works_afterwards(bot: Bot, outside: Outside) -> None:
    """Of the same revision, through the same arms."""
    await promoted(bot)
    await bot.service.undo(request())
    await bot.until(UNDO, finished)

    await bot.service.start(a_start(canary_id="shop-next"))
    canary = await bot.until("shop-next", finished)

    assert isinstance(canary.phase, Promoted)
    assert FULL == outside.weights["green"]
    again = await bot.service.undo(request("shop-undo2"))
    assert isinstance(again, Canary)
    assert "shop-next" == again.undoes


async def test_an_undo_is_possible_while_slack_is_away(bot: Bot, outside: Outside) -> None:
    """The promotion is not even told yet; the traffic waits for nobody."""
    outside.slack_down = True
    await bot.service.start(a_start())
    await bot.until(ID, lambda c: isinstance(c.phase, Promoted))
    await bot.service.undo(request())
    await bot.until(UNDO, lambda c: isinstance(c.phase, RolledBack))
    assert ZERO == outside.weights["green"]

    outside.slack_down = False
    await bot.until(UNDO, finished)
    await bot.until(ID, finished)
    assert 1 == outside.topics.count(Topic.PROMOTED)
    assert 1 == outside.topics.count(Topic.ROLLED_BACK)


class Stable(Outside):
    """A service whose stable backend can be made unfit."""

    answer: Readiness | NoData = Readiness((Component("db", True),), "v1")

    async def check(self, backend: str) -> Readiness | NoData:
        return self.answer if backend == "blue" else await super().check(backend)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Readiness((Component("db", False, "stopped"),), "v1"), "not warm any more (db: stopped)"),
        (Readiness((Component("db", True),), "v3"), "blue runs v3 by now, not v1"),
    ],
)
async def test_a_stable_that_cannot_take_the_traffic_gets_none(
    store: MemoryStore, answer: Readiness, said: str
) -> None:
    """It is said why, and nothing is flipped or put on record."""
    outside = Stable()
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await promoted(bot)
    outside.answer = answer
    flips = list(outside.flips)

    answered = reason(await bot.service.undo(request()))
    await bot.die()

    assert said in answered
    assert "Nothing changed" in answered
    assert flips == outside.flips
    assert await store.load(UNDO) is None


async def test_a_split_router_is_not_undone(bot: Bot, outside: Outside) -> None:
    """Somebody has a hand on it."""
    await promoted(bot)
    outside.weights = {"green": Weight.percent(60), "blue": Weight.percent(40)}
    assert "does not carry v2 at 100 % any more" in reason(await bot.service.undo(request()))
    outside.router_down = True
    assert "cannot be read" in reason(await bot.service.undo(request()))


async def test_nothing_to_undo_is_said_so(bot: Bot) -> None:
    """Without a canary, after a rollback, and for a service that nobody knows."""
    assert "no canary that moved traffic" in reason(await bot.service.undo(request()))
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))
    assert "is under observation" in reason(await bot.service.undo(request()))
    await bot.service.command(ID, Abort(ADA, datetime.now(UTC)))
    await bot.until(ID, finished)
    assert "did not end with a promotion" in reason(await bot.service.undo(request()))
    other = replace(request(), service="cart")
    assert "cart had no canary" in reason(await bot.service.undo(other))


async def test_a_canary_that_waits_for_its_start_keeps_an_undo_off(bot: Bot) -> None:
    """It would begin from the arms as they are now."""
    await promoted(bot)
    gate = Gate(("anyone",), timedelta(minutes=1))
    await bot.service.start(a_start(canary_id="shop-next", start_gate=gate))
    assert "waits for somebody" in reason(await bot.service.undo(request()))


async def test_a_rejected_start_does_not_hide_the_promotion(bot: Bot, outside: Outside) -> None:
    """It has moved no traffic."""
    await promoted(bot)
    await bot.service.start(a_start(canary_id="shop-next", revision="v2"))
    await bot.until("shop-next", finished)
    assert isinstance(await bot.service.undo(request(promoted=ID)), Canary)
    await bot.until(UNDO, finished)
    assert ZERO == outside.weights["green"]


async def test_a_button_on_an_older_promotion_is_refused(bot: Bot) -> None:
    """The person has looked at another rollout than the last one."""
    await promoted(bot)
    assert "another rollout since" in reason(await bot.service.undo(request(promoted="shop-old")))


async def test_of_two_undos_at_once_one_wins(outside: Outside, store: MemoryStore) -> None:
    """On two replicas in the same moment; the loser hears what is under way."""
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await two.ownership.beat()
    await promoted(one)
    flips = len(outside.flips)

    answers = await asyncio.gather(
        one.service.undo(request("shop-u1")), two.service.undo(request("shop-u2"))
    )
    (won,) = [answer for answer in answers if isinstance(answer, Canary)]
    winner = one if won.id == "shop-u1" else two
    await winner.until(won.id, finished)
    (lost,) = [answer for answer in answers if isinstance(answer, Refused)]
    await one.die()
    await two.die()

    assert "shop" in lost.reason
    assert flips + 1 == len(outside.flips)
    assert 1 == outside.topics.count(Topic.ROLLED_BACK)


class SlowToSay(Outside):
    """A router that once takes its time to tell its split."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self.slow = False

    async def split(self) -> Split:
        split = await super().split()
        if self.slow:
            self.slow = False
            self.asked.set()
            await self.go.wait()
        return split


async def test_an_undo_that_looked_too_long_does_not_do_it_again(store: MemoryStore) -> None:
    """While it waited for the router, another one was through with it."""
    outside = SlowToSay()
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await promoted(bot)
    outside.slow = True
    late = asyncio.create_task(bot.service.undo(request("shop-late")))
    await outside.asked.wait()
    await bot.service.undo(request())
    await bot.until(UNDO, finished)
    outside.go.set()

    assert "another rollout since" in reason(await late)
    await bot.die()
    assert await store.load("shop-late") is None


async def test_an_undo_survives_the_bot_that_was_asked(
    outside: Outside, store: MemoryStore
) -> None:
    """Killed before the router had taken it: whoever comes next flips, and it is told once."""
    one = Bot(outside, store, "one")
    await one.ownership.beat()
    await promoted(one)
    outside.router_down = False
    outside.router_hangs = True
    await one.service.undo(request())
    async with asyncio.timeout(5):
        while ZERO not in outside.flips:
            await asyncio.sleep(0.01)
    await one.die()
    await store.resign("one")
    outside.router_hangs = False
    assert FULL == outside.weights["green"]

    two = Bot(outside, store, "two")
    await two.ownership.beat()
    canary = await two.until(UNDO, finished)
    await two.die()

    assert isinstance(canary.phase, RolledBack)
    assert "undo" == canary.phase.cause.kind
    assert ZERO == outside.weights["green"]
    assert 1 == outside.topics.count(Topic.ROLLED_BACK)


async def test_an_undo_without_a_store_changes_nothing(
    bot: Bot, outside: Outside, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an error that is said, and no flip without a record."""
    await promoted(bot)
    flips = list(outside.flips)

    async def away(*_: object) -> None:
        raise PortError("Redis cannot be reached")

    monkeypatch.setattr(store, "create", away)
    with pytest.raises(PortError):
        await bot.service.undo(request())
    assert flips == outside.flips


def orphans_of(bot: Bot, outside: Outside, store: MemoryStore) -> Orphans:
    ports = ServicePorts(outside, outside, outside, outside)
    return Orphans(
        store=store,
        runner=EffectRunner({"shop": ports}, outside, Now()),
        service=bot.service,
        clock=Now(),
        homes={"shop": Home(a_start().plan, "C0DEPLOYS")},
        new_canary_id=lambda _: "shop-orphan",
    )


async def test_an_undo_is_no_orphan(
    bot: Bot, outside: Outside, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while it runs nor afterwards; a late flip upwards is taken back after it."""
    monkeypatch.setattr("bot.engine.orphans.SURE_AFTER", timedelta(0))
    orphans = orphans_of(bot, outside, store)
    await promoted(bot)
    outside.router_lies = True
    await bot.service.undo(request())
    for _ in range(3):
        await orphans.look()
    outside.router_lies = False
    await bot.until(UNDO, finished)
    for _ in range(3):
        await orphans.look()
    assert await store.load("shop-orphan") is None
    assert {"blue": FULL, "green": ZERO} == outside.weights

    outside.weights = {"green": FULL, "blue": ZERO}
    await orphans.look()
    assert ZERO == outside.weights["green"]


class Later:
    """A clock that is told the time."""

    at = NOON

    def now(self) -> datetime:
        return self.at


async def unwatched(store: MemoryStore, outside: Outside) -> tuple[Guard, Later]:
    """A guard whose bots are all gone, and its clock."""
    clock = Later()
    silent = MemoryStore(clock, silence=timedelta(seconds=1))
    silent.__dict__.update(store.__dict__)
    await store.resign("one")
    guard = Guard({"shop": ServicePorts(outside)}, silent, clock, timedelta(seconds=1))
    async with asyncio.timeout(5):
        while await store.anyone():
            await asyncio.sleep(0.05)
    return guard, clock


async def test_after_an_undo_a_stray_split_goes_back_to_stable(
    bot: Bot, outside: Outside, store: MemoryStore
) -> None:
    """To the arm that is stable now, for the orphan's finder and the guard alike."""
    await promoted(bot)
    await bot.service.undo(request())
    last = await bot.until(UNDO, finished)
    outside.weights = {"green": Weight.percent(70), "blue": Weight.percent(30)}
    found = stray(outside.weights, last)
    assert found is not None
    assert ("green", "blue") == (found.canary, found.stable)

    await bot.die()
    guard, clock = await unwatched(store, outside)
    await guard.look()
    clock.at += timedelta(minutes=5)
    assert ("shop",) == await guard.look()
    assert {"blue": FULL, "green": ZERO} == outside.weights


async def test_the_guard_finishes_an_undo_that_nobody_is_left_to_do(
    outside: Outside, store: MemoryStore
) -> None:
    """It is decided and on record; no split is needed to see which way the traffic belongs."""
    one = Bot(outside, store, "one")
    await one.ownership.beat()
    await promoted(one)
    outside.router_lies = True
    await one.service.undo(request())
    canary = await one.service.find(UNDO)
    await one.die()
    assert canary is not None
    assert isinstance(canary.phase, RollingBack)
    outside.router_lies = False
    assert {"blue": ZERO, "green": FULL} == outside.weights

    guard, clock = await unwatched(store, outside)
    await guard.look()
    clock.at += timedelta(minutes=5)
    assert ("shop",) == await guard.look()
    assert {"blue": FULL, "green": ZERO} == outside.weights


async def test_an_undo_is_the_last_word_although_a_clock_is_behind(
    bot: Bot, store: MemoryStore, outside: Outside
) -> None:
    """It is newer than what it takes back, so it cannot be undone as well."""
    ahead = datetime.now(UTC) + timedelta(hours=1)
    await bot.service.start(a_start(at=ahead))
    await bot.until(ID, finished)
    await bot.service.undo(request())
    await bot.until(UNDO, finished)
    assert [UNDO, ID] == [canary.id for canary in await store.recent("shop", 2)]
    assert "did not end with a promotion" in reason(await bot.service.undo(request("shop-u2")))
    assert ZERO == outside.weights["green"]
