"""What stable did before the canary makes the judge wiser, and nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from builders import ARMS, NOON
from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import Observed
from bot.core.judge import JudgeState, begin, learn, verdict
from bot.core.learning import learnt, span
from bot.core.looking import taken
from bot.core.plan import Weight
from bot.core.reading import Counters, Instances, Reading, Tally
from bot.core.slo import (
    Arms,
    Component,
    LogEvents,
    NoData,
    Objectives,
    Readiness,
    Sli,
    Traffic,
)
from bot.core.verdict import Health

NONE = NoData("not asked")
READY = Readiness((Component("db", ready=True),))


def past(ticks: int, pods: int = 1, errors: int = 1) -> list[tuple[datetime, Instances]]:
    """Pods that serve a hundred requests a tick each, every ten seconds up to noon."""
    return [
        (
            NOON - timedelta(seconds=10 * (ticks - tick)),
            {f"pod-{pod}": Counters(100 * tick, errors * tick) for pod in range(pods)},
        )
        for tick in range(ticks + 1)
    ]


def look(tick: int, canary: Counters, stable: Counters) -> Observed:
    at = NOON + timedelta(seconds=10 * tick)
    reading = Reading(at, {"c": canary}, {"s": stable})
    split = {ARMS.canary: Weight.percent(5), ARMS.stable: Weight.percent(95)}
    ready = Arms(READY, READY)
    return Observed(at, at - timedelta(seconds=10), reading, Arms({}, {}), ready, split)


def test_every_tick_of_the_past_is_learnt_pod_by_pod() -> None:
    """An hour of four pods is 360 ticks of traffic, and their differences are the placebo."""
    memory, ticks = learnt(begin(Objectives()), past(360, pods=4), NONE)

    assert ticks == 360
    assert memory.past == Traffic(144_000, 1440)
    assert memory.placebo.groups[0].freedom > 0
    assert memory.looks == 0


def test_a_past_without_requests_teaches_nothing() -> None:
    """A service that slept, or a history with one moment in it, leaves an open mind."""
    idle = [(at, {"pod-0": Counters(7, 0)}) for at, _ in past(30)]

    assert learnt(begin(Objectives()), idle, NONE) == (begin(Objectives()), 0)
    assert learnt(begin(Objectives()), past(1)[:1], NONE) == (begin(Objectives()), 0)


def test_what_stable_logs_every_day_is_not_new() -> None:
    """A signature of the past is known when the canary logs it."""
    logs = {"TimeoutError: <*>": LogEvents(3, "TimeoutError: 5 s")}
    memory, _ = learnt(begin(Objectives()), past(30), logs)

    assert memory.known
    assert begin(Objectives()).known == ()


@given(st.lists(st.integers(0, 40), min_size=2, max_size=40))
def test_a_pod_that_restarts_in_the_past_loses_nothing(counts: list[int]) -> None:
    """However often a counter began anew, what it has shown since then is counted once."""
    snapshots: list[tuple[datetime, Instances]] = []
    total = begun = expected = 0
    for tick, count in enumerate(counts):
        if count > 30 and tick:
            total, begun = count, begun + 1
        else:
            total += count
        snapshots.append((NOON + timedelta(seconds=10 * tick), {"p": Counters(total, 0)}))
    for (_, before), (_, now) in pairwise(snapshots):
        was, is_ = before["p"].requests, now["p"].requests
        expected += is_ - was if is_ >= was else is_

    memory, _ = learnt(begin(Objectives()), snapshots, NONE)

    assert memory.past.requests == expected


def test_an_hour_is_looked_at_at_ten_seconds_and_never_more_than_six() -> None:
    """The past is as many ticks as tell how failures clump, in whatever time those are."""
    assert span(timedelta(seconds=10)) == timedelta(hours=1)
    assert span(timedelta(minutes=5)) == timedelta(hours=6)


def _run(restarting: bool) -> tuple[Tally | None, JudgeState]:
    tally, memory = None, begin(Objectives(watched=(Sli.READINESS,)))
    for tick in range(12):
        shown = 100 * (tick % 3 if restarting else tick)
        seen = look(tick, Counters(shown, 0), Counters(1900 * tick, 0))
        new = taken(tally, memory, seen)
        tally, memory = new.tally, new.memory
    return tally, memory


def test_counters_that_begin_anew_again_and_again_are_a_crash_loop() -> None:
    """A probe that always finds the process up does not hide that it restarts every 30 s."""
    tally, memory = _run(restarting=True)

    assert tally is not None
    assert tally.restarts == Arms(3, 0)
    finding = verdict(memory).findings[0]
    assert (finding.health, finding.rule) == (Health.BREACHED, "crash loop")
    assert finding.reason == "the canary restarted 3 times, stable 0 times"


def test_counters_that_only_rise_are_no_restart() -> None:
    """The same traffic without a restart is healthy."""
    _, memory = _run(restarting=False)

    assert verdict(memory).findings[0].health is Health.HEALTHY


@pytest.mark.parametrize("failing", [1, 20])
def test_counters_that_are_scraped_once_a_minute_are_not_blind(failing: int) -> None:
    """Looked at every ten seconds, a slow scrape still finds a breach, and still promotes."""
    tally, memory = None, begin(Objectives(watched=(Sli.ERRORS,)))
    for tick in range(180):
        scraped = tick - tick % 6
        canary = Counters(500 * scraped, failing * scraped)
        seen = look(tick, canary, Counters(9500 * scraped, 20 * scraped))
        at = NOON + timedelta(seconds=10 * scraped)
        told = Reading(at, {"c": canary}, {"s": Counters(9500 * scraped, 20 * scraped)})
        new = taken(tally, memory, replace(seen, metrics=told))
        tally, memory = new.tally, new.memory

    finding = verdict(memory).findings[0]
    assert finding.health is (Health.BREACHED if failing > 1 else Health.HEALTHY)


def test_what_is_learnt_after_the_first_look_changes_nothing() -> None:
    """Stable's past ends where the canary begins."""
    _, memory = _run(restarting=False)

    assert learn(memory, Traffic(1000, 900), {"X": LogEvents(1, "X")}) == memory
