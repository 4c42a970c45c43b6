"""What one sample changes in the judge's memory, source by source."""

import math
from dataclasses import replace
from typing import Final

from bot.core.judge.evidence import weigh
from bot.core.judge.state import ALPHA_SHARE, JudgeState, Outage, Signature, Tail
from bot.core.slo import Arms, LogCounts, NoData, Readiness, Sample, Traffic

ENOUGH_FOR_A_BOUND: Final = 500
"""Stable requests before a latency bound is chosen from its histogram."""

ENOUGH_ABOVE: Final = 3
"""Of them, those above the bound: one slow request alone must not set it."""

MOST_SIGNATURES: Final = 60
"""Signatures tracked at once; past that the ones both arms know best are forgotten."""


def with_traffic(state: JudgeState, sample: Sample) -> JudgeState:
    """Count requests and errors, and the slow ones once the canary is warm."""
    if isinstance(sample.traffic, NoData):
        return replace(state, metrics=state.metrics.after(sample.traffic.reason))
    canary, stable = sample.traffic.canary, sample.traffic.stable
    objectives = state.objectives
    warm_at = state.warm_at or (sample.end if canary.requests else None)
    warm = warm_at is not None and sample.start >= warm_at + objectives.warm_up
    totals = Arms(state.totals.canary.plus(canary), state.totals.stable.plus(stable))
    return replace(
        state,
        metrics=state.metrics.after(None),
        warm_at=warm_at,
        totals=totals,
        errors=weigh(
            state.errors,
            Arms(canary.errors, stable.errors),
            Arms(canary.requests, stable.requests),
            margin=objectives.error_margin,
            alpha=objectives.alpha * ALPHA_SHARE["errors"],
        ),
        p95=_slow(state, state.p95, sample.traffic, totals.stable, warm=warm, mass=0.02),
        p99=_slow(state, state.p99, sample.traffic, totals.stable, warm=warm, mass=0.003),
    )


def _slow(
    state: JudgeState, tail: Tail, now: Arms[Traffic], stable: Traffic, *, warm: bool, mass: float
) -> Tail:
    """Count requests above the tail's bound; choose the bound when stable has shown enough."""
    if tail.bound is None or tail.bound not in stable.latency.bounds:
        return Tail(bound=_bound(stable, mass))
    layouts = (now.canary.latency.bounds, now.stable.latency.bounds)
    if not warm or any(tail.bound not in bounds for bounds in layouts):
        return tail
    slow = Arms(now.canary.latency.above(tail.bound), now.stable.latency.above(tail.bound))
    return Tail(
        tail.bound,
        tail.canary + slow.canary,
        tail.stable + slow.stable,
        weigh(
            tail.evidence,
            slow,
            Arms(now.canary.latency.total, now.stable.latency.total),
            margin=state.objectives.latency_margin,
            alpha=state.objectives.alpha * ALPHA_SHARE["latency_p95"],
        ),
    )


def _bound(stable: Traffic, mass: float) -> float | None:
    """The last bound that still has `mass` of stable's requests above it."""
    histogram = stable.latency
    if histogram.total < ENOUGH_FOR_A_BOUND or not histogram.bounds:
        return None
    wide = [
        bound for bound in histogram.bounds if histogram.above(bound) >= mass * histogram.total
    ]
    return wide[-1] if wide else histogram.bounds[0]


def with_logs(state: JudgeState, sample: Sample) -> JudgeState:
    """Bet, signature by signature, that it belongs to the canary."""
    if isinstance(sample.logs, NoData):
        return replace(state, logs=state.logs.after(sample.logs.reason))
    canary, stable = sample.logs.canary, sample.logs.stable
    share = _share(sample, margin=2.0)
    tracked = dict(state.signatures)
    for name in sorted({*canary, *stable}):
        tracked[name] = _logged(tracked.get(name, Signature()), canary, stable, name, share)
    if len(tracked) > MOST_SIGNATURES:
        ranked = sorted(tracked, key=lambda name: (-tracked[name].peak, -tracked[name].canary))
        tracked = {name: tracked[name] for name in ranked[:MOST_SIGNATURES]}
    return replace(state, logs=state.logs.after(None), signatures=tracked)


def _logged(
    track: Signature, canary: LogCounts, stable: LogCounts, name: str, share: float
) -> Signature:
    """Presence only, so that one request that logs a thousand lines counts once.

    A look at which only the canary logged it has chance `share` if it belongs to both; four fifths
    of the wealth are staked on that.
    """
    mine, theirs = canary.get(name), stable.get(name)
    alone = mine is not None and theirs is None
    step = math.log(1 + 0.8 * (1 / share - 1)) if alone else math.log(0.2)
    wealth = track.wealth + step
    seen = mine or theirs
    return Signature(
        canary=track.canary + (mine.count if mine else 0),
        stable=track.stable + (theirs.count if theirs else 0),
        looks=track.looks + alone,
        wealth=wealth,
        peak=max(track.peak, wealth),
        example=mine.example if mine else track.example or (seen.example if seen else ""),
    )


def _share(sample: Sample, margin: float) -> float:
    """The canary's share of requests at the margin; one half when nothing tells it."""
    match sample.traffic:
        case Arms(canary=canary, stable=stable) if canary.requests and stable.requests:
            weighted = margin * canary.requests
            return weighted / (weighted + stable.requests)
        case _:
            return 0.5


def with_readiness(state: JudgeState, sample: Sample) -> JudgeState:
    """Follow each component that is down on the canary while it is up on stable."""
    if isinstance(sample.readiness, NoData):
        return replace(state, readiness=state.readiness.after(sample.readiness.reason))
    canary, stable = sample.readiness.canary, sample.readiness.stable
    down_too = {component.name for component in stable.failing}
    outages: dict[str, Outage] = {}
    for component in canary.failing:
        if component.name in down_too or _silent(stable):
            continue
        before = state.outages.get(component.name, Outage())
        since = before.since or sample.end
        outages[component.name] = Outage(since, before.looks + 1, component.reason)
    return replace(
        state,
        readiness=state.readiness.after(None),
        outages=outages,
        ready=Arms(len(canary.failing), len(stable.failing)),
        components=len(canary.components),
    )


def _silent(stable: Readiness) -> bool:
    """Whether stable does not answer at all, which may well be our own network."""
    return bool(stable.components) and len(stable.failing) == len(stable.components)
