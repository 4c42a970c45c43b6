"""The peers' judges decide, and when, as their sources and their users' threads say."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from bench.judge.peers import ALL, Factory
from bench.judge.peers.argo import Argo
from bench.judge.peers.fixtures import CASES
from bench.judge.peers.flagger import Flagger, flagger_5, last_value
from bench.judge.peers.kayenta import Kayenta, kayenta_5min, kayenta_end
from bench.judge.peers.naive import Naive
from bench.judge.peers.rollup import Counts, increase, p99_limit
from bench.judge.peers.zscore import ZScore, z_score
from bench.judge.protocol import ArmTick, Decision, Judge, Tick


def run(judge: Judge, ticks: Sequence[Tick]) -> tuple[Decision, float]:
    """The decision and when it fell."""
    judge.prelude([tick for tick in ticks if tick.at < 0])
    for tick in ticks:
        if tick.at >= 0 and judge.tick(tick) == "rollback":
            return "rollback", tick.at
    return judge.finish(), ticks[-1].at


def arm(step: int, requests: int, errors: int = 0, slow: int = 0, ready: int = 1) -> ArmTick:
    """Counters after so many ticks of steady traffic: so many a tick, `slow` of them at 900 ms.

    The slowest 4 % are never below 100 ms, so that two slow ones in fifty leave p95 as it is.
    """
    total = requests * step
    buckets = ((0.1, total * 24 // 25), (0.5, total - slow * step), (1.0, total))
    return ArmTick(total, errors * step, (*buckets, (math.inf, total)), ready=ready)


def session(
    errors: int = 0, requests: int = 50, slow: int = 0, unready: range = range(0)
) -> list[Tick]:
    """An hour of stable at 950 requests and 4 or 5 errors a tick, then twenty minutes of both."""
    ticks = []
    for step in range(-360, 121):
        stable = arm(step + 360, 950)
        stable = replace(stable, errors=(step + 360) * 9 // 2 + random.Random(step).randrange(9))
        ours = arm(step, requests, errors, slow, int(step not in unready)) if step >= 0 else None
        ticks.append(Tick(10.0 * step, ours, stable))
    return ticks


def blind(ticks: Sequence[Tick]) -> list[Tick]:
    return [replace(tick, canary=None) for tick in ticks]


def test_kayenta_ends_early_only_at_marginal_or_below() -> None:
    """Failing errors are one group of four, 75, which ends it; a slow p99 alone waits, then fails."""
    assert run(kayenta_5min(), session(errors=10)) == ("rollback", 300)
    assert run(kayenta_end(), session(errors=10)) == ("rollback", 1200)
    assert run(kayenta_5min(), session(slow=2)) == ("rollback", 1200)


def test_flagger_acts_one_check_after_the_threshold() -> None:
    """Five checks fail by 300 s, the sixth rolls back; passes in between forgive nothing."""
    assert run(flagger_5(), session(errors=1)) == ("rollback", 360)
    good, bad = arm(0, 0), []
    for minute in range(21):
        errors = good.errors + (10 if minute % 3 == 1 else 0)
        good = replace(arm(minute, 300), errors=errors)
        bad.append(Tick(60.0 * minute, good, None))
    assert run(flagger_5(), bad) == ("rollback", 14 * 60)


def test_flagger_waits_for_readiness_until_the_deadline() -> None:
    """While the canary is not ready no check fails and nothing is rolled back for 600 s."""
    assert run(flagger_5(), session(unready=range(30, 121))) == ("rollback", 900)
    assert run(flagger_5(), session(unready=range(100, 121)))[0] == "inconclusive"
    assert run(flagger_5(), session(unready=range(30, 80)))[0] == "promote"


def poisson(draw: random.Random, mean: float) -> int:
    total, count = draw.expovariate(1), 0
    while total < mean:
        total, count = total + draw.expovariate(1), count + 1
    return count


@pytest.mark.parametrize(
    ("requests", "threshold", "part"), [(5, 1, 0.46), (20, 1, 0.87), (20, 5, 0.04), (50, 5, 0.45)]
)
def test_flagger_rolls_back_the_healthy_as_often_as_measured(
    requests: int, threshold: int, part: float
) -> None:
    """At 0.5 % errors and few requests a check, false rollbacks come at the published rates."""
    draw, rolled = random.Random(requests), 0
    for _ in range(300):
        total = errors = 0
        ticks = [Tick(0.0, arm(0, 0), None)]
        for check in range(1, 21):
            count = poisson(draw, requests)
            total, errors = (
                total + count,
                errors + sum(draw.random() < 0.005 for _ in range(count)),
            )
            ticks.append(Tick(60.0 * check, replace(arm(1, total), errors=errors), None))
        rolled += run(Flagger(threshold), ticks)[0] == "rollback"
    assert rolled / 300 == pytest.approx(part, abs=0.07)


def test_argo_fails_at_the_third_bad_measurement_and_errs_at_the_fifth_empty_one() -> None:
    """NaN fails a success condition; an empty result is an error, retried after ten seconds."""
    assert run(Argo(), session(errors=1)) == ("rollback", 180)
    assert run(Argo(), session(slow=1)) == ("rollback", 180)
    assert run(Argo(), session(requests=0)) == ("rollback", 180)
    assert run(Argo(), blind(session())) == ("rollback", 100)
    back = [replace(tick, canary=None) if 300 <= tick.at < 380 else tick for tick in session()]
    assert run(Argo(), back)[0] == "promote"
    assert run(Argo(), session(unready=range(30, 121)))[0] == "inconclusive"


def test_z_score_knows_only_the_spread_of_stable() -> None:
    """A small arm's ordinary minute is unusual beside the smooth history of a large one."""
    assert z_score(4.0, [1.0, 2.0, 3.0]) == 2.0
    assert math.isnan(z_score(math.nan, [1.0, 1.0]))
    assert z_score(1.0, [0.0, 0.0]) == math.inf
    ordinary = session()
    ticks = [
        replace(tick, canary=replace(tick.canary, errors=4)) if tick.canary and tick.at else tick
        for tick in ordinary
    ]
    assert run(ZScore(), ticks)[0] == "rollback"


