"""The bet behind the judge is fair, and one tick can never decide it."""

import math
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.judge.clumps import at_least, clump_size, tilt
from bot.core.judge.evidence import Channel, Evidence, exceeds, weigh
from bot.core.judge.spells import Span, Spell, follow
from bot.core.tuning import Tuning

MINUTE = timedelta(minutes=1)
CHANNEL = Channel(1.1, (1.7, 2.4, 4.0, 8.0, 25.0), 0.01, ())
ODDS = 50 / 950


def weighed(
    evidence: Evidence, mine: int, theirs: int, *, dispersion: float = 1.0, tick: int = 0
) -> Evidence:
    return weigh(
        evidence,
        (mine, theirs),
        odds=ODDS,
        dispersion=dispersion,
        elapsed=timedelta(seconds=10 * tick),
        channel=CHANNEL,
        tuning=Tuning(),
    )


def test_healthy_canaries_seldom_exceed_the_threshold() -> None:
    """Of 400 canaries at exactly the margin, looked at 120 times, under 2 % ever pass 1 in 100."""
    rng = random.Random(11)
    false = 0
    for _ in range(400):
        evidence = Evidence()
        for tick in range(120):
            events = sum(rng.random() < 0.02 for _ in range(100))
            mine = sum(rng.random() < 0.055 / 1.005 for _ in range(events))
            evidence = weighed(evidence, mine, events - mine, tick=tick)
        false += evidence.chance <= 0.01

    assert false <= 8


def test_clumps_seldom_exceed_the_threshold_when_they_are_weighed_as_clumps() -> None:
    """Of 200 canaries whose failures come five at a time, under 3 % ever pass 1 in 100."""
    rng = random.Random(12)
    false = 0
    for _ in range(200):
        evidence = Evidence()
        for tick in range(120):
            mine = theirs = 0
            for _ in range(sum(rng.random() < 0.05 for _ in range(20))):
                size = 1
                while rng.random() < 0.8:
                    size += 1
                if rng.random() < 0.05:
                    mine += size
                else:
                    theirs += size
            evidence = weighed(evidence, mine, theirs, dispersion=9.0, tick=tick)
        false += evidence.chance <= 0.01

    assert false <= 6


@given(st.integers(0, 10_000), st.floats(1, 50))
def test_no_single_tick_is_enough(events: int, dispersion: float) -> None:
    """Whatever one tick holds, it is no breach."""
    assert weighed(Evidence(), events, 0, dispersion=dispersion).chance > 0.01


@given(st.integers(0, 50), st.integers(0, 50), st.floats(1, 20))
def test_more_canary_events_never_weigh_less(mine: int, more: int, dispersion: float) -> None:
    """Evidence rises with the canary's events."""
    low = weighed(Evidence(), mine, 20, dispersion=dispersion)
    high = weighed(Evidence(), mine + more, 20, dispersion=dispersion)

    assert high.chance <= low.chance


def test_three_very_bad_ticks_are_enough() -> None:
    """Thirty seconds of what nobody would call chance."""
    evidence = Evidence()
    for tick in range(3):
        evidence = weighed(evidence, 200, 20, tick=tick)

    assert evidence.chance <= 0.01
    assert "sequential" == evidence.rule


SPELLED = Channel(1.1, (1.7, 2.4, 4.0, 8.0, 25.0), 0.01, (), 1.0)


def minutes(events: list[int], *, dispersion: float = 1.5) -> Evidence:
    """One tick a minute: the canary's events each, and stable's fifty."""
    evidence = Evidence()
    for minute, mine in enumerate(events):
        evidence = weigh(
            evidence,
            (mine, 50),
            odds=ODDS,
            dispersion=dispersion,
            elapsed=MINUTE * minute,
            channel=SPELLED,
            tuning=Tuning(),
        )
    return evidence


def test_one_spell_is_not_enough() -> None:
    """Four minutes, however bad, amid sixteen ordinary ones blame nobody."""
    evidence = minutes([2, 3] * 4 + [60] * 4 + [3, 2] * 4)

    assert evidence.chance > 0.01
    assert not evidence.rule


def test_what_lasts_is_a_breach_without_its_worst_spell() -> None:
    """A third as many events more, but all the time."""
    evidence = minutes([2, 3] * 2 + [14] * 16)

    assert evidence.chance <= 0.01
    assert evidence.rule == "sequential"


