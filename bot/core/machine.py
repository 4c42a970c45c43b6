"""Every decision about a canary: `transition(canary, message)` and nothing else.

Commands may be refused with a reason; events are taken or, when late, ignored. Time arrives on the
message. Each phase has a small function that reads like its place in the state diagram.
"""

from dataclasses import replace
from typing import Final

from bot.core import deciding, looking, preparing
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Ended,
    Mark,
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
    Start,
)
from bot.core.effects import Prepare, SetWeight, Topic
from bot.core.ending import bookkeeping, while_rolling_back
from bot.core.events import (
    EndShown,
    Event,
    EvidenceGathered,
    Observed,
    Paged,
    PictureShown,
    Prepared,
    Published,
    ShiftFailed,
    ThreadOpened,
    Ticked,
    Told,
    WeightApplied,
)
from bot.core.judge import begin as begin_judging
from bot.core.milestones import published
from bot.core.moves import (
    Refused,
    Transition,
    announce,
    back_off,
    ignore_or,
    intending,
    is_due,
    observe,
    prepare,
    reject,
    roll_back,
    telling,
    the_end,
    without,
)
from bot.core.refusals import already, marked_already, not_a_breach, not_now

__all__ = ["Refused", "Transition", "begin", "transition"]

MOST_ATTEMPTS: Final = 6
"""Failed flips upwards before the canary is given up; a rollback is tried for ever."""


def begin(start: Start) -> Transition:
    """A new canary, and the first things to do for it."""
    return published(None, _begin(start), start.at)


def _begin(start: Start) -> Transition:
    plan = start.plan
    canary = Canary(
        id=start.canary_id,
        service=start.service,
        revision=start.revision,
        plan=plan,
        phase=Preparing(start.at),
        channel=start.channel,
        started_by=start.by,
        created_at=start.at,
        judge=begin_judging(plan.objectives),
        reason=start.reason,
        override=start.override,
    ).noted(start.at, f"started: {plan.tier}, {plan.steps[0].weight}", start.by)
    if plan.lowered_from:
        lowered = f"asked to lower the tier from {plan.lowered_from} to {plan.tier}"
        canary = canary.noted(start.at, _because(lowered, start.reason), start.by)
    if start.override is not None:
        over = f"overrode the freeze of {start.override.of}"
        canary = canary.noted(start.at, _because(over, start.override.reason), start.override.by)
    if plan.start_gate is None:
        move = prepare(canary, start.at)
        opened = announce(move.canary)
        return Transition(opened.canary, (*move.effects, *opened.effects))
    expires_at = start.at + plan.start_gate.timeout
    canary = replace(canary, phase=PendingApproval(start.at, expires_at))
    detail = "may this canary start?"
    return telling(announce(canary), Topic.DECISION_NEEDED, start.at, detail)


def transition(canary: Canary, message: Command | Event) -> Transition | Refused:
    """What this message makes of the canary."""
    move = _transition(canary, message)
    return move if isinstance(move, Refused) else published(canary, move, message.at)


def _transition(canary: Canary, message: Command | Event) -> Transition | Refused:
    match message:
        case (
            ThreadOpened()
            | Told()
            | EvidenceGathered()
            | Paged()
            | EndShown()
            | PictureShown()
            | Published()
        ):
            return bookkeeping(canary, message)
        case Abort():
            return _abort(canary, message)
        case MarkAlarm():
            return _mark(canary, message)
        case _:
            pass
    match canary.phase:
        case PendingApproval() as phase:
            return _while_pending(canary, phase, message)
        case Preparing() as phase:
            return _while_preparing(canary, phase, message)
        case Shifting() | Promoting() as phase:
            return _while_moving(canary, phase, message)
        case Observing() as phase:
            return _while_observing(canary, phase, message)
        case Paused() as phase:
            return _while_paused(canary, phase, message)
        case AwaitingDecision() as phase:
            return _while_awaiting(canary, phase, message)
        case RollingBack() as phase:
            return while_rolling_back(canary, phase, message)
        case Promoted() | RolledBack() | Rejected():
            return ignore_or(already(canary), canary, message)


def _abort(canary: Canary, abort: Abort) -> Transition | Refused:
    """Always possible until it has ended, and never anybody's privilege."""
    if isinstance(canary.phase, Ended | RollingBack):
        return Refused(already(canary))
    if abort.findings:
        return roll_back(canary, Cause("breach", abort.reason, findings=abort.findings), abort.at)
    why = f": {abort.reason}" if abort.reason else ""
    cause = Cause("abort", f"aborted by {abort.by.name or abort.by.id}{why}", abort.by)
    return roll_back(canary, cause, abort.at)


def _mark(canary: Canary, message: MarkAlarm) -> Transition | Refused:
    """Whether a rollback was right is said by people afterwards; it moves nothing."""
    phase = canary.phase
    if not isinstance(phase, RolledBack) or phase.cause.kind != "breach":
        return Refused(not_a_breach(canary))
    said = "marked as a false alarm" if message.false else "marked as a real problem"
    mark = Mark(message.false, message.by, message.at, message.reason)
    if canary.mark is not None and canary.mark.false == mark.false:
        return Refused(marked_already(canary))
    noted = canary.noted(message.at, _because(said, message.reason), message.by)
    return Transition(replace(noted, mark=mark))


def _because(said: str, reason: str) -> str:
    return f"{said}: {reason}" if reason else said


