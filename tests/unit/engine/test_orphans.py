"""Traffic on a canary that nobody remembers is put on record, judged, and rolled back in the end."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import ADA, GRACE, NOON, a_canary
from world import Bot, Now, Outside, a_start

from adapters.stores.memory import MemoryStore
from bot.core.canary import AwaitingDecision, Canary, Observing, Promoted, Rejected, RolledBack
from bot.core.commands import Abort, Approve
from bot.core.effects import Topic
from bot.core.orphans import stray
from bot.core.plan import FULL, ZERO, Gate, Split, Weight
from bot.core.slo import Arms
from bot.engine.effects import EffectRunner
from bot.engine.orphans import Home, Orphans
from bot.ports import PortError, ServicePorts

ID = "shop-abc123"
FIVE, REST = Weight.percent(5), Weight.percent(95)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds and minutes in life takes moments here."""
    monkeypatch.setattr("bot.engine.orphans.SURE_AFTER", timedelta(milliseconds=30))
    monkeypatch.setattr("bot.engine.orphans.GRACE", timedelta(milliseconds=400))


def watch(
    bot: Bot, outside: Outside, store: MemoryStore, canary_id: str = "shop-orphan"
) -> Orphans:
    plan = a_start(decision=timedelta(minutes=1)).plan
    plan = replace(plan, decision=Gate(("S0APPROVE",), timedelta(minutes=1)))
    ports = ServicePorts(outside, outside, outside, outside)
    return Orphans(
        store=store,
        runner=EffectRunner({"shop": ports}, outside, Now()),
        service=bot.service,
        clock=Now(),
        homes={"shop": Home(plan, "C0DEPLOYS")},
        new_canary_id=lambda _: canary_id,
    )


async def look_until_sure(orphans: Orphans) -> None:
    await orphans.look()
    await asyncio.sleep(0.05)
    await orphans.look()


def finished(canary: Canary) -> bool:
    return canary.is_finished


async def test_a_canary_without_a_record_is_reported_and_rolled_back(
    bot: Bot, outside: Outside, store: MemoryStore
) -> None:
    """The store came back empty: people are asked, and silence sends the traffic back."""
    outside.weights = {"blue": REST, "green": FIVE}

    await look_until_sure(watch(bot, outside, store))
    canary = await bot.until("shop-orphan", finished)

    assert isinstance(canary.phase, RolledBack)
    assert canary.phase.cause.kind == "no_decision"
    assert (canary.revision, canary.arms) == ("v2", Arms("green", "blue"))
    assert ZERO == outside.weights["green"]
    assert [Topic.DECISION_NEEDED, Topic.ROLLED_BACK] == outside.topics
    assert "green carries 5 % of shop's traffic, and no record says why" in outside.notes[0].detail


async def test_somebody_may_claim_it(
    bot: Bot, outside: Outside, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may decide for the service may promote it; who may not, may not."""
    monkeypatch.setattr("bot.engine.orphans.GRACE", timedelta(minutes=1))
    outside.weights = {"blue": REST, "green": FIVE}
    await look_until_sure(watch(bot, outside, store))

    refused = await bot.service.command("shop-orphan", Approve(ADA, datetime.now(UTC), "orphan"))
    await bot.service.command("shop-orphan", Approve(GRACE, datetime.now(UTC), "orphan"))
    canary = await bot.until("shop-orphan", finished)

    assert "You may not approve" in str(refused)
    assert isinstance(canary.phase, Promoted)
    assert FULL == outside.weights["green"]


async def test_an_orphan_is_judged_while_it_waits(
    bot: Bot, outside: Outside, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A breach does not wait for the grace to end."""
    monkeypatch.setattr("bot.engine.orphans.GRACE", timedelta(minutes=1))
    outside.weights, outside.error_rate = {"blue": REST, "green": FIVE}, 0.5

    await look_until_sure(watch(bot, outside, store))
    canary = await bot.until("shop-orphan", finished)

    assert isinstance(canary.phase, RolledBack)
    assert canary.phase.cause.kind == "breach"


async def test_a_flip_that_lands_after_the_rollback_is_taken_back(
    bot: Bot, outside: Outside, store: MemoryStore
) -> None:
    """The router had not answered; all traffic on the canary is no promotion by hand then."""
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))
    await bot.service.command(ID, Abort(ADA, datetime.now(UTC)))
    await bot.until(ID, finished)
    eyes = watch(bot, outside, store)
    await eyes.look()

    outside.weights = {"blue": ZERO, "green": FULL}
    await eyes.look()

    assert {"blue": FULL, "green": ZERO} == outside.weights
    assert () == tuple(eyes.suspects)


