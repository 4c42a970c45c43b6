"""The judge finds what is wrong with the canary, and blames it for nothing else."""

import math
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOON

from bot.core.judge import JudgeState, begin, learn, look, verdict
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
from bot.core.tuning import Tuning
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


def test_a_healthy_canary_is_not_blamed_over_the_whole_window() -> None:
    """Thirty healthy canaries are looked at 120 times each, and none is rolled back."""
    for seed in range(30):
        state, _ = run(seed, rate=20)

        assert Health.BREACHED is not verdict(state).health, seed


def busy() -> Arms[Traffic]:
    """Both arms fail and dawdle alike, with enough traffic to be sure of it."""
    return Arms(
        Traffic(1000, 5, Histogram(BOUNDS, (300, 500, 100, 50, 30, 15, 4, 1))),
        Traffic(19_000, 95, Histogram(BOUNDS, (5700, 9500, 1900, 950, 570, 285, 76, 19))),
    )


def watched(looks: int = 120, **changes: object) -> JudgeState:
    """A window of busy, healthy looks but for what the test changes."""
    state = begin(Objectives(warm_up=timedelta(0)))
    for index in range(looks):
        state = look(state, sample(index, **{"traffic": busy(), **changes}))
    return state


def test_a_busy_healthy_canary_is_healthy() -> None:
    """Enough traffic says that it is surely not much worse: every finding is healthy."""
    found = verdict(watched())

    assert Health.HEALTHY is found.health
    assert "non-inferior" == found.findings[0].rule


def test_too_little_traffic_is_thin_and_says_how_much_more_is_needed() -> None:
    """Three expected failures cannot show that the rate is not half as high again."""
    state = begin(Objectives(warm_up=timedelta(0)))
    for index in range(60):
        state = look(
            state, sample(index, traffic=Arms(Traffic(10, index % 20 == 3), Traffic(190, 1)))
        )
    errors = verdict(state).findings[0]

    assert Health.THIN is errors.health
    assert errors.more > 1000


def test_no_errors_at_all_are_healthy_once_there_is_enough_traffic() -> None:
    """Where neither arm fails there is no ratio, but thousands of good answers."""
    state = begin(Objectives(watched=(Sli.ERRORS,)))
    for index in range(60):
        state = look(state, sample(index, traffic=Arms(Traffic(50, 0), Traffic(950, 0))))

    assert Health.HEALTHY is verdict(state).health


def test_stables_past_tells_a_clump_from_a_trend() -> None:
    """The same ten failures in a minute are news, or one more client that retries."""
    calm = clumsy = begin(Objectives())
    for index in range(360):
        calm = learn(calm, Traffic(950, 1 if index % 2 else 0), {})
        clumsy = learn(clumsy, Traffic(950, 20 if index % 40 == 0 else 0), {})
    for index in range(8):
        both = Arms(Traffic(50, 2), Traffic(950, 1 if index % 2 else 0))
        calm, clumsy = (look(state, sample(index, traffic=both)) for state in (calm, clumsy))

    assert Health.BREACHED is health(calm, Sli.ERRORS)
    assert Health.BREACHED is not health(clumsy, Sli.ERRORS)


def test_what_stable_logged_yesterday_is_not_new() -> None:
    """A rare line of the past that only the canary logs today blames nobody."""
    line = {"TimeoutError: upstream": LogEvents(1, "line")}
    state = learn(begin(Objectives(warm_up=timedelta(0))), Traffic(950, 4), line)
    for index in range(60):
        logs = Arms(line, {}) if index % 12 == 0 else Arms({}, {})
        state = look(state, sample(index, traffic=busy(), logs=logs))

    assert Health.BREACHED is not health(state, Sli.LOGS)


def test_a_line_that_the_canary_logs_far_more_often_is_a_breach() -> None:
    """Stable logs it too, but the canary a hundred times as often."""
    mine, theirs = {"E": LogEvents(40, "line")}, {"E": LogEvents(8, "line")}

    state = watched(20, logs=Arms(mine, theirs))

    assert Health.BREACHED is health(state, Sli.LOGS)
    assert "rising" == verdict(state).breaches[0].rule


