"""The judge finds what is wrong with the canary, and blames it for nothing else."""

import math
import random
from datetime import timedelta

import pytest
from builders import NOON

from bot.core.judge import JudgeState, begin, look, verdict
from bot.core.slo import (
    Arms,
    Component,
    Histogram,
    LogEvents,
    NoData,
    Objectives,
    Readiness,
    Sample,
    Sli,
    Traffic,
)
from bot.core.verdict import Health

TICK = timedelta(seconds=10)
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
FINE = Readiness((Component("db", True), Component("mount", True), Component("queue", True)))


def traffic(rng: random.Random, mean: float, error_rate: float, slow: float = 0.01) -> Traffic:
    """Poisson requests with lognormal latencies, `slow` of them taking 600 ms longer."""
    requests = poisson(rng, mean)
    counts = [0] * (len(BOUNDS) + 1)
    for _ in range(requests):
        seconds = rng.lognormvariate(math.log(0.012), 0.6) + (0.6 if rng.random() < slow else 0)
        counts[sum(seconds > bound for bound in BOUNDS)] += 1
    errors = sum(rng.random() < error_rate for _ in range(requests))
    return Traffic(requests, errors, Histogram(BOUNDS, tuple(counts)))


def poisson(rng: random.Random, mean: float) -> int:
    total, count = rng.expovariate(1.0), 0
    while total < mean:
        total, count = total + rng.expovariate(1.0), count + 1
    return count


def sample(index: int, **changes: object) -> Sample:
    start = NOON + TICK * index
    quiet = Arms(Traffic(), Traffic())
    return Sample(
        start,
        start + TICK,
        **{  # type: ignore[arg-type]  # any of the three sources
            "traffic": quiet,
            "logs": Arms({}, {}),
            "readiness": Arms(FINE, FINE),
            **changes,
        },
    )


def run(
    seed: int, looks: int = 120, rate: float = 50, canary_errors: float = 0.005, **changes: object
) -> tuple[JudgeState, int]:
    """A window with a 5 % canary; answers the state and the look of the first breach."""
    rng = random.Random(seed)
    state = begin(Objectives(warm_up=timedelta(0)))
    slow = float(changes.pop("slow", 0.01))  # type: ignore[arg-type]  # a number
    for index in range(looks):
        both = Arms(traffic(rng, rate * 0.5, canary_errors, slow), traffic(rng, rate * 9.5, 0.005))
        state = look(state, sample(index, traffic=both, **changes))
        if verdict(state).breaches:
            return state, index
    return state, looks


def health(state: JudgeState, sli: Sli) -> Health:
    return next(f.health for f in verdict(state).findings if f.sli is sli)


def test_a_healthy_canary_is_healthy_over_the_whole_window() -> None:
    """Thirty healthy canaries are looked at 120 times each, and none is blamed."""
    for seed in range(30):
        state, _ = run(seed, rate=20)

        assert Health.HEALTHY is verdict(state).health, seed


@pytest.mark.parametrize("seed", range(3))
def test_more_errors_are_a_breach(seed: int) -> None:
    """Errors at ten times stable's rate are found well before the window ends."""
    state, at = run(seed, canary_errors=0.05)

    assert Health.BREACHED is health(state, Sli.ERRORS)
    assert at < 60


@pytest.mark.parametrize("seed", range(3))
def test_a_slower_tail_is_a_breach_though_the_median_is_the_same(seed: int) -> None:
    """Eight per cent of requests above half a second are found as p99."""
    state, at = run(seed, slow=0.08)

    assert {Sli.P99, Sli.P95} & {f.sli for f in verdict(state).breaches}
    assert at < 80


def test_errors_that_hit_both_arms_blame_nobody() -> None:
    """A database outage makes every tenth request fail on canary and stable alike."""
    rng = random.Random(5)
    state = begin(Objectives(warm_up=timedelta(0)))
    for index in range(120):
        both = Arms(traffic(rng, 25, 0.1), traffic(rng, 475, 0.1))
        state = look(state, sample(index, traffic=both))

    assert Health.BREACHED is not verdict(state).health


def test_tracebacks_are_a_breach_though_every_answer_is_200() -> None:
    """A signature that only the canary logs is evidence within a few looks."""
    mine = {"UndefinedColumn: column orders.discount does not exist": LogEvents(3, "the line")}

    state, at = run(1, canary_errors=0.005, logs=Arms(mine, {}))

    assert Health.BREACHED is health(state, Sli.LOGS)
    assert at < 6
    assert ("the line",) == verdict(state).breaches[0].examples


def test_an_error_that_both_arms_log_is_no_news() -> None:
    """What stable logs too is not the canary's."""
    shared = {"TimeoutError: upstream": LogEvents(2, "line")}

    state, _ = run(2, rate=20, logs=Arms(shared, shared))

    assert Health.HEALTHY is health(state, Sli.LOGS)


