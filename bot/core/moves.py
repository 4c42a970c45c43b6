"""The moves a canary can make, each answering the canary after it and what is to be done.

Whatever moves traffic comes first among the effects, before any word is said about it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Observing,
    Preparing,
    Promoting,
    Rejected,
    RollingBack,
    Shifting,
)
from bot.core.commands import (
    Abort,
    Approve,
    Command,
    Extend,
    MarkAlarm,
    Pause,
    Promote,
    Question,
    Resume,
)
from bot.core.effects import (
    Effect,
    Intent,
    Note,
    OpenThread,
    Prepare,
    SetWeight,
    ShowEnd,
    ShowPicture,
    Tell,
    Topic,
)
from bot.core.events import Event
from bot.core.plan import FULL, ZERO, Actor, Gate
from bot.core.slo import Arms

FIRST_RETRY: Final = timedelta(milliseconds=500)
LONGEST_RETRY: Final = timedelta(seconds=30)
OVERSLEPT: Final = timedelta(seconds=5)
"""How late a wake may be before it is given anew."""


@dataclass(frozen=True, slots=True)
class Transition:
    """What a message made of a canary, and what is to be done about it, in this order."""

    canary: Canary
    effects: tuple[Effect, ...] = ()

    def then(self, *effects: Effect) -> "Transition":
        """The same move with more to do at its end."""
        return Transition(self.canary, (*self.effects, *effects))


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that changed nothing, and the sentence that says why."""

    reason: str


def intending(canary: Canary, *intents: Intent) -> Transition:
    """Save these effects with the canary and do them."""
    return Transition(replace(canary, intents=(*canary.intents, *intents)), intents)


def without(canary: Canary, *kinds: type[Any]) -> Canary:
    """The canary with its intents of these kinds dropped."""
    return replace(
        canary, intents=tuple(intent for intent in canary.intents if not isinstance(intent, kinds))
    )


def telling(move: Transition, topic: Topic, at: datetime, detail: str, **about: Any) -> Transition:
    """The same move, and a note about it for the thread."""
    canary = move.canary
    note = Note(canary.notes + 1, topic, at, detail, **about)
    told = intending(replace(canary, notes=note.number), Tell(note))
    return Transition(told.canary, (*move.effects, *told.effects))


def the_end(move: Transition) -> Transition:
    """The same move, and after all that is told the last edit and a picture of what was seen."""
    picture = (ShowPicture(),) if move.canary.judge.looks else ()
    shown = intending(move.canary, ShowEnd(), *picture)
    return Transition(shown.canary, (*move.effects, *shown.effects))


def prepare(canary: Canary, at: datetime) -> Transition:
    """Look for the new revision; nothing has moved yet."""
    return intending(replace(canary, phase=Preparing(at)), Prepare(canary.service))


def shift(canary: Canary, step: int, at: datetime) -> Transition:
    """Set the router to a step's weight, looking on from now."""
    arms = _arms(canary)
    weight = canary.plan.steps[step].weight
    canary = replace(
        without(canary, SetWeight, Prepare),
        phase=Shifting(step, at),
        asked=weight,
        next_look_at=canary.next_look_at or at,
        last_look_at=canary.last_look_at or at,
    ).noted(at, f"shifting {weight} to {canary.revision}")
    return intending(canary, SetWeight(arms, weight))


def observe(canary: Canary, step: int, at: datetime) -> Transition:
    """Hold a step's weight for its window."""
    until = at + canary.plan.steps[step].window
    phase = Observing(step, at, until, until + canary.plan.extension)
    return Transition(replace(without(canary, SetWeight), phase=phase))


def promote(canary: Canary, step: int, at: datetime, by: Actor | None) -> Transition:
    """Set the router to 100 %."""
    arms = _arms(canary)
    canary = replace(without(canary, SetWeight), phase=Promoting(step, at, by), asked=FULL).noted(
        at, "promoting", by
    )
    return intending(canary, SetWeight(arms, FULL))