def _while_pending(
    canary: Canary, phase: PendingApproval, message: Command | Event
) -> Transition | Refused:
    match message:
        case Approve():
            return deciding.approve(canary, phase, message)
        case Ticked(at=at) if at >= phase.expires_at:
            return reject(canary, _not_enough(phase, "nobody approved the start in time"), at)
        case _:
            return ignore_or(not_now(canary), canary, message)


def _not_enough(phase: PendingApproval | AwaitingDecision, nobody: str) -> str:
    """Why silence decided, where some have spoken."""
    people = [approval.by.name or approval.by.id for approval in phase.approvals]
    return f"only {', '.join(people)} approved in time, which is not enough" if people else nobody


def _while_preparing(
    canary: Canary, phase: Preparing, message: Command | Event
) -> Transition | Refused:
    match message:
        case Prepared():
            return preparing.prepared(canary, phase, message)
        case Ticked(at=at) if is_due(phase.retry_at, at):
            canary = replace(canary, phase=replace(phase, retry_at=None))
            return intending(canary, Prepare(canary.service))
        case _:
            return ignore_or(not_now(canary), canary, message)


def _while_moving(
    canary: Canary, phase: Shifting | Promoting, message: Command | Event
) -> Transition | Refused:
    """A flip upwards is under way; it is done when it has been read back."""
    match message:
        case WeightApplied(at=at, weight=weight) if weight == canary.target:
            if isinstance(phase, Shifting):
                reached = Topic.STEP if phase.step else Topic.STARTED
                detail = f"{weight} of the traffic is on {canary.revision}"
                return telling(
                    observe(canary, phase.step, at), reached, at, detail, step=phase.step
                )
            canary = replace(
                without(canary, SetWeight), phase=Promoted(at, phase.by), next_look_at=None
            ).noted(at, "promoted", phase.by)
            detail = f"all traffic is on {canary.revision}"
            return the_end(telling(Transition(canary), Topic.PROMOTED, at, detail, by=phase.by))
        case ShiftFailed(at=at, weight=weight, reason=reason) if weight == canary.target:
            attempts = phase.attempts + 1
            if attempts >= MOST_ATTEMPTS:
                text = f"the router did not take {weight} after {attempts} tries: {reason}"
                return roll_back(canary, Cause("failure", text), at)
            retry = replace(phase, attempts=attempts, retry_at=at + back_off(attempts))
            return Transition(replace(without(canary, SetWeight), phase=retry))
        case Observed():
            return looking.looked(canary, message).move
        case Ticked(at=at):
            move = looking.look_if_due(canary, at)
            if move.effects:
                return move  # looking comes before raising; the retry has a tick of its own
            if is_due(phase.retry_at, at) and canary.arms is not None:
                waiting = replace(canary, phase=replace(phase, retry_at=None))
                return intending(waiting, SetWeight(canary.arms, canary.target))
            return move
        case _:
            return ignore_or(not_now(canary), canary, message)


def _while_observing(
    canary: Canary, phase: Observing, message: Command | Event
) -> Transition | Refused:
    match message:
        case Observed(at=at):
            look = looking.looked(canary, message)
            now = look.move.canary.phase  # the window may have become longer
            if not isinstance(now, Observing) or at < now.until:
                return look.move
            return looking.window_over(look, now, at)
        case Ticked(at=at):
            return looking.look_if_due(canary, at)
        case WeightApplied() | ShiftFailed():  # a repair of drift; the next look tells how it went
            return Transition(without(canary, SetWeight))
        case Pause():
            return deciding.pause(canary, phase, message)
        case Promote():
            return deciding.promote(canary, phase, message)
        case Extend():
            return deciding.extend(canary, phase, message)
        case _:
            return ignore_or(not_now(canary), canary, message)


def _while_paused(canary: Canary, phase: Paused, message: Command | Event) -> Transition | Refused:
    match message:
        case Observed():
            return looking.looked(canary, message).move
        case Ticked(at=at):
            if phase.until is not None and at >= phase.until:
                return deciding.resume(canary, phase, at, None)
            return looking.look_if_due(canary, at)
        case WeightApplied() | ShiftFailed():
            return Transition(without(canary, SetWeight))
        case Resume(by=by, at=at):
            return deciding.resume(canary, phase, at, by)
        case Promote():
            return deciding.promote(canary, phase, message)
        case Extend():
            return deciding.extend(canary, phase, message)
        case _:
            return ignore_or(not_now(canary), canary, message)


def _while_awaiting(
    canary: Canary, phase: AwaitingDecision, message: Command | Event
) -> Transition | Refused:
    match message:
        case Observed():
            return looking.looked(canary, message).move
        case Ticked(at=at):
            if at >= phase.expires_at:
                why = _not_enough(phase, "nobody decided in time, and silence means no")
                cause = Cause("no_decision", why)
                return roll_back(canary, cause, at)
            return looking.look_if_due(canary, at)
        case WeightApplied() | ShiftFailed():
            return Transition(without(canary, SetWeight))
        case Approve():
            return deciding.approve(canary, phase, message)
        case Promote(by=by, at=at, step=step):
            # Who pressed it while it was watched has not seen that evidence is missing.
            question: Question | None = None if step is None else "promote"
            return deciding.approve(canary, phase, Approve(by, at, question, step))
        case Extend():
            return deciding.extend(canary, phase, message)
        case _:
            return ignore_or(not_now(canary), canary, message)