def test_one_stray_line_is_not_a_breach() -> None:
    """A line the canary logs once may be anybody's."""
    state = begin(Objectives())
    for index in range(60):
        logs = Arms({"ValueError: odd": LogEvents(500, "x")}, {}) if index == 7 else Arms({}, {})
        busy = Arms(Traffic(50, 0), Traffic(950, 0))
        state = look(state, sample(index, traffic=busy, logs=logs))

    assert Health.HEALTHY is health(state, Sli.LOGS)


def test_a_component_down_on_the_canary_alone_is_a_breach_after_its_patience() -> None:
    """The queue that only the canary has lost is named, with its reason."""
    down = Readiness((Component("db", True), Component("queue", False, "connection refused")))

    state, at = run(3, readiness=Arms(down, FINE))

    assert Health.BREACHED is health(state, Sli.READINESS)
    assert 2 <= at <= 5
    assert "queue down" in verdict(state).breaches[0].reason
    assert "connection refused" in verdict(state).breaches[0].reason


def test_a_component_down_on_both_arms_blames_nobody() -> None:
    """The queue itself is down, and the canary did not do it."""
    down = Readiness((Component("db", True), Component("queue", False, "refused")))

    state, _ = run(4, rate=20, readiness=Arms(down, down))

    assert Health.HEALTHY is health(state, Sli.READINESS)


def test_a_component_that_blinks_is_no_breach() -> None:
    """Down for one look, up for the next: not an outage."""
    down = Readiness((Component("queue", False),))
    state = begin(Objectives())
    for index in range(60):
        now = down if index % 2 else FINE
        state = look(state, sample(index, readiness=Arms(now, FINE)))

    assert Health.BREACHED is not health(state, Sli.READINESS)


def test_no_traffic_is_thin_and_never_healthy() -> None:
    """Without requests there is nothing to promote on."""
    state = begin(Objectives())
    for index in range(120):
        state = look(state, sample(index, traffic=Arms(Traffic(), Traffic(1000, 5))))

    assert Health.THIN is verdict(state).health


def test_no_metrics_are_blind_and_never_a_breach() -> None:
    """What cannot be seen is not bad, and not good either."""
    state = begin(Objectives())
    for index in range(120):
        state = look(state, sample(index, traffic=NoData("connection refused")))

    assert Health.BLIND is health(state, Sli.ERRORS)
    assert Health.BLIND is verdict(state).health
    assert "connection refused" in verdict(state).findings[0].reason


def test_metrics_without_latency_buckets_are_blind_for_latency_only() -> None:
    """A counter of requests says nothing about how long they took."""
    state = begin(Objectives())
    for index in range(30):
        state = look(state, sample(index, traffic=Arms(Traffic(50, 0), Traffic(950, 4))))

    assert Health.BLIND is health(state, Sli.P99)
    assert Health.HEALTHY is health(state, Sli.ERRORS)


def test_an_absolute_limit_breaks_where_stable_keeps_it() -> None:
    """A fifth of the requests failing is over a limit of 5 %."""
    state = begin(Objectives(error_margin=10, error_limit=0.05))
    for index in range(60):
        state = look(state, sample(index, traffic=Arms(Traffic(50, 10), Traffic(950, 40))))

    assert Health.BREACHED is health(state, Sli.ERRORS)
    assert "limit" in verdict(state).breaches[0].reason


def test_an_absolute_limit_that_stable_breaks_too_blames_nobody() -> None:
    """Where stable is over the limit as well, the canary is not to blame."""
    state = begin(Objectives(error_limit=0.05))
    for index in range(60):
        state = look(state, sample(index, traffic=Arms(Traffic(50, 10), Traffic(950, 190))))

    assert Health.BREACHED is not health(state, Sli.ERRORS)


def test_one_bad_moment_is_no_breach() -> None:
    """Thirty failures within one look are not yet a trend."""
    state = begin(Objectives(error_limit=None))
    for index in range(3):
        state = look(state, sample(index, traffic=Arms(Traffic(50, 0), Traffic(950, 4))))

    state = look(state, sample(3, traffic=Arms(Traffic(50, 30), Traffic(950, 4))))

    assert Health.BREACHED is not verdict(state).health


def test_only_what_is_watched_is_judged() -> None:
    """A service without logs or probes is judged by its requests alone."""
    state = begin(Objectives(watched=(Sli.ERRORS,)))
    state = look(state, sample(0, traffic=Arms(Traffic(500, 0), Traffic(950, 4))))

    assert [Sli.ERRORS] == [finding.sli for finding in verdict(state).findings]
    assert Health.HEALTHY is verdict(state).health
