"""What was seen of a canary, in few enough points to be drawn, and when its trouble began."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from builders import NOON, a_canary
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.core.windows import (
    TICK,
    TOOK,
    Arm,
    Moment,
    Seen,
    aborted,
    breach,
    healthy,
    moments,
    promoted,
    rolled_back,
    thin,
    window,
)

from bot.core.canary import RollingBack
from bot.core.chronicle import Chronicle, chronicle
from bot.core.events import Observed
from bot.core.plan import Weight
from bot.core.points import MOST_POINTS, POINTS_OF_TROUBLE, Look, Series, groups
from bot.core.reading import Reading
from bot.core.slo import Arms, NoData, Objectives, Sli, Traffic


def of(found: Chronicle, sli: Sli) -> Series:
    """One indicator's series."""
    return next(series for series in found.series if series.sli is sli)


def errors_counted(seen: Seen) -> list[tuple[float, float]]:
    """Both arms' error rates between each look and the one before."""
    counters = [
        (one.metrics.canary["c"], one.metrics.stable["s"])  # type: ignore[index] # a window's arms were read
        for one in seen
        if isinstance(one, Observed) and isinstance(one.metrics, Reading)
    ]
    rates = []
    for was, now in pairwise(counters):
        canary, stable = (
            (new.errors - old.errors) / (new.requests - old.requests)
            for old, new in zip(was, now, strict=True)
        )
        rates.append((canary, stable))
    return rates


def test_a_point_is_what_was_counted_between_two_looks() -> None:
    """With enough requests for a point each, errors over requests, look by look."""
    seen = window(moments(20, lambda _: Arm(requests=200, error_rate=0.05)))

    found = of(chronicle(*promoted(seen)), Sli.ERRORS)

    assert [(p.canary, p.stable) for p in found.points] == errors_counted(seen)
    assert [p.at for p in found.points] == [one.at for one in seen[1:]]
    assert found.limit == 0.05


def test_looks_with_few_requests_become_one_point_that_adds_them_up() -> None:
    """Twenty points of six looks each hold all that was counted."""
    seen = window(moments(121, lambda _: Arm(requests=5, error_rate=0.3)))

    points = of(chronicle(*promoted(seen)), Sli.ERRORS).points

    assert len(points) == 20
    per_look = [canary for canary, _ in errors_counted(seen)]
    assert points[-1].canary == pytest.approx(sum(per_look[-6:]) / 6)
    assert points[-1].at - points[-1].since == 6 * TICK


def test_latency_is_the_percentile_of_those_looks() -> None:
    """In seconds, with the limits the objectives name."""
    limits = Objectives(p95_limit=timedelta(seconds=0.3))
    found = chronicle(*promoted(window(moments(30, lambda _: Arm(requests=200))), limits))

    p95, p99 = of(found, Sli.P95), of(found, Sli.P99)
    assert (p95.limit, p99.limit) == (0.3, None)
    for low, high in zip(p95.points, p99.points, strict=True):
        assert low.canary is not None
        assert high.canary is not None
        assert 0.1 < low.canary < high.canary < 0.5


def test_where_nothing_was_seen_there_is_nothing() -> None:
    """A gap is a gap, in the metrics as in logs and readiness."""
    seen = window(
        [
            Moment(Arm(200), blind=("metrics", "logs", "readiness") if 5 <= at < 9 else ())
            for at in range(20)
        ]
    )

    found = chronicle(*promoted(seen))

    for sli in (Sli.ERRORS, Sli.P95, Sli.READINESS, Sli.LOGS):
        gaps = [p.at for p in of(found, sli).points if p.canary is None]
        assert gaps == [one.at for one in seen[5:9]]


def test_what_was_never_seen_has_no_series() -> None:
    """And without any look there is not even a beginning."""
    blind = [Moment(blind=("metrics", "logs"))] * 5
    assert [s.sli for s in chronicle(*aborted(window(blind))).series] == [Sli.READINESS]

    nothing = chronicle(*aborted([]))
    assert (nothing.looks, nothing.began_at, nothing.ended_at) == (0, None, None)
    assert nothing.series == ()
    assert nothing.onset is None


