"""What people decide: approvals, which are counted, and windows made shorter or longer."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.core import judge
from bot.core.canary import AwaitingDecision, Canary, Observing, Paused, PendingApproval
from bot.core.commands import Approve, Extend, Pause, Promote
from bot.core.effects import Topic
from bot.core.moves import (
    Refused,
    Transition,
    ask,
    gate_of,
    go_on,
    prepare,
    telling,
)
from bot.core.plan import Actor, Approval, Gate
from bot.core.refusals import (
    approved_already,
    not_allowed,
    not_asked,
    not_longer,
    not_now,
    not_oneself,
    not_proven,
    too_long,
)
from bot.core.verdict import Health

LONGEST: Final = timedelta(hours=24)
"""How long one step may be watched in all: users must not stay on a canary for weeks."""

FEWEST_LOOKS: Final = 3
"""At a weight, before its window may be ended early."""

FRESH_FOR: Final = 3
"""Ticks that the last look may be old then."""


def approve(
    canary: Canary, phase: PendingApproval | AwaitingDecision, message: Approve
) -> Transition | Refused:
    """Count a yes; the last one that is needed is acted upon."""
    question = phase.question if isinstance(phase, AwaitingDecision) else "start"
    step = phase.step if isinstance(phase, AwaitingDecision) else None
    if message.question not in {None, question} or message.step not in {None, step}:
        return Refused(not_asked(canary))
    gate = gate_of(canary, question)
    refusal = _no(canary, gate, message.by) or _twice(canary, gate, phase.approvals, message.by)
    if refusal:
        return Refused(refusal)
    if canary.drift and question == "promote":
        return Refused(not_proven(canary, canary.drift))
    approvals = (*phase.approvals, Approval(message.by, message.at))
    what = "the start" if question == "start" else "the promotion"
    said = f"approved {what}{_count(gate, len(approvals))}"
    noted = replace(canary, phase=replace(phase, approvals=approvals)).noted(
        message.at, said, message.by
    )
    move = Transition(noted)
    if len(approvals) >= gate.needed:
        move = (
            prepare(noted, message.at)
            if step is None
            else go_on(noted, step, message.at, message.by)
        )
    return telling(move, Topic.DECIDED, message.at, said, by=message.by)


def promote(canary: Canary, phase: Observing | Paused, message: Promote) -> Transition | Refused:
    """Go on before the window is over: only where the numbers say already what it waits for."""
    if message.step not in {None, phase.step}:
        return Refused(not_asked(canary))
    unproven = why_not_early(canary)
    if not unproven and not _is_fresh(canary, message.at):
        unproven = "nobody has looked at it lately"
    if unproven:
        return Refused(not_proven(canary, unproven))
    gate = gate_of(canary, "promote")
    refusal = _no(canary, gate, message.by)
    if refusal:
        return Refused(refusal)
    # Where nobody would be asked at the window's end one person is enough: a canary that goes on
    # by itself must not come to wait for a second one, whose silence would roll it back.
    last = phase.step + 1 == len(canary.plan.steps)
    alone = gate.needed == 1 or not last or canary.plan.promote_gate is None
    said = f"ended the window early, all SLOs are healthy{'' if alone else _count(gate, 1)}"
    noted = canary.noted(message.at, said, message.by)
    if alone:
        move = go_on(noted, phase.step, message.at, message.by)
        return telling(move, Topic.DECIDED, message.at, said, by=message.by)
    told = telling(Transition(noted), Topic.DECIDED, message.at, said, by=message.by)
    why = "all SLOs are healthy, and the window was ended early"
    move = ask(told.canary, phase.step, "promote", message.at, why)
    asked = move.canary.phase
    assert isinstance(asked, AwaitingDecision)
    counted = replace(asked, approvals=(Approval(message.by, message.at),))
    return Transition(replace(move.canary, phase=counted), (*told.effects, *move.effects))


def why_not_early(canary: Canary) -> str:
    """Why the window cannot be ended before its time, or nothing.

    The judge remembers every weight the canary has had. What it says counts once enough has been
    seen at this one: a load that hurts shows only where it is carried.
    """
    if canary.drift:
        return canary.drift
    found, share = judge.verdict(canary.judge), canary.share
    if found.health is not Health.HEALTHY:
        missing = next((f.reason for f in found.findings if f.health is found.health), "")
        return missing or f"{found.requests:,} of about {found.needed:,} requests seen"
    here = share is not None and share.weight == canary.asked and share.looks >= FEWEST_LOOKS
    if not here or share is None or share.canary < canary.plan.objectives.min_requests:
        return f"too little was seen at {canary.asked} so far"
    return ""


def _is_fresh(canary: Canary, at: datetime) -> bool:
    last = canary.last_look_at
    return last is not None and at - last <= FRESH_FOR * canary.plan.tick


def pause(canary: Canary, phase: Observing, message: Pause) -> Transition | Refused:
    """Hold the weight for a while; a pause that nobody ends goes on by itself."""
    at, by = message.at, message.by
    lasting = message.lasting or canary.plan.pause
    if _exposed(canary, phase.step, at + lasting) > LONGEST:
        return Refused(too_long(canary, LONGEST))
    remaining = max(phase.until - at, timedelta(0))
    extension = max(phase.deadline - max(at, phase.until), timedelta(0))
    paused = Paused(phase.step, by, at, remaining, extension, at + lasting)
    said = f"paused the canary for {_minutes(lasting)} at most"
    move = Transition(replace(canary, phase=paused).noted(at, said, by))
    return telling(move, Topic.DECIDED, at, said, by=by)


def resume(canary: Canary, phase: Paused, at: datetime, by: Actor | None) -> Transition:
    """Go on with what was left of the window; by nobody when the pause is over."""
    until = at + phase.remaining
    observing = Observing(phase.step, at, until, until + phase.extension)
    said = "resumed the canary" if by else "the pause is over: the window goes on"
    move = Transition(replace(canary, phase=observing).noted(at, said, by))
    return telling(move, Topic.DECIDED, at, said, by=by)


def extend(
    canary: Canary, phase: Observing | Paused | AwaitingDecision, message: Extend
) -> Transition | Refused:
    """Watch longer. Where a person is asked already, it is asked again after that time."""
    more, at = message.more, message.at
    if isinstance(phase, AwaitingDecision) and phase.question == "orphan":
        return Refused(not_now(canary))
    if more <= timedelta(0):
        return Refused(not_longer(canary))
    later: Observing | Paused
    if isinstance(phase, Observing):
        later = replace(phase, until=phase.until + more, deadline=phase.deadline + more)
        end = later.deadline
    elif isinstance(phase, Paused):
        later = replace(phase, remaining=phase.remaining + more)
        end = at + later.remaining + phase.extension
    else:
        later = Observing(phase.step, at, at + more, at + more, extended=True)
        end = later.deadline
    if _exposed(canary, phase.step, end) > LONGEST:
        return Refused(too_long(canary, LONGEST))
    void = len(phase.approvals) if isinstance(phase, AwaitingDecision) else 0
    plural = "s" if void > 1 else ""
    lost = f"; {void} approval{plural} must be given again" if void else ""
    said = f"extended the window by {_minutes(more)}{lost}"
    move = Transition(replace(canary, phase=later).noted(at, said, message.by))
    return telling(move, Topic.DECIDED, at, said, by=message.by)


def _exposed(canary: Canary, step: int, until: datetime) -> timedelta:
    """How long this step would last, from the first look on and without the windows before it.

    Not from the phase's own beginning: a pause or a question would begin it anew.
    """
    earlier = sum((each.window for each in canary.plan.steps[:step]), timedelta(0))
    return until - (canary.judge.begun_at or canary.created_at) - earlier


def _no(canary: Canary, gate: Gate, by: Actor) -> str:
    """Why this person may not decide here, or nothing."""
    if not gate.author and _started(canary, by):
        return not_oneself(canary, gate)
    return "" if gate.admits(by) else not_allowed(canary, gate)


def _started(canary: Canary, by: Actor) -> bool:
    """Whether it is theirs: a person's, a machine's, or what a machine started for a person."""
    author = canary.started_by
    return by.id in {author.id, author.via} or (by.via != "" and by.via == author.via)


def _twice(canary: Canary, gate: Gate, approvals: tuple[Approval, ...], by: Actor) -> str:
    if all(approval.by.id != by.id for approval in approvals):
        return ""
    return approved_already(canary, gate.needed - len(approvals))


def _count(gate: Gate, approvals: int) -> str:
    return f" ({approvals} of {gate.needed})" if gate.needed > 1 else ""


def _minutes(span: timedelta) -> str:
    """A person's span, as it would be said."""
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
