"""What one sample changes in the judge's memory of requests, errors and latency."""

import math
from dataclasses import replace
from datetime import timedelta

from bot.core.judge.dispersion import Spread, compare, learn, settled
from bot.core.judge.evidence import Channel, weigh
from bot.core.judge.placebo import dispersion, placebo
from bot.core.judge.state import (
    JudgeState,
    Stream,
    Tail,
    Tails,
    error_channel,
    latency_channel,
)
from bot.core.slo import Arms, Histogram, NoData, Sample, Traffic
from bot.core.tuning import Tuning

WIDEST, NARROWEST = 0.2, 0.0015
"""Shares of requests beyond a bound between which it can say anything."""


def with_past(state: JudgeState, stable: Traffic) -> JudgeState:
    """One tick of stable's past: how its events clump, and where its tails begin."""
    tuning = state.objectives.tuning
    past = state.past.plus(stable)
    spread = learn(state.errors.spread, stable.errors, stable.requests, tuning)
    return replace(
        state,
        past=past,
        errors=state.errors._replace(spread=spread),
        p95=_past_tails(state.p95, past, stable, (spread.ticks, tuning, tuning.tails[0])),
        p99=_past_tails(state.p99, past, stable, (spread.ticks, tuning, tuning.tails[1])),
    )


def _past_tails(
    tails: Tails, past: Traffic, now: Traffic, where: tuple[int, Tuning, tuple[float, float]]
) -> Tails:
    ticks, tuning, shares = where
    if tails[0].bound is None:
        # One busy moment is not what stable is usually like, however many requests it had.
        if ticks < tuning.bound_ticks:
            return tails
        return _chosen(tails, past.latency, tuning.bound_requests, shares)
    first, second = (_past_tail(tail, now.latency, tuning) for tail in tails)
    return first, second


def _past_tail(tail: Tail, now: Histogram, tuning: Tuning) -> Tail:
    if tail.bound is None or tail.bound not in now.bounds:
        return tail
    spread = learn(tail.stream.spread, now.above(tail.bound), now.total, tuning)
    return tail._replace(stream=tail.stream._replace(spread=spread))


def with_traffic(state: JudgeState, sample: Sample) -> JudgeState:
    """Count requests and errors, and the slow ones once the canary is warm."""
    if isinstance(sample.traffic, NoData):
        return replace(state, metrics=state.metrics.after(sample.traffic.reason))
    objectives, tuning = state.objectives, state.objectives.tuning
    canary, stable = sample.traffic.canary, sample.traffic.stable
    warm_at = state.warm_at or (sample.end if canary.requests else None)
    warm = warm_at is not None and sample.start >= warm_at + objectives.warm_up
    elapsed = sample.end - (state.begun_at or sample.start)
    split = _split(state.split, canary.requests, stable.requests, tuning.memory)
    timed = _split(state.timed, canary.latency.total, stable.latency.total, tuning.memory)
    state = replace(
        state,
        metrics=state.metrics.after(None),
        warm_at=warm_at,
        totals=Arms(state.totals.canary.plus(canary), state.totals.stable.plus(stable)),
        latest=sample.traffic,
        split=split,
        timed=timed,
        placebo=placebo(state.placebo, sample.instances, tuning)
        if sample.instances
        else state.placebo,
    )
    return replace(
        state,
        errors=_errors(state, sample.traffic, elapsed),
        p95=_tails(state, state.p95, tuning.tails[0], elapsed, warm=warm),
        p99=_tails(state, state.p99, tuning.tails[1], elapsed, warm=warm),
    )


def _split(before: Arms[float], canary: int, stable: int, memory: float) -> Arms[float]:
    """The arms' requests over the last few: thin traffic needs minutes to show its split."""
    keep = max(0.0, 1 - canary / memory)
    return Arms(before.canary * keep + canary, before.stable * keep + stable)