def test_a_source_scraped_once_a_minute_leaves_no_gaps() -> None:
    """Looks in between are passed over; a long silence is a gap all the same."""
    seen = window(moments(60, lambda _: Arm(600)))
    scraped: Seen = []
    for number, one in enumerate(seen):
        assert isinstance(one, Observed)
        last = seen[number - number % 6] if number < 30 else seen[24]
        assert isinstance(last, Observed)
        scraped.append(replace(one, metrics=last.metrics))

    points = of(chronicle(*promoted(scraped)), Sli.ERRORS).points

    told = [p for p in points if p.canary is not None]
    assert [p.at for p in told] == [seen[at].at for at in (6, 12, 18, 24)]
    silent = [p.at for p in points if p.canary is None]
    assert silent
    assert min(silent) > seen[24].at + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("kind", "sli"),
    [
        ("errors", Sli.ERRORS),
        ("latency", Sli.P99),
        ("logs", Sli.LOGS),
        ("readiness", Sli.READINESS),
        ("restarts", Sli.READINESS),
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_onset_is_when_it_began_to_go_wrong(kind: str, sli: Sli, seed: int) -> None:
    """Within a minute of the truth, and before the decision; whatever went wrong."""
    found = chronicle(*breach(kind, seed=seed))

    assert found.breached[0] is sli
    assert found.onset is not None
    assert found.decided_at is not None
    assert abs(found.onset - (NOON + 40 * TICK)) <= timedelta(minutes=1)
    assert found.onset < found.decided_at == found.ended_at


def test_a_breach_from_the_first_request_begins_where_counting_does() -> None:
    """The first look sees no request yet; after it all of them speak against the canary."""
    found = chronicle(*rolled_back(window(moments(120, lambda _: Arm(error_rate=0.5)))))

    assert found.onset is not None
    assert found.onset <= NOON + 2 * TICK


def test_no_point_lies_on_both_sides_of_the_onset() -> None:
    """What was before it is not mixed with what came after, and that is shown in some detail."""
    found = chronicle(*breach("errors"))

    assert found.onset is not None
    for series in found.series:
        assert not [p for p in series.points if p.since < found.onset < p.at]
    after = [p for p in of(found, Sli.ERRORS).points if p.since >= found.onset]
    assert len(after) >= POINTS_OF_TROUBLE


def test_of_logs_only_what_decided_is_counted() -> None:
    """Lines that both arms log would hide it."""
    found = of(chronicle(*breach("logs")), Sli.LOGS)

    assert found.signatures == ("DataError: value too long for type <*>",)
    assert found.points[-1].canary == 18.0
    assert found.points[-1].stable == 0.0
    assert found.measure == "a minute"


def test_a_crash_loop_is_shown_by_its_restarts() -> None:
    """No component is down at any look."""
    found = of(chronicle(*breach("restarts")), Sli.READINESS)

    assert found.measure == "restarts"
    assert found.points[-1].canary == 3.0
    assert of(chronicle(*breach("readiness")), Sli.READINESS).measure == "down"


def test_what_was_decided_and_when() -> None:
    """The decision, not the moment when the router had done it."""
    canary, seen = breach("errors")
    end = seen[-1].at
    decided = chronicle(canary, seen)
    assert (decided.decision, decided.decided_at) == ("rolled back", end)
    assert decided.cause is not None

    on_its_way = replace(canary, phase=RollingBack(decided.cause, end))
    assert chronicle(on_its_way, seen) == decided

    stopped = chronicle(*aborted(seen[:20]))
    assert (stopped.decision, stopped.decided_at) == ("aborted", seen[19].at)
    assert (stopped.onset, stopped.breached) == (None, ())

    fine = chronicle(*healthy())
    assert (fine.decision, fine.decided_at) == ("promoted", NOON + 120 * TICK + TOOK)
    assert [weight for _, weight in fine.weights[:2]] == [Weight.percent(5), Weight.percent(25)]

    assert chronicle(*thin()).decision == "rolled back"
    assert chronicle(a_canary(), seen).decision is None


def test_a_look_that_the_bot_ignored_is_ignored() -> None:
    """As when the canary is judged again."""
    canary, seen = breach("errors")
    late = seen[10]

    assert chronicle(canary, [*seen[:20], late, *seen[20:]]) == chronicle(canary, seen)


@given(
    requests=st.lists(st.integers(-1, 300), max_size=400),
    onset=st.none() | st.integers(0, 400),
)
@settings(deadline=None, max_examples=60)
def test_every_look_is_in_exactly_one_point(requests: list[int], onset: int | None) -> None:
    """In order, in no more points than can be drawn, none across the onset."""
    unread = NoData("not read")
    looks = [
        Look(
            Observed(NOON + (at + 1) * TICK, NOON + at * TICK, unread, unread, unread, unread),
            unread if count < 0 else Arms(Traffic(count), Traffic(count)),
            Arms(0, 0),
            0.0,
        )
        for at, count in enumerate(requests)
    ]
    began = None if onset is None else NOON + onset * TICK

    found = groups(looks, began)

    assert [look for group in found for look in group] == looks
    assert len(found) <= MOST_POINTS
    if began is not None:
        assert not [g for g in found if g[0].seen.since < began < g[-1].seen.at]
