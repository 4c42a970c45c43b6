"""The moments of a canary that others want to hear of, told from its phase before and after."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Observing,
    Paused,
    PendingApproval,
    Preparing,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
    Shifting,
)
from bot.core.effects import Milestone, Publish
from bot.core.moves import Transition


def published(before: Canary | None, move: Transition, at: datetime) -> Transition:
    """The same move, and after all that it does each subscriber told, where there is news.

    Args:
        before: the canary before the move; None of one that has just begun.
        move: what a message made of it.
        at: when.

    """
    after = move.canary
    if not after.plan.subscribers or (before is not None and before.phase is after.phase):
        return move
    told = None if before is None else _moment(before)
    now = _moment(after)
    if now is None or now == told:
        return move
    number = after.milestones + 1
    detail = after.timeline[-1].text if after.timeline else ""
    news = tuple(Publish(name, number, now[0], at, detail) for name in after.plan.subscribers)
    after = replace(after, milestones=number, intents=(*after.intents, *news))
    return Transition(after, (*move.effects, *news))


def _moment(canary: Canary) -> tuple[Milestone, Any] | None:
    """What is true of it now, and of which step or question; None where that is only on its way."""
    match canary.phase:
        case Preparing():
            return Milestone.STARTED, None
        case PendingApproval():
            return Milestone.WAITING, "start"
        case AwaitingDecision(step=step, question=question):
            return Milestone.WAITING, (step, question)
        case Shifting():
            return None
        case Observing(step=step):
            return Milestone.OBSERVING, step
        case Paused(step=step):
            return Milestone.PAUSED, step
        case Promoting():
            return Milestone.PROMOTING, None
        case Promoted():
            return Milestone.PROMOTED, None
        case RollingBack():
            return Milestone.ROLLING_BACK, None
        case RolledBack():
            return Milestone.ROLLED_BACK, None
        case Rejected():
            return Milestone.REJECTED, None
