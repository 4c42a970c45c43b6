"""The way back and the end: flips to 0 % until one is read back, then the words about it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from bot.core.canary import Canary, RolledBack, RollingBack, Thread
from bot.core.commands import Command
from bot.core.effects import (
    GatherEvidence,
    OpenThread,
    Page,
    Publish,
    SetWeight,
    ShowEnd,
    ShowPicture,
    Tell,
    Topic,
)
from bot.core.events import (
    EndShown,
    Event,
    EvidenceGathered,
    Paged,
    PictureShown,
    Published,
    ShiftFailed,
    ThreadOpened,
    Ticked,
    Told,
    WeightApplied,
)
from bot.core.moves import (
    Refused,
    Transition,
    back_off,
    ignore_or,
    intending,
    is_due,
    telling,
    the_end,
    without,
)
from bot.core.plan import ZERO
from bot.core.refusals import already

EVIDENCE_WINDOW: Final = timedelta(minutes=2)
"""How far before a breach log lines are still worth showing."""


def while_rolling_back(
    canary: Canary, phase: RollingBack, message: Command | Event
) -> Transition | Refused:
    """Nothing but a read-back of 0 % ends this."""
    match message:
        case WeightApplied(at=at, weight=weight) if weight == ZERO:
            return _rolled_back(canary, phase, at)
        case ShiftFailed(at=at, weight=weight, reason=reason) if weight == ZERO:
            retry = replace(
                phase,
                attempts=phase.attempts + 1,
                retry_at=at + back_off(phase.attempts),
                trouble=reason,
            )
            return _escalated(Transition(replace(without(canary, SetWeight), phase=retry)), at)
        case Ticked(at=at):
            move = Transition(canary)
            if is_due(phase.retry_at, at) and canary.arms is not None:
                waiting = replace(canary, phase=replace(phase, retry_at=None))
                move = intending(waiting, SetWeight(canary.arms, ZERO))
            return _escalated(move, at)
        case _:
            return ignore_or(already(canary), canary, message)


def _escalated(move: Transition, at: datetime) -> Transition:
    """The same move, and whoever is to be called by now: each once."""
    phase, escalation = move.canary.phase, move.canary.plan.escalation
    assert isinstance(phase, RollingBack)
    due = sum(at - phase.since >= wait for wait in escalation.due)
    if due <= phase.calls:
        return move
    trouble = phase.trouble or "it has not answered yet"
    move = replace(move, canary=replace(move.canary, phase=replace(phase, calls=due)))
    for call in range(phase.calls, due):
        match call:
            case 0:
                move = telling(move, Topic.FLIP_OVERDUE, at, trouble)
            case 1 if escalation.oncall:
                move = telling(move, Topic.ONCALL, at, trouble)
            case 2:
                paging = intending(move.canary, Page(phase.since, trouble))
                move = Transition(paging.canary, (*move.effects, *paging.effects))
            case _:
                pass
    return move


def _rolled_back(canary: Canary, phase: RollingBack, at: datetime) -> Transition:
    cause = phase.cause
    canary = replace(
        without(canary, SetWeight, Page), phase=RolledBack(cause, at, at - phase.since)
    ).noted(at, "rolled back: all traffic is on stable, read back")
    if cause.kind == "breach" and canary.arms is not None:
        since = phase.since - EVIDENCE_WINDOW
        return intending(canary, GatherEvidence(canary.arms, since, phase.since))
    move = Transition(canary)
    about: dict[str, Any] = {"by": cause.by, "findings": cause.findings}
    return the_end(telling(move, Topic.ROLLED_BACK, at, cause.text, **about))


def bookkeeping(
    canary: Canary,
    event: ThreadOpened | Told | EvidenceGathered | Paged | EndShown | PictureShown | Published,
) -> Transition:
    """Outward effects that were done; each is heard once."""
    match event:
        case ThreadOpened(channel=channel, ts=ts):
            thread = canary.thread or Thread(channel, ts)
            return Transition(replace(without(canary, OpenThread), thread=thread))
        case Told(number=number):
            left = tuple(
                intent
                for intent in canary.intents
                if not (isinstance(intent, Tell) and intent.note.number == number)
            )
            return Transition(canary if left == canary.intents else replace(canary, intents=left))
        case EvidenceGathered(at=at, lines=lines):
            wanted = any(isinstance(intent, GatherEvidence) for intent in canary.intents)
            if not wanted or not isinstance(canary.phase, RolledBack):
                return Transition(canary)
            cause = canary.phase.cause
            move = Transition(without(canary, GatherEvidence))
            about: dict[str, Any] = {"findings": cause.findings, "lines": lines}
            return the_end(telling(move, Topic.BREACH, at, cause.text, **about))
        case Paged():
            return Transition(without(canary, Page))
        case EndShown():
            return Transition(without(canary, ShowEnd))
        case PictureShown():
            return Transition(without(canary, ShowPicture))
        case Published(subscriber=subscriber, number=number):
            left = tuple(
                intent
                for intent in canary.intents
                if not (
                    isinstance(intent, Publish)
                    and (intent.subscriber, intent.number) == (subscriber, number)
                )
            )
            return Transition(canary if left == canary.intents else replace(canary, intents=left))
