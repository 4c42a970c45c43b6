from dataclasses import replace
from datetime import timedelta

import pytest
from builders import ADA, NOON, a_canary

from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Observing,
    PendingApproval,
    Phase,
    Preparing,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
    Shifting,
)
from bot.observed.measuring import Answered, Breached, End, Flipped, measured, waits_for

LATER = NOON + timedelta(minutes=3)
PENDING = PendingApproval(NOON, NOON + timedelta(hours=1))
ASKED = AwaitingDecision(0, "promote", NOON, NOON + timedelta(hours=1))
WATCHED = Observing(0, NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=1))
BREACH = Cause("breach", "errors")


def in_phase(phase: Phase) -> Canary:
    return a_canary(phase=phase)


def test_a_breach_is_detected_from_the_first_look() -> None:
    """Time to detect begins with the first sample of traffic, not with the start."""
    canary = a_canary()
    looked = replace(canary, judge=replace(canary.judge, begun_at=NOON + timedelta(minutes=1)))
    after = replace(looked, phase=RollingBack(BREACH, LATER))

    assert measured(looked, after, LATER) == (Breached(120.0),)


def test_a_breach_before_any_sample_is_counted_without_a_time() -> None:
    assert measured(a_canary(), in_phase(RollingBack(BREACH, LATER)), LATER) == (Breached(None),)


@pytest.mark.parametrize("kind", ["abort", "no_decision", "failure", "undo"])
def test_what_is_no_breach_is_none(kind: str) -> None:
    cause = Cause(kind, "…")  # type: ignore[arg-type] # each of the literal's own values

    assert measured(a_canary(), in_phase(RollingBack(cause, LATER)), LATER) == ()


@pytest.mark.parametrize(
    ("was", "now", "measures"),
    [
        (
            RollingBack(BREACH, NOON),
            RolledBack(BREACH, LATER, timedelta(seconds=2)),
            (Flipped("rollback", 2.0), End("rolled_back", "breach")),
        ),
        (
            Promoting(0, NOON),
            Promoted(LATER),
            (Flipped("promotion", 180.0), End("promoted", "")),
        ),
        (Shifting(0, NOON), replace(WATCHED, since=LATER), (Flipped("step", 180.0),)),
        (
            PENDING,
            Rejected("…", LATER),
            (Answered("start", "silence", 180.0), End("rejected", "")),
        ),
        (
            PENDING,
            Rejected("…", LATER, ADA),
            (Answered("start", "no", 180.0), End("rejected", "")),
        ),
        (PENDING, Preparing(LATER), (Answered("start", "yes", 180.0),)),
        (ASKED, Promoting(0, LATER), (Answered("promote", "yes", 180.0),)),
        (ASKED, WATCHED, (Answered("promote", "longer", 180.0),)),
        (
            ASKED,
            RollingBack(Cause("no_decision", "…"), LATER),
            (Answered("promote", "silence", 180.0),),
        ),
        (ASKED, RollingBack(Cause("abort", "…"), LATER), (Answered("promote", "no", 180.0),)),
        (WATCHED, replace(WATCHED, extended=True), ()),
        (Preparing(NOON), Shifting(0, LATER), ()),
    ],
)
def test_a_move_is_worth_just_this(was: Phase, now: Phase, measures: tuple[object, ...]) -> None:
    """Every end, flip and answer is counted once, when it becomes true."""
    assert measured(in_phase(was), in_phase(now), LATER) == measures


def test_a_question_is_known_with_its_end() -> None:
    assert waits_for(PENDING) == ("start", NOON + timedelta(hours=1))
    assert waits_for(ASKED) == ("promote", NOON + timedelta(hours=1))
    assert waits_for(WATCHED) is None
