"""From the judge's memory to a verdict: one finding an indicator, the worst decides."""

import math
from dataclasses import replace

from bot.core.judge.evidence import exceeds
from bot.core.judge.looks import with_logs, with_readiness, with_traffic
from bot.core.judge.state import ALPHA_SHARE, JudgeState, Sight, Signature, Tail
from bot.core.slo import Histogram, Sample, Sli
from bot.core.verdict import Finding, Health, Verdict


def look(state: JudgeState, sample: Sample) -> JudgeState:
    """Take one sample; the state that comes back is all the judge remembers."""
    state = replace(state, looks=state.looks + 1, last_at=sample.end)
    return with_readiness(with_logs(with_traffic(state, sample), sample), sample)


def verdict(state: JudgeState) -> Verdict:
    """What the samples so far say; may be asked at any moment."""
    watched = state.objectives.watched
    findings = tuple(_finding(state, sli) for sli in Sli if sli in watched)
    return Verdict(findings, state.totals.canary.requests, state.objectives.min_requests)


def _finding(state: JudgeState, sli: Sli) -> Finding:
    match sli:
        case Sli.ERRORS:
            return _errors(state)
        case Sli.P95:
            return _latency(state, sli, state.p95, 0.95)
        case Sli.P99:
            return _latency(state, sli, state.p99, 0.99)
        case Sli.READINESS:
            return _readiness(state)
        case Sli.LOGS:
            return _logs(state)


def _errors(state: JudgeState) -> Finding:
    objectives, canary, stable = state.objectives, state.totals.canary, state.totals.stable
    limit = objectives.error_limit
    ours, theirs = canary.error_rate, stable.error_rate
    finding = Finding(
        Sli.ERRORS,
        Health.HEALTHY,
        ours,
        theirs,
        _ratio(ours, theirs),
        _limits(objectives.error_margin, None if limit is None else f"{limit:.1%}"),
        state.errors.chance,
    )
    allowed = objectives.alpha * ALPHA_SHARE["errors"]
    if state.errors.chance <= allowed:
        reason = (
            f"{canary.errors} of {canary.requests} requests failed on the canary, "
            f"{stable.errors} of {stable.requests} on stable"
        )
        return replace(finding, health=Health.BREACHED, reason=reason)
    if limit is not None and (theirs is None or theirs <= limit):
        chance = exceeds(canary.errors, canary.requests, limit, state.looks)
        if chance <= allowed / 10:
            reason = (
                f"{canary.errors} of {canary.requests} requests failed, over the {limit:.1%} limit"
            )
            return replace(finding, health=Health.BREACHED, chance=chance, reason=reason)
    return _unless_hidden(state, finding)


def _latency(state: JudgeState, sli: Sli, tail: Tail, q: float) -> Finding:
    objectives = state.objectives
    canary, stable = state.totals.canary.latency, state.totals.stable.latency
    limit = objectives.p95_limit if sli is Sli.P95 else objectives.p99_limit
    ours, theirs = canary.quantile(q), stable.quantile(q)
    seconds = None if limit is None else limit.total_seconds()
    finding = Finding(
        sli,
        Health.HEALTHY,
        ours,
        theirs,
        _ratio(ours, theirs),
        _limits(objectives.latency_margin, None if seconds is None else f"{seconds * 1000:g} ms"),
        tail.evidence.chance,
    )
    allowed = objectives.alpha * ALPHA_SHARE[sli.value]
    if tail.bound is not None and tail.evidence.chance <= allowed:
        reason = _slower(canary, stable, tail.bound)
        return replace(finding, health=Health.BREACHED, reason=reason)
    if seconds is not None and (theirs is None or theirs <= seconds):
        bound = next((bound for bound in canary.bounds if bound >= seconds), None)
        if bound is not None:
            slow = canary.above(bound)
            chance = exceeds(slow, canary.total, 1 - q, state.looks)
            if chance <= allowed / 10:
                reason = f"{slow} of {canary.total} canary requests took longer than {bound * 1000:g} ms"
                return replace(finding, health=Health.BREACHED, chance=chance, reason=reason)
    if state.totals.canary.requests and not canary.total:
        return replace(finding, health=Health.BLIND, reason="the metrics hold no latency buckets")
    return _unless_hidden(state, finding)


