"""What is measured and what is held up: indicators, objectives, and a sample of both arms."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, Literal, TypeVar

from bot.core.tuning import Tuning

T = TypeVar("T")


class Sli(StrEnum):
    """A service level indicator the judge knows."""

    ERRORS = "errors"
    P95 = "latency_p95"
    P99 = "latency_p99"
    READINESS = "readiness"
    LOGS = "logs"


@dataclass(frozen=True, slots=True)
class Arms(Generic[T]):
    """One thing for the canary arm beside the same thing for the stable arm."""

    canary: T
    stable: T


@dataclass(frozen=True, slots=True)
class NoData:
    """Nothing could be read, and why; never the same as a zero."""

    reason: str
    kind: Literal["no_data"] = "no_data"


@dataclass(frozen=True, slots=True)
class Histogram:
    """Latencies counted by bucket.

    Attributes:
        bounds: upper bounds in seconds, rising; the last bucket has none.
        counts: requests in each bucket (not cumulative), one more than there are bounds.

    """

    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.bounds) + 1:
            raise ValueError("a histogram has one more count than it has bounds")

    @classmethod
    def of_cumulative(cls, bounds: tuple[float, ...], cumulative: Sequence[int]) -> "Histogram":
        """From requests at or below each bound, and all of them last.

        A scrape taken mid-update may step back by a few, which is clipped.
        """
        counts, seen = [], 0
        for count in cumulative:
            counts.append(max(0, count - seen))
            seen = max(seen, count)
        return cls(bounds, tuple(counts))

    @property
    def total(self) -> int:
        """All requests counted."""
        return sum(self.counts)

    def above(self, bound: float) -> int:
        """Requests slower than `bound` seconds, which must be one of the bounds."""
        return sum(self.counts[self.bounds.index(bound) + 1 :])

    def plus(self, other: "Histogram") -> "Histogram":
        """Both added up; where the bounds differ the shared ones are kept, which stays exact."""
        if not self.total:
            return other
        if not other.total:
            return self
        if self.bounds == other.bounds:
            return Histogram(
                self.bounds, tuple(a + b for a, b in zip(self.counts, other.counts, strict=True))
            )
        shared = tuple(bound for bound in self.bounds if bound in other.bounds)
        return self.coarsened(shared).plus(other.coarsened(shared))

    def coarsened(self, bounds: tuple[float, ...]) -> "Histogram":
        """The same requests over fewer bounds."""
        cumulative = [self.total - self.above(bound) for bound in bounds] + [self.total]
        counts = [high - low for low, high in zip([0, *cumulative], cumulative, strict=False)]
        return Histogram(bounds, tuple(counts))

    def quantile(self, q: float) -> float | None:
        """Estimate the q-quantile in seconds, linear inside its bucket.

        None without requests; the last bound when the quantile lies above it (as Prometheus'
        histogram_quantile does).
        """
        if not self.total or not self.bounds:
            return None
        rank, seen, low = q * self.total, 0, 0.0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            if count and seen + count >= rank:
                return low + (bound - low) * (rank - seen) / count
            seen, low = seen + count, bound
        return self.bounds[-1]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one arm did in one window; counts, not ratios."""

    requests: int = 0
    errors: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def plus(self, other: "Traffic") -> "Traffic":
        """Both added up."""
        return Traffic(
            self.requests + other.requests,
            self.errors + other.errors,
            self.latency.plus(other.latency),
        )

    @property
    def error_rate(self) -> float | None:
        """Errors a request, or None without requests."""
        return self.errors / self.requests if self.requests else None


@dataclass(frozen=True, slots=True)
class LogEvents:
    """Log lines of one signature in one window: how many, and one of them, redacted."""

    count: int
    example: str


@dataclass(frozen=True, slots=True)
class Component:
    """Whether one thing a revision depends on (db, mount, queue) answers, and if not, why."""

    name: str
    ready: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What one arm says of itself: its components and, where it tells, the revision it runs.

    Attributes:
        restarts: how often its processes were restarted so far, where that is known.

    """

    components: tuple[Component, ...]
    revision: str | None = None
    restarts: int | None = None

    @property
    def failing(self) -> tuple[Component, ...]:
        """The components that are not ready."""
        return tuple(component for component in self.components if not component.ready)


LogCounts = dict[str, LogEvents]
"""Log events by signature."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What both arms did in the same window `[start, end)`.

    Attributes:
        instances: stable's share of `traffic` by instance, where a source tells them apart.

    """

    start: datetime
    end: datetime
    traffic: Arms[Traffic] | NoData
    logs: Arms[LogCounts] | NoData
    readiness: Arms[Readiness] | NoData
    instances: dict[str, Traffic] | None = None


@dataclass(frozen=True, slots=True)
class Objectives:
    """What the canary is held to; the defaults serve a service that configured nothing.

    Attributes:
        watched: the indicators that have a source; the others are not judged.
        alpha: chance, for a whole canary, that a healthy one is rolled back; every level of the
            judge derives from it.
        error_margin: ratio of error rates, canary to stable, that is still no news.
        error_limit: error rate no revision may exceed while stable is below it; None for no limit.
        latency_margin: ratio of the share of slow requests that is still no news.
        p95_limit, p99_limit: seconds, absolute limits beside the comparison; None for no limit.
        min_requests: canary requests without which nothing is promoted.
        ready_patience: how long a component may be down on the canary alone.
        warm_up: how long after the first traffic latency and logs are not yet counted.
        blind_after: looks without data in a row after which an indicator is blind.
        tuning: how evidence is weighed; nobody should need it.

    """

    watched: tuple[Sli, ...] = tuple(Sli)
    alpha: float = 0.01
    error_margin: float = 1.05
    error_limit: float | None = 0.05
    latency_margin: float = 1.1
    p95_limit: timedelta | None = None
    p99_limit: timedelta | None = None
    min_requests: int = 50
    ready_patience: timedelta = timedelta(seconds=30)
    warm_up: timedelta = timedelta(seconds=90)
    blind_after: int = 3
    tuning: Tuning = field(default_factory=Tuning)
