"""How many questions go into one query."""

from datetime import timedelta

from adapters.metrics.merging import MOST, question
from adapters.metrics.pacing import APART, PATIENCE, PLENTY, Pacing

ASKED = question("m", {}, {"arm": ["a"]}, timedelta(seconds=30))
SHAPE = ASKED.shape


def test_failures_make_queries_smaller_and_quick_answers_larger_again() -> None:
    """Down to one question, and back up to the limit."""
    pacing = Pacing()
    pacing.failed(SHAPE, 40)
    assert pacing.most[SHAPE] == 20
    for _ in range(10):
        pacing.failed(SHAPE, MOST)
    assert pacing.most[SHAPE] == 1
    for _ in range(100):
        pacing.answered(SHAPE, pacing.most[SHAPE], 1, 0.01)
    assert pacing.most[SHAPE] == MOST


def test_slow_or_small_queries_prove_nothing() -> None:
    """Only a full query that was answered quickly lets the next one grow."""
    pacing = Pacing()
    pacing.failed(SHAPE, 40)
    pacing.answered(SHAPE, 20, 1, PATIENCE)
    pacing.answered(SHAPE, 19, 1, 0.01)
    pacing.answered(SHAPE, 20, PLENTY, 0.01)
    assert pacing.most[SHAPE] == 20


def test_large_answers_make_queries_smaller() -> None:
    """An answer with twice the samples halves the next query, but one question is always asked."""
    pacing = Pacing()
    pacing.answered(SHAPE, 50, 2 * PLENTY, 0.1)
    assert pacing.most[SHAPE] == 25
    pacing.answered(SHAPE, 2, 9 * PLENTY, 0.1)
    assert pacing.most[SHAPE] == 1


def test_who_failed_is_apart_for_a_while() -> None:
    """And is then given another chance."""
    pacing = Pacing()
    assert not pacing.is_apart(ASKED, 0.0)
    pacing.set_apart(ASKED, 5.0)
    assert pacing.is_apart(ASKED, 5.0 + APART - 1)
    assert not pacing.is_apart(ASKED, 5.0 + APART)
