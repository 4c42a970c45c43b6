"""What is going on with a canary, in the words of each phase, the most important line first."""

from datetime import datetime, timedelta

from bot.core import judge
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Ended,
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
from bot.core.plan import FULL
from bot.slack.text import bar, clip, clock_time, duration, name
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
from bot.slack.views.slos import breached, explained, exposure, headline, standing, waiting_for

Line = list[Block]


def lines(canary: Canary, now: datetime) -> list[Line]:
    """The summary of the live message."""
    told = [*_now(canary, now), *_about(canary)]
    if canary.drift and not canary.is_ended:
        told.insert(1, [strong("⚠️ Drift: "), words(canary.drift)])
    elif canary.share is not None and canary.share.told and not canary.is_ended:
        told.insert(1, [strong("⚠️ Drift: "), words(str(canary.share))])
    return told


def _now(canary: Canary, now: datetime) -> list[Line]:
    match canary.phase:
        case PendingApproval(expires_at=expires_at):
            return [[words("No traffic has moved.")], *_asked(canary, "start", expires_at)]
        case Preparing(waiting_for=why):
            waiting = [[words("Waiting for: "), words(why)]] if why else []
            return [[words("No traffic has moved; the new revision is looked for.")], *waiting]
        case Shifting(attempts=attempts):
            return [_moving(canary, attempts)]
        case Observing() as phase:
            return _observing(canary, phase, now)
        case Paused() as phase:
            return _paused(canary, phase)
        case AwaitingDecision(question=question, expires_at=expires_at):
            return [[words(_why_asked(canary, question))], *_asked(canary, question, expires_at)]
        case Promoting(attempts=attempts, by=by):
            approved = [[words("Approved by "), who(by)]] if by else []
            return [_moving(canary, attempts), *approved]
        case RollingBack() as phase:
            return _rolling_back(canary, phase, now)
        case Promoted() | RolledBack() | Rejected():
            return _ended(canary, canary.phase)


def _moving(canary: Canary, attempts: int) -> Line:
    again = f" The router did not take it yet: {attempts} tries so far." if attempts else ""
    return [words("The router is being set to "), strong(str(canary.target)), words(f".{again}")]


def _split(canary: Canary) -> Line:
    rest = f"{100 - canary.target.share * 100:g} %"
    return [
        strong(f"{canary.target} of the traffic"),
        words(f" on the canary, {rest} on stable; "),
        words(f"{standing(judge.verdict(canary.judge))}."),
    ]


def _observing(canary: Canary, phase: Observing, now: datetime) -> list[Line]:
    ends_at = phase.deadline if phase.extended else phase.until
    gone, whole = now - phase.since, ends_at - phase.since
    left = duration(ends_at - now) + " left" if ends_at > now else "deciding now"
    share = gone / whole if whole > timedelta(0) else 1.0
    progress = f"{bar(share)} {duration(min(gone, whole))} of {duration(whole)}, {left}"
    if phase.extended:
        missing = waiting_for(judge.verdict(canary.judge)) or "more evidence"
        waiting = [strong("Window extended, waiting for more: "), words(f"{missing}.")]
        decision = [words("At "), at_time(ends_at), words(" a person is asked what to do.")]
        return [_split(canary), [words(progress)], waiting, decision]
    outlook = [words("At "), at_time(ends_at), words(f": {_if_healthy(canary, phase.step)}.")]
    return [_split(canary), [words(progress)], outlook]


def _if_healthy(canary: Canary, step: int) -> str:
    steps = canary.plan.steps
    if step + 1 < len(steps):
        return f"on to {steps[step + 1].weight} if healthy"
    if canary.plan.promote_gate is not None:
        return "a person is asked to promote it if healthy"
    return f"promoted to {FULL} if healthy"


def _paused(canary: Canary, phase: Paused) -> list[Line]:
    left = duration(phase.remaining)
    return [
        _split(canary),
        [words("Paused by "), who(phase.by), words(" at "), at_time(phase.since), words(".")],
        [words(f"Still judged and still rolled back. {left} of the window left after Resume.")],
    ]


def _why_asked(canary: Canary, question: Question) -> str:
    found = judge.verdict(canary.judge)
    match question:
        case "start":
            return "No traffic has moved."
        case "promote":
            return f"Healthy over the whole window at {canary.target}."
        case "thin":
            missing = waiting_for(found) or "too few requests"
            return f"Still at {canary.target}. Too little to judge: {missing}."
        case "orphan":
            return f"Found at {canary.target}, and no record says why. It is judged meanwhile."
        case "blind":
            missing = waiting_for(found) or "the data is missing"
            return f"Still at {canary.target}. Cannot be judged: {missing}."


