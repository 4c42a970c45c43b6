"""Findings on errors and latency: breached, surely no worse, or not enough to say."""

import math
from dataclasses import replace

from bot.core.judge.evidence import Evidence, exceeds
from bot.core.judge.state import (
    JudgeState,
    Sight,
    Tail,
    error_channel,
    latency_channel,
)
from bot.core.slo import Sli
from bot.core.verdict import Finding, Health

Z95 = 1.96
LIMIT_Z = 3.0
"""An absolute limit counts only where the canary is worse than stable, too; this is looked at every
tick, so it takes more than the usual 1.96."""

ERROR_LEVEL, LATENCY_LEVEL = 1 / 25, 1 / 50
"""Chance, in alphas, at which an absolute limit counts as broken."""

FEWEST_LOOKS = 3
"""Looks before an absolute limit can be broken: one bad moment is no trend."""


def errors_finding(state: JudgeState) -> Finding:
    """The canary's error rate beside stable's."""
    objectives, canary, stable = state.objectives, state.totals.canary, state.totals.stable
    limit, evidence = objectives.error_limit, state.errors.evidence
    ours, theirs = canary.error_rate, stable.error_rate
    low, high = evidence.interval(Z95)
    finding = Finding(
        Sli.ERRORS,
        Health.HEALTHY,
        ours,
        theirs,
        evidence.ratio,
        _limits(objectives.error_margin, None if limit is None else f"{limit * 100:g} %"),
        evidence.chance,
        low=low,
        high=high,
    )
    if evidence.chance <= error_channel(objectives).total:
        reason = (
            f"{canary.errors} of {canary.requests} requests failed on the canary, "
            f"{stable.errors} of {stable.requests} on stable"
        )
        return replace(finding, health=Health.BREACHED, reason=reason, rule=evidence.rule)
    if limit is not None and _may_be_over(evidence, theirs, limit):
        clumps = max(1.0, evidence.dispersion)
        single = int(canary.errors / clumps), math.ceil(canary.requests / clumps)
        reason = f"{canary.errors} of {canary.requests} requests failed, over the {limit * 100:g} % limit"
        over = _over(state, finding, exceeds(*single, limit, state.looks), ERROR_LEVEL, reason)
        if over is not None:
            return over
    most = _at_most(0, evidence.dispersion, objectives.tuning.promote_z)
    needed = most / ((theirs or 0.0) + objectives.tuning.promote_extra)
    found = _unless_hidden(state, finding)
    seen = canary.requests, None if canary.errors else needed
    return _no_worse(state, found, evidence, *seen)


def latency_finding(state: JudgeState, sli: Sli) -> Finding:
    """The canary's share of slow requests beside stable's, at the bounds nearest the percentile."""
    objectives = state.objectives
    q, tails, seconds = (
        (0.95, state.p95, objectives.p95_limit)
        if sli is Sli.P95
        else (0.99, state.p99, objectives.p99_limit)
    )
    canary, stable = state.totals.canary.latency, state.totals.stable.latency
    limit = None if seconds is None else seconds.total_seconds()
    ours, theirs = canary.quantile(q), stable.quantile(q)
    worst = min(tails, key=lambda tail: tail.stream.evidence.chance)
    judged = worst.stream.evidence
    low, high = judged.interval(Z95)
    finding = Finding(
        sli,
        Health.HEALTHY,
        ours,
        theirs,
        judged.ratio,
        _limits(objectives.latency_margin, None if limit is None else f"{limit * 1000:g} ms"),
        judged.chance,
        low=low,
        high=high,
    )
    if judged.chance <= latency_channel(objectives).total:
        return replace(finding, health=Health.BREACHED, reason=_slower(worst), rule=judged.rule)
    bound = None if limit is None else next((b for b in canary.bounds if b >= limit), None)
    if limit is not None and bound is not None and _may_be_over(judged, theirs, limit):
        slow = canary.above(bound)
        reason = f"{slow} of {canary.total} canary requests took longer than {bound * 1000:g} ms"
        chance = exceeds(slow, canary.total, 1 - q, state.looks)
        over = _over(state, finding, chance, LATENCY_LEVEL, reason)
        if over is not None:
            return over
    if state.totals.canary.requests and not canary.total:
        return replace(finding, health=Health.BLIND, reason="the metrics hold no latency buckets")
    first = tails[0]
    if first.bound is None and state.past.plus(state.totals.stable).latency.total >= (
        objectives.tuning.bound_requests
    ):
        reason = "nearly all of stable's requests are slower than the last latency bucket"
        return replace(finding, health=Health.BLIND, reason=reason)
    found = _unless_hidden(state, finding)
    most = _at_most(first.canary, first.stream.evidence.dispersion, objectives.tuning.promote_z)
    needed = most / ((1 - q) * objectives.tuning.promote_slow)
    seen = canary.total, needed if _is_rare(state, first, 1 - q) else None
    return _no_worse(state, found, first.stream.evidence, *seen)


