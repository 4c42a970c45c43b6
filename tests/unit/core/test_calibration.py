"""Stable against itself: the trials are fair, and blame nobody."""

import random
from datetime import datetime, timedelta

from builders import NOON
from hypothesis import given
from hypothesis import strategies as st

from bot.core.calibration import aa_by_instance, aa_by_request, binomial, by_instance, deal, wilson
from bot.core.judge import begin
from bot.core.reading import Counters, Instances
from bot.core.slo import Histogram, Objectives, Sli, Traffic

REQUESTS = begin(Objectives(watched=(Sli.ERRORS,), min_requests=50))


def history(
    rng: random.Random, instances: int, looks: int = 60
) -> list[tuple[datetime, Instances]]:
    """Instances that each serve about 100 requests a tick, one in 200 of them failing."""
    totals = {f"pod-{index}": [0, 0] for index in range(instances)}
    found = []
    for look in range(looks):
        for counts in totals.values():
            served = rng.randint(80, 120)
            counts[0] += served
            counts[1] += sum(rng.random() < 0.005 for _ in range(served))
        at = NOON + timedelta(seconds=10 * look)
        found.append((at, {name: Counters(n, bad) for name, (n, bad) in totals.items()}))
    return found


def test_a_healthy_history_is_hardly_ever_blamed() -> None:
    """Of 100 trials of either kind at most two would be rolled back."""
    rng = random.Random(3)
    false = 0
    for _ in range(50):
        pods = by_instance(history(rng, 10), 0.05, rng.random)
        false += bool(aa_by_instance(pods, REQUESTS).breached)
        one = history(rng, 1)
        false += bool(aa_by_request(one, 0.05, REQUESTS, rng.random).breached)

    assert false <= 2


def test_a_pod_that_is_really_worse_shows() -> None:
    """If one instance fails ten times as often, drawing it is a rollback."""
    rng = random.Random(4)
    window = history(rng, 2)
    worse = [
        (at, pods | {"pod-0": Counters(pods["pod-0"].requests, pods["pod-0"].requests // 10)})
        for at, pods in window
    ]

    found = {
        aa_by_instance(by_instance(worse, 0.5, rng.random), REQUESTS).breached for _ in range(9)
    }

    assert (Sli.ERRORS,) in found


@given(st.integers(0, 3000), st.floats(0.01, 0.5), st.integers(0, 2**32))
def test_dealt_requests_add_up(requests: int, share: float, seed: int) -> None:
    """No request is lost, and none is dealt twice."""
    rng = random.Random(seed)
    errors = requests // 7
    whole = Traffic(requests, errors, Histogram((0.1,), (requests, errors)))

    arms = deal(whole, share, rng.random)

    assert arms.canary.plus(arms.stable) == whole


def test_binomial_draws_have_the_mean_and_spread_of_a_binomial() -> None:
    """10,000 draws of 40 with a chance of 0.2: mean 8, variance 6.4."""
    rng = random.Random(5)
    draws = [binomial(40, 0.2, rng.random) for _ in range(10_000)]
    mean = sum(draws) / len(draws)

    assert abs(mean - 8) < 0.1
    assert abs(sum((draw - mean) ** 2 for draw in draws) / len(draws) - 6.4) < 0.4


def test_the_interval_of_no_hit_is_not_empty() -> None:
    """Nothing in 200 still leaves almost 2 %."""
    low, high = wilson(0, 200)

    assert low == 0
    assert 0.01 < high < 0.02
