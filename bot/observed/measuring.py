"""What a move of a canary is worth counting, told from its state before and after."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Ended,
    Exposed,
    Observing,
    PendingApproval,
    Phase,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
    Shifting,
)


@dataclass(frozen=True, slots=True)
class End:
    """A canary has ended; `cause` says why traffic went back, and is empty otherwise."""

    end: str
    cause: str


@dataclass(frozen=True, slots=True)
class Breached:
    """The numbers have decided against a canary, `after` seconds of being watched."""

    after: float | None


@dataclass(frozen=True, slots=True)
class Flipped:
    """A weight has been read back, so many seconds after it was decided."""

    direction: str
    took: float


@dataclass(frozen=True, slots=True)
class Answered:
    """People were waited for, and what it came to."""

    question: str
    answer: str
    took: float


Measure = End | Breached | Flipped | Answered


def measured(before: Canary, after: Canary, at: datetime) -> tuple[Measure, ...]:
    """What has just become true; nothing where the phase is the same.

    An undo begins as a rollback and is no breach.
    """
    was, now = before.phase, after.phase
    if type(was) is type(now):
        return ()
    return (
        *_answered(was, now, at),
        *_breached(before, now),
        *_flipped(was, now),
        *_ended(was, now),
    )


def waits_for(phase: Phase) -> tuple[str, datetime] | None:
    """What people are asked in this phase, and until when; None where nobody is."""
    match phase:
        case PendingApproval(expires_at=at):
            return "start", at
        case AwaitingDecision(question=question, expires_at=at):
            return question, at
        case _:
            return None


def _answered(was: Phase, now: Phase, at: datetime) -> tuple[Answered, ...]:
    asked = waits_for(was)
    if asked is None or not isinstance(was, PendingApproval | AwaitingDecision):
        return ()
    took = max(0.0, (at - was.since).total_seconds())
    return (Answered(asked[0], _answer(now), took),)


def _answer(now: Phase) -> str:
    match now:
        case Rejected(by=None):
            return "silence"
        case Rejected():
            return "no"
        case RollingBack(cause=cause) | RolledBack(cause=cause):
            return {"abort": "no", "no_decision": "silence"}.get(cause.kind, cause.kind)
        case Observing():
            return "longer"
        case _:
            return "yes"


def _breached(before: Canary, now: Phase) -> tuple[Breached, ...]:
    if not isinstance(now, RollingBack) or now.cause.kind != "breach":
        return ()
    if not isinstance(before.phase, Exposed):
        return ()
    first = before.judge.begun_at
    return (Breached(max(0.0, (now.since - first).total_seconds()) if first else None),)


def _flipped(was: Phase, now: Phase) -> tuple[Flipped, ...]:
    match was, now:
        case RollingBack(), RolledBack(took=took):
            return (Flipped("rollback", took.total_seconds()),)
        case Promoting(since=since), Promoted(at=at):
            return (Flipped("promotion", max(0.0, (at - since).total_seconds())),)
        case Shifting(since=since), Observing(since=reached):
            return (Flipped("step", max(0.0, (reached - since).total_seconds())),)
        case _:
            return ()


def _ended(was: Phase, now: Phase) -> tuple[End, ...]:
    if isinstance(was, Ended):
        return ()
    match now:
        case RolledBack(cause=cause):
            return (End(now.kind, cause.kind),)
        case Promoted() | Rejected():
            return (End(now.kind, ""),)
        case _:
            return ()