def _errors(state: JudgeState, now: Arms[Traffic], elapsed: timedelta) -> Stream:
    spread = state.errors.spread
    between = dispersion(state.placebo, state.objectives.tuning)
    if between is not None:
        spread = spread._replace(placebo=between)
    return _followed(
        state.errors._replace(spread=spread),
        Arms(now.canary.errors, now.stable.errors),
        now.stable.requests,
        split=state.split,
        elapsed=elapsed,
        held=(error_channel(state.objectives), state.objectives.tuning),
        paired=False,
    )


def _followed(
    stream: Stream,
    events: Arms[int],
    exposure: int,
    *,
    split: Arms[float],
    elapsed: timedelta,
    held: tuple[Channel, Tuning],
    paired: bool,
) -> Stream:
    """One tick of both arms' events: how they clump, then what they say."""
    channel, tuning = held
    if split.canary <= 0 or split.stable <= 0:
        return stream
    spread = _window(stream.spread, events.stable, exposure, tuning)
    odds = split.canary / split.stable
    ratio = min(50.0, max(0.2, stream.evidence.ratio or 1.0))
    share = ratio * odds / (1 + ratio * odds)
    both = events.canary + events.stable
    spread = compare(spread, events.canary, both, share, tuning, paired=paired)
    evidence = weigh(
        stream.evidence,
        (events.canary, events.stable),
        odds=odds,
        dispersion=spread.value,
        elapsed=elapsed,
        channel=channel,
        tuning=tuning,
    )
    return Stream(spread, evidence)


def _window(spread: Spread, events: int, exposure: int, tuning: Tuning) -> Spread:
    """A short past is carried on in the window; a long one stands."""
    if spread.ticks >= tuning.history:
        return settled(spread, tuning)
    return learn(spread, events, exposure, tuning)


def _tails(
    state: JudgeState,
    tails: Tails,
    shares: tuple[float, float],
    elapsed: timedelta,
    *,
    warm: bool,
) -> Tails:
    tuning = state.objectives.tuning
    if tails[0].bound is None:
        seen = state.past.plus(state.totals.stable).latency
        return _chosen(tails, seen, tuning.fewest_for_bounds, shares)
    channel = latency_channel(state.objectives)
    first, second = (
        _slow(tail, state, elapsed, (channel, tuning)) if warm else tail for tail in tails
    )
    return first, second


def _slow(tail: Tail, state: JudgeState, elapsed: timedelta, held: tuple[Channel, Tuning]) -> Tail:
    """Count requests above the tail's bound."""
    canary, stable = state.latest.canary.latency, state.latest.stable.latency
    bound = _common(tail.bound, canary, stable)
    if bound is None:
        return tail
    slow = Arms(canary.above(bound), stable.above(bound))
    stream = _followed(
        tail.stream, slow, stable.total, split=state.timed, elapsed=elapsed, held=held, paired=True
    )
    return Tail(tail.bound, tail.canary + slow.canary, tail.stable + slow.stable, stream)


def _common(bound: float | None, canary: Histogram, stable: Histogram) -> float | None:
    """The bound, or where a revision has changed its buckets the nearest that both arms have."""
    if bound is None or (bound in canary.bounds and bound in stable.bounds):
        return bound
    both = [each for each in stable.bounds if each in canary.bounds and each > 0]
    return min(both, key=lambda each: abs(math.log(each / bound)), default=None)


def _chosen(tails: Tails, histogram: Histogram, fewest: int, shares: tuple[float, float]) -> Tails:
    """Choose both bounds: those with about these shares of stable's requests beyond them."""
    if histogram.total < fewest or not histogram.bounds:
        return tails
    beyond = [(bound, histogram.above(bound) / histogram.total) for bound in histogram.bounds]
    usable = [(bound, part) for bound, part in beyond if NARROWEST <= part <= WIDEST]
    if not usable:
        few = [(bound, part) for bound, part in beyond if part <= WIDEST]
        usable = [(few[0][0], 1.0)] if few else []
    if not usable:
        return tails
    first, second = (
        min(usable, key=lambda one: abs(math.log(one[1] / share)))[0] for share in shares
    )
    return Tail(first), Tail(second if second != first else None)
