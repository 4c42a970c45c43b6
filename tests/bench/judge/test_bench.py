"""The benchmark is what it says: seeded, fair to every judge, and counted rightly."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from bench.judge.cells import Cell, cells
from bench.judge.limits import limit
from bench.judge.ours import Ours
from bench.judge.protocol import Decision, Tick
from bench.judge.runner import SessionFailedError, Variant, batch, run
from bench.judge.score import Outcome, Score
from bench.judge.traces import trace

from bot.core.calibration import wilson


class Always:
    """Rolls back at one moment, at the end, or never."""

    def __init__(self, answer: Decision, at: float = 10.0) -> None:
        self.name: str = answer
        self.answer: Decision = answer
        self.at = at
        self.seen = 0

    def prelude(self, ticks: Sequence[Tick]) -> None:
        assert all(tick.canary is None for tick in ticks)
        self.seen = len(ticks)

    def tick(self, tick: Tick) -> Decision:
        return self.answer if tick.at >= self.at else "continue"

    def finish(self) -> Decision:
        return self.answer


class Broken(Always):
    """Cannot take a tick."""

    def __init__(self) -> None:
        super().__init__("promote")

    def tick(self, tick: Tick) -> Decision:
        raise ZeroDivisionError


def hasty() -> Always:
    return Always("rollback")


def careless() -> Always:
    return Always("promote")


@pytest.mark.parametrize("cell", cells(), ids=str)
def test_a_session_is_its_seed(cell: Cell) -> None:
    """The same seed gives the same ticks, another one others; an hour before, 20 minutes of it."""
    first, again = list(trace(cell, 5).ticks()), list(trace(cell, 5).ticks())

    assert first == again
    assert first != list(trace(cell, 6).ticks())
    assert (-3600.0, 1200.0, 481) == (first[0].at, first[-1].at, len(first))


def test_counters_fall_only_where_they_were_reset() -> None:
    """Cumulative counters of a session without resets only rise, errors within requests."""
    ticks = list(trace(Cell("sticky", 100), 3, pods=True).ticks())
    arms = [tick.stable for tick in ticks if tick.stable]

    for before, after in pairwise(arms):
        assert before.requests <= after.requests
        assert before.errors <= after.errors <= after.requests
        assert after.requests == after.buckets[-1][1]
        assert after.requests == sum(pod.requests for pod in after.pods.values())


def test_a_reset_counter_begins_again_at_zero() -> None:
    """However resets fall, no counter goes below zero or out of step with the others."""
    made = trace(Cell("resets", 1000), 1_000_005)  # two resets were drawn for the same tick

    for tick in made.ticks():
        for arm in (tick.canary, tick.stable):
            assert arm is None or 0 <= arm.errors <= arm.requests == arm.buckets[-1][1]


def test_an_outcome_counts_from_the_onset_and_harm_up_to_the_rollback() -> None:
    """A rollback counts from the onset, one at the very end took all of the window and its harm."""
    made = trace(Cell("x5_half", 1000), 1)
    ticks = list(made.ticks())
    late, never = Always("rollback", at=700), Always("promote")
    last = run(made, ticks, Always("rollback", at=9999))
    all_of_it = float(made.harm.sum())

    assert 100 == run(made, ticks, late).at
    assert 0 < run(made, ticks, late).harmed < all_of_it
    assert ("rollback", 600, all_of_it) == (last.decision, last.at, last.harmed)
    assert Outcome("promote", None, all_of_it) == run(made, ticks, never)


def test_a_rollback_before_the_onset_is_a_false_alarm() -> None:
    """It is counted apart, for any judge, and finds nothing."""
    score = batch(Cell("x5_half", 100), range(3), [hasty])[0]

    assert (1.0, 0.0, 0.0) == (score.too_early, score.found, score.harmed)
    assert score.percentile(0.5) is None


def test_judges_can_be_run_without_history() -> None:
    """The hour before is fed to all of them, or to none."""
    made = trace(Cell("iid", 1), 1)
    ticks = list(made.ticks())
    judge = careless()

    run(made, ticks, judge)
    assert 360 == judge.seen
    run(made, ticks, judge, history=False)
    assert 0 == judge.seen
    full, bare = (
        batch(Cell("iid", 1), range(1), [careless], Variant(history=history))[0].looks
        for history in (True, False)
    )
    assert (481, 121) == (full, bare)


def test_scores_add_up_and_never_twice() -> None:
    """Two pieces of a run are as good as one, and the same seeds again are refused."""
    cell = Cell("x5", 100)
    whole, first, second = (batch(cell, seeds, [Ours])[0] for seeds in (range(4), *_halves()))

    first.plus(second)
    assert (whole.runs, sorted(whole.times), whole.open) == (4, sorted(first.times), first.open)
    with pytest.raises(ValueError, match="twice on seeds from 2"):
        first.plus(second)


def _halves() -> tuple[range, range]:
    return range(2), range(2, 4)


def test_a_judge_that_breaks_off_ends_the_run_and_names_the_session() -> None:
    """The message holds what it takes to see it again."""
    with pytest.raises(
        SessionFailedError, match=r"promote broke off .* --cells x5@1 --first-seed 7"
    ):
        batch(Cell("x5", 1), range(7, 9), [Broken])


def test_percentiles_are_of_all_sessions() -> None:
    """Half of the sessions found gives a median and no 90th percentile."""
    score = Score("j", Cell("x5", 1))
    for at in (30.0, 10.0, None, None):
        score.add(Outcome("rollback" if at else "promote", at, 0.0))

    assert (0.5, 0.5, 30.0) == (score.found, score.wrong, score.percentile(0.5))
    assert score.percentile(0.9) is None


def test_interval_and_power_are_those_of_the_textbook() -> None:
    """Wilson's interval for 2 of 100, and the Poisson test's power worked out by hand."""
    assert (0.0055, 0.0700) == pytest.approx(wilson(2, 100), abs=1e-4)
    one = limit("x5", 10)
    assert (3.0, 15.0) == pytest.approx((one.healthy, one.bad))
    # P(X > 8 | 3) = 0.4 % and P(X > 7 | 3) = 1.2 %, so it takes nine errors.
    assert pytest.approx(0.9626, abs=1e-4) == one.power
    assert pytest.approx(9.0) == limit("+1pp", 10).bad


def test_our_judge_does_its_work_here() -> None:
    """A sound canary goes on, a bad one is rolled back."""
    healthy, broken = trace(Cell("iid", 1000), 1), trace(Cell("x5", 1000), 1)

    assert "promote" == run(healthy, list(healthy.ticks()), Ours()).decision
    assert "rollback" == run(broken, list(broken.ticks()), Ours()).decision
