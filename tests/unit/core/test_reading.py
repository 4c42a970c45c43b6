"""Counters become what happened since: resets, gaps and new instances included."""

from datetime import timedelta
from functools import reduce

from builders import NOON
from hypothesis import given
from hypothesis import strategies as st

from bot.core.reading import Counters, Instances, Reading, Tally, advance, together
from bot.core.slo import Arms, Histogram, NoData, Traffic

BUCKETS = ((0.1, 8), (0.5, 10))


def read(second: int, canary: Instances | NoData, stable: Instances | NoData) -> Reading:
    return Reading(NOON + timedelta(seconds=second), canary, stable)


def both(tally: Tally | None, reading: Reading) -> tuple[Tally | None, Arms[Traffic]]:
    tally, traffic = advance(tally, reading)
    assert isinstance(traffic, Arms)
    return tally, traffic


def test_the_first_reading_is_where_counting_begins() -> None:
    """Counters that hold hours of history say nothing about the canary."""
    _, traffic = both(None, read(0, {"c": Counters(9000, 50)}, {"s": Counters(10**6, 5000)}))

    assert Arms(Traffic(), Traffic()) == traffic


def test_an_increase_is_counted_with_its_buckets() -> None:
    """Cumulative buckets become counts of each bucket."""
    before, after = Counters(10, 1, BUCKETS, 12), Counters(20, 3, ((0.1, 13), (0.5, 19)), 22)
    tally, _ = both(None, read(0, {"c": before}, {"s": before}))

    _, traffic = both(tally, read(10, {"c": after}, {"s": before}))

    assert (10, 2) == (traffic.canary.requests, traffic.canary.errors)
    assert (5, 4, 1) == traffic.canary.latency.counts
    assert 0 == traffic.stable.requests


def test_a_restart_counts_what_the_new_process_has_counted() -> None:
    """A counter that fell has begun anew, and nothing is negative."""
    tally, _ = both(None, read(0, {"c": Counters(1000, 9)}, {"s": Counters(5, 0)}))

    _, traffic = both(tally, read(10, {"c": Counters(30, 4)}, {"s": Counters(9, 0)}))

    assert (30, 4) == (traffic.canary.requests, traffic.canary.errors)


def test_an_instance_that_was_missed_once_is_caught_up_with() -> None:
    """A pod whose scrape failed for one tick is not counted twice, nor lost."""
    tally, _ = both(
        None, read(0, {"c": Counters(0, 0)}, {"a": Counters(10, 0), "b": Counters(10, 0)})
    )
    tally, first = both(tally, read(10, {"c": Counters(0, 0)}, {"a": Counters(20, 0)}))

    _, second = both(
        tally, read(20, {"c": Counters(0, 0)}, {"a": Counters(30, 0), "b": Counters(30, 0)})
    )

    assert 10 == first.stable.requests
    assert 30 == second.stable.requests


def test_a_new_instance_counts_from_its_first_sight() -> None:
    """A pod that appears with a million requests has not served them in this tick."""
    tally, _ = both(None, read(0, {"c": Counters(0, 0)}, {"a": Counters(10, 0)}))

    _, traffic = both(
        tally, read(10, {"c": Counters(0, 0)}, {"a": Counters(10, 0), "b": Counters(10**6, 0)})
    )

    assert 0 == traffic.stable.requests


def test_an_arm_that_is_missing_is_no_data_and_waits_for_the_other() -> None:
    """Both arms always cover the same time."""
    tally, _ = both(None, read(0, {"c": Counters(0, 0)}, {"s": Counters(0, 0)}))
    tally, nothing = advance(tally, read(10, NoData("refused"), {"s": Counters(100, 1)}))

    _, traffic = both(tally, read(20, {"c": Counters(7, 0)}, {"s": Counters(200, 2)}))

    assert NoData("canary: refused") == nothing
    assert (7, 200) == (traffic.canary.requests, traffic.stable.requests)


def test_the_same_scrape_twice_is_no_second_look() -> None:
    """Counters that were told before add nothing, and what follows them is counted once."""
    tally, _ = both(None, read(10, {"c": Counters(0, 0)}, {"s": Counters(0, 0)}))
    tally, again = both(tally, read(10, {"c": Counters(0, 0)}, {"s": Counters(0, 0)}))
    tally, older = both(tally, read(5, {"c": Counters(0, 0)}, {"s": Counters(0, 0)}))
    _, after = both(tally, read(20, {"c": Counters(3, 1)}, {"s": Counters(7, 0)}))

    assert Arms(Traffic(), Traffic()) == again == older
    assert Arms(Traffic(3, 1), Traffic(7, 0)) == after


def test_a_changed_bucket_layout_drops_latency_once_and_keeps_requests() -> None:
    """A new layout cannot be compared with the old one, for one look."""
    tally, _ = both(None, read(0, {"c": Counters(10, 0, BUCKETS, 10)}, {"s": Counters(0, 0)}))
    after = Counters(15, 0, ((0.2, 11), (1.0, 15)), 15)

    tally, traffic = both(tally, read(10, {"c": after}, {"s": Counters(0, 0)}))

    assert 5 == traffic.canary.requests
    assert 0 == traffic.canary.latency.total


steps = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 5), st.booleans(), st.booleans()), max_size=30
)


@given(steps)
def test_everything_but_what_a_reset_swallowed_is_counted_once(
    steps: list[tuple[int, int, bool, bool]],
) -> None:
    """Over any run of ticks, gaps and restarts, the increments add up to what was served."""
    tally, _ = both(None, read(0, {"c": Counters(0, 0)}, {"s": Counters(0, 0)}))
    counter, expected, counted = Counters(0, 0), 0, 0
    unseen = 0
    for tick, (requests, errors, restart, missed) in enumerate(steps, 1):
        if restart and counter.requests > requests:
            counter, unseen = Counters(0, 0), 0  # what was not scraped before is gone for good
        counter = Counters(counter.requests + requests, counter.errors + errors)
        unseen += requests
        if missed:
            tally, _ = advance(tally, read(tick, NoData("missed"), {"s": Counters(0, 0)}))
            continue
        before = tally.canary["c"].requests if tally else 0
        expected += unseen if counter.requests >= before else counter.requests
        unseen = 0
        tally, traffic = both(tally, read(tick, {"c": counter}, {"s": Counters(0, 0)}))
        counted += traffic.canary.requests
        assert traffic.canary.requests >= 0

    assert counted <= expected


LAYOUTS = st.sampled_from([(), (0.1,), (0.1, 0.5), (0.5, 1.0)])


@st.composite
def traffic(draw: st.DrawFn) -> Traffic:
    """What one instance did."""
    bounds = draw(LAYOUTS)
    counts = draw(st.tuples(*[st.integers(0, 9)] * (len(bounds) + 1)))
    return Traffic(draw(st.integers(0, 9)), draw(st.integers(0, 9)), Histogram(bounds, counts))


@given(st.lists(traffic(), max_size=5))
def test_all_instances_are_one_after_the_other(parts: list[Traffic]) -> None:
    """Added up at once or one by one, with the same buckets or with others."""
    named = {str(number): part for number, part in enumerate(parts)}
    assert together(named) == reduce(Traffic.plus, parts, Traffic())
