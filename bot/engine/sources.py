"""Reading everything outside: what fails, hangs or is not configured becomes `NoData`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from bot.core.plan import Split
from bot.core.reading import Reading
from bot.core.slo import Arms, LogCounts, NoData, Readiness
from bot.ports import (
    MetricHistory,
    PortError,
    ReadinessProbe,
    ServicePorts,
    Snapshot,
    TrafficRouter,
)

T = TypeVar("T")

READ_DEADLINE: Final = timedelta(seconds=5)

log = structlog.get_logger()


async def read_split(router: TrafficRouter) -> Split | NoData:
    """How a router splits its traffic, within the deadline, or why it cannot be read."""
    return await read("router", router.split)


async def read(
    source: str, reading: Callable[[], Awaitable[T | NoData]], deadline: timedelta = READ_DEADLINE
) -> T | NoData:
    """What a source says, or why it cannot be heard within the deadline."""
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            return await heard(source, reading)
    except TimeoutError:
        return _late(deadline)


async def all_of(
    *readings: tuple[str, Callable[[], Awaitable[Any]]], deadline: timedelta = READ_DEADLINE
) -> list[Any]:
    """What several sources say at the same time; one deadline, since this is done at every tick."""
    tasks = [asyncio.ensure_future(heard(source, reading)) for source, reading in readings]
    try:
        done, _ = await asyncio.wait(tasks, timeout=deadline.total_seconds())
    finally:
        for task in tasks:
            if not task.done():
                task.cancel()
    return [task.result() if task in done else _late(deadline) for task in tasks]


def _late(deadline: timedelta) -> NoData:
    return NoData(f"no answer within {deadline.total_seconds():g} s")


async def heard(source: str, reading: Callable[[], Awaitable[T | NoData]]) -> T | NoData:
    """What a source says, or why it cannot be heard; it may take as long as it likes."""
    try:
        return await reading()
    except PortError as error:
        return NoData(str(error))
    except Exception as error:  # a faulty adapter is a source that cannot be seen
        log.exception("source.adapter_failed", source=source)
        return NoData(f"the {source} adapter failed: {error!r}")


async def counted(ports: ServicePorts, arms: Arms[str]) -> Reading | NoData:
    """Both arms' counters as they stand."""
    return await ports.metrics.read(arms) if ports.metrics else NoData("not configured")


async def counted_before(
    ports: ServicePorts, backend: str, since: datetime, until: datetime, step: timedelta
) -> tuple[Snapshot, ...] | NoData:
    """One backend's counters in the past, where the metrics keep one."""
    source = ports.metrics
    if not isinstance(source, MetricHistory):
        return NoData("its metrics keep no history")
    return await source.history(backend, since, until, step)


async def logged(
    ports: ServicePorts, arms: Arms[str], since: datetime, until: datetime
) -> Arms[LogCounts] | NoData:
    """Both arms' error lines."""
    if ports.logs is None:
        return NoData("not configured")
    return await ports.logs.events(arms, since, until)


async def check(probe: ReadinessProbe, backend: str) -> Readiness | NoData:
    """How one backend is."""
    return await read("readiness", lambda: probe.check(backend))


async def both_ready(probe: ReadinessProbe | None, arms: Arms[str]) -> Arms[Readiness] | NoData:
    """How both arms are; without one of them nothing can be compared."""
    if probe is None:
        return NoData("not configured")
    canary, stable = await asyncio.gather(
        *(heard("readiness", partial(probe.check, arm)) for arm in (arms.canary, arms.stable))
    )
    if isinstance(canary, NoData):
        return canary
    if isinstance(stable, NoData):
        return stable
    return Arms(canary, stable)