def _asked(canary: Canary, question: Question, expires_at: datetime) -> list[Line]:
    silence = "it does not start" if question == "start" else "all traffic goes back to stable"
    return [
        [strong("Who may approve: "), *approvers(gate_of(canary, question))],
        [words("Without an answer by "), at_time(expires_at), words(f", {silence}.")],
    ]


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
        words("Look at the router by hand: "),
        code(canary.arms.stable),
        words(" wants 100 %."),
    ]


def because(cause: Cause) -> list[Line]:
    """Why the traffic went back, the numbers where numbers decided."""
    match cause.kind:
        case "breach":
            told = [line for finding in cause.findings[:5] for line in explained(finding)]
            return told or [[words(cause.text)]]
        case "abort":
            by = [words(" by "), who(cause.by)] if cause.by else []
            reason = cause.text.partition(": ")[2]
            return [[strong("Aborted"), *by, words(f": {reason}" if reason else ".")]]
        case "no_decision":
            return [[strong("No decision in time: "), words("silence means no.")]]
        case "failure":
            return [[strong("Given up: "), words(cause.text)]]


def _ended(canary: Canary, phase: Ended) -> list[Line]:
    match phase:
        case Promoted(at=at, by=by):
            approved = [words(", approved by "), who(by)] if by else [words(", by the numbers")]
            now_on = [words("All traffic is on "), code(canary.revision), words(" since ")]
            return [[*now_on, on_day(at), *approved, words(".")], *_seen(canary, at)]
        case RolledBack(cause=cause, at=at, took=took):
            return [back_on_stable(canary, at, took), *because(cause), *_seen(canary, at)]
        case Rejected(reason=reason, at=at, by=by):
            said = [words(" by "), who(by)] if by else []
            return [
                [strong("No traffic was moved. "), words(reason)],
                [words("Ended "), on_day(at), *said, words(".")],
            ]


def back_on_stable(canary: Canary, at: datetime, took: timedelta) -> Line:
    """That the users are safe, and how fast."""
    revision = canary.stable_revision
    stable = [words(" ("), code(revision), words(")")] if revision else []
    return [
        strong("✅ All traffic is back on stable"),
        *stable,
        words(" since "),
        on_day(at),
        words(f", {duration(took)} after the decision."),
    ]


def _seen(canary: Canary, at: datetime) -> list[Line]:
    warm = canary.judge.warm_at
    seen = exposure(canary.judge, at - warm if warm else None)
    stood = "" if isinstance(canary.phase, RolledBack) else f": {_stood(canary)}"
    return [[words(f"Judged on {seen}{stood}.")]] if seen else []


def _stood(canary: Canary) -> str:
    return standing(judge.verdict(canary.judge), final=True)


def _about(canary: Canary) -> list[Line]:
    """Who, what and by which plan: the same through the whole life of a canary."""
    plan = canary.plan
    steps = " → ".join(
        [*(f"{s.weight} for {duration(s.window)}" for s in plan.steps[:8]), "100 %"]
    )
    beside = " · before " if isinstance(canary.phase, Promoted) else " · stable "
    stable = [words(beside), code(canary.stable_revision)] if canary.stable_revision else []
    why = "; ".join(plan.reasons)
    started = [words("Started by "), who(canary.started_by), words(" "), on_day(canary.created_at)]
    return [
        [words("Revision "), code(canary.revision), *stable],
        [words(f"Plan: {clip(steps, 200)} · tier "), strong(name(plan.tier)), *_reasons(why)],
        started,
    ]


def _reasons(why: str) -> Line:
    return [words(f" ({clip(why, 300)})")] if why else []


def sentence(canary: Canary, now: datetime) -> str:
    """The state in a plain sentence or two, to follow the headline."""
    match canary.phase:
        case PendingApproval(expires_at=at):
            return f"No traffic has moved; without an approval by {clock_time(at)} it ends."
        case Preparing(waiting_for=why):
            return f"No traffic has moved{f'; waiting for {why}' if why else ''}."
        case Shifting() | Promoting():
            return "The router is being set."
        case Observing(until=until, deadline=deadline, extended=extended):
            ends_at = deadline if extended else until
            left = f"{duration(ends_at - now)} left" if ends_at > now else "deciding now"
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


def brief(cause: Cause) -> str:
    """Why, in one short sentence."""
    if cause.kind == "breach" and cause.findings:
        return f"{headline(cause.findings[0])}."
    return f"{clip(cause.text[:1].upper() + cause.text[1:], 200)}."


def in_a_word(cause: Cause) -> str:
    """Why, for a headline."""
    match cause.kind:
        case "breach":
            return breached(cause.findings) or "breach"
        case "abort":
            return "aborted"
        case "no_decision":
            return "no decision in time"
        case "failure":
            return "the rollout failed"
