"""The window while it lasts: how far it is, when it ends and with what, and what it waits for."""

from datetime import datetime, timedelta

from bot.core import judge
from bot.core.canary import Canary, Observing
from bot.core.plan import FULL
from bot.core.verdict import Health
from bot.slack.text import bar, duration
from bot.slack.views.kit import Block, at_time, strong, words
from bot.slack.views.slos import standing, waiting_for

Line = list[Block]


def split(canary: Canary) -> Line:
    """How the traffic is split, and how the canary stands."""
    rest = f"{100 - canary.target.share * 100:g} %"
    return [
        strong(f"{canary.target} of the traffic"),
        words(f" on the canary, {rest} on stable; "),
        words(f"{standing(judge.verdict(canary.judge), counts=False)}."),
    ]


def ends_at(phase: Observing, now: datetime) -> datetime:
    """When something happens at the latest: the window's end, or that of its extension."""
    return phase.deadline if phase.extended and now >= phase.until else phase.until


def observing(canary: Canary, phase: Observing, now: datetime) -> list[Line]:
    """How far the window is, when it ends and with what, and what it waits for."""
    until = ends_at(phase, now)
    gone, whole = now - phase.since, until - phase.since
    left = duration(until - now) + " left" if until > now else "deciding now"
    share = gone / whole if whole > timedelta(0) else 1.0
    progress = f"{bar(share)} {duration(min(gone, whole))} of {duration(whole)}, {left}"
    if phase.extended and now >= phase.until:
        missing = waiting_for(judge.verdict(canary.judge)) or "more evidence"
        waiting = [strong("Window extended, waiting for "), words(f"{missing}{_pace(canary)}.")]
        then = f"Once healthy: {_next(canary, phase.step)}. Otherwise a person is asked at "
        decision = [words(then), at_time(until), words(" what to do.")]
        return [split(canary), [words(progress)], waiting, decision]
    then = f": {_next(canary, phase.step)} if healthy{' and not adrift' if canary.drift else ''}"
    outlook = [words("At "), at_time(until), words(then), *_else(phase), words(".")]
    missing = waiting_for(judge.verdict(canary.judge)) if canary.judge.looks else ""
    waiting = [words(f"Waiting for {missing}{_pace(canary)}.")] if missing else []
    return [split(canary), [words(progress)], outlook, waiting]


def _pace(canary: Canary) -> str:
    """How long that takes as requests come now; nothing where that cannot be told."""
    found, state = judge.verdict(canary.judge), canary.judge
    missing = found.needed - found.requests
    if state.warm_at is None or state.last_at is None or not found.requests or missing <= 0:
        return ""
    watched = state.last_at - state.warm_at
    if found.health is not Health.THIN or watched <= timedelta(0):
        return ""
    return f", some {duration(watched * (missing / found.requests))} at this rate"


def _next(canary: Canary, step: int) -> str:
    """What a healthy window ends with."""
    steps = canary.plan.steps
    if step + 1 < len(steps):
        return f"on to {steps[step + 1].weight}"
    if canary.plan.promote_gate is not None:
        return "a person is asked to promote it"
    return f"promoted to {FULL}"


def _else(phase: Observing) -> Line:
    """What any other window ends with, where a person has made it longer after its extension."""
    if not phase.extended:
        return []
    when = [words(" at "), at_time(phase.deadline)] if phase.deadline > phase.until else []
    return [words("; if not, a person is asked"), *when, words(" what to do")]