def _may_be_over(evidence: Evidence, theirs: float | None, limit: float) -> bool:
    """Whether stable keeps an absolute limit, and the canary is worse than it."""
    return (theirs is None or theirs <= limit) and evidence.interval(LIMIT_Z)[0] > 1


def _over(
    state: JudgeState, finding: Finding, chance: float, level: float, reason: str
) -> Finding | None:
    """The breach of an absolute limit, if chance does not explain it; `level` is in alphas."""
    if state.looks < FEWEST_LOOKS or chance > state.objectives.alpha * level:
        return None
    return replace(finding, health=Health.BREACHED, chance=chance, reason=reason, rule="limit")


def hidden(state: JudgeState, sight: Sight) -> str:
    """Why a source cannot be relied on, or nothing."""
    if sight.in_row >= state.objectives.blind_after:
        return f"no data for {sight.in_row} looks: {sight.reason}"
    if sight.missed > sight.seen:
        return f"data at only {sight.seen} of {sight.seen + sight.missed} looks: {sight.reason}"
    return ""


def _slower(tail: Tail) -> str:
    ratio = tail.stream.evidence.ratio
    times = f"{ratio:.1f} times as many" if ratio else "more"
    bound = (tail.bound or 0.0) * 1000
    return f"{tail.canary} canary requests took longer than {bound:g} ms, {times} as on stable"


def _unless_hidden(state: JudgeState, finding: Finding) -> Finding:
    """Healthy, unless the metrics cannot be seen or there has been too little traffic."""
    unseen = hidden(state, state.metrics)
    if unseen:
        return replace(finding, health=Health.BLIND, reason=unseen)
    requests, needed = state.totals.canary.requests, state.objectives.min_requests
    if requests < needed:
        return replace(
            finding,
            health=Health.THIN,
            reason=f"{requests} of {needed} canary requests so far",
            more=needed - requests,
        )
    if not state.totals.stable.requests:
        return replace(finding, health=Health.THIN, reason="stable had no traffic to compare with")
    return finding


def _no_worse(
    state: JudgeState, finding: Finding, evidence: Evidence, requests: int, enough: float | None
) -> Finding:
    """Healthy only if the canary is surely not much worse: the upper bound is within the margin.

    Args:
        state: everything seen.
        finding: healthy so far.
        evidence: of the ratio.
        requests: of the canary, in which its events were counted.
        enough: so many of them with which so few events are proof by themselves, where there are
            too few for a ratio; None where they are no proof however many requests there were.

    """
    if finding.health is not Health.HEALTHY:
        return finding
    tuning = state.objectives.tuning
    _, high = evidence.interval(tuning.promote_z)
    if (high is not None and high <= tuning.promote_margin) or (
        enough is not None and enough <= requests
    ):
        return replace(finding, rule="non-inferior")
    ratio, more = evidence.ratio, _more(state, evidence)
    if enough is not None:
        short = max(1, math.ceil(enough) - requests)
        more = min(more, short) if more else short
    found = "no estimate yet" if ratio is None else f"ratio {ratio:.2f}"
    upto = "" if high is None else f", at most {high:.2f}"
    reason = f"not yet surely below {tuning.promote_margin:g}x stable ({found}{upto})"
    return replace(finding, health=Health.THIN, reason=reason, more=more)


def _is_rare(state: JudgeState, tail: Tail, part: float) -> bool:
    """Whether stable has next to nothing beyond the bound, too little for a ratio."""
    stable = state.totals.stable.latency
    return tail.bound is not None and stable.total > 0 and tail.stable <= stable.total * part / 8


def _at_most(events: int, dispersion: float, z: float) -> float:
    """Upper bound of what was to be expected where so many events were seen (score interval)."""
    spare = z * z * max(1.0, dispersion)
    return events + spare / 2 + math.sqrt(spare * events + spare * spare / 4)


def _more(state: JudgeState, evidence: Evidence) -> int:
    """About how many more canary requests until the ratio's bound falls below the margin."""
    tuning = state.objectives.tuning
    canary, stable = state.totals.canary, state.totals.stable
    ratio = min(0.8 * tuning.promote_margin, max(1.0, evidence.ratio or 1.0))
    events = (
        evidence.dispersion * (tuning.promote_z / math.log(tuning.promote_margin / ratio)) ** 2
    )
    rate = (evidence.both - evidence.events) / stable.requests if stable.requests else 0.0
    if not rate:
        return 0
    return max(1, math.ceil(events / (rate * ratio)) - canary.requests)


def _limits(margin: float, absolute: str | None) -> str:
    relative = f"{margin:g}x stable"
    return relative if absolute is None else f"{relative}, {absolute}"
