"""The sentences that say why a command changed nothing, and what to do instead."""

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
from bot.core.plan import Gate


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
            return f"was promoted at {at:%H:%M} UTC"
        case RollingBack(cause=cause):
            return f"is rolling back ({cause.text})"
        case RolledBack(cause=cause, at=at):
            return f"was rolled back at {at:%H:%M} UTC ({cause.text})"
        case Rejected(reason=reason, at=at):
            return f"was rejected at {at:%H:%M} UTC ({reason})"


def already(canary: Canary) -> str:
    """For a click that came too late."""
    return f"Nothing changed: {canary.service} {canary.revision} {describe(canary)}."


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
    who = ", ".join(gate.approvers) or "nobody: no approvers are configured for this tier"
    return f"You may not approve {canary.service} {canary.revision}. Who may: {who}."
