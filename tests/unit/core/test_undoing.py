"""A promotion is taken back by a flip, as every rollback, and only while stable still runs."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import ADA, ARMS, GRACE, NOON, a_canary

from bot.core.canary import (
    Canary,
    Cause,
    Observing,
    Phase,
    Promoted,
    Rejected,
    RolledBack,
    RollingBack,
    Thread,
)
from bot.core.commands import Abort, Approve, Extend, Pause, Promote, Undo
from bot.core.effects import OpenThread, SetWeight, ShowEnd, ShowPicture, Tell, Topic
from bot.core.events import ShiftFailed, Ticked, WeightApplied
from bot.core.machine import Refused, Transition, transition
from bot.core.orphans import stray
from bot.core.plan import FULL, ZERO, Split, Weight
from bot.core.slo import Component, NoData, Readiness
from bot.core.undoing import WARM_FOR, UndoRequest, begin_undo, last_move, undo_of, why_not

PROMOTED = a_canary(phase=Promoted(NOON), next_look_at=None, asked=FULL)
ON_CANARY: Split = {"green": FULL, "blue": ZERO}
WARM = Readiness((Component("db", ready=True),), "v1")
BACK = Cause("breach", "errors: 5 %")
SOON = NOON + timedelta(minutes=5)


def undo(promoted: Canary = PROMOTED, reason: str = "it is slow") -> Undo:
    return undo_of(promoted, UndoRequest("shop-undo", "shop", GRACE, reason), SOON)


def moved(canary: Canary, message: Any) -> Transition:
    move = transition(canary, message)
    assert isinstance(move, Transition)
    return move


def test_an_undo_begins_with_the_flip() -> None:
    """Back to the arm that was stable, before a word is said, and first after a crash."""
    move = begin_undo(undo())
    canary = move.canary

    assert (SetWeight(ARMS, ZERO),) == move.effects
    assert SetWeight(ARMS, ZERO) == canary.intents[0]
    assert isinstance(canary.phase, RollingBack)
    assert Cause("undo", "undone by grace: it is slow", GRACE) == canary.phase.cause
    assert ("shop-undo", PROMOTED.id, "v2") == (canary.id, canary.undoes, canary.revision)
    assert (ZERO, GRACE, "it is slow") == (canary.asked, canary.started_by, canary.reason)


def test_it_speaks_in_the_thread_of_what_it_takes_back() -> None:
    """Where there is none, it opens one of its own, after the flip."""
    assert PROMOTED.thread == begin_undo(undo()).canary.thread
    alone = begin_undo(undo(replace(PROMOTED, thread=None)))
    assert (SetWeight(ARMS, ZERO), OpenThread("C0DEPLOYS")) == alone.effects
    moved_on = replace(PROMOTED, thread=Thread("C0OTHER", "9.9"))
    assert Thread("C0OTHER", "9.9") == begin_undo(undo(moved_on)).canary.thread


def test_it_is_done_when_the_router_says_so_and_told_once() -> None:
    """With who and why; there is nothing to draw."""
    move = moved(begin_undo(undo()).canary, WeightApplied(SOON, ZERO))
    (tell, end) = move.effects

    assert isinstance(move.canary.phase, RolledBack)
    assert isinstance(tell, Tell)
    assert (Topic.ROLLED_BACK, GRACE) == (tell.note.topic, tell.note.by)
    assert "undone by grace: it is slow" == tell.note.detail
    assert isinstance(end, ShowEnd)
    assert not any(isinstance(intent, ShowPicture) for intent in move.canary.intents)


def test_it_is_retried_for_ever_and_somebody_is_called() -> None:
    """As every rollback: a router that refuses does not end it."""
    canary, at = begin_undo(undo()).canary, SOON
    flips = 0
    for _ in range(40):
        canary = moved(canary, ShiftFailed(at, ZERO, "connection refused")).canary
        at += timedelta(seconds=31)
        move = moved(canary, Ticked(at))
        flips += SetWeight(ARMS, ZERO) in move.effects
        canary = move.canary
    assert 40 == flips
    assert isinstance(canary.phase, RollingBack)
    assert canary.phase.overdue


@pytest.mark.parametrize(
    "command",
    [
        Approve(GRACE, SOON),
        Promote(GRACE, SOON),
        Pause(GRACE, SOON),
        Extend(GRACE, SOON, timedelta(minutes=1)),
        Abort(GRACE, SOON),
    ],
)
def test_nobody_can_stop_it_or_send_it_up_again(command: Any) -> None:
    """Whatever is pressed is refused, and nothing is flipped."""
    assert isinstance(transition(begin_undo(undo()).canary, command), Refused)


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        (RolledBack(BACK, NOON, timedelta(seconds=1)), "did not end with a promotion"),
        (
            RolledBack(Cause("undo", "undone by ada", ADA), NOON, timedelta(seconds=1)),
            "did not end with a promotion",
        ),
        (Observing(0, NOON, NOON, NOON), "did not end with a promotion"),
    ],
)
def test_only_a_promotion_can_be_undone(phase: Phase, said: str) -> None:
    """Neither what was rolled back nor what was undone."""
    assert said in why_not(replace(PROMOTED, phase=phase), ON_CANARY, WARM, SOON)


@pytest.mark.parametrize(
    ("split", "stable", "now", "said"),
    [
        (ON_CANARY, WARM, SOON, ""),
        (ON_CANARY, WARM, NOON + timedelta(days=9), ""),
        (ON_CANARY, None, NOON + WARM_FOR, ""),
        (ON_CANARY, NoData("no answer"), NOON + WARM_FOR, ""),
        (ON_CANARY, None, NOON + WARM_FOR + timedelta(seconds=1), "more than an hour ago"),
        (ON_CANARY, NoData("no answer"), NOON + timedelta(hours=2), r"(no answer)"),
        (NoData("gone"), WARM, SOON, "the router cannot be read (gone)"),
        ({"green": Weight(990), "blue": Weight(10)}, WARM, SOON, "blue 1 %, green 99 %"),
        ({"green": ZERO, "blue": FULL}, WARM, SOON, "does not carry v2 at 100 % any more"),
        ({"blue": ZERO, "red": FULL}, WARM, SOON, "red 100 %"),
        (ON_CANARY, Readiness((Component("db", False, "stopped"),), "v1"), SOON,
         "blue is not warm any more (db: stopped)"),
        (ON_CANARY, Readiness((Component("db", True),), "v3"), SOON,
         "blue runs v3 by now, not v1"),
        (ON_CANARY, Readiness((Component("db", True),), None), SOON, ""),
        (ON_CANARY, Readiness((Component("db", True),), None), NOON + timedelta(hours=2),
         "nobody can tell whether blue still runs what was stable"),
    ],
)  # fmt: skip
def test_it_is_refused_where_stable_could_not_take_the_traffic(
    split: Split | NoData, stable: Readiness | NoData | None, now: datetime, said: str
) -> None:
    """Not ready, another revision, a split router, or nobody who can tell after an hour."""
    found = why_not(PROMOTED, split, stable, now)
    assert said in found
    assert bool(said) == bool(found)


def test_what_never_began_does_not_hide_the_promotion() -> None:
    """A canary that was rejected has moved nothing."""
    rejected = a_canary(phase=Rejected("not ready", NOON), arms=None)
    back = a_canary(phase=RolledBack(BACK, NOON, timedelta(0)))
    assert PROMOTED == last_move((rejected, rejected, PROMOTED, back))
    assert back == last_move((rejected, back, PROMOTED))
    assert last_move((rejected,)) is None
    assert last_move(()) is None


def test_after_an_undo_stable_is_the_arm_that_was_stable_before() -> None:
    """A split that nobody explains is read the same whichever arm carries more."""
    done = moved(begin_undo(undo()).canary, WeightApplied(SOON, ZERO)).canary
    for share in (10, 400, 600, 990):
        split = {"green": Weight(share), "blue": Weight(1000 - share)}
        assert ARMS == stray(split, done)
        found = stray(split, PROMOTED)
        assert found is not None
        assert "blue" == found.canary, "before it, the promoted arm was stable"
