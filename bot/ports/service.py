"""What a service is watched and steered by; an adapter is built from that service's options."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from bot.core.plan import Split, Weight
from bot.core.reading import Instances, Reading
from bot.core.slo import Arms, LogCounts, NoData, Readiness


class TrafficRouter(Protocol):
    """Splits a service's traffic over its backends."""

    @property
    def smallest(self) -> Weight:
        """The finest step this router can make."""
        ...

    @property
    def durable(self) -> bool:
        """Whether weights survive the router's restart."""
        ...

    async def split(self) -> Split:
        """Read the split from the router itself, never from memory.

        Raises:
            PortError: the router cannot be read.

        """
        ...

    async def shift(self, arms: Arms[str], weight: Weight) -> None:
        """Give the canary arm this weight and the stable arm the rest.

        Idempotent: setting the same weight again changes nothing. Returns once the router has
        acknowledged; the caller reads back.

        Raises:
            PortError: the router refused, or cannot be reached; nothing or all of it was done.

        """
        ...


class MetricSource(Protocol):
    """Counts a service's requests."""

    async def read(self, arms: Arms[str]) -> Reading | NoData:
        """Both arms' counters as they stand now, by instance.

        An arm that cannot be read is `NoData` inside the reading; counters that are too old are
        `NoData` as well, never a zero.
        """
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One backend's counters as they stood at a moment in the past, by instance."""

    at: datetime
    instances: Instances


@runtime_checkable
class MetricHistory(Protocol):
    """A metric source that remembers."""

    async def history(
        self, backend: str, since: datetime, until: datetime, step: timedelta
    ) -> tuple[Snapshot, ...] | NoData:
        """One backend's counters at every `step` in `(since, until]`, oldest first.

        Moments at which nothing was fresh are left out. `NoData` when it cannot be asked.
        """
        ...


class LogSource(Protocol):
    """Reads a service's log."""

    async def events(
        self, arms: Arms[str], since: datetime, until: datetime
    ) -> Arms[LogCounts] | NoData:
        """Error lines of both arms in `[since, until)`, counted by signature, redacted."""
        ...

    async def lines(
        self, arms: Arms[str], since: datetime, until: datetime, limit: int
    ) -> tuple[str, ...]:
        """The canary's newest error lines in `[since, until)`, redacted, newest last.

        Best effort: empty when they cannot be read.
        """
        ...


class ReadinessProbe(Protocol):
    """Asks a backend how it is."""

    async def check(self, backend: str) -> Readiness | NoData:
        """The backend's components one by one, and the revision it runs where it tells.

        A backend that does not answer is not ready: one component that says why. `NoData` is
        for a probe that could not even ask.
        """
        ...


@dataclass(frozen=True, slots=True)
class ServicePorts:
    """One service's adapters; a source that is not configured is None and is not judged."""

    router: TrafficRouter
    metrics: MetricSource | None = None
    logs: LogSource | None = None
    readiness: ReadinessProbe | None = None


Services = Mapping[str, ServicePorts]
"""The adapters of every configured service by its name."""
