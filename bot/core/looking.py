"""One look at a canary that carries traffic: judge it, notice drift, end its window."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.core import judge
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Observing,
    Paused,
    Phase,
    Promoting,
    Shifting,
)
from bot.core.commands import Question
from bot.core.effects import Observe, SetWeight, Topic
from bot.core.events import Observed
from bot.core.moves import Transition, ask, go_on, intending, roll_back, telling
from bot.core.plan import ZERO
from bot.core.reading import Progress, Tally, progress
from bot.core.shares import counted
from bot.core.slo import Arms, NoData, Readiness, Sample, Sli, Traffic
from bot.core.trouble import first_sign
from bot.core.verdict import Health, Verdict


@dataclass(frozen=True, slots=True)
class Look:
    """What a look led to."""

    move: Transition
    verdict: Verdict


_NAMES: Final = {
    Sli.ERRORS: "errors",
    Sli.P95: "latency p95",
    Sli.P99: "latency p99",
    Sli.READINESS: "readiness",
    Sli.LOGS: "log errors",
}

LONGEST_LOOK: Final = 3
"""Ticks that one look may cover and still count as watching."""


def look_if_due(canary: Canary, at: datetime) -> Transition:
    """Ask for a look when it is time, and set the time of the next one on the same grid."""
    tick = canary.plan.tick
    if canary.next_look_at is not None and canary.next_look_at - at > 2 * tick:
        # The clock was set back. Looking must not stop until it is as late as it was, and neither
        # the window nor a person's time may last longer by what it was set back.
        phase = _earlier(canary, canary.next_look_at - tick - at)
        later = replace(canary, phase=phase, next_look_at=at + tick, last_look_at=at)
        return Transition(later.noted(at, "the clock was set back"))
    if canary.next_look_at is None or at < canary.next_look_at:
        return Transition(canary)
    if canary.arms is None or canary.last_look_at is None:
        return Transition(canary)
    missed = (at - canary.next_look_at) // tick
    later = replace(canary, next_look_at=canary.next_look_at + tick * (missed + 1))
    return Transition(later, (Observe(canary.arms, canary.last_look_at),))


def _earlier(canary: Canary, by: timedelta) -> Phase:
    """The phase with its times moved back."""
    match canary.phase:
        case Observing(since=since, until=until, deadline=deadline) as phase:
            return replace(phase, since=since - by, until=until - by, deadline=deadline - by)
        case AwaitingDecision(since=since, expires_at=expires_at) as phase:
            return replace(phase, since=since - by, expires_at=expires_at - by)
        case Paused(since=since, until=until) as phase if until is not None:
            return replace(phase, since=since - by, until=until - by)
        case phase:
            return phase


def looked(canary: Canary, seen: Observed) -> Look:
    """Judge what was seen. A breach sends the traffic back before anything else is thought of."""
    if seen.since != canary.last_look_at or seen.at <= seen.since:
        return Look(Transition(canary), judge.verdict(canary.judge))  # another look came first
    canary = _judged(canary, seen)
    canary = _unwatched(canary, seen)
    verdict = judge.verdict(canary.judge)
    if verdict.breaches:
        worst = verdict.breaches[0]
        cause = Cause("breach", f"{worst.sli}: {worst.reason}", findings=verdict.breaches)
        return Look(roll_back(canary, cause, seen.at), verdict)
    return Look(_mind_the_trouble(_mind_the_drift(canary, seen), verdict, seen.at), verdict)


def _mind_the_trouble(move: Transition, verdict: Verdict, at: datetime) -> Transition:
    """The first sign that something may be wrong is told, once."""
    canary = move.canary
    sign = None if canary.trouble_at else first_sign(verdict, canary.judge)
    if sign is None:
        return move
    noted = replace(canary, trouble_at=at).noted(at, f"first sign of trouble: {sign.sli}")
    return telling(
        Transition(noted, move.effects), Topic.TROUBLE, at, sign.reason, findings=(sign,)
    )


def _unwatched(canary: Canary, seen: Observed) -> Canary:
    """The window is the time that was watched: where nobody looked, it lasts that much longer.

    However long a look was, to the judge it is one tick, and what one tick says is never enough
    for a breach. So the looks after it have to judge, and not the look that ends a silence.
    """
    phase, covered = canary.phase, seen.at - seen.since
    if not isinstance(phase, Observing) or covered <= LONGEST_LOOK * canary.plan.tick:
        return canary
    later = replace(phase, until=phase.until + covered, deadline=phase.deadline + covered)
    text = f"nobody looked for {covered.total_seconds():.0f} s: the window lasts that much longer"
    return replace(canary, phase=later).noted(seen.at, text)


def window_over(look: Look, phase: Observing, at: datetime) -> Transition:
    """Healthy goes on; thin and blind wait, then ask. Nothing is promoted for lack of evidence."""
    move = look.move
    canary = move.canary
    repairing = any(isinstance(effect, SetWeight) for effect in move.effects)
    if canary.drift:
        # Somebody has a hand on the router: nothing is raised over it. A person is asked once the
        # extension is over; a repair under way may take until then.
        if repairing and at < phase.deadline:
            return move
        after = _undecided(canary, phase, at, Health.BLIND, canary.drift)
    elif look.verdict.health is Health.HEALTHY:
        after = _healthy(canary, phase, at)
    else:
        findings = look.verdict.findings
        reasons = (
            f"{_NAMES[f.sli]}: {f.reason}" for f in findings if f.health is look.verdict.health
        )
        after = _undecided(
            canary, phase, at, look.verdict.health, next(reasons, "nothing is judged")
        )
    return Transition(after.canary, (*move.effects, *after.effects))


def _healthy(canary: Canary, phase: Observing, at: datetime) -> Transition:
    last = phase.step + 1 == len(canary.plan.steps)
    if last and canary.plan.promote_gate is not None:
        return ask(canary, phase.step, "promote", at, "healthy over the whole window")
    return go_on(canary, phase.step, at, None)


def _undecided(
    canary: Canary, phase: Observing, at: datetime, health: Health, why: str
) -> Transition:
    """Too little to see, or nothing: look on until the deadline, then ask a person."""
    if at >= phase.deadline:
        question: Question = "thin" if health is Health.THIN else "blind"
        return ask(canary, phase.step, question, at, why)
    if phase.extended:
        return Transition(canary)
    extended = replace(canary, phase=replace(phase, extended=True))
    move = Transition(extended.noted(at, f"window extended: {why}"))
    return telling(move, Topic.EXTENDED, at, why)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one look leaves: the counters kept, the judge's memory, and the requests in between."""

    tally: Tally | None
    memory: judge.JudgeState
    traffic: Arms[Traffic] | NoData