def test_peeking_rolls_back_more_healthy_canaries_than_the_level_says() -> None:
    """The 1 % test read at each of 120 ticks is wrong in far more than 1 % of healthy sessions."""
    draw, wrong = random.Random(5), 0
    for _ in range(200):
        ours = theirs = 0
        ticks = []
        for step in range(121):
            ours, theirs = ours + poisson(draw, 0.5), theirs + poisson(draw, 9.5)
            canary, stable = arm(step, 100), arm(step, 1900)
            ticks.append(
                Tick(10.0 * step, replace(canary, errors=ours), replace(stable, errors=theirs))
            )
        wrong += run(Naive(), ticks)[0] == "rollback"
    assert wrong / 200 > 0.05


@pytest.mark.parametrize("make", ALL)
def test_every_peer_tells_steady_good_from_plainly_bad(make: Factory) -> None:
    """All promote a canary as good as stable and roll back one that fails a fifth of requests."""
    calm = [replace(tick, stable=arm(int(tick.at / 10) + 360, 950, 5)) for tick in session()]
    assert run(make(), calm)[0] == "promote"
    assert run(make(), session(errors=10))[0] == "rollback"


@pytest.mark.parametrize(
    ("make", "zero", "dark"),
    [
        (kayenta_end, "rollback", "rollback"),
        (flagger_5, "rollback", "rollback"),
        (Argo, "rollback", "rollback"),
        (ZScore, "promote", "promote"),
        (Naive, "promote", "promote"),
    ],
)
def test_no_peer_admits_that_it_saw_nothing(make: Factory, zero: Decision, dark: Decision) -> None:
    """Without requests or without metrics every peer decides all the same."""
    assert run(make(), session(requests=0))[0] == zero
    assert run(make(), blind(session()))[0] == dark


def test_newest_point_hides_what_the_minute_shows() -> None:
    """Flagger's reading of the last point is within 1.1 where the points before it are at 20."""
    case = CASES[3]
    assert last_value(case.experiment) <= 1.1
    assert max(case.experiment) == 20
    assert run(Flagger(5), case.ticks()) == ("rollback", 360)
    with pytest.raises(ValueError, match="no values"):
        last_value([])


def test_rollup_survives_a_reset_and_a_gap() -> None:
    """Counters that begin again count on, and a window nobody saw is not zero but unknown."""
    counts = increase([arm(1, 50), arm(3, 50), arm(1, 20, 2), arm(2, 20, 2)])
    assert (counts.requests, counts.errors, counts.buckets[-1]) == (140, 4, 140)
    judge = Kayenta("k", None)
    lost = [replace(one, canary=None) if 60 < one.at <= 180 else one for one in session()]
    assert run(judge, lost)[0] == "promote"
    assert [math.isnan(point[0]) for point in judge._points[1][:4]] == [False, True, True, False]


def test_quantile_is_interpolated_as_prometheus_does() -> None:
    """Half of ten requests lie halfway into their bucket, and +Inf answers the highest bound."""
    made = partial(Counts, bounds=(0.1, 0.5, math.inf))
    assert made(buckets=[0, 10, 10]).quantile(0.5) == pytest.approx(0.3)
    assert made(buckets=[0, 0, 10]).quantile(0.5) == 0.5
    assert math.isnan(made(buckets=[0, 0, 0]).quantile(0.5))
    assert made(buckets=[0, 8, 4]).quantile(0.5) == pytest.approx(0.3)


def test_a_team_sets_its_limit_after_the_hour_before() -> None:
    """One and a half times stable's p99, and the tutorials' 500 ms where there is no history."""
    history = [tick for tick in session() if tick.at < 0]
    assert p99_limit([]) == 0.5
    # 4 % of stable's requests are spread over 100 to 500 ms, so p99 lies at 400 ms.
    assert p99_limit(history) == pytest.approx(1.5 * 0.4)


def test_names_differ() -> None:
    """A table can tell the peers apart."""
    assert len({make().name for make in ALL}) == len(ALL) == 7
