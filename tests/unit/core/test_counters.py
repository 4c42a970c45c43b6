"""Plain cumulative counters in, a verdict out; what a scrape can do wrong blames nobody."""

import doctest
from collections.abc import Iterator

import pytest

from bot.core.judge import ArmCounters, CounterJudge, counters
from bot.core.judge.counters import increase

EDGES = (0.05, 0.1, 0.25, 0.5, 1.0, float("inf"))
SHAPE = (0.6, 0.85, 0.95, 0.985, 0.995, 1.0)


def arm(ticks: int, each: int, errors: float, **changes: object) -> ArmCounters:
    """Counters after so many ticks of `each` requests."""
    requests = ticks * each
    buckets = tuple(
        (edge, round(part * requests)) for edge, part in zip(EDGES, SHAPE, strict=True)
    )
    return ArmCounters(requests, round(errors * requests), buckets, **changes)  # type: ignore[arg-type]  # any field


def past(judge: CounterJudge) -> None:
    for tick in range(360):
        judge.tick(10.0 * (tick - 360), canary=None, stable=arm(tick, 950, 0.005))


def pairs(errors: float = 0.005) -> Iterator[tuple[float, ArmCounters, ArmCounters]]:
    for tick in range(121):
        yield 10.0 * tick, arm(tick, 50, errors), arm(360 + tick, 950, 0.005)


def test_the_example_in_the_documentation_is_true() -> None:
    """What the docstring shows is what happens."""
    assert 0 == doctest.testmod(counters).failed


def test_a_healthy_canary_is_promoted() -> None:
    """Enough traffic, the same failures: promoted at the end, and not before."""
    judge = CounterJudge()
    past(judge)
    assert {"continue"} == {
        judge.tick(at, canary=mine, stable=theirs).decision for at, mine, theirs in pairs()
    }

    assert "promote" == judge.finish().decision


def test_a_failing_canary_is_rolled_back_and_it_says_why() -> None:
    """Four times the failures are found within minutes, with ratio, interval and chance."""
    judge = CounterJudge()
    past(judge)
    answer, at = judge.finish(), 0.0
    for at, mine, theirs in pairs(0.02):
        answer = judge.tick(at, canary=mine, stable=theirs)
        if answer.decision == "rollback":
            break

    assert "rollback" == judge.finish().decision
    assert at <= 300
    found = answer.findings[0]
    assert found.low is not None
    assert found.high is not None
    assert found.ratio is not None
    assert 1 < found.low < found.ratio < found.high
    assert "by chance" in answer.why


@pytest.mark.parametrize("missing", ["canary", "stable", "both"])
def test_missing_scrapes_blame_nobody(missing: str) -> None:
    """A third of the scrapes fail, and what they held is caught up with."""
    judge = CounterJudge()
    past(judge)
    for index, (at, mine, theirs) in enumerate(pairs()):
        gone = index % 3 == 1
        judge.tick(
            at,
            canary=None if gone and missing != "stable" else mine,
            stable=None if gone and missing != "canary" else theirs,
        )

    assert "promote" == judge.finish().decision
    assert judge.state.totals.canary.requests == pytest.approx(6000, abs=60)


def test_a_tick_that_comes_twice_or_late_changes_nothing() -> None:
    """Only time that moves on counts."""
    judge, once = CounterJudge(), CounterJudge()
    for at, mine, theirs in pairs(0.01):
        once.tick(at, canary=mine, stable=theirs)
        judge.tick(at, canary=mine, stable=theirs)
        judge.tick(at, canary=mine, stable=theirs)
        judge.tick(at - 30, canary=arm(1, 9, 1.0), stable=theirs)

    assert once.state == judge.state


def test_a_restart_of_the_canary_counts_from_zero() -> None:
    """What a new process has counted is new; nothing is lost but the last moment."""
    traffic, _ = increase(arm(100, 50, 0.01), arm(1, 40, 0.1), 10, 5.0)

    assert (40, 4) == (traffic.requests, traffic.errors)