def test_a_spell_is_only_left_out_of_events_in_clumps() -> None:
    """Where events are single, one bad minute is evidence like any other."""
    assert weighed_minutes(CHANNEL, [60]) <= 0.01 < weighed_minutes(SPELLED, [60])


def test_what_lasts_from_the_beginning_is_found_early() -> None:
    """A spell is at most half of the time so far: the second bad minute is no spell."""
    assert weighed_minutes(SPELLED, [60, 60]) <= 0.01


def weighed_minutes(channel: Channel, events: Sequence[int]) -> float:
    evidence = Evidence()
    for minute, canary in enumerate(events):
        evidence = weigh(
            evidence,
            (canary, 50),
            odds=ODDS,
            dispersion=1.05,
            elapsed=MINUTE * minute,
            channel=channel,
            tuning=Tuning(looks_to_win=1),
        )
    return evidence.chance


def test_the_worst_spell_is_found_over_gaps() -> None:
    """Minutes without a tick pass, too, and each length has a worst of its own."""
    spell = Spell()
    for minute, events in ((0, 1), (1, 9), (2, 9), (9, 5), (10, 4)):
        spell = follow(spell, Span(events, 1.0, 20), MINUTE * minute, 5 * MINUTE)

    assert spell.worst[:3] == (Span(9, 1.0, 20), Span(18, 2.0, 40), Span(19, 3.0, 60))
    assert spell.minutes == (Span(4, 1.0, 20), Span(5, 1.0, 20), Span(), Span(), Span())


@pytest.mark.parametrize(
    "settings",
    [
        {"spell_level": 1.0},
        {"spell_part": 0.0},
        {"error_spell": timedelta(seconds=59)},
        {"latency_spell": timedelta(0)},
    ],
)
def test_a_spell_that_cannot_work_is_refused(settings: dict[str, Any]) -> None:
    """The settings of the worst spell are checked."""
    with pytest.raises(ValueError, match=f"judge: {next(iter(settings))}"):
        Tuning(**settings)


@given(st.floats(1.01, 100), st.floats(1, 40))
def test_a_tilt_multiplies_the_mean_by_its_ratio(ratio: float, size: float) -> None:
    """The slope of the clumped cumulant function at theta is the ratio."""
    theta, moment = tilt(ratio, size)
    step = 1e-6 * theta
    p = 1 / max(size, 1.0005)

    def transform(at: float) -> float:
        return (
            p * math.exp(at) / (1 - (1 - p) * math.exp(at)) - 1
            if size >= 1.0005
            else math.exp(at) - 1
        )

    assert moment == pytest.approx(transform(theta), rel=1e-6)
    slope = (transform(theta + step) - transform(theta - step)) / (2 * step)
    assert slope / clump_size(2 * size - 1) == pytest.approx(ratio, rel=1e-2)


def test_clumped_tails_are_those_of_a_simulation() -> None:
    """Nine failures in clumps of three are far likelier than nine alone."""
    rng = random.Random(3)
    hits, runs = 0, 20_000
    for _ in range(runs):
        total = 0
        clumps, left = 0, rng.expovariate(1.0)
        while left < 1.0:
            clumps, left = clumps + 1, left + rng.expovariate(1.0)
        for _ in range(clumps):
            total += 1
            while rng.random() < 2 / 3:
                total += 1
        hits += total >= 9

    assert at_least(9, 60, 0.05, 3.0) == pytest.approx(hits / runs, rel=0.1)
    assert at_least(9, 60, 0.05, 1.0) < 0.01


@given(st.integers(0, 3000), st.floats(1, 30))
def test_a_tail_is_a_chance_and_falls_with_the_count(count: int, size: float) -> None:
    """Never outside 0 and 1, and one event more is never likelier."""
    now, next_one = at_least(count, 8000, 0.05, size), at_least(count + 50, 8000, 0.05, size)

    assert 0 <= next_one <= now + 1e-9 <= 1 + 1e-9


def test_a_rate_over_its_limit_becomes_surer_with_more_trials() -> None:
    """Ten per cent of ten may be chance; ten per cent of ten thousand is not."""
    assert exceeds(1, 10, 0.05, looks=1) > 0.5
    assert exceeds(1000, 10_000, 0.05, looks=100) < 1e-6
    assert 1.0 == exceeds(5, 100, 0.05, looks=1)
    assert exceeds(100, 100, 0.05, looks=1) <= 2 * math.exp(-100 * math.log(20)) * 1.0001
