"""What every metric source promises: in memory, scraped, and through a real Prometheus."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from exposed import Exposed
from servers import prometheus, wait_until

from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.metrics.memory import MemoryMetrics
from adapters.registry import Surroundings, make
from bot.core.reading import Reading, Tally, advance
from bot.core.slo import Arms, NoData, Traffic
from bot.ports import MetricSource

ARMS = Arms(canary="green", stable="blue")
NAMES = ("1", "2")


class Stage:
    """A source, and the two instances of each backend it tells of."""

    def __init__(self, source: MetricSource) -> None:
        self.source = source

    async def count(
        self,
        backend: str,
        requests: int,
        errors: int = 0,
        seconds: float | None = None,
        instance: str = "1",
    ) -> None:
        raise NotImplementedError

    async def restart(self, backend: str, instance: str) -> None:
        raise NotImplementedError

    async def kill(self, backend: str) -> None:
        raise NotImplementedError

    async def read_when(self, fits: Callable[[Reading | NoData], bool]) -> Reading | NoData:
        """Read until the source has caught up with what was done."""
        seen: list[Reading | NoData] = []

        async def caught_up() -> bool:
            seen.append(await self.source.read(ARMS))
            return fits(seen[-1])

        await wait_until(caught_up, f"the source has caught up: {seen[-1:]}", 30)
        return seen[-1]

    async def totals(self, canary: int, stable: int) -> Reading:
        """Read until both arms have so many requests, all instances taken together."""
        reading = await self.read_when(lambda told: _totals(told) == (canary, stable))
        assert isinstance(reading, Reading)
        return reading


class InMemory(Stage):
    """Counters in memory."""

    def __init__(self) -> None:
        self.metrics = MemoryMetrics()
        super().__init__(self.metrics)

    async def count(
        self,
        backend: str,
        requests: int,
        errors: int = 0,
        seconds: float | None = None,
        instance: str = "1",
    ) -> None:
        self.metrics.count(backend, requests, errors, seconds, instance)

    async def restart(self, backend: str, instance: str) -> None:
        self.metrics.restart(backend, instance)

    async def kill(self, backend: str) -> None:
        self.metrics.failing[backend] = f"{backend} cannot be reached"


class OverHttp(Stage):
    """Counters behind real endpoints."""

    def __init__(self, source: MetricSource, instances: dict[str, dict[str, Exposed]]) -> None:
        super().__init__(source)
        self.instances = instances

    async def count(
        self,
        backend: str,
        requests: int,
        errors: int = 0,
        seconds: float | None = None,
        instance: str = "1",
    ) -> None:
        self.instances[backend][instance].count(requests, errors, seconds)

    async def restart(self, backend: str, instance: str) -> None:
        self.instances[backend][instance].restart()

    async def kill(self, backend: str) -> None:
        for instance in self.instances[backend].values():
            await instance.web.stop()


@pytest.fixture(
    params=[
        "memory",
        "openmetrics",
        pytest.param("prometheus", marks=pytest.mark.external_service),
    ]
)
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    if request.param == "memory":
        yield InMemory()
        return
    instances = {backend: {name: Exposed() for name in NAMES} for backend in ("blue", "green")}
    async with AsyncExitStack() as stack:
        for exposed in (one for own in instances.values() for one in own.values()):
            await exposed.web.start()
            stack.push_async_callback(exposed.web.stop)
        http = await stack.enter_async_context(new_client())
        options: dict[str, object] = {"preset": "http"}
        if request.param == "openmetrics":
            options["urls"] = {b: [e.url for e in own.values()] for b, own in instances.items()}
        else:
            ports = {b: [e.web.port for e in own.values()] for b, own in instances.items()}
            url = await stack.enter_async_context(prometheus(tmp_path, ports))
            options |= {"url": url, "arm_label": "backend", "max_age": "3s"}
        around = Surroundings("shop", SystemClock(), http, tmp_path)
        yield OverHttp(make("metrics", request.param, options, around), instances)


def _totals(told: Reading | NoData) -> tuple[int, int] | None:
    if isinstance(told, NoData) or isinstance(told.canary, NoData):
        return None
    if isinstance(told.stable, NoData):
        return None
    canary, stable = told.canary.values(), told.stable.values()
    return sum(c.requests for c in canary), sum(c.requests for c in stable)


def since(tally: Tally | None, reading: Reading) -> tuple[Tally, Arms[Traffic]]:
    after, traffic = advance(tally, reading)
    assert after is not None
    assert isinstance(traffic, Arms)
    return after, traffic


async def begin(stage: Stage) -> Tally:
    """A thousand requests on each arm's first instance, ten on its second, as the beginning."""
    for backend in ("blue", "green"):
        await stage.count(backend, 1000, errors=7, seconds=0.06)
        await stage.count(backend, 10, seconds=0.06, instance="2")
    tally, traffic = since(None, await stage.totals(1010, 1010))
    assert traffic.canary.requests == traffic.stable.requests == 0
    return tally


