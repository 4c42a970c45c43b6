"""What the judge remembers between two looks: a few kilobytes of plain data."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bot.core.judge.dispersion import Spread
from bot.core.judge.evidence import Channel, Evidence
from bot.core.judge.placebo import Placebo
from bot.core.slo import Arms, Objectives, Traffic


class Stream(NamedTuple):
    """One kind of event: how it clumps, and what speaks against the canary."""

    spread: Spread = Spread()
    evidence: Evidence = Evidence()


class Tail(NamedTuple):
    """Requests slower than one bucket bound, as events.

    Attributes:
        bound: seconds, chosen once from stable's histogram; None until it has enough requests.
        canary, stable: events since then.

    """

    bound: float | None = None
    canary: int = 0
    stable: int = 0
    stream: Stream = Stream()


Tails = tuple[Tail, Tail]
"""Two bounds of one percentile: at it, and beside it."""


class Signature(NamedTuple):
    """One kind of log line; a tuple, for there may be many and they are stored.

    Attributes:
        canary, stable: how often each arm has logged it.
        looks: times the canary logged it and stable had not; `at` the last of them, `late` those
            after the warm-up.
        wealth: log of the bet that it belongs to the canary; `peak` its highest.
        rising, rising_peak: the same for the bet that the canary logs it far more often.
        known: whether stable's past has it.

    """

    canary: int = 0
    stable: int = 0
    looks: int = 0
    late: int = 0
    at: datetime | None = None
    wealth: float = 0.0
    peak: float = 0.0
    rising: float = 0.0
    rising_peak: float = 0.0
    known: bool = False
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
        begun_at: start of the first sample.
        warm_at: when the canary's first traffic was seen.
        totals: everything both arms did since the judging began.
        latest: what both arms did in the last look with data.
        past: what stable did before the judging began.
        split, timed: requests of each arm, and those with a latency, averaged over the last few.
        known: checksums of the signatures in stable's past.
        restarts: of each arm when last seen; `crashes` those since the judging began.
        placebo: stable's instances compared to each other.

    """

    objectives: Objectives
    looks: int = 0
    begun_at: datetime | None = None
    warm_at: datetime | None = None
    last_at: datetime | None = None
    totals: Arms[Traffic] = field(default_factory=lambda: Arms(Traffic(), Traffic()))
    latest: Arms[Traffic] = field(default_factory=lambda: Arms(Traffic(), Traffic()))
    past: Traffic = field(default_factory=Traffic)
    split: Arms[float] = field(default_factory=lambda: Arms(0.0, 0.0))
    timed: Arms[float] = field(default_factory=lambda: Arms(0.0, 0.0))
    errors: Stream = field(default_factory=Stream)
    p95: Tails = field(default_factory=lambda: (Tail(), Tail()))
    p99: Tails = field(default_factory=lambda: (Tail(), Tail()))
    signatures: dict[str, Signature] = field(default_factory=dict)
    known: tuple[int, ...] = ()
    outages: dict[str, Outage] = field(default_factory=dict)
    ready: Arms[int] = field(default_factory=lambda: Arms(0, 0))
    components: int = 0
    restarts: Arms[int | None] = field(default_factory=lambda: Arms(None, None))
    crashes: Arms[int] = field(default_factory=lambda: Arms(0, 0))
    placebo: Placebo = field(default_factory=Placebo)
    metrics: Sight = field(default_factory=Sight)
    logs: Sight = field(default_factory=Sight)
    readiness: Sight = field(default_factory=Sight)


def begin(objectives: Objectives) -> JudgeState:
    """A judge that has seen nothing yet."""
    return JudgeState(objectives)


def error_channel(objectives: Objectives) -> Channel:
    """What errors are held to."""
    tuning, alpha = objectives.tuning, objectives.alpha
    looks = tuple((at, level * alpha) for at, level in tuning.error_looks)
    return Channel(
        objectives.error_margin,
        tuning.error_ratios,
        tuning.error_level * alpha,
        looks,
        tuning.error_clumps,
        tuning.error_spell,
    )


def latency_channel(objectives: Objectives) -> Channel:
    """What requests slower than a bound are held to."""
    tuning, alpha = objectives.tuning, objectives.alpha
    looks = tuple((at, level * alpha) for at, level in tuning.latency_looks)
    return Channel(
        objectives.latency_margin,
        tuning.latency_ratios,
        tuning.latency_level * alpha,
        looks,
        tuning.latency_clumps,
        tuning.latency_spell,
    )
