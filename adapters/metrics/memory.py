"""Counters in memory, for a first look and for tests: settable, and able to go blind."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from adapters.clock import SystemClock
from adapters.registry import Surroundings
from bot.core.reading import Counters, Instances, Reading
from bot.core.slo import Arms, NoData
from bot.ports import Clock

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the latency buckets, in seconds."""


class MemoryMetricsOptions(BaseModel):
    """Backends that are known from the start, without a request; others appear when counted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backends: tuple[str, ...] = ()


class MemoryMetrics:
    """Holds counters by backend and instance; a test sets them and takes them away.

    Attributes:
        counters: what is told, by backend and instance.
        failing: by backend, why it cannot be read now.
        blind: why nothing can be read; "" when it can.
        at: when the counters were true; None for the clock's now.

    """

    Options: ClassVar[type[BaseModel]] = MemoryMetricsOptions

    def __init__(
        self,
        options: MemoryMetricsOptions | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        backends = options.backends if options else ()
        self.counters: dict[str, Instances] = {name: {"1": Counters(0, 0)} for name in backends}
        self.failing: dict[str, str] = {}
        self.blind = ""
        self.at: datetime | None = None
        self._clock: Clock = surroundings.clock if surroundings else SystemClock()

    def count(
        self,
        backend: str,
        requests: int,
        errors: int = 0,
        seconds: float | None = None,
        instance: str = "1",
    ) -> None:
        """Add requests, each of which took `seconds`; None for no latency."""
        before = self.counters.setdefault(backend, {}).get(instance, Counters(0, 0))
        buckets, timed = before.buckets, before.timed
        if seconds is not None:
            known = dict(buckets)
            timed += requests
            buckets = tuple(
                (bound, known.get(bound, 0) + (requests if seconds <= bound else 0))
                for bound in BOUNDS
            )
        self.counters[backend][instance] = Counters(
            before.requests + requests, before.errors + errors, buckets, timed
        )

    def restart(self, backend: str, instance: str = "1") -> None:
        """Let an instance begin again at zero."""
        self.counters.setdefault(backend, {})[instance] = Counters(0, 0)

    def remove(self, backend: str, instance: str = "1") -> None:
        """Take an instance away."""
        del self.counters[backend][instance]

    async def read(self, arms: Arms[str]) -> Reading | NoData:
        """Both arms' counters as they were set."""
        if self.blind:
            return NoData(self.blind)
        canary, stable = self._arm(arms.canary), self._arm(arms.stable)
        if isinstance(canary, NoData) and isinstance(stable, NoData):
            return NoData(f"canary: {canary.reason}; stable: {stable.reason}")
        return Reading(self.at or self._clock.now(), canary, stable)

    def _arm(self, backend: str) -> Instances | NoData:
        if backend in self.failing:
            return NoData(self.failing[backend])
        instances = self.counters.get(backend)
        if not instances:
            known = ", ".join(self.counters) or "none"
            return NoData(f"there are no counters of {backend!r}; known: {known}")
        return dict(instances)