def go_on(canary: Canary, step: int, at: datetime, by: Actor | None) -> Transition:
    """The next step, or 100 % after the last one."""
    if step + 1 < len(canary.plan.steps):
        return shift(canary, step + 1, at)
    return promote(canary, step, at, by)


def roll_back(canary: Canary, cause: Cause, at: datetime) -> Transition:
    """Send all traffic back to stable: first of all things, and for as long as it takes.

    Without arms no traffic can have moved, and the canary is rejected instead.
    """
    arms = canary.arms
    if arms is None:
        return reject(canary, cause.text, at, cause.by)
    canary = replace(
        without(canary, SetWeight, Prepare),
        phase=RollingBack(cause, at),
        asked=ZERO,
        next_look_at=None,
    ).noted(at, f"rolling back: {cause.text}", cause.by)
    flip = SetWeight(arms, ZERO)
    # Ahead of every other intent: after a crash the flip is what recovery does first.
    return Transition(replace(canary, intents=(flip, *canary.intents)), (flip,))


def reject(canary: Canary, reason: str, at: datetime, by: Actor | None = None) -> Transition:
    """End it before any traffic moved."""
    canary = replace(without(canary, Prepare), phase=Rejected(reason, at, by), next_look_at=None)
    move = Transition(canary.noted(at, f"rejected: {reason}", by))
    return the_end(telling(move, Topic.REJECTED, at, reason, by=by))


def ask(canary: Canary, step: int, question: Question, at: datetime, detail: str) -> Transition:
    """Ask a person, holding the weight meanwhile; silence will roll back."""
    gate = gate_of(canary, question)
    phase = AwaitingDecision(step, question, at, at + gate.timeout)
    move = Transition(replace(canary, phase=phase).noted(at, f"waiting for a decision: {detail}"))
    return telling(move, Topic.DECISION_NEEDED, at, detail)


def announce(canary: Canary) -> Transition:
    """Post the canary's message."""
    return intending(canary, OpenThread(canary.channel))


def gate_of(canary: Canary, question: Question) -> Gate:
    """Who answers a question."""
    plan = canary.plan
    match question:
        case "start":
            return plan.start_gate or plan.decision
        case "promote" | "thin" | "blind" | "orphan":
            return plan.promote_gate or plan.decision


def back_off(attempts: int) -> timedelta:
    """How long to wait before trying again: doubling from half a second to half a minute."""
    return min(LONGEST_RETRY, FIRST_RETRY * (1 << min(attempts, 10)))


def is_due(retry_at: datetime | None, at: datetime) -> bool:
    """Whether it is time to try again; a time further off than any wait is of a clock set back."""
    return retry_at is not None and (at >= retry_at or retry_at - at > 2 * LONGEST_RETRY)


def is_overdue(canary: Canary, now: datetime) -> bool:
    """Whether a canary that works should have been woken, or would be far too late.

    A lost timer makes it late, and a clock that was set back puts off what is due for as long.
    """
    tick, wake_at, look_at = canary.plan.tick, canary.wake_at, canary.next_look_at
    if wake_at is None:
        return False
    if now - wake_at > max(OVERSLEPT, tick):
        return True
    if look_at is not None and look_at - now > 3 * tick:
        return True
    retry_at = getattr(canary.phase, "retry_at", None)
    return retry_at is not None and retry_at - now > 2 * LONGEST_RETRY


def _arms(canary: Canary) -> Arms[str]:
    if canary.arms is None:
        raise ValueError(f"{canary.id} has no arms yet: its router has not been read")
    return canary.arms


def ignore_or(reason: str, canary: Canary, message: Command | Event) -> Transition | Refused:
    """Commands out of place are refused with a reason; events out of place are late, and ignored."""
    if isinstance(message, Approve | Abort | Pause | Resume | Promote | Extend | MarkAlarm):
        return Refused(reason)
    return Transition(canary)
