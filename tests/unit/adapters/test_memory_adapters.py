"""The adapters in memory misbehave as they are told to."""

import asyncio

import pytest
from builders import NOON

from adapters.metrics.memory import MemoryMetrics, MemoryMetricsOptions
from adapters.traffic.memory import MemoryRouter
from bot.core.plan import FULL, ZERO, Weight
from bot.core.reading import Counters, Reading
from bot.core.slo import Arms, NoData
from bot.ports import PortError

ARMS = Arms(canary="green", stable="blue")
FIVE = Weight.percent(5)


async def test_a_router_fails_as_often_as_told() -> None:
    """Calls fail for as long as was said, and shifts that failed did nothing."""
    router = MemoryRouter()
    router.fail_next(2, "no")
    with pytest.raises(PortError, match="no"):
        await router.shift(ARMS, FIVE)
    with pytest.raises(PortError, match="no"):
        await router.split()
    assert await router.split() == {"blue": FULL, "green": ZERO}
    router.down = "gone"
    for _ in range(3):
        with pytest.raises(PortError, match="gone"):
            await router.split()
    assert router.shifts == [(ARMS, FIVE)]


async def test_a_router_lies_and_ignores() -> None:
    """A shift can be acknowledged and not done, and a split can be untrue."""
    router = MemoryRouter()
    router.ignoring = True
    await router.shift(ARMS, FIVE)
    assert await router.split() == {"blue": FULL, "green": ZERO}
    router.lie = {"blue": ZERO, "green": FULL}
    assert await router.split() == {"blue": ZERO, "green": FULL}


async def test_a_slow_router_waits_for_its_release() -> None:
    """A held router finishes no call before it is released."""
    router = MemoryRouter()
    router.hold()
    shift = asyncio.create_task(router.shift(ARMS, FIVE))
    await asyncio.sleep(0)
    assert not shift.done()
    router.release()
    await shift
    assert (await router.split())["green"] == FIVE


async def test_metrics_go_blind_and_stand_still() -> None:
    """Counters can be hidden, taken away, and be of a time that does not go on."""
    metrics = MemoryMetrics(MemoryMetricsOptions(backends=("blue", "green")))
    metrics.at = NOON
    metrics.count("green", 3, instance="2")
    counters = {"1": Counters(0, 0), "2": Counters(3, 0)}
    assert await metrics.read(ARMS) == Reading(NOON, counters, {"1": Counters(0, 0)})
    metrics.remove("green", "1")
    reading = await metrics.read(ARMS)
    assert isinstance(reading, Reading)
    assert reading.canary == {"2": Counters(3, 0)}
    metrics.blind = "night"
    assert await metrics.read(ARMS) == NoData("night")
