"""What every router promises, asked of the one in memory and of a real Envoy."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import pytest
from servers import envoy, two_backends

from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.registry import Surroundings, make
from adapters.traffic.memory import MemoryRouter, MemoryRouterOptions
from bot.core.plan import FULL, ZERO, Weight
from bot.core.slo import Arms
from bot.ports import PortError, TrafficRouter

GREEN = Arms(canary="green", stable="blue")
BLUE = Arms(canary="blue", stable="green")
START = (
    'resources: [{"@type": type.googleapis.com/envoy.service.runtime.v3.Runtime, name: rt, layer: '
    "{canary.shop.blue: 10000, canary.shop.green: 0, canary.shop.gray: 0}}]\n"
)


@pytest.fixture(params=["memory", "envoy"])
async def router(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TrafficRouter]:
    if request.param == "memory":
        shares = {"blue": Decimal(100), "green": Decimal(0), "gray": Decimal(0)}
        yield MemoryRouter(MemoryRouterOptions(split=shares))
        return
    async with AsyncExitStack() as stack:
        webs = await stack.enter_async_context(two_backends())
        ports = {name: server.port for name, server in webs.items()}
        running = await stack.enter_async_context(
            envoy(tmp_path, {**ports, "gray": ports["blue"]}, first=START)
        )
        http = await stack.enter_async_context(new_client())
        options = {
            "runtime_file": "rt.yaml",
            "admin": running.admin,
            "key": "canary.shop",
            "backends": {"blue": "blue", "green": "green", "gray": "gray"},
        }
        yield make(
            "traffic", "envoy", options, Surroundings("shop", SystemClock(), http, tmp_path)
        )


async def test_a_shift_is_what_is_read_back(router: TrafficRouter) -> None:
    """After a shift the split holds the asked weight, the rest on stable, nothing elsewhere."""
    assert await router.split() == {"blue": FULL, "green": ZERO, "gray": ZERO}
    await router.shift(GREEN, Weight.percent(5))
    assert await router.split() == {
        "blue": Weight.percent(95),
        "green": Weight.percent(5),
        "gray": ZERO,
    }


async def test_the_smallest_step_is_held_exactly(router: TrafficRouter) -> None:
    """The granularity a router claims is one it can hold."""
    await router.shift(GREEN, router.smallest)
    split = await router.split()
    assert split["green"] == router.smallest
    assert sum(share.permille for share in split.values()) == FULL.permille


async def test_the_same_shift_twice_is_the_same_shift(router: TrafficRouter) -> None:
    """Setting the weight that is set changes nothing."""
    await router.shift(GREEN, Weight.percent(20))
    before = await router.split()
    await router.shift(GREEN, Weight.percent(20))
    assert await router.split() == before


async def test_all_the_way_and_back(router: TrafficRouter) -> None:
    """Traffic can go to the canary whole, to nothing again, and the arms can change places."""
    await router.shift(GREEN, FULL)
    assert await router.split() == {"green": FULL, "blue": ZERO, "gray": ZERO}
    await router.shift(BLUE, Weight.percent("0.5"))
    assert (await router.split())["blue"] == Weight.percent("0.5")
    await router.shift(BLUE, ZERO)
    assert await router.split() == {"green": FULL, "blue": ZERO, "gray": ZERO}


async def test_other_backends_lose_their_traffic(router: TrafficRouter) -> None:
    """A backend that is no arm of the shift carries nothing after it."""
    await router.shift(Arms(canary="gray", stable="blue"), Weight.percent(30))
    await router.shift(GREEN, Weight.percent(5))
    assert (await router.split())["gray"] == ZERO


@pytest.mark.parametrize(
    ("arms", "says"),
    [
        (Arms(canary="grene", stable="blue"), "no backend 'grene'; known: blue, green, gray"),
        (Arms(canary="green", stable="azure"), "no backend 'azure'; known: blue, green, gray"),
        (Arms(canary="green", stable="green"), "cannot be both"),
    ],
)
async def test_arms_that_do_not_exist_move_nothing(
    router: TrafficRouter, arms: Arms[str], says: str
) -> None:
    """A shift of unknown or equal arms is refused with the known ones, and nothing is changed."""
    await router.shift(GREEN, Weight.percent(5))
    before = await router.split()
    with pytest.raises(PortError, match=says):
        await router.shift(arms, Weight.percent(50))
    assert await router.split() == before
