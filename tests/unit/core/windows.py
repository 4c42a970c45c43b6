"""Windows made by hand: what both arms did look by look, and the canary that it was the end of."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from builders import GRACE, NOON, a_canary, a_plan

from bot.core.canary import Canary, Cause, Phase, Promoted, RolledBack
from bot.core.events import Observed, Prepared
from bot.core.plan import FULL, Weight
from bot.core.reading import Counters, Reading
from bot.core.replay import replay
from bot.core.slo import Arms, Component, LogCounts, LogEvents, NoData, Objectives, Readiness

TICK = timedelta(seconds=10)
TOOK = timedelta(seconds=0.6)
BOUNDS = (0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 2.4)
CODES = {"DataError: value too long for type <*>": "DataError: value too long for type varchar(8)"}

Seen = list[Prepared | Observed]


@dataclass(frozen=True)
class Arm:
    """What one arm does in a look."""

    requests: int = 60
    error_rate: float = 0.005
    slowness: float = 1.0
    logs: int = 0
    down: tuple[str, ...] = ()
    restarts: int = 0


@dataclass(frozen=True)
class Moment:
    """What one look sees; without metrics, logs or readiness where `blind` names them."""

    canary: Arm = field(default_factory=Arm)
    stable: Arm = field(default_factory=lambda: Arm(requests=1140))
    blind: tuple[str, ...] = ()
    weight: Weight = field(default_factory=lambda: Weight.percent(5))


class _Counting:
    """One arm's counters as they rise."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._requests = self._errors = 0
        self._buckets = [0] * (len(BOUNDS) + 1)

    def after(self, arm: Arm) -> Counters:
        self._requests += arm.requests
        self._errors += sum(self._chance.random() < arm.error_rate for _ in range(arm.requests))
        for _ in range(arm.requests):
            seconds = self._chance.lognormvariate(-2.9, 0.55) * arm.slowness
            self._buckets[sum(seconds > bound for bound in BOUNDS)] += 1
        cumulative = [sum(self._buckets[: at + 1]) for at in range(len(BOUNDS))]
        buckets = tuple(zip(BOUNDS, cumulative, strict=True))
        return Counters(self._requests, self._errors, buckets, self._requests)


def window(moments: Sequence[Moment], *, seed: int = 1, begun: datetime = NOON) -> Seen:
    """The looks that see these moments, one a tick; the first only begins the counting."""
    chance = random.Random(seed)
    arms = _Counting(chance), _Counting(chance)
    seen: Seen = []
    for number, moment in enumerate(moments):
        since = begun + number * TICK
        at = since + TICK
        counters = [c.after(arm) for c, arm in zip(arms, _both(moment), strict=True)]
        reading = Reading(at, {"c": counters[0]}, {"s": counters[1]})
        seen.append(
            Observed(
                at,
                since,
                NoData("no answer") if "metrics" in moment.blind else reading,
                NoData("no answer")
                if "logs" in moment.blind
                else Arms(*map(_logs, _both(moment))),
                NoData("no answer")
                if "readiness" in moment.blind
                else Arms(*map(_ready, _both(moment))),
                {"green": moment.weight, "blue": Weight(1000 - moment.weight.permille)},
            )
        )
    return seen


def _both(moment: Moment) -> tuple[Arm, Arm]:
    return moment.canary, moment.stable


def _logs(arm: Arm) -> LogCounts:
    return {name: LogEvents(arm.logs, line) for name, line in CODES.items()} if arm.logs else {}


def _ready(arm: Arm) -> Readiness:
    parts = (Component(n, n not in arm.down, "no answer") for n in ("db", "mount", "queue"))
    return Readiness(tuple(parts), restarts=arm.restarts)


def moments(count: int, canary: Callable[[int], Arm], **more: object) -> list[Moment]:
    """So many looks, the canary doing as it is told by their numbers."""
    return [replace(Moment(canary(number)), **more) for number in range(count)]  # type: ignore[arg-type] # names are the fields'


def _canary(objectives: Objectives, phase: Phase, **more: str) -> Canary:
    return a_canary(plan=a_plan(objectives=objectives), phase=phase, **more)


def rolled_back(
    seen: Seen, objectives: Objectives | None = None, **more: str
) -> tuple[Canary, Seen]:
    """The canary as the bot would have ended it at the first breach, and what it had seen."""
    objectives = objectives or Objectives()
    found = replay(objectives, seen)
    assert found.breached_at is not None, "there is no breach"
    worst = found.verdict.breaches
    cause = Cause("breach", f"{worst[0].sli}: {worst[0].reason}", findings=worst)
    phase = RolledBack(cause, found.breached_at + TOOK, TOOK)
    until = [one for one in seen if one.at <= found.breached_at]
    return _canary(objectives, phase, **more), until


def promoted(seen: Seen, objectives: Objectives | None = None, **more: str) -> tuple[Canary, Seen]:
    """The canary after its last look."""
    at = seen[-1].at if seen else NOON
    return _canary(objectives or Objectives(), Promoted(at + TOOK), **more), seen


def aborted(seen: Seen, **more: str) -> tuple[Canary, Seen]:
    """The canary, aborted by grace right after its last look."""
    at = seen[-1].at if seen else NOON
    cause = Cause("abort", "aborted by grace: it looks bad", GRACE)
    return _canary(Objectives(), RolledBack(cause, at + TOOK, TOOK), **more), seen


def breach(kind: str, *, onset: int = 40, seed: int = 1) -> tuple[Canary, Seen]:
    """A canary that is fine for `onset` looks and then bad in this way, until the bot sees it."""
    bad = {
        "errors": Arm(error_rate=0.06),
        "latency": Arm(slowness=2.6),
        "logs": Arm(logs=3),
        "readiness": Arm(down=("db",)),
    }

    def canary(number: int) -> Arm:
        if number < onset:
            return Arm()
        return Arm(restarts=number - onset + 1) if kind == "restarts" else bad[kind]

    limits = Objectives(p95_limit=timedelta(seconds=0.3))
    return rolled_back(window(moments(120, canary), seed=seed), limits)


def healthy(count: int = 120, *, seed: int = 1) -> tuple[Canary, Seen]:
    """A canary that does as stable does, at 5 % and then at 25 %, with one outage of metrics."""

    def look(number: int) -> Moment:
        if number < count * 2 // 3:
            blind = ("metrics",) if 30 <= number < 38 else ()
            return Moment(blind=blind)
        weight = Weight.percent(25) if number < count - 1 else FULL
        return Moment(Arm(300), Arm(900), weight=weight)

    return promoted(window([look(number) for number in range(count)], seed=seed))


def thin(count: int = 120, *, seed: int = 3) -> tuple[Canary, Seen]:
    """A canary with a request now and then, rolled back because nobody decided."""
    chance = random.Random(seed)
    seen = window(
        [
            Moment(Arm(int(chance.random() < 0.3), 0.02), Arm(chance.randrange(9), 0.02))
            for _ in range(count)
        ],
        seed=seed,
    )
    cause = Cause("no_decision", "nobody decided in time, and silence means no")
    return _canary(Objectives(), RolledBack(cause, seen[-1].at + TOOK, TOOK)), seen
