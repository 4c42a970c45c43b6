"""A decision explained in plain words: what, by which rule, on which numbers, and what next."""

from datetime import datetime
from typing import Final

from bot.core import judge
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
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
from bot.core.plan import FULL
from bot.core.slo import Sli
from bot.core.verdict import Finding, Health, Verdict
from bot.slack.text import clip, duration
from bot.slack.views import canary as live
from bot.slack.views import kit
from bot.slack.views.dashboards import further
from bot.slack.views.ended import back_on_stable
from bot.slack.views.help import pastes
from bot.slack.views.kit import Block, Message, at_time, code, on_day, strong, who, words
from bot.slack.views.listing import linked
from bot.slack.views.record import decisions
from bot.slack.views.rules import chance_meant, other, ruled
from bot.slack.views.slos import explained, exposure, requests, standing
from bot.slack.views.steps import next_steps
from bot.slack.views.story import lines

MOST_FINDINGS: Final = 5
LONGEST_EXAMPLE: Final = 200

Row = list[Block]


def why_message(canary: Canary, now: datetime, link: str, command: str) -> Message:
    """Why it ended as it did; of a live one, what it waits for and what would decide it."""
    phase = canary.phase
    match phase:
        case RolledBack(cause=cause, at=at, took=took):
            told = [back_on_stable(canary, at, took), *_caused(canary, cause)]
        case RollingBack(cause=cause):
            told = [*lines(canary, now)[: 2 if phase.overdue else 1], *_caused(canary, cause)]
        case Promoted():
            told = _promoted(canary, phase)
        case Rejected():
            told = _rejected(canary, phase)
        case _:
            told = _waiting(canary, now)
    blocks = [
        kit.header(live.headline(canary)),
        kit.rich(*told),
        kit.rich(*_others(canary), *_decided(canary)),
        kit.rich(
            *_next(canary, command),
            _links(canary),
            [code(canary.id), *linked(link, " · live message")],
        ),
    ]
    sentence = live.notification(canary, now)
    return Message(f"Why: {sentence}", blocks)


def _links(canary: Canary) -> Row:
    """Where to look further, once it has ended badly."""
    phase = canary.phase
    return further(canary, phase.at) if isinstance(phase, RolledBack) else []


def _caused(canary: Canary, cause: Cause) -> list[Row]:
    """What sent the traffic back."""
    match cause.kind:
        case "breach":
            return _breach(canary, cause)
        case "abort":
            return [[strong("A person decided, not the numbers: "), *_said(cause)], _stood(canary)]
        case "undo":
            return [[strong("A person took the promotion back: "), *_said(cause)]]
        case "no_decision":
            why = clip(cause.text, 300)
            return [
                [strong("Nobody decided: "), words(f"{why}.")],
                [words("Without an answer in time it is rolled back, whatever the numbers say.")],
                _stood(canary),
                *_thin(canary),
            ]
        case "failure":
            return [
                [strong("The rollout itself failed: "), words(f"{clip(cause.text, 300)}.")],
                [words("That says nothing about the revision; look at the router first.")],
            ]


def _breach(canary: Canary, cause: Cause) -> list[Row]:
    told: list[Row] = [[strong("The numbers decided, by themselves. "), *_seen(canary)]]
    for finding in cause.findings[:MOST_FINDINGS]:
        told += [*explained(finding), ruled(finding)]
        if finding.examples and finding.examples[0] not in finding.reason:
            told.append([words("For example: "), _example(finding)])
    meant = next((chance_meant(f) for f in cause.findings if chance_meant(f)), [])
    return [*told, meant] if cause.findings else [*told, [words(f"{clip(cause.text, 300)}.")]]


def _example(finding: Finding) -> Block:
    return {**words(finding.examples[0], longest=LONGEST_EXAMPLE), "style": {"code": True}}


def _said(cause: Cause) -> Row:
    """Who, and in their own words why."""
    reason = cause.text.partition(": ")[2]
    said = words(f": {clip(reason, 300)}." if reason else ", without a reason.")
    return [who(cause.by), said] if cause.by else [words(f"{clip(cause.text, 300)}.")]


def _promoted(canary: Canary, phase: Promoted) -> list[Row]:
    first = [
        words("All traffic is on "),
        code(canary.revision),
        words(" since "),
        on_day(phase.at),
    ]
    if phase.by is None:
        why = "The numbers decided: at the end of the window every SLO was surely not much worse "
        return [[*first, words(".")], [strong(f"{why}than stable. "), *_seen(canary)]]
    found = judge.verdict(canary.judge)
    by = [strong("A person decided: "), who(phase.by), words(" approved it. "), *_seen(canary)]
    if found.health is Health.HEALTHY:
        return [[*first, words(".")], by, _stood(canary)]
    without = [words("The numbers alone would not have promoted it.")]
    return [[*first, words(".")], by, _stood(canary), without, *_thin(canary)]


def _rejected(canary: Canary, phase: Rejected) -> list[Row]:
    by = [words(" ("), who(phase.by), words(")")] if phase.by else []
    said = words(clip(phase.reason, 300))
    gate = canary.plan.start_gate
    asked = (
        [] if gate is None else [words("Its start had to be approved by "), *kit.approvers(gate)]
    )
    return [
        [strong("It never began, and no traffic was moved: "), said, *by, words(".")],
        [words("Decided "), on_day(phase.at), words(". Nobody was affected.")],
        asked,
    ]


