"""An answer counts for the question that was seen, and for no other."""

from datetime import timedelta

import pytest
from builders import GRACE, NOON, a_canary, a_plan

from bot.core.canary import AwaitingDecision, Promoting, Shifting
from bot.core.commands import Approve
from bot.core.machine import Refused, Transition, transition
from bot.core.plan import Step, Weight

TWO = a_plan(
    steps=(
        Step(Weight.percent(5), timedelta(minutes=10)),
        Step(Weight.percent(25), timedelta(minutes=10)),
    )
)
ASKED_AGAIN = a_canary(
    plan=TWO, phase=AwaitingDecision(1, "thin", NOON, NOON + timedelta(minutes=30))
)


def test_a_click_of_an_earlier_step_is_refused() -> None:
    """Who agreed to 25 % has not agreed to 100 %, though the question reads the same."""
    answer = transition(ASKED_AGAIN, Approve(GRACE, NOON, "thin", step=0))

    assert isinstance(answer, Refused)
    assert "no longer open" in answer.reason


@pytest.mark.parametrize("step", [1, None])
def test_a_click_of_this_step_counts(step: int | None) -> None:
    """The button of now, and a typed command that answers whatever is asked."""
    answer = transition(ASKED_AGAIN, Approve(GRACE, NOON, "thin", step=step))

    assert isinstance(answer, Transition)
    assert isinstance(answer.canary.phase, Promoting)


def test_the_first_click_goes_to_the_next_step() -> None:
    """At the first step the same click leads to 25 %."""
    first = a_canary(
        plan=TWO, phase=AwaitingDecision(0, "thin", NOON, NOON + timedelta(minutes=30))
    )

    answer = transition(first, Approve(GRACE, NOON, "thin", step=0))

    assert isinstance(answer, Transition)
    assert isinstance(answer.canary.phase, Shifting)
