"""What every judge in the benchmark is fed, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Decision = Literal["continue", "promote", "rollback", "inconclusive"]


@dataclass(frozen=True, slots=True)
class ArmTick:
    """One arm's cumulative counters as scraped at one tick.

    Attributes:
        buckets: `(upper bound in seconds, requests at or below it)`, rising, +Inf last.
        logs: lines so far by signature.
        restarts: container restarts so far.
        pods: per-pod counters where the adapter can tell them, else empty.

    """

    requests: int
    errors: int
    buckets: tuple[tuple[float, int], ...] = ()
    logs: Mapping[str, int] = field(default_factory=dict)
    ready: int = 1
    desired: int = 1
    restarts: int = 0
    pods: Mapping[str, "ArmTick"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tick:
    """Both arms at `at` seconds after the start of the window (negative before it); None: no scrape."""

    at: float
    canary: ArmTick | None
    stable: ArmTick | None


class Judge(Protocol):
    """One judge on one canary."""

    name: str

    def prelude(self, ticks: Sequence[Tick]) -> None:
        """Stable's history before the window; the canary is None in it."""
        ...

    def tick(self, tick: Tick) -> Decision:
        """One look; `rollback` ends the canary at once."""
        ...

    def finish(self) -> Decision:
        """The end of the window: promote, rollback or inconclusive."""
        ...
