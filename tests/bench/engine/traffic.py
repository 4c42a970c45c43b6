"""Traffic that was never sent: counters of healthy services, the same for all processes of a run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from bot.core.reading import Counters, Instances, Reading
from bot.core.slo import Arms, NoData
from bot.ports import MetricSource

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the latency buckets, in seconds."""

INSTANCES: Final = 4
"""Of each arm."""

RATE: Final = 20.0
"""Requests a second of a service, both arms together."""

SHARE: Final = 0.05
"""The canary's part of them."""

ERRORS: Final = 0.005
SECONDS: Final = 1200
PROFILES: Final = 64
BACKLOG: Final = timedelta(hours=3)
"""How long the services have been counting when a run begins."""


class Trace:
    """Instances' counters by the second; after twenty minutes the same happens again.

    Args:
        began_at: when the run began.

    """

    def __init__(self, began_at: datetime) -> None:
        self._zero = began_at - BACKLOG
        random = np.random.default_rng(20260302)
        rates = {"green": RATE * SHARE / INSTANCES, "blue": RATE * (1 - SHARE) / INSTANCES}
        self._tables = {arm: _table(random, rate) for arm, rate in rates.items()}

    def instances(self, service: int, backend: str, at: datetime) -> Instances:
        """The counters of a service's backend, "blue" or "green", as they stand at a moment."""
        cycle, second = divmod(int((at - self._zero).total_seconds()), SECONDS)
        table = self._tables[backend]
        return {
            f"{backend}-{number}": _counters(
                table[(service * INSTANCES + number) % PROFILES], cycle, second
            )
            for number in range(INSTANCES)
        }

    def reading(self, service: int, arms: Arms[str], at: datetime) -> Reading:
        """Both arms of a service as they stand at a moment."""
        return Reading(
            at,
            self.instances(service, arms.canary, at),
            self.instances(service, arms.stable, at),
        )


def _table(random: np.random.Generator, rate: float) -> Any:
    """By profile and second, cumulative: requests, errors, and requests at or below each bound."""
    size = (PROFILES, SECONDS)
    slower = _beyond_each_bound()
    layers = [random.poisson(rate * share, size) for share in slower]
    buckets = np.cumsum(np.stack(layers[:-1], axis=-1), axis=-1)
    requests = np.sum(np.stack(layers, axis=-1), axis=-1)
    errors = random.binomial(requests, ERRORS)
    return np.cumsum(np.concatenate([np.stack([requests, errors], axis=-1), buckets], -1), axis=1)


def _beyond_each_bound() -> list[float]:
    """The share of requests in each latency bucket: log-normal, 40 ms in the middle."""
    random = np.random.default_rng(1)
    seconds = random.lognormal(np.log(0.04), 0.8, 100_000)
    counts, _ = np.histogram(seconds, bins=[0.0, *BOUNDS, np.inf])
    return [float(count) / len(seconds) for count in counts]


def _counters(table: Any, cycle: int, second: int) -> Counters:
    requests, errors, *buckets = (table[second] + cycle * table[-1]).tolist()
    return Counters(requests, errors, tuple(zip(BOUNDS, buckets, strict=True)), requests)


@dataclass(slots=True)
class Lags:
    """How late looks began, in seconds, since the last `clear`."""

    seconds: list[float] = field(default_factory=list)

    def clear(self) -> None:
        """Forget what was seen so far."""
        self.seconds.clear()


class Simulated:
    """A `MetricSource` of one service of the trace."""

    def __init__(self, trace: Trace, service: int, now: Callable[[], datetime]) -> None:
        self._trace = trace
        self._service = service
        self._now = now

    async def read(self, arms: Arms[str]) -> Reading | NoData:
        """See `MetricSource.read`."""
        return self._trace.reading(self._service, arms, self._now())


class Breaking:
    """A `MetricSource` that stands still until a moment, and then shows what is a breach."""

    def __init__(
        self, readings: tuple[Reading, Reading], breaks_at: str, now: Callable[[], datetime]
    ) -> None:
        self._before, self._after = readings
        self._breaks_at = datetime.fromisoformat(breaks_at)
        self._now = now

    async def read(self, _arms: Arms[str]) -> Reading | NoData:
        """See `MetricSource.read`."""
        return self._after if self._now() >= self._breaks_at else self._before


class Timed:
    """A `MetricSource` that notes how long after its time each look asks for it.

    Args:
        due_at: when the first look is due; the next ones follow on the grid of `tick`.

    """

    def __init__(
        self,
        source: MetricSource,
        lags: Lags,
        now: Callable[[], datetime],
        due_at: datetime,
        tick: timedelta,
    ) -> None:
        self._source = source
        self._lags = lags
        self._now = now
        self._due_at = due_at
        self._tick = tick
        self.seen = False

    async def read(self, arms: Arms[str]) -> Reading | NoData:
        """See `MetricSource.read`."""
        late = self._now() - self._due_at
        if late < -self._tick / 2:  # the engine gave up fewer looks than was thought
            self._due_at += self._tick * (late // self._tick + 1)
            late = self._now() - self._due_at
        self.seen = True
        self._lags.seconds.append(late.total_seconds())
        self._due_at += self._tick * max(1, late // self._tick + 1)
        return await self._source.read(arms)