def test_a_crash_loop_is_a_breach() -> None:
    """Three restarts of the canary while stable has none."""
    state = begin(Objectives())
    for index in range(4):
        now = Arms(Readiness(FINE.components, None, index), Readiness(FINE.components, None, 7))
        state = look(state, sample(index, readiness=now))

    assert "crash loop" == verdict(state).breaches[0].rule


def test_evidence_is_told_as_people_say_it() -> None:
    """One in so many, in two figures."""
    finding = replace(verdict(watched(1)).findings[0], chance=0.000_245)

    assert "at most 1 in 4,000 by chance" == finding.odds
    assert "may well be chance" == replace(finding, chance=1.0).odds
    assert "at most 1 in 3 by chance" == replace(finding, chance=0.3).odds
    assert "not a matter of chance" == replace(finding, chance=0.0).odds
    assert "less than 1 in 1,000,000 by chance" == replace(finding, chance=1e-300).odds


def test_a_setting_that_cannot_work_is_refused_by_name() -> None:
    """The error names the field, what it is and what it must be."""
    with pytest.raises(ValueError, match=r"floor is 0\.5; it must be 1 or more"):
        Tuning(floor=0.5)


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
    assert at < 18
    assert ("the line",) == verdict(state).breaches[0].examples


def test_an_error_that_both_arms_log_is_no_news() -> None:
    """What stable logs too is not the canary's."""
    shared = {"TimeoutError: upstream": LogEvents(2, "line")}

    both = Arms(shared, {name: LogEvents(38, "line") for name in shared})
    state, _ = run(2, rate=20, logs=both)

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


def test_a_revision_with_other_buckets_is_judged_at_a_bound_that_both_have() -> None:
    """Half of the canary's requests are slow, and its finer buckets do not hide it."""
    state = begin(Objectives(warm_up=timedelta(0), watched=(Sli.P99,)))
    coarse, fine = (0.1, 0.5, 1.0), (0.1, 0.25, 1.0)
    for index in range(40):
        theirs = Traffic(1900, 0, Histogram(coarse, (1800, 80, 20, 0)))
        ours = Traffic(100, 0, Histogram(fine, (40, 10, 0, 50)))
        state = look(state, sample(index, traffic=Arms(ours, theirs)))

    assert [Sli.P99] == [finding.sli for finding in verdict(state).breaches]


def test_the_bounds_are_chosen_on_more_than_one_busy_moment() -> None:
    """The first tick of the past, slow by chance, does not decide where latency is judged."""
    slow = Traffic(9500, 0, Histogram((0.1, 0.5, 1.0), (0, 0, 0, 9500)))
    usual = Traffic(9500, 0, Histogram((0.1, 0.5, 1.0), (9000, 405, 95, 0)))
    state = learn(begin(Objectives()), slow, NoData("none"))
    assert state.p99[0].bound is None

    for _ in range(60):
        state = learn(state, usual, NoData("none"))

    assert state.p99[0].bound is not None


def test_buckets_that_end_below_stables_requests_are_blind() -> None:
    """Where nearly all requests are slower than the last bound, no percentile can be told."""
    state = begin(Objectives(warm_up=timedelta(0), watched=(Sli.P95,)))
    for index in range(20):
        theirs = Traffic(1900, 0, Histogram((0.001,), (10, 1890)))
        ours = Traffic(100, 0, Histogram((0.001,), (1, 99)))
        state = look(state, sample(index, traffic=Arms(ours, theirs)))

    finding = verdict(state).findings[0]
    assert Health.BLIND is finding.health
    assert "slower than the last latency bucket" in finding.reason


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
    for index in range(120):
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
    state = look(state, sample(0, traffic=Arms(Traffic(50_000, 200), Traffic(950_000, 3800))))
    state = look(state, sample(1, traffic=Arms(Traffic(50_000, 200), Traffic(950_000, 3800))))

    assert [Sli.ERRORS] == [finding.sli for finding in verdict(state).findings]
    assert Health.HEALTHY is verdict(state).health