async def test_a_promotion_by_hand_long_after_a_rollback_is_respected(
    bot: Bot, outside: Outside, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody deployed without the bot."""
    monkeypatch.setattr("bot.engine.orphans.LATE", timedelta(0))
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))
    await bot.service.command(ID, Abort(ADA, datetime.now(UTC)))
    await bot.until(ID, finished)
    eyes = watch(bot, outside, store)

    outside.weights = {"blue": ZERO, "green": FULL}
    await eyes.look()

    assert {"blue": ZERO, "green": FULL} == outside.weights


async def test_two_replicas_find_it_once(outside: Outside, store: MemoryStore) -> None:
    """One record, one message."""
    outside.weights = {"blue": REST, "green": FIVE}
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await two.ownership.beat()
    first, second = watch(one, outside, store, "shop-1"), watch(two, outside, store, "shop-2")
    await asyncio.gather(first.look(), second.look())
    await asyncio.sleep(0.05)

    await asyncio.gather(first.look(), second.look())
    live = await one.service.live("shop")
    assert live is not None
    holder = one if live.id in one.loop.held else two
    await holder.until(live.id, lambda c: c.thread is not None)
    await one.die()
    await two.die()

    assert [live.id] == outside.posts


async def test_a_live_canary_is_no_orphan(bot: Bot, outside: Outside, store: MemoryStore) -> None:
    """Its record explains the split, whoever holds it."""
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until("shop-abc123", lambda c: isinstance(c.phase, Observing))
    orphans = watch(bot, outside, store)

    await look_until_sure(orphans)

    assert not orphans.suspects
    assert await store.load("shop-orphan") is None


async def test_a_split_that_passes_is_no_orphan(
    bot: Bot, outside: Outside, store: MemoryStore
) -> None:
    """One look is not enough: an end is saved a moment after its flip."""
    orphans = watch(bot, outside, store)
    outside.weights = {"blue": REST, "green": FIVE}
    await orphans.look()
    assert ["shop"] == list(orphans.suspects)

    outside.weights = {"blue": FULL, "green": ZERO}
    await asyncio.sleep(0.05)
    await orphans.look()

    assert not orphans.suspects
    assert await store.load("shop-orphan") is None


@pytest.mark.parametrize("broken", ["router", "store"])
async def test_what_cannot_be_asked_is_asked_again(
    bot: Bot, outside: Outside, store: MemoryStore, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A router or a store that is away proves nothing."""
    outside.weights = {"blue": REST, "green": FIVE}
    orphans = watch(bot, outside, store)
    outside.router_down = broken == "router"

    async def away(_: str) -> None:
        raise PortError("Redis does not answer")

    with monkeypatch.context() as patched:
        if broken == "store":
            patched.setattr(store, "live", away)
        await look_until_sure(orphans)
        assert not orphans.suspects
    outside.router_down = False
    await look_until_sure(orphans)

    canary = await bot.service.find("shop-orphan")
    assert canary is not None
    assert isinstance(canary.phase, AwaitingDecision)


@pytest.mark.parametrize(
    ("split", "arms"),
    [
        ({"blue": REST, "green": FIVE}, Arms("green", "blue")),
        ({"blue": FIVE, "green": REST}, Arms("blue", "green")),
        ({"blue": FULL, "green": ZERO}, None),
        ({"blue": Weight(500), "green": Weight(500)}, Arms("blue", "green")),
        ({"a": Weight(900), "b": Weight(50), "c": Weight(50)}, None),
        ({}, None),
    ],
)
def test_the_heavier_arm_is_stable_where_nobody_knows(
    split: Split, arms: Arms[str] | None
) -> None:
    """Without a last canary the router's own weights are all there is."""
    assert stray(split, None) == arms


def test_the_last_canary_knows_which_arm_is_stable() -> None:
    """After a promotion that is its arm, after a rollback the other, whatever the weights say."""
    split = {"blue": FIVE, "green": REST}
    back = a_canary(phase=Rejected("not ready", NOON))
    up = a_canary(phase=Promoted(NOON))

    assert stray(split, back) == Arms("green", "blue")
    assert stray(split, up) == Arms("blue", "green")
