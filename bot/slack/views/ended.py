"""How a canary ended and why, short enough to be read again a month later."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import judge
from bot.core.canary import Canary, Cause, Ended, Phase, Promoted, Rejected, RolledBack
from bot.core.verdict import Verdict
from bot.slack.text import clip, duration
from bot.slack.views.kit import Block, code, on_day, strong, who, words
from bot.slack.views.slos import at_the_end, breached, explained, exposure, headline, standing

Line = list[Block]


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
        case "undo":
            by = [words(" by "), who(cause.by)] if cause.by else []
            reason = cause.text.partition(": ")[2]
            return [[strong("Undone"), *by, words(f": {reason}" if reason else ".")]]


def end_lines(canary: Canary, phase: Ended) -> list[Line]:
    """What became of it, and on how much was it judged."""
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
                [strong("No traffic was moved. "), words(f"{reason[:1].upper()}{reason[1:]}.")],
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
    if not seen:
        return []
    back = isinstance(canary.phase, RolledBack)
    lines: list[Line] = [[words(f"Judged on {seen}{'' if back else f': {_stood(canary)}'}.")]]
    healthy = at_the_end(_but(judge.verdict(canary.judge), canary.phase))
    return [*lines, [words(f"{'Healthy: ' if back else ''}{healthy}.")]] if healthy else lines


def _but(found: Verdict, phase: Phase) -> Verdict:
    """Without what the rollback was for."""
    guilty = {f.sli for f in phase.cause.findings} if isinstance(phase, RolledBack) else set()
    return replace(found, findings=tuple(f for f in found.findings if f.sli not in guilty))


def _stood(canary: Canary) -> str:
    return standing(judge.verdict(canary.judge), final=True)


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
        case "undo":
            return "undone"