def _waiting(canary: Canary, now: datetime) -> list[Row]:
    """What a live canary waits for, and both ways it can go from here."""
    waits = [[strong("Nothing is decided yet. What it waits for now:")], *lines(canary, now)[:4]]
    return [*waits, *_up(canary, now), *_down(canary)]


def _up(canary: Canary, now: datetime) -> list[Row]:
    """What would let it go on."""
    label = strong("It goes on ")
    match canary.phase:
        case PendingApproval(expires_at=at):
            return [[label, words("once its start is approved, until "), at_time(at), words(".")]]
        case Preparing(since=since):
            by = since + canary.plan.prepare_timeout
            return [
                [label, words("once the new revision is ready, until "), at_time(by), words(".")]
            ]
        case Shifting() | Promoting():
            return [[label, words("once the router, read back, carries the weight.")]]
        case Observing(extended=True, until=until, step=step) if now >= until:
            needs = words("as soon as every SLO is surely not much worse than stable: then ")
            return [[label, needs, words(f"{_then(canary, step)}.")]]
        case Observing(until=until, step=step):
            needs = words("if every SLO is surely not much worse than stable at ")
            return [[label, needs, at_time(until), words(f": then {_then(canary, step)}.")]]
        case Paused(until=until):
            end = [words(" or at "), at_time(until)] if until else []
            return [[label, words("when somebody resumes it"), *end, words(".")]]
        case AwaitingDecision(expires_at=at):
            return [[label, words("when it is approved, until "), at_time(at), words(".")]]
        case _:
            return []


def _down(canary: Canary) -> list[Row]:
    """What would send the traffic back."""
    label, phase = strong("It goes back "), canary.phase
    if isinstance(phase, PendingApproval | Preparing):
        return [[strong("It does not start "), words("if that time runs out, or it is aborted.")]]
    silence = ", and if nobody decides in time" if isinstance(phase, AwaitingDecision) else ""
    why = f"at once if one SLO is breached at any look, or anybody aborts it{silence}."
    return [[label, words(why)]]


def _then(canary: Canary, step: int) -> str:
    steps = canary.plan.steps
    if step + 1 < len(steps):
        return f"{steps[step + 1].weight} for {duration(steps[step + 1].window)}"
    return "a person is asked" if canary.plan.promote_gate else f"it is promoted to {FULL}"


def _stood(canary: Canary) -> Row:
    """Where the numbers stood, when something else decided."""
    if not canary.judge.looks:
        return [words("It had not been judged yet.")]
    return [words(f"The numbers then: {standing(judge.verdict(canary.judge), final=True)}.")]


def _thin(canary: Canary) -> list[Row]:
    """What is missing to be sure, where that is too little traffic or no data."""
    found = judge.verdict(canary.judge)
    if found.health not in {Health.THIN, Health.BLIND} or not canary.judge.looks:
        return []
    if found.health is Health.THIN:
        seen = f"{requests(found)} to the canary that a promotion by the numbers needs."
        return [[strong("Too little was seen: "), words(seen)]]
    why = next((f.reason for f in found.findings if f.health is Health.BLIND), "")
    return [[strong("It could not be seen: "), words(f"{clip(why, 300) or 'no data'}.")]]


def _seen(canary: Canary) -> Row:
    seen = exposure(canary.judge, None)
    return [words(f"Judged on {seen}.")] if seen else []


def _others(canary: Canary) -> list[Row]:
    """What each SLO said that did not decide."""
    phase, state = canary.phase, canary.judge
    if not state.looks or canary.undoes:
        return []
    cause = phase.cause if isinstance(phase, RolledBack | RollingBack) else None
    guilty = {finding.sli for finding in cause.findings} if cause else set()
    found = _without(judge.verdict(state), guilty)
    label = "The other SLOs" if guilty else "What each SLO says"
    if not found:
        return []
    return [[strong(f"{label} ({requests(judge.verdict(state))})")], *(other(f) for f in found)]


def _without(found: Verdict, guilty: set[Sli]) -> list[Finding]:
    return [finding for finding in found.findings if finding.sli not in guilty]


def _decided(canary: Canary) -> list[Row]:
    people = decisions(canary)
    return [[strong("Who decided what")], *people] if people else []


def _next(canary: Canary, command: str) -> list[Row]:
    return [[strong(_advice(canary))], *pastes(next_steps(canary), command)]


def _advice(canary: Canary) -> str:
    """Whether anything has to be done now: the first question of whoever was woken."""
    match canary.phase:
        case RolledBack(cause=Cause(kind="breach")):
            return "Nothing to do at once: the users are on stable. Mend it, then:"
        case RolledBack() | Rejected():
            return "Nothing to do at once. If it is still wanted:"
        case RollingBack(overdue=True):
            return "Act now: the router has not confirmed. Set it by hand if you can; see also:"
        case RollingBack():
            return "Wait some seconds: the router is being set. Then:"
        case Promoted():
            return "Nothing to do."
        case PendingApproval() | AwaitingDecision():
            return "Somebody has to decide. You can:"
        case _:
            return "Nothing has to be done. You can:"
