"""When nobody is left to watch a canary, it does not keep its traffic for ever."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from builders import NOON
from world import Bot, Outside, a_start, a_store

from adapters.stores.memory import MemoryStore
from bot.core.canary import Observing
from bot.core.plan import FULL, ZERO, Weight
from bot.engine.guard import Guard
from bot.ports import PortError, ServicePorts

AFTER = timedelta(minutes=2)
CANARY = {"blue": Weight.percent(95), "green": Weight.percent(5)}


class Moving:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def pass_(self, **span: float) -> None:
        self.at += timedelta(**span)


class Unreachable(MemoryStore):
    """A store that nobody can reach."""

    async def anyone(self) -> bool:
        raise PortError("Redis does not answer")

    async def live(self, service: str) -> None:
        raise PortError("Redis does not answer")


@pytest.fixture
def clock() -> Moving:
    return Moving()


@pytest.fixture
def outside() -> Outside:
    return Outside(weights=dict(CANARY))


def guard_of(outside: Outside, store: MemoryStore, clock: Moving) -> Guard:
    return Guard({"shop": ServicePorts(outside)}, store, clock, AFTER)


async def silence(guard: Guard, clock: Moving, span: timedelta = AFTER) -> tuple[str, ...]:
    """Two looks, that far apart."""
    assert await guard.look() == ()
    clock.at += span
    return await guard.look()


async def test_a_canary_nobody_watches_goes_down(outside: Outside, clock: Moving) -> None:
    """After the limit of silence its traffic is on stable, read back."""
    guard = guard_of(outside, MemoryStore(clock), clock)

    taken = await silence(guard, clock)

    assert taken == ("shop",)
    assert outside.weights == {"blue": FULL, "green": ZERO}


async def test_nothing_happens_before_the_limit(outside: Outside, clock: Moving) -> None:
    """A restart of the bot is no death."""
    guard = guard_of(outside, MemoryStore(clock), clock)

    assert await silence(guard, clock, AFTER - timedelta(seconds=1)) == ()
    assert outside.flips == []


async def test_a_single_heartbeat_begins_the_silence_anew(outside: Outside, clock: Moving) -> None:
    """One replica is enough, and what was counted before it does not count."""
    store = MemoryStore(clock)
    guard = guard_of(outside, store, clock)
    await guard.look()
    clock.pass_(minutes=1)
    await store.beat("one")
    await guard.look()
    clock.pass_(seconds=90)

    assert await guard.look() == ()
    clock.pass_(minutes=3)
    assert await guard.look() == ("shop",)


async def test_a_store_that_cannot_be_reached_is_silence(outside: Outside, clock: Moving) -> None:
    """The guard cannot tell whether the bot lives, and stable is the safe side."""
    guard = guard_of(outside, Unreachable(clock), clock)

    assert await silence(guard, clock) == ("shop",)
    assert outside.weights["green"] == ZERO


async def test_the_live_record_says_which_arm_is_the_canary(clock: Moving) -> None:
    """Though the canary carries more than half, it is the canary that goes down."""
    outside, store = Outside(), a_store()
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until("shop-abc123", lambda c: isinstance(c.phase, Observing))
    await bot.die()
    outside.weights = {"blue": Weight.percent(10), "green": Weight.percent(90)}
    clock.at = datetime.now(UTC) + timedelta(hours=1)
    store._clock = clock  # the heartbeat is to be an hour old

    assert await silence(guard_of(outside, store, clock), clock) == ("shop",)
    assert outside.weights == {"blue": FULL, "green": ZERO}


@pytest.mark.parametrize("weights", [{"blue": FULL, "green": ZERO}, {"blue": ZERO, "green": FULL}])
async def test_a_router_with_one_backend_is_left_alone(
    clock: Moving, weights: dict[str, Weight]
) -> None:
    """Without a canary there is nothing to take down, dead bot or not."""
    outside = Outside(weights=dict(weights))

    assert await silence(guard_of(outside, MemoryStore(clock), clock), clock) == ()
    assert outside.flips == []


def down(outside: Outside) -> None:
    outside.router_down = True


def lies(outside: Outside) -> None:
    outside.router_lies = True


@pytest.mark.parametrize("broken", [down, lies])
async def test_what_fails_is_tried_again(
    outside: Outside, clock: Moving, broken: Callable[[Outside], None]
) -> None:
    """A router that does not answer, or does not do as it says, is asked at the next look."""
    guard = guard_of(outside, MemoryStore(clock), clock)
    broken(outside)
    assert await silence(guard, clock) == ()

    outside.router_down = outside.router_lies = False

    assert await guard.look() == ("shop",)
    assert outside.weights["green"] == ZERO
    assert await guard.look() == ()
