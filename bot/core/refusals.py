"""The sentences that say why a command changed nothing, and what to do instead."""

from datetime import timedelta

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
from bot.core.plan import ANYONE, Gate


def describe(canary: Canary) -> str:
    """Where the canary stands, to follow `shop v2 `."""
    match canary.phase:
        case PendingApproval():
            return "waits for somebody to approve its start"
        case Preparing(waiting_for=why):
            return f"is getting ready ({why})" if why else "is getting ready"
        case Shifting():
            return f"is being moved to {canary.target}"
        case Observing():
            return f"is under observation at {canary.target}"
        case Paused(by=by):
            return f"is paused at {canary.target} by {by.name or by.id}"
        case AwaitingDecision():
            return f"waits for a decision at {canary.target}"
        case Promoting():
            return "is being promoted"
        case Promoted(at=at):
            return f"was promoted at {at:%Y-%m-%d %H:%M} UTC"
        case RollingBack(cause=cause):
            return f"is rolling back ({cause.text})"
        case RolledBack(cause=cause, at=at):
            return f"was rolled back at {at:%Y-%m-%d %H:%M} UTC ({cause.text})"
        case Rejected(reason=reason, at=at):
            return f"was rejected at {at:%Y-%m-%d %H:%M} UTC ({reason})"


def already(canary: Canary) -> str:
    """For a click that came too late."""
    if isinstance(canary.phase, RollingBack):
        return f"{canary.service} {canary.revision} is on its way back already: it {describe(canary)}."
    return f"Nothing changed: {canary.service} {canary.revision} {describe(canary)}."


def may_not_override(service: str, gate: Gate) -> str:
    """For an override by somebody who is no approver."""
    return (
        f"You may not start {service} in spite of a freeze, so nothing changed. "
        f"Who may: {_who(gate)}. Ask one of them, or wait for its end."
    )


def not_a_breach(canary: Canary) -> str:
    """For a mark on what no breach has ended."""
    return (
        f"Only a rollback after a breach can be a false alarm, and {canary.service} "
        f"{canary.revision} {describe(canary)}. Nothing changed."
    )


def marked_already(canary: Canary) -> str:
    """For the same mark a second time."""
    mark = canary.mark
    by = f" by {mark.by.name or mark.by.id}" if mark else ""
    return f"It is marked so already{by}. Nothing changed."


def not_now(canary: Canary) -> str:
    """For a command that does not fit the phase."""
    return f"Not now: {canary.service} {canary.revision} {describe(canary)}. Nothing changed."


def not_asked(canary: Canary) -> str:
    """For an answer to a question that is no longer asked."""
    return (
        f"That question is no longer open: {canary.service} {canary.revision} {describe(canary)}. "
        "Nothing changed; look at the message again."
    )


def not_allowed(canary: Canary, gate: Gate) -> str:
    """For a person who may not decide here; names who may, by id, for the view to mention."""
    return (
        f"You may not approve {canary.service} {canary.revision}, so nothing changed. "
        f"Who may: {_who(gate)}. You may abort it at any time."
    )


def not_oneself(canary: Canary, gate: Gate) -> str:
    """For the author, where a second pair of eyes is wanted."""
    return (
        f"You started {canary.service} {canary.revision}, and tier {canary.plan.tier} wants "
        f"somebody else to approve it. Nothing changed. Who may: {_who(gate)}. "
        "You may abort it at any time."
    )


def approved_already(canary: Canary, missing: int) -> str:
    """For whoever said yes before."""
    people = "one more person" if missing == 1 else f"{missing} more people"
    return (
        f"You have approved {canary.service} {canary.revision} already, and each person counts "
        f"once. It waits for {people}."
    )


def not_proven(canary: Canary, why: str) -> str:
    """For a promotion before the numbers are sure."""
    return (
        f"Not promoted: {canary.service} {canary.revision} is not proven healthy yet ({why}). "
        f"It {describe(canary)}; nothing changed. It is judged on meanwhile."
    )


def not_longer(canary: Canary) -> str:
    """For an extension that would be none, or would shorten the window."""
    return (
        f"Not extended: {canary.service} {canary.revision} can only be watched longer; say by how "
        "much, for example `10m`. Nothing changed."
    )


def too_long(canary: Canary, most: timedelta) -> str:
    """For an extension beyond every measure."""
    return (
        f"Not extended: {canary.service} {canary.revision} would be watched for more than "
        f"{most.total_seconds() / 3600:g} hours in all. Decide now, or abort it and start it again."
    )


def _who(gate: Gate) -> str:
    if ANYONE in gate.approvers:
        return "anyone else in this workspace" if not gate.author else "anyone in this workspace"
    return ", ".join(gate.approvers) or "nobody: no approvers are configured for this tier"