def test_a_sum_that_lost_a_pod_is_not_taken_for_new_traffic() -> None:
    """Nineteen of twenty pods' old requests are not ten seconds of traffic."""
    traffic, _ = increase(arm(1000, 950, 0.01), arm(950, 950, 0.01), 10, 95.0)

    assert 0 == traffic.requests


def test_zero_traffic_and_no_scrapes_are_never_promoted_nor_rolled_back() -> None:
    """What cannot be seen is neither good nor bad."""
    idle, blind = CounterJudge(), CounterJudge()
    for at, _, theirs in pairs():
        idle.tick(at, canary=arm(0, 0, 0), stable=theirs)
        blind.tick(at, canary=None, stable=None)

    assert "inconclusive" == idle.finish().decision
    assert "inconclusive" == blind.finish().decision


def test_what_a_canary_did_before_its_first_scrape_counts() -> None:
    """Born since stable's last tick, it has counted from zero."""
    judge = CounterJudge()
    past(judge)
    judge.tick(0.0, canary=arm(1, 40, 0.1), stable=arm(360, 950, 0.005))

    assert 40 == judge.state.totals.canary.requests


def test_what_an_old_canary_counted_long_ago_does_not() -> None:
    """More requests than stable had since the last tick are not from this moment."""
    judge = CounterJudge()
    past(judge)
    judge.tick(0.0, canary=arm(100, 40, 0.1), stable=arm(360, 950, 0.005))

    assert 0 == judge.state.totals.canary.requests


def test_a_pod_that_is_not_ready_is_an_outage() -> None:
    """After its boot, a pod may be away for a minute."""
    judge = CounterJudge()
    decisions = [
        judge.tick(at, canary=arm(5, 50, 0, ready=0), stable=theirs).decision
        for at, _, theirs in pairs()
    ]

    assert 12 <= decisions.index("rollback") <= 14
    assert "outage" == judge.finish().findings[-2].rule


def test_three_restarts_are_a_crash_loop() -> None:
    """Whatever the requests say."""
    judge = CounterJudge()
    for index, (at, mine, theirs) in enumerate(pairs()):
        looping = ArmCounters(mine.requests, mine.errors, mine.buckets, restarts=index // 5)
        if judge.tick(at, canary=looping, stable=theirs).decision == "rollback":
            break

    assert 15 == index
    assert "restarted 3 times" in judge.finish().why


def test_a_signature_that_only_the_canary_logs_is_found_though_all_is_well_otherwise() -> None:
    """One line every two minutes, and stable's past has never seen it."""
    judge = CounterJudge()
    past(judge)
    for at, mine, theirs in pairs():
        logging = ArmCounters(mine.requests, mine.errors, mine.buckets, {"E": int(at // 120)})
        if judge.tick(at, canary=logging, stable=theirs).decision == "rollback":
            break

    assert at <= 480
    assert "signature" == judge.finish().findings[-1].rule


def test_healthy_pods_that_differ_excuse_a_canary_that_does() -> None:
    """Where pods fail at rates that far apart, a canary at the upper end is nothing new."""
    alone, placebo = CounterJudge(), CounterJudge()
    for tick in range(481):
        pods = {
            f"p{pod}": ArmCounters(50 * tick, round(0.001 * (pod + 1) * 50 * tick))
            for pod in range(19)
        }
        errors = sum(pod.errors for pod in pods.values())
        both = ArmCounters(950 * tick, errors, instances=pods)
        at = 10.0 * (tick - 360)
        canary = None if at < 0 else ArmCounters(50 * (tick - 360), round(0.9 * (tick - 360)))
        alone.tick(at, canary=canary, stable=ArmCounters(950 * tick, errors))
        placebo.tick(at, canary=canary, stable=both)

    assert "rollback" == alone.finish().decision
    assert "rollback" != placebo.finish().decision