async def test_what_happened_between_two_readings_is_exact(stage: Stage) -> None:
    """Requests, errors and latencies between two readings are counted to the last one."""
    tally = await begin(stage)
    await stage.count("green", 41, errors=3, seconds=0.3)
    await stage.count("blue", 400, seconds=0.06)
    _, traffic = since(tally, await stage.totals(1051, 1410))
    assert (traffic.canary.requests, traffic.canary.errors) == (41, 3)
    assert (traffic.stable.requests, traffic.stable.errors) == (400, 0)
    assert traffic.canary.latency.above(0.1) == 41
    assert traffic.stable.latency.above(0.1) == 0
    assert traffic.stable.latency.total == 400


async def test_all_instances_of_an_arm_count(stage: Stage) -> None:
    """What two instances of one arm did adds up."""
    tally = await begin(stage)
    await stage.count("green", 5, errors=1)
    await stage.count("green", 6, errors=2, instance="2")
    _, traffic = since(tally, await stage.totals(1021, 1010))
    assert (traffic.canary.requests, traffic.canary.errors) == (11, 3)


async def test_a_restarted_instance_counts_from_zero(stage: Stage) -> None:
    """Of an instance that began anew all it has counted is new, and none of what it had before."""
    tally = await begin(stage)
    await stage.restart("green", "1")
    await stage.count("green", 20, instance="1", seconds=0.06)
    await stage.count("blue", 30)
    _, traffic = since(tally, await stage.totals(30, 1040))
    assert (traffic.canary.requests, traffic.canary.errors) == (20, 0)
    assert (traffic.stable.requests, traffic.stable.errors) == (30, 0)


async def test_the_first_errors_ever_are_counted(stage: Stage) -> None:
    """An arm that never had an error has zero, and its first ones are not missed."""
    for backend in ("blue", "green"):
        for name in NAMES:
            await stage.count(backend, 50, instance=name)
    tally, _ = since(None, await stage.totals(100, 100))
    await stage.count("green", 4, errors=4)
    _, traffic = since(tally, await stage.totals(104, 100))
    assert (traffic.canary.errors, traffic.stable.errors) == (4, 0)


async def test_an_arm_that_is_gone_is_no_data_and_the_other_still_is(stage: Stage) -> None:
    """An arm that cannot be read is blind, with a reason; never a zero, nor an old count."""
    await begin(stage)
    await stage.kill("green")
    told = await stage.read_when(
        lambda told: isinstance(told, Reading) and isinstance(told.canary, NoData)
    )
    assert isinstance(told, Reading)
    assert isinstance(told.canary, NoData)
    assert told.canary.reason
    assert isinstance(told.stable, dict)


async def test_all_arms_gone_is_no_data(stage: Stage) -> None:
    """With both arms gone there is no reading at all."""
    await begin(stage)
    await stage.kill("green")
    await stage.kill("blue")
    told = await stage.read_when(lambda told: isinstance(told, NoData))
    assert isinstance(told, NoData)
    assert told.reason


async def test_an_unknown_arm_is_no_data(stage: Stage) -> None:
    """A backend the source never heard of is blind, by its name."""
    await begin(stage)
    told = await stage.source.read(Arms(canary="grene", stable="blue"))
    assert isinstance(told, Reading)
    assert isinstance(told.canary, NoData)
    assert "grene" in told.canary.reason
