"""What is going on with a canary, in the words of each phase, the most important line first."""

from collections.abc import Sequence
from datetime import datetime

from bot.core import judge
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Exposed,
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
from bot.core.commands import Question
from bot.core.moves import gate_of
from bot.core.plan import Approval, Gate
from bot.core.verdict import Health
from bot.slack.text import clip, clock_time, duration, name
from bot.slack.views.change import (
    after_promotion,
    after_rollback,
    contents,
    leave,
    marked,
    reasons,
    unsafe,
)
from bot.slack.views.ended import because, brief, end_lines
from bot.slack.views.kit import (
    Block,
    approvers,
    at_time,
    code,
    on_day,
    strong,
    who,
    words,
)
from bot.slack.views.slos import (
    standing,
    waiting_for,
)
from bot.slack.views.trend import trend_lines
from bot.slack.views.window import ends_at, observing, split

Line = list[Block]


def lines(canary: Canary, now: datetime) -> list[Line]:
    """The summary of the live message."""
    trend = trend_lines(canary.trend) if isinstance(canary.phase, Exposed) else []
    told = [*_now(canary, now), *_risk(canary), *trend, *_about(canary)]
    if canary.drift and not canary.is_ended:
        told.insert(1, [strong("⚠️ Drift: "), words(canary.drift)])
    elif canary.share is not None and canary.share.told and not canary.is_ended:
        told.insert(1, [strong("⚠️ Drift: "), words(str(canary.share))])
    return told


def _risk(canary: Canary) -> list[Line]:
    """Whether the way back is safe, said for as long as somebody may want to take it."""
    if isinstance(canary.phase, RollingBack | RolledBack):
        return [*after_rollback(canary), *marked(canary)]
    if isinstance(canary.phase, Rejected) or canary.undoes:
        return []
    if isinstance(canary.phase, Promoted):
        return after_promotion(canary)
    asked = isinstance(canary.phase, PendingApproval | AwaitingDecision)
    return unsafe(canary.plan.assessment, ways_out=asked)


def _now(canary: Canary, now: datetime) -> list[Line]:
    match canary.phase:
        case PendingApproval(expires_at=expires_at, approvals=approvals):
            asked = _asked(canary, "start", expires_at, approvals)
            return [[words("No traffic has moved.")], *asked]
        case Preparing(waiting_for=why):
            waiting = [[words("Waiting for: "), words(why)]] if why else []
            return [[words("No traffic has moved; the new revision is looked for.")], *waiting]
        case Shifting(attempts=attempts):
            return [_moving(canary, attempts)]
        case Observing() as phase:
            return observing(canary, phase, now)
        case Paused() as phase:
            return _paused(canary, phase)
        case AwaitingDecision(question=question, expires_at=expires_at, approvals=approvals):
            asked = _asked(canary, question, expires_at, approvals)
            return [[words(_why_asked(canary, question))], *asked]
        case Promoting(attempts=attempts, by=by):
            approved = [[words("Approved by "), who(by)]] if by else []
            return [_moving(canary, attempts), *approved]
        case RollingBack() as phase:
            return _rolling_back(canary, phase, now)
        case Promoted() | RolledBack() | Rejected():
            return end_lines(canary, canary.phase)


def _moving(canary: Canary, attempts: int) -> Line:
    again = f" The router did not take it yet: {attempts} tries so far." if attempts else ""
    return [words("The router is being set to "), strong(str(canary.target)), words(f".{again}")]


def _paused(canary: Canary, phase: Paused) -> list[Line]:
    left = duration(phase.remaining)
    return [
        split(canary),
        [words("Paused by "), who(phase.by), words(" at "), at_time(phase.since), *_until(phase)],
        [words(f"Still judged and still rolled back. It goes on with {left} of the window.")],
    ]


def _until(phase: Paused) -> Line:
    if phase.until is None:
        return [words(".")]
    return [words("; goes on at "), at_time(phase.until), words(" or with Resume.")]


def _why_asked(canary: Canary, question: Question) -> str:
    found = judge.verdict(canary.judge)
    match question:
        case "start":
            return "No traffic has moved."
        case "promote":
            return f"Its window at {canary.target} ended healthy.{_but_now(canary)}"
        case "thin":
            missing = waiting_for(found) or "too few requests"
            return f"Still at {canary.target}. Too little to judge; still needed: {missing}."
        case "orphan":
            return f"Found at {canary.target}, and no record says why. It is judged meanwhile."
        case "blind":
            missing = canary.drift or waiting_for(found) or "the data is missing"
            return f"Still at {canary.target}. Cannot be judged: {missing}."


def healthy_now(canary: Canary) -> str:
    """What the numbers say of a canary that was healthy when it was asked about."""
    changed = _but_now(canary).strip()
    return f"Its window ended healthy. {changed}" if changed else "All SLOs are healthy."


