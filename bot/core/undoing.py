"""After a promotion: all traffic back to what was stable before, while that still runs.

It is a canary of its own that begins with its rollback, so it is retried, told and recorded as any
other; the router has one writer then too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.core import judge
from bot.core.canary import Canary, Cause, Promoted, Rejected, RollingBack, Thread
from bot.core.commands import Undo
from bot.core.effects import SetWeight
from bot.core.milestones import published
from bot.core.moves import Transition, announce, intending
from bot.core.plan import FULL, ZERO, Actor, Split
from bot.core.slo import NoData, Readiness

WARM_FOR: Final = timedelta(hours=1)
"""How long after a promotion stable is taken to run still, where nobody can tell what it runs."""

LOOKED_BACK: Final = 50
"""Canaries of a service among which the last that moved traffic is looked for."""


@dataclass(frozen=True, slots=True)
class UndoRequest:
    """What is asked for.

    Attributes:
        canary_id: of the canary that does it.
        promoted: id of the canary that was looked at; empty for the service's last one.

    """

    canary_id: str
    service: str
    by: Actor
    reason: str = ""
    promoted: str = ""


def undo_of(promoted: Canary, request: UndoRequest, at: datetime) -> Undo:
    """The request with all that is known of what it takes back."""
    assert promoted.arms is not None, "what was promoted has moved traffic"
    # Its message is gone on with, unless something of its own is still to come and would cover ours.
    thread = promoted.thread if promoted.is_finished else None
    return Undo(
        canary_id=request.canary_id,
        undoes=promoted.id,
        service=promoted.service,
        revision=promoted.revision,
        stable_revision=promoted.stable_revision,
        plan=promoted.plan,
        channel=thread.channel if thread else promoted.channel,
        ts=thread.ts if thread else "",
        by=request.by,
        at=at,
        arms=promoted.arms,
        reason=request.reason,
    )


def last_move(recent: tuple[Canary, ...]) -> Canary | None:
    """Of a service's canaries, newest first, the last that moved traffic."""
    return next((canary for canary in recent if not isinstance(canary.phase, Rejected)), None)


def why_not(
    canary: Canary,
    split: Split | NoData,
    stable: Readiness | NoData | None,
    now: datetime,
) -> str:
    """Why a promotion cannot be taken back, or nothing.

    Args:
        canary: the service's last one that moved traffic.
        split: as the router tells it now.
        stable: how the backend is that was stable; None where there is no probe.
        now: the time.

    """
    phase, arms = canary.phase, canary.arms
    if not isinstance(phase, Promoted) or arms is None:
        return "the last rollout did not end with a promotion, so stable has all the traffic"
    if isinstance(split, NoData):
        return f"the router cannot be read ({split.reason})"
    if split.get(arms.canary, ZERO) != FULL:
        found = ", ".join(f"{name} {weight}" for name, weight in sorted(split.items()))
        return f"the router does not carry {canary.revision} at 100 % any more ({found})"
    if isinstance(stable, Readiness):
        broken = [f"{c.name}: {c.reason or 'not ready'}" for c in stable.failing]
        if broken:
            return f"{arms.stable} is not warm any more ({'; '.join(broken[:3])})"
        if stable.revision and canary.stable_revision:
            return (
                ""
                if stable.revision == canary.stable_revision
                else f"{arms.stable} runs {stable.revision} by now, not {canary.stable_revision}"
            )
    if now - phase.at <= WARM_FOR:
        return ""
    why = f" ({stable.reason})" if isinstance(stable, NoData) else ""
    return (
        f"nobody can tell whether {arms.stable} still runs what was stable{why}, and it was "
        "promoted more than an hour ago"
    )


def begin_undo(undo: Undo) -> Transition:
    """Flip first, as in every rollback."""
    why = f": {undo.reason}" if undo.reason else ""
    cause = Cause("undo", f"undone by {undo.by.name or undo.by.id}{why}", undo.by)
    canary = Canary(
        id=undo.canary_id,
        service=undo.service,
        revision=undo.revision,
        plan=undo.plan,
        phase=RollingBack(cause, undo.at),
        channel=undo.channel,
        started_by=undo.by,
        created_at=undo.at,
        judge=judge.begin(undo.plan.objectives),
        arms=undo.arms,
        stable_revision=undo.stable_revision,
        asked=ZERO,
        thread=Thread(undo.channel, undo.ts) if undo.ts else None,
        reason=undo.reason,
        undoes=undo.undoes,
    ).noted(undo.at, f"the promotion is undone: {cause.text}", undo.by)
    move = intending(canary, SetWeight(undo.arms, ZERO))
    if canary.thread is None:
        opened = announce(move.canary)
        move = Transition(opened.canary, (*move.effects, *opened.effects))
    return published(None, move, undo.at)
