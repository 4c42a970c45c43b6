"""While a rollback is not confirmed, the thread, the on-call and the webhook are called once each."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import NOON, a_canary, a_plan

from bot.core.canary import Canary, Cause, RolledBack, RollingBack
from bot.core.commands import Abort
from bot.core.effects import Page, SetWeight, Tell, Topic
from bot.core.events import Paged, ShiftFailed, Ticked, WeightApplied
from bot.core.machine import Transition, transition
from bot.core.plan import ZERO, Escalation

AFTER = timedelta(seconds=30)
BREACHED = Cause("breach", "errors: 5 %")


def rolling_back(**escalation: Any) -> Canary:
    """At noon the traffic began to go back."""
    plan = a_plan(escalation=Escalation(**{"oncall": "S0ONCALL", **escalation}))
    canary = a_canary(plan=plan, phase=RollingBack(BREACHED, NOON), next_look_at=None)
    assert canary.arms is not None
    return replace(canary, intents=(SetWeight(canary.arms, ZERO),))


def moved(canary: Canary, message: Any) -> Transition:
    move = transition(canary, message)
    assert isinstance(move, Transition)
    return move


def topics(canary: Canary) -> list[Topic]:
    return [intent.note.topic for intent in canary.intents if isinstance(intent, Tell)]


def pages(canary: Canary) -> list[Page]:
    return [intent for intent in canary.intents if isinstance(intent, Page)]


def test_each_is_called_once_and_in_its_time() -> None:
    """The thread at the limit, the on-call at twice, the webhook at three times the limit."""
    canary = rolling_back()
    first: dict[tuple[int, int], int] = {}
    for second in range(0, 200, 5):
        at = NOON + timedelta(seconds=second)
        canary = moved(canary, Ticked(at)).canary
        canary = moved(canary, ShiftFailed(at, ZERO, "connection refused")).canary
        first.setdefault((len(topics(canary)), len(pages(canary))), second)

    assert {(0, 0): 0, (1, 0): 30, (2, 0): 60, (2, 1): 90} == first
    assert [Topic.FLIP_OVERDUE, Topic.ONCALL] == topics(canary)
    assert Page(NOON, "connection refused") == pages(canary)[0]


def test_a_flip_that_hangs_is_told_of_too() -> None:
    """Nothing came back from the router at all: the time alone calls."""
    canary = rolling_back()
    assert canary.wake_at == NOON + AFTER

    canary = moved(canary, Ticked(NOON + AFTER)).canary

    assert [Topic.FLIP_OVERDUE] == topics(canary)
    assert canary.wake_at == NOON + 2 * AFTER


def test_a_bot_that_was_dead_meanwhile_calls_everybody_at_once() -> None:
    """After ten minutes nobody is spared because the calls before were missed."""
    canary = moved(rolling_back(), Ticked(NOON + timedelta(minutes=10))).canary

    assert [Topic.FLIP_OVERDUE, Topic.ONCALL] == topics(canary)
    assert 1 == len(pages(canary))


def test_without_an_on_call_nobody_is_mentioned() -> None:
    """The thread and the webhook remain."""
    canary = moved(rolling_back(oncall=""), Ticked(NOON + timedelta(minutes=10))).canary

    assert [Topic.FLIP_OVERDUE] == topics(canary)
    assert 1 == len(pages(canary))


def test_a_confirmed_rollback_calls_nobody_any_more() -> None:
    """A page that was not taken yet is dropped: nobody is woken for what is mended."""
    canary = moved(rolling_back(), Ticked(NOON + timedelta(minutes=10))).canary

    canary = moved(canary, WeightApplied(NOON + timedelta(minutes=11), ZERO)).canary

    assert isinstance(canary.phase, RolledBack)
    assert [] == pages(canary)


def test_a_page_that_was_taken_is_not_sent_again() -> None:
    """And an abort meanwhile changes nothing: it is on its way back already."""
    canary = moved(rolling_back(), Ticked(NOON + timedelta(minutes=10))).canary
    canary = moved(canary, Paged(NOON + timedelta(minutes=11))).canary

    assert [] == pages(canary)
    assert not isinstance(transition(canary, Abort(canary.started_by, NOON)), Transition)
    later = moved(canary, Ticked(NOON + timedelta(minutes=12))).canary
    assert [] == pages(later)


def test_a_limit_is_longer_than_nothing() -> None:
    """Somebody called at once for every rollback would soon not come any more."""
    with pytest.raises(ValueError, match="some time"):
        Escalation(timedelta(0))
