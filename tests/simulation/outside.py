"""The router, the service behind it and Slack, as they truly are: nothing here is ever in doubt."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from simulation.scenario import Scenario

from bot.core.canary import Canary, Thread
from bot.core.effects import Note
from bot.core.plan import FULL, ZERO, Split, Weight
from bot.core.reading import Counters, Reading
from bot.core.slo import Arms, Component, NoData, Readiness

BEGIN: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REQUESTS: Final = 1000.0
"""A second, over all backends."""

STALE: Final = 4.0
"""Seconds after which a source knows that its counters are too old."""

BROKEN: Final = 0.5
"""Share of requests that fail once the canary is broken."""


@dataclass(slots=True)
class Backend:
    """One backend: what it runs, and what it has counted since it was started."""

    revision: str
    weight: Weight
    requests: float = 0.0
    errors: float = 0.0
    error_rate: float = 0.0
    ready: bool = True

    def counters(self) -> Counters:
        """As a source tells them."""
        requests = int(self.requests)
        return Counters(requests, int(self.errors), ((0.1, requests),), requests)


@dataclass(slots=True)
class Channel:
    """Slack as it stands: what was really posted, and how often."""

    threads: dict[str, Thread] = field(default_factory=dict)
    notes: dict[str, list[Note]] = field(default_factory=dict)
    posted: Counter[tuple[str, int]] = field(default_factory=Counter)
    shown: dict[str, str] = field(default_factory=dict)
    pictures: Counter[str] = field(default_factory=Counter)

    def open(self, canary: Canary) -> Thread:
        """Post the canary's message."""
        self.posted[canary.id, 0] += 1
        thread = Thread(canary.channel, f"{len(self.threads) + 1}.0")
        return self.threads.setdefault(canary.id, thread)

    def stands(self, canary: Canary, note: Note) -> bool:
        """Whether a note of that number is in the canary's thread."""
        return any(told.number == note.number for told in self.notes.get(canary.id, ()))

    def tell(self, canary: Canary, note: Note) -> None:
        """Post a note into the canary's thread."""
        self.posted[canary.id, note.number] += 1
        self.notes.setdefault(canary.id, []).append(note)


class Outside:
    """Truth, moved on by whoever touches it."""

    def __init__(self, scenario: Scenario) -> None:
        idle = "green" if scenario.stable == "blue" else "blue"
        self.scenario = scenario
        self.now = 0.0
        self.idle = idle
        self.backends = {
            scenario.stable: Backend("v1", FULL, requests=5e6),
            idle: Backend("v2", ZERO),
        }
        self.channel = Channel()
        self.lies = False
        self.exposed_at: float | None = None
        self.on_exposed: Callable[[], None] = lambda: None
        self.broken_at: float | None = None
        self.frozen: Reading | None = None

    def wall(self, skew: float = 0.0) -> datetime:
        """What a clock shows that is wrong by so many seconds."""
        return BEGIN + timedelta(seconds=self.now + skew)

    def advance(self, now: float) -> None:
        """Let traffic flow until now."""
        passed, self.now = now - self.now, now
        if passed <= 0 or self.scenario.story == "no_traffic":
            return
        for backend in self.backends.values():
            requests = REQUESTS * backend.weight.share * passed
            backend.requests += requests
            backend.errors += requests * backend.error_rate

    def split(self) -> Split:
        """As the router carries it."""
        return {name: backend.weight for name, backend in self.backends.items()}

    def weigh(self, backend: str, weight: Weight) -> None:
        """Give one backend this weight and the other one the rest."""
        for name, each in self.backends.items():
            each.weight = weight if name == backend else Weight(1000 - weight.permille)
        if self.exposed_at is None and self.backends[self.idle].weight > ZERO:
            self.exposed_at = self.now
            self.on_exposed()

    def restart_router(self) -> None:
        """It comes back as its file says: all traffic on stable."""
        self.weigh(self.idle, ZERO)

    def break_canary(self) -> None:
        """From now on half of the canary's answers are errors."""
        self.backends[self.idle].error_rate = BROKEN
        self.broken_at = self.now

    def read(self, arms: Arms[str]) -> Reading | NoData:
        """Both arms' counters."""
        if self.scenario.story == "blind":
            return NoData("no series of that name")
        if self.frozen is not None:
            stale = self.wall() - self.frozen.at > timedelta(seconds=STALE)
            return NoData("not scraped any more") if stale else self.frozen
        canary, stable = self.backends[arms.canary], self.backends[arms.stable]
        return Reading(self.wall(), {"c": canary.counters()}, {"s": stable.counters()})

    def visible_errors(self) -> int:
        """Failed requests that the canary's counters show now."""
        return int(self.backends[self.idle].errors)

    def restart_canary(self) -> None:
        """Its process begins to count anew."""
        self.backends[self.idle].requests = self.backends[self.idle].errors = 0.0

    def check(self, backend: str) -> Readiness:
        """How a backend is."""
        each = self.backends[backend]
        return Readiness(
            (Component("db", each.ready, "" if each.ready else "down"),), each.revision
        )

    def deploy(self, revision: str) -> None:
        """Put a sound new revision on the backend without traffic."""
        self.idle = min(self.backends, key=lambda name: self.backends[name].weight)
        self.backends[self.idle].revision = revision
        self.backends[self.idle].error_rate = 0.0
        self.backends[self.idle].ready = True