def _slower(canary: Histogram, stable: Histogram, bound: float) -> str:
    slow = canary.above(bound) if bound in canary.bounds else 0
    usual = stable.above(bound) / stable.total if bound in stable.bounds and stable.total else 0.0
    return (
        f"{slow} of {canary.total} canary requests took longer than {bound * 1000:g} ms; "
        f"at stable's share it would be {usual * canary.total:.1f}"
    )


def _unless_hidden(state: JudgeState, finding: Finding) -> Finding:
    """Healthy, unless the metrics cannot be seen or there has been too little traffic."""
    hidden = _blind(state, state.metrics)
    if hidden:
        return replace(finding, health=Health.BLIND, reason=hidden)
    requests, needed = state.totals.canary.requests, state.objectives.min_requests
    if requests < needed:
        return replace(
            finding, health=Health.THIN, reason=f"{requests} of {needed} canary requests so far"
        )
    if not state.totals.stable.requests:
        return replace(finding, health=Health.THIN, reason="stable had no traffic to compare with")
    return finding


def _readiness(state: JudgeState) -> Finding:
    patience = state.objectives.ready_patience
    finding = Finding(
        Sli.READINESS,
        Health.HEALTHY,
        float(state.ready.canary),
        float(state.ready.stable),
        limit=f"down at most {patience.total_seconds():g} s",
    )
    broken = []
    for name, outage in sorted(state.outages.items()):
        if outage.since is None or state.last_at is None or outage.looks < 2:
            continue
        lasted = state.last_at - outage.since
        if lasted >= patience:
            why = f": {outage.reason}" if outage.reason else ""
            broken.append(f"{name} down for {lasted.total_seconds():.0f} s{why}")
    if broken:
        return replace(
            finding,
            health=Health.BREACHED,
            chance=0.0,
            reason=f"{'; '.join(broken)} (up on stable)",
            examples=tuple(broken),
        )
    hidden = _blind(state, state.readiness)
    return replace(finding, health=Health.BLIND, reason=hidden) if hidden else finding


def _logs(state: JudgeState) -> Finding:
    """A signature is a breach when the bet on it beats a union over all signatures seen so far."""
    allowed = state.objectives.alpha * ALPHA_SHARE["logs"]
    seen = max(1, len(state.signatures))
    ranked = sorted(state.signatures.items(), key=lambda item: (-item[1].peak, item[0]))
    mine = [(name, track) for name, track in ranked if track.canary and not track.stable]
    finding = Finding(
        Sli.LOGS,
        Health.HEALTHY,
        float(sum(track.canary for _, track in ranked)),
        float(sum(track.stable for _, track in ranked)),
        limit="no kind only on canary",
        chance=min([1.0, *(_chance(track, seen) for _, track in ranked)]),
    )
    broken = [(n, t) for n, t in ranked if _chance(t, seen) <= allowed]
    if broken:
        name, track = broken[0]
        reason = f"{track.canary} x “{name}” on the canary, {track.stable} on stable"
        examples = tuple(t.example for _, t in broken[:3])
        return replace(finding, health=Health.BREACHED, reason=reason, examples=examples)
    hidden = _blind(state, state.logs)
    if hidden:
        return replace(finding, health=Health.BLIND, reason=hidden)
    if mine:
        return replace(finding, reason=f"{mine[0][1].canary} x “{mine[0][0]}”, not yet evidence")
    return finding


def _chance(track: Signature, seen: int) -> float:
    return min(1.0, seen * (seen + 1) * math.exp(-track.peak))


def _blind(state: JudgeState, sight: Sight) -> str:
    """Why a source cannot be relied on, or nothing."""
    if sight.in_row >= state.objectives.blind_after:
        return f"no data for {sight.in_row} looks: {sight.reason}"
    if sight.missed > sight.seen:
        return f"data at only {sight.seen} of {sight.seen + sight.missed} looks: {sight.reason}"
    return ""


def _ratio(ours: float | None, theirs: float | None) -> float | None:
    return ours / theirs if ours is not None and theirs else None


def _limits(margin: float, absolute: str | None) -> str:
    relative = f"{margin:g}x stable"
    return relative if absolute is None else f"{relative}, {absolute}"
