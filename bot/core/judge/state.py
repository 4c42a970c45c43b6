"""What the judge remembers between two looks: a few kilobytes of plain data."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.core.judge.evidence import Evidence
from bot.core.slo import Arms, Objectives, Traffic

ALPHA_SHARE: Final = {"errors": 0.4, "latency_p95": 0.2, "latency_p99": 0.2, "logs": 0.2}
"""How the one false-rollback chance is split over the indicators that are matters of chance."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Requests slower than one bucket bound, as events.

    Attributes:
        bound: seconds, chosen once from stable's histogram; None until it has enough requests.
        canary, stable: events since then.

    """

    bound: float | None = None
    canary: int = 0
    stable: int = 0
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Signature:
    """One kind of log line.

    Attributes:
        canary, stable: how often each arm has logged it.
        looks: looks at which the canary logged it and stable did not.
        wealth: log of the bet that it belongs to the canary; `peak` its highest.

    """

    canary: int = 0
    stable: int = 0
    looks: int = 0
    wealth: float = 0.0
    peak: float = 0.0
    example: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """A component that is down on the canary and up on stable.

    Attributes:
        since: the first look at which it was; None while it is not.
        looks: how many looks in a row.

    """

    since: datetime | None = None
    looks: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """How well a source can be seen.

    Attributes:
        seen: looks with data.
        missed: looks without; `in_row` those since the last one with data.
        reason: why, at the last one without.

    """

    seen: int = 0
    missed: int = 0
    in_row: int = 0
    reason: str = ""

    def after(self, reason: str | None) -> "Sight":
        """After one more look; `reason` is None when there was data."""
        if reason is None:
            return Sight(self.seen + 1, self.missed, 0, "")
        return Sight(self.seen, self.missed + 1, self.in_row + 1, reason)


@dataclass(frozen=True, slots=True)
class JudgeState:
    """Everything the judge knows of one canary.

    Attributes:
        looks: how many samples have been taken.
        warm_at: when the canary's first traffic was seen.
        totals: everything both arms did since the judging began.

    """

    objectives: Objectives
    looks: int = 0
    warm_at: datetime | None = None
    last_at: datetime | None = None
    totals: Arms[Traffic] = field(default_factory=lambda: Arms(Traffic(), Traffic()))
    errors: Evidence = field(default_factory=Evidence)
    p95: Tail = field(default_factory=Tail)
    p99: Tail = field(default_factory=Tail)
    signatures: dict[str, Signature] = field(default_factory=dict)
    outages: dict[str, Outage] = field(default_factory=dict)
    ready: Arms[int] = field(default_factory=lambda: Arms(0, 0))
    components: int = 0
    metrics: Sight = field(default_factory=Sight)
    logs: Sight = field(default_factory=Sight)
    readiness: Sight = field(default_factory=Sight)


def begin(objectives: Objectives) -> JudgeState:
    """A judge that has seen nothing yet."""
    return JudgeState(objectives)
