"""The bet behind the judge is fair, and one look can never decide it."""

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from bot.core.judge.evidence import Evidence, exceeds, weigh
from bot.core.slo import Arms


def test_healthy_canaries_seldom_exceed_the_threshold() -> None:
    """Of 400 canaries at exactly the margin, looked at 120 times, under 2 % ever pass 1 in 100."""
    rng = random.Random(11)
    false = 0
    for _ in range(400):
        evidence = Evidence()
        for _ in range(120):
            events = sum(rng.random() < 0.02 for _ in range(100))
            mine = sum(rng.random() < 0.055 / 1.005 for _ in range(events))
            evidence = weigh(
                evidence, Arms(mine, events - mine), Arms(50, 950), margin=1.1, alpha=0.01
            )
        false += evidence.chance <= 0.01

    assert false <= 8


@given(st.integers(0, 10_000), st.integers(1, 10_000), st.integers(1, 10_000))
def test_no_single_look_is_enough(events: int, mine: int, theirs: int) -> None:
    """Whatever one look holds, it wins at most a third of what a rollback needs."""
    evidence = weigh(Evidence(), Arms(events, 0), Arms(mine, theirs), margin=1.1, alpha=0.01)

    assert evidence.chance > 0.01


@given(st.integers(0, 50), st.integers(0, 50))
def test_more_canary_events_never_weigh_less(mine: int, more: int) -> None:
    """Evidence rises with the canary's events."""
    low = weigh(Evidence(), Arms(mine, 20), Arms(50, 950), margin=1.1, alpha=0.004)
    high = weigh(Evidence(), Arms(mine + more, 20), Arms(50, 950), margin=1.1, alpha=0.004)

    assert high.peak >= low.peak


def test_without_requests_in_both_arms_nothing_is_learned() -> None:
    """An empty arm proves nothing."""
    assert Evidence() == weigh(Evidence(), Arms(3, 0), Arms(0, 100), margin=1.1, alpha=0.004)
    assert Evidence() == weigh(Evidence(), Arms(3, 0), Arms(9, 0), margin=1.1, alpha=0.004)


def test_a_rate_over_its_limit_becomes_surer_with_more_trials() -> None:
    """Ten per cent of ten may be chance; ten per cent of ten thousand is not."""
    assert exceeds(1, 10, 0.05, looks=1) > 0.5
    assert exceeds(1000, 10_000, 0.05, looks=100) < 1e-6
    assert 1.0 == exceeds(5, 100, 0.05, looks=1)
    assert exceeds(100, 100, 0.05, looks=1) <= 2 * math.exp(-100 * math.log(20)) * 1.0001
