"""What was seen of a canary from its first look to its end, in few enough points to be drawn."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from bot.core import judge
from bot.core.canary import Canary, Cause, Promoted, RolledBack, RollingBack
from bot.core.events import Observed, Prepared
from bot.core.judge.evidence import Evidence
from bot.core.judge.signatures import candidates, chance
from bot.core.judge.state import JudgeState, Signature
from bot.core.plan import Weight
from bot.core.points import Look, Series, all_series, groups
from bot.core.replay import Judging
from bot.core.slo import NoData, Objectives, Sli
from bot.core.verdict import Finding

Decision = Literal["promoted", "rolled back", "aborted"]
LEAST_RATIO: Final = 1.5
MOST_RATIO: Final = 10.0
"""How much worse the canary became is told apart within these bounds only."""

Gauge = Callable[[JudgeState], float]


@dataclass(frozen=True, slots=True)
class Chronicle:
    """A canary's whole window.

    Attributes:
        looks: how many were judged; without any there is neither a series nor a beginning.
        requests: of the canary, over all of them.
        series: of each watched indicator that was seen.
        weights: since when the router carried which weight, as far as it was read.
        onset: end of the last look at which the least spoke against the canary, after which the
            breach began; None without a breach.
        decided_at: when it was decided, not when the router had done it; None before.
        cause: why the traffic went back; None when it did not.
        breached: what decided, the surest first.

    """

    service: str
    revision: str
    looks: int
    requests: int
    began_at: datetime | None
    ended_at: datetime | None
    series: tuple[Series, ...]
    weights: tuple[tuple[datetime, Weight], ...]
    onset: datetime | None
    decided_at: datetime | None
    decision: Decision | None
    cause: Cause | None
    breached: tuple[Sli, ...]


def chronicle(canary: Canary, seen: Iterable[Prepared | Observed]) -> Chronicle:
    """Judge all looks once more and put them in order.

    Neighbouring looks become one point, as `bot.core.points.groups` says: their counts are added
    up before they are divided.
    """
    decision, decided_at, cause = _decided(canary)
    breached = tuple(f.sli for f in cause.findings) if cause else ()
    objectives, seen = canary.plan.objectives, tuple(seen)
    first = cause.findings[0] if cause and cause.findings else None
    looks, state = _judged(objectives, seen, _gauge(first, ()))
    accused = _accused(state)
    if first is not None and first.sli is Sli.LOGS:
        looks, state = _judged(objectives, seen, _gauge(first, accused))
    onset = _onset(looks, breached, decided_at)
    return Chronicle(
        canary.service,
        canary.revision,
        len(looks),
        state.totals.canary.requests,
        looks[0].seen.since if looks else None,
        max(looks[-1].seen.at, decided_at or looks[-1].seen.at) if looks else None,
        all_series(groups(looks, onset), judge.verdict(state), objectives, accused),
        _weights(looks, canary),
        onset,
        decided_at,
        decision,
        cause,
        breached,
    )


def _decided(canary: Canary) -> tuple[Decision | None, datetime | None, Cause | None]:
    match canary.phase:
        case Promoted(at=at):
            return "promoted", at, None
        case RolledBack(cause=cause, at=at, took=took):
            return _word(cause), at - took, cause
        case RollingBack(cause=cause, since=since):
            return _word(cause), since, cause
        case _:
            return None, None, None


def _word(cause: Cause) -> Decision:
    return "aborted" if cause.kind == "abort" else "rolled back"


def _judged(
    objectives: Objectives, seen: Sequence[Prepared | Observed], gauge: Gauge
) -> tuple[list[Look], JudgeState]:
    now, looks = Judging(judge.begin(objectives)), []
    for one in seen:
        now, before = now.after(one), now
        if now.looks == before.looks or now.traffic is None:
            continue
        assert isinstance(one, Observed), "nothing else is a look"
        looks.append(Look(one, now.traffic, now.memory.crashes, gauge(now.memory)))
    return looks, now.memory


def _gauge(finding: Finding | None, accused: Sequence[str]) -> Gauge:
    """How much this indicator speaks against the canary, in a unit of its own.

    A finding's chance is of no use here, for it is the lowest so far.
    """
    match finding:
        case Finding(sli=Sli.ERRORS, ratio=ratio):
            return lambda state: _for_ratio(ratio, state.errors.evidence)
        case Finding(sli=Sli.P95, ratio=ratio):
            return lambda state: _for_ratio(ratio, *(t.stream.evidence for t in state.p95))
        case Finding(sli=Sli.P99, ratio=ratio):
            return lambda state: _for_ratio(ratio, *(t.stream.evidence for t in state.p99))
        case Finding(sli=Sli.READINESS):
            return lambda state: float(len(state.outages) + state.crashes.canary)
        case Finding(sli=Sli.LOGS) if accused:
            return lambda state: _belongs(state.signatures.get(accused[0], Signature()))
        case _:
            return lambda _state: 0.0


def _for_ratio(found: float | None, *evidence: Evidence) -> float:
    """The log likelihood of this ratio against none, of events that come as Poisson's do."""
    ratio = min(max(found or MOST_RATIO, LEAST_RATIO), MOST_RATIO)
    return sum(one.events * math.log(ratio) - one.expected * (ratio - 1) for one in evidence)


def _belongs(track: Signature) -> float:
    return track.wealth if track.peak > track.rising_peak else track.rising


def _accused(state: JudgeState) -> tuple[str, ...]:
    """The signatures that are a breach, the surest first."""
    tuning, seen = state.objectives.tuning, candidates(state)
    allowed = state.objectives.alpha * tuning.log_level
    found = {name: chance(track, seen, tuning) for name, track in state.signatures.items()}
    ranked = sorted((odds, name) for name, (odds, _) in found.items() if odds <= allowed)
    return tuple(name for _, name in ranked)


def _onset(
    looks: Sequence[Look], breached: Sequence[Sli], decided_at: datetime | None
) -> datetime | None:
    """The end of the last look at which the least spoke against the canary: since then it rose.

    The usual estimate of a change point: where the log likelihood ratio was lowest (Page 1954).
    """
    if not breached or decided_at is None:
        return None
    before = [look for look in looks if look.seen.at < decided_at]
    least = min((look.against for look in before), default=0.0)
    return max((look.seen.at for look in before if look.against <= least), default=None)


def _weights(looks: Sequence[Look], canary: Canary) -> tuple[tuple[datetime, Weight], ...]:
    found: list[tuple[datetime, Weight]] = []
    for look in looks:
        split = look.seen.split
        if isinstance(split, NoData) or canary.arms is None:
            continue
        weight = split.get(canary.arms.canary)
        if weight is not None and (not found or found[-1][1] != weight):
            found.append((look.seen.at, weight))
    return tuple(found)
