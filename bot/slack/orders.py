"""Commands that change a canary: passed on to the engine, and answered in plain words."""

from datetime import timedelta
from typing import Final, Literal

from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Paused,
    PendingApproval,
    Promoted,
    Rejected,
)
from bot.core.commands import Question
from bot.core.machine import Refused
from bot.slack import desk
from bot.slack.desk import Parts
from bot.slack.finding import LOOKED_BACK, live_one
from bot.slack.grammar import Asked, Line
from bot.slack.permissions import Visit
from bot.slack.text import clip, clock_time, duration
from bot.slack.views import kit
from bot.slack.views.canary import subject
from bot.slack.views.help import pastes
from bot.slack.views.kit import Message
from bot.slack.views.steps import next_steps

Order = Literal["abort", "approve", "promote", "pause", "resume", "extend"]

LONGEST_REASON: Final = 300
EXTENSION: Final = timedelta(minutes=10)
"""How much longer where nothing was said."""


async def run(parts: Parts, visit: Visit, asked: Asked, order: Order, command: str) -> Message:
    """Give one order to the canary that is meant."""
    canary = await live_one(parts, visit, asked, command)
    if isinstance(canary, Message):
        return await _too_late(parts, visit, asked, command) or canary
    answer = await _give(parts, visit, asked, order, canary)
    if isinstance(answer, Refused):
        now = await parts.desk.find(canary.id) or canary
        return refused(answer.reason, now, order, command)
    parts.board.show(answer, urgent=True)
    return kit.private(_done(order, canary, answer, asked))


async def _give(
    parts: Parts, visit: Visit, asked: Asked, order: Order, canary: Canary
) -> Canary | Refused:
    match order:
        case "abort":
            reason = clip(asked.reason, LONGEST_REASON)
            return await desk.abort(parts, visit, canary.id, reason)
        case "approve":
            return await desk.approve(parts, visit, canary, *_open_question(canary))
        case "promote" if isinstance(canary.phase, AwaitingDecision):
            return await desk.approve(parts, visit, canary, *_open_question(canary))
        case "promote":
            return await desk.promote(parts, visit, canary, getattr(canary.phase, "step", None))
        case "pause":
            return await desk.pause(parts, visit, canary.id, asked.span)
        case "resume":
            return await desk.resume(parts, visit, canary.id)
        case "extend":
            return await desk.extend(parts, visit, canary.id, asked.span or EXTENSION)


def _open_question(canary: Canary) -> tuple[Question | None, int | None]:
    """What is asked as the order is given; a yes must not answer what is asked a moment later."""
    match canary.phase:
        case PendingApproval():
            return "start", None
        case AwaitingDecision(question=question, step=step):
            return question, step
        case _:
            return None, None


def _done(order: Order, before: Canary, after: Canary, asked: Asked) -> str:
    """What came of it, as far as it is known now."""
    what = subject(after)
    match order:
        case "abort":
            if before.arms is None:
                return f"Aborted {what}: it carried no traffic, and does not start."
            return f"Aborted {what}: its traffic goes back to stable."
        case "approve" | "promote":
            said = f"Approved {what}." if order == "approve" else f"{what}: going on now."
            missing = _missing(after)
            return f"{said} It still waits for {missing}." if missing else said
        case "pause":
            until = after.phase.until if isinstance(after.phase, Paused) else None
            end = f" It goes on by itself at {clock_time(until)}." if until else ""
            still = "it is still judged and still rolled back."
            return f"Paused {what} at {after.target}; {still}{end}"
        case "resume":
            return f"Resumed {what}."
        case "extend":
            return f"Extended {what} by {duration(asked.span or EXTENSION)}; still judged."


def _missing(canary: Canary) -> str:
    """How many more have to say yes, where one is not enough."""
    approvals = getattr(canary.phase, "approvals", ())
    plan = canary.plan
    start = isinstance(canary.phase, PendingApproval)
    gate = (plan.start_gate if start else plan.promote_gate) or plan.decision
    more = gate.needed - len(approvals)
    if not approvals or more < 1:
        return ""
    return "one more person" if more == 1 else f"{more} more people"


def refused(reason: str, canary: Canary | None, verb: str, command: str) -> Message:
    """Why nothing changed, and what can be done with the canary in the way instead."""
    said = reason.replace("`/canary ", f"`{command} ")
    if canary is None:
        return kit.private(said)
    others = [line for line in next_steps(canary) if line.text.split()[0] != verb]
    lines = pastes(others, command)
    what = [kit.words("What you can do now:")] if lines else []
    return kit.private(said, what, *lines, ids=desk.approver_ids(canary))


async def _too_late(parts: Parts, visit: Visit, asked: Asked, command: str) -> Message | None:
    """Whoever aborts what has been promoted already wants it undone: the line for that."""
    services, target = parts.catalog.service_names(), asked.target
    if asked.verb != "abort" or (target is not None and target not in services):
        return None
    if target is None and await parts.desk.all_live():
        return None
    lines = await _undoable(parts, visit, target)
    if not lines:
        return None
    said = "No canary is live there, so nothing changed. Its promotion can be undone:"
    return kit.private(said, *pastes(lines, command))


async def undo(parts: Parts, visit: Visit, asked: Asked, command: str) -> Message:
    """Take a promotion back; which one is never guessed."""
    if asked.target is None:
        return await _which(parts, visit, command)
    service, promoted = asked.target, ""
    if service not in parts.catalog.service_names():
        found = await parts.desk.find(service)
        if found is None:
            return kit.private(
                f"There is no canary {service}. Nothing changed; "
                f"`{command} history` shows the last ones."
            )
        service, promoted = found.service, found.id
    live = await parts.desk.live(service)
    reason = clip(asked.reason, LONGEST_REASON)
    answer = await desk.undo(parts, visit, service, reason, promoted)
    if isinstance(answer, Refused):
        if live is not None:
            abort = (Line(f"abort {live.id}", "all traffic back to stable, at once"),)
            return kit.private(answer.reason, *pastes(abort, command))
        how = f"`{command} history {service}` shows what was done last."
        return kit.private(f"{answer.reason} {how}")
    parts.board.show(answer, urgent=True)
    back = answer.stable_revision or "what was stable before"
    return kit.private(f"Undoing {subject(answer)}: all traffic goes back to {back}.")


async def _which(parts: Parts, visit: Visit, command: str) -> Message:
    """The services that this channel promoted last, as lines to paste."""
    lines = await _undoable(parts, visit, None)
    if not lines:
        text = "No promotion of this channel can be undone. Name the service, if it is another's:"
        return kit.private(f"{text} `{command} undo SERVICE`. Nothing changed.")
    say = "`undo` needs a service, so that it never takes back the wrong one. Nothing changed yet:"
    return kit.private(say, *pastes(lines, command))


async def _undoable(parts: Parts, visit: Visit, service: str | None) -> list[Line]:
    """Services whose last rollout was a promotion: this one, or those of this channel."""
    recent = await parts.desk.recent(service, LOOKED_BACK)
    meant = (one for one in recent if service or one.channel == visit.channel)
    moved = [one for one in meant if not isinstance(one.phase, Rejected)]
    last = {one.service: one for one in reversed(moved)}  # newest first, so the newest stays
    return [
        Line(f"undo {one.service}", f"takes {subject(one)} back")
        for one in last.values()
        if isinstance(one.phase, Promoted)
    ]