def taken(tally: Tally | None, memory: judge.JudgeState, seen: Observed) -> Taken:
    """Put what was seen on top of what is known."""
    if isinstance(seen.metrics, NoData):
        told = Progress(tally, seen.metrics)
    else:
        told = progress(tally, seen.metrics)
    readiness = _counting_restarts(seen.readiness, told.tally)
    sample = Sample(seen.since, seen.at, told.traffic, seen.logs, readiness, told.apart or None)
    return Taken(told.tally, judge.look(memory, sample), told.traffic)


def _counting_restarts(
    readiness: Arms[Readiness] | NoData, tally: Tally | None
) -> Arms[Readiness] | NoData:
    """Where the probe does not tell restarts, counters that began anew do."""
    if isinstance(readiness, NoData) or tally is None:
        return readiness
    return Arms(
        *(
            arm if arm.restarts is not None else replace(arm, restarts=restarts)
            for arm, restarts in (
                (readiness.canary, tally.restarts.canary),
                (readiness.stable, tally.restarts.stable),
            )
        )
    )


def _judged(canary: Canary, seen: Observed) -> Canary:
    new = taken(canary.tally, canary.judge, seen)
    return replace(
        canary,
        tally=new.tally,
        judge=new.memory,
        share=counted(canary.share, canary.asked, new.traffic),
        trend=canary.trend.after(new.traffic),
        last_look_at=seen.at,
    )


def _mind_the_drift(canary: Canary, seen: Observed) -> Transition:
    """An outside hand on the router is reported; a weight above the plan is taken down.

    A weight below it stays: nobody but the plan raises a canary.
    """
    if isinstance(seen.split, NoData) or canary.arms is None:
        return Transition(canary)
    if isinstance(canary.phase, Shifting | Promoting):
        return Transition(canary)  # a flip is under way
    if isinstance(canary.phase, Observing) and seen.at <= canary.phase.since:
        return Transition(canary)  # it was read before the flip was confirmed
    found = seen.split.get(canary.arms.canary, ZERO)
    if found == canary.asked:
        settled = replace(canary, drift="") if canary.drift else canary
        return _mind_the_share(settled, seen)
    text = f"the router carries {found}, asked was {canary.asked}"
    move = Transition(canary)
    if found > canary.asked:
        move = intending(canary, SetWeight(canary.arms, canary.asked))
        text += "; taken down again"
    if text == canary.drift:
        return move
    noted = replace(move.canary, drift=text).noted(seen.at, f"drift: {text}")
    return telling(Transition(noted, move.effects), Topic.DRIFT, seen.at, text)


def _mind_the_share(canary: Canary, seen: Observed) -> Transition:
    """Requests that do not come as the router says are reported, once for each weight.

    Where too many come to the canary, the weight is set once more: of several proxies one may have
    missed it. More cannot be done, for the router holds what was asked.
    """
    share, arms = canary.share, canary.arms
    if share is None or share.told or not share.is_apart or arms is None:
        return Transition(canary)
    canary = replace(canary, share=replace(share, told=True))
    move, text = Transition(canary), str(share)
    if share.found > canary.asked.share:
        move = intending(canary, SetWeight(arms, canary.asked))
        text += "; the weight was set once more"
    noted = move.canary.noted(seen.at, f"drift: {text}")
    return telling(Transition(noted, move.effects), Topic.DRIFT, seen.at, text)