def _but_now(canary: Canary) -> str:
    """What has changed since the question was asked; nothing where it is healthy still."""
    found = judge.verdict(canary.judge)
    if canary.drift:
        return f" But now {canary.drift}."
    return "" if found.health is Health.HEALTHY else f" But now: {standing(found)}."


def _asked(
    canary: Canary, question: Question, expires_at: datetime, approvals: Sequence[Approval]
) -> list[Line]:
    gate = gate_of(canary, question)
    silence = "it does not start" if question == "start" else "all traffic goes back to stable"
    enough = "an answer" if gate.needed == 1 else f"{gate.needed} approvals"
    return [
        [strong("Who may approve: "), *approvers(gate), *conditions(canary, gate)],
        so_far(gate, approvals),
        [words(f"Without {enough} by "), at_time(expires_at), words(f", {silence}.")],
    ]


def conditions(canary: Canary, gate: Gate) -> Line:
    """How many have to say yes, and whether the author counts."""
    said = [f"{gate.needed} different people"] if gate.needed > 1 else []
    if not gate.author:
        said.append(f"not {name(canary.started_by.name or canary.started_by.id)}, who started it")
    return [words(f" ({', '.join(said)})")] if said else []


def so_far(gate: Gate, approvals: Sequence[Approval]) -> Line:
    """Who has said yes, while more are needed."""
    if not approvals:
        return []
    people = [piece for each in approvals for piece in (words(", "), who(each.by))][1:]
    return [strong(f"{len(approvals)} of {gate.needed} approvals: "), *people]


def _rolling_back(canary: Canary, phase: RollingBack, now: datetime) -> list[Line]:
    why = because(phase.cause)
    if not phase.overdue:
        return [[strong("All traffic is going back to stable.")], *why]
    trying = duration(now - phase.since)
    return [
        [strong(f"The router has not confirmed for {trying}; it is tried again and again.")],
        [words("The canary may still carry traffic. "), *_by_hand(canary)],
        *why,
    ]


def _by_hand(canary: Canary) -> Line:
    if canary.arms is None:
        return [words("Look at the router by hand.")]
    return [
        words("Look at the router by hand: all traffic belongs on "),
        code(canary.arms.stable),
        words("."),
    ]


def _about(canary: Canary) -> list[Line]:
    """Who, what and by which plan: the same through the whole life of a canary."""
    plan = canary.plan
    steps = " → ".join(
        [*(f"{s.weight} for {duration(s.window)}" for s in plan.steps[:8]), "100 %"]
    )
    beside = " · before " if isinstance(canary.phase, Promoted) else " · stable "
    stable = [words(beside), code(canary.stable_revision)] if canary.stable_revision else []
    started = [words("Started by "), who(canary.started_by), words(" "), on_day(canary.created_at)]
    if canary.reason:
        started.append(words(f": {clip(canary.reason, 300)}"))
    if canary.undoes:
        return [[words("Revision "), code(canary.revision), *stable]]
    return [
        [words("Revision "), code(canary.revision), *stable],
        [words(f"Plan: {clip(steps, 200)}")],
        *reasons(plan),
        *contents(plan.assessment),
        *leave(canary),
        started,
    ]


def sentence(canary: Canary, now: datetime) -> str:
    """The state in a plain sentence or two, to follow the headline."""
    match canary.phase:
        case PendingApproval(expires_at=at):
            return f"No traffic has moved; without an approval by {clock_time(at)} it ends."
        case Preparing(waiting_for=why):
            return f"No traffic has moved{f'; waiting for {why}' if why else ''}."
        case Shifting() | Promoting():
            return "The router is being set."
        case Observing() as phase:
            until = ends_at(phase, now)
            left = f"{duration(until - now)} left" if until > now else "deciding now"
            return f"{_standing(canary)}, {left}."
        case Paused(by=by):
            return f"Paused by {by.name or by.id}. {_standing(canary)}."
        case AwaitingDecision(question=question, expires_at=at):
            asked = _why_asked(canary, question)
            return f"{asked} Without an answer by {clock_time(at)} it is rolled back."
        case Promoted():
            return f"All traffic is on {canary.revision}."
        case RollingBack(cause=cause, overdue=True):
            return f"The canary may still carry traffic. {brief(cause)}"
        case RollingBack(cause=cause):
            return f"All traffic is going back to stable. {brief(cause)}"
        case RolledBack(cause=cause):
            return f"All traffic is back on stable. {brief(cause)}"
        case Rejected(reason=reason):
            return f"No traffic was moved: {reason}."


def _standing(canary: Canary) -> str:
    stands = standing(judge.verdict(canary.judge))
    return stands[0].upper() + stands[1:]
