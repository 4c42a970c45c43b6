"""The judge fed by plain cumulative counters, tick by tick: for use outside the bot."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from bot.core.judge.state import JudgeState, begin
from bot.core.judge.verdicts import learn, look, verdict
from bot.core.slo import (
    Arms,
    Component,
    Histogram,
    LogCounts,
    LogEvents,
    NoData,
    Objectives,
    Readiness,
    Sample,
    Traffic,
)
from bot.core.verdict import Finding, Health

Decision = Literal["continue", "promote", "rollback", "inconclusive"]

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
BOOT = 60.0
"""Seconds from the start of the window in which a pod need not be ready yet."""

JUMP = 20.0
"""A counter that fell to more than this many usual increments lost a part, not its start."""


@dataclass(frozen=True, slots=True)
class ArmCounters:
    """One arm's counters as they stand: since each began, never since the last tick.

    Attributes:
        requests, errors: answered requests, and those that failed.
        buckets: `(upper bound in seconds, requests at or below it)`, rising; +Inf last, or left
            out where every request is within the last bound.
        logs: lines by signature.
        ready, desired: pods; 0 desired where unknown.
        restarts: of all its containers.
        instances: the same by pod, where they are told apart; only requests and errors are read.

    """

    requests: int
    errors: int
    buckets: tuple[tuple[float, int], ...] = ()
    logs: Mapping[str, int] = field(default_factory=dict)
    ready: int = 1
    desired: int = 1
    restarts: int = 0
    instances: Mapping[str, "ArmCounters"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the judge says after a tick; `findings` say why, one an indicator."""

    decision: Decision
    findings: tuple[Finding, ...]

    @property
    def why(self) -> str:
        """The finding that decided, in words."""
        told = [f for f in self.findings if f.reason]
        worst = max(told, key=lambda f: list(Health).index(f.health), default=None)
        return f"{worst.sli}: {worst.reason} ({worst.odds})" if worst else "nothing to report"


class CounterJudge:
    """One canary, judged from cumulative counters.

    Feed it every tick in order: before the window with `canary=None` (an hour of stable's past is
    worth having: it shows how failures clump), then with both arms. A missing scrape is None. Ticks
    that come twice or out of order change nothing, counters that did not move since are fine, and a
    counter that fell has been reset.

    >>> judge = CounterJudge()
    >>> for k in range(360):
    ...     past = ArmCounters(requests=950 * k, errors=4 * k)
    ...     _ = judge.tick(10.0 * (k - 360), canary=None, stable=past)
    >>> for k in range(121):
    ...     canary = ArmCounters(requests=50 * k, errors=3 * k)
    ...     stable = ArmCounters(requests=950 * (360 + k), errors=4 * (360 + k))
    ...     answer = judge.tick(10.0 * k, canary=canary, stable=stable)
    ...     if answer.decision == "rollback":
    ...         break
    >>> answer.decision, k < 12
    ('rollback', True)
    >>> answer.findings[0].rule
    'sequential'

    Attributes:
        state: all it remembers, plain data; together with `last` it can be stored and taken up again.

    """

    def __init__(self, objectives: Objectives | None = None) -> None:
        self.state: JudgeState = begin(
            objectives or Objectives(ready_patience=timedelta(seconds=60))
        )
        self.last = Last()

    def tick(self, at: float, *, canary: ArmCounters | None, stable: ArmCounters | None) -> Answer:
        """Take the counters as scraped `at` seconds after the window began (negative before it).

        Returns:
            "rollback" as soon as the canary is surely worse, else "continue".

        """
        last = self.last
        if last.at is not None and at <= last.at:
            return self._answer()
        self.last = replace(last, at=at)
        if at < 0 or (canary is None and not self.state.looks and last.paired_at is None):
            self._past(at, stable)
            return Answer("continue", ())
        self._window(at, canary, stable)
        return self._answer()

    def finish(self) -> Answer:
        """The window is over: promote, rollback, or inconclusive (too little seen, or nothing)."""
        answer = self._answer()
        if answer.decision == "rollback":
            return answer
        healthy = verdict(self.state).health is Health.HEALTHY
        return replace(answer, decision="promote" if healthy else "inconclusive")

    def _answer(self) -> Answer:
        said = verdict(self.state)
        return Answer("rollback" if said.breaches else "continue", said.findings)

    def _past(self, at: float, stable: ArmCounters | None) -> None:
        if stable is None:
            return
        before = self.last
        if before.stable is not None:
            seconds = at - (before.stable_at if before.stable_at is not None else at)
            traffic, usual = increase(before.stable, stable, seconds, before.usual[1])
            lines, instances = _lines(before.stable, stable), _instances(before.stable, stable)
            self.state = learn(self.state, traffic, lines, instances)
            self.last = replace(self.last, usual=(before.usual[0], usual))
        self.last = replace(self.last, stable=stable, stable_at=at)

    def _window(self, at: float, canary: ArmCounters | None, stable: ArmCounters | None) -> None:
        last = self.last
        if last.begun_at is None:
            self.last = last = replace(last, begun_at=at)
        start = last.looked_at if last.looked_at is not None else at
        missing = "canary" if canary is None else "stable"
        if canary is None or stable is None:
            self._look(start, at, NoData(f"{missing} was not scraped"), canary, stable)
            return
        if last.canary is None and _born(last, stable, canary):
            last = replace(last, canary=ArmCounters(0, 0), paired_at=last.stable_at)
            self.last = replace(last, looked_at=last.stable_at)
            start = last.stable_at if last.stable_at is not None else at
        if last.canary is None or last.stable is None or last.paired_at is None:
            self.last = replace(
                self.last, canary=canary, paired_at=at, stable=stable, stable_at=at, looked_at=at
            )
            return
        seconds = at - last.paired_at
        ours, mine = increase(last.canary, canary, seconds, last.usual[0])
        theirs, usual = increase(last.stable, stable, seconds, last.usual[1])
        self._look(start, at, Arms(ours, theirs), canary, stable)
        self.last = replace(
            self.last,
            canary=canary,
            stable=stable,
            paired_at=at,
            stable_at=at,
            usual=(mine, usual),
        )

    def _look(
        self,
        start: float,
        at: float,
        traffic: Arms[Traffic] | NoData,
        canary: ArmCounters | None,
        stable: ArmCounters | None,
    ) -> None:
        last = self.last
        logs: Arms[LogCounts] | NoData = NoData("not scraped")
        if canary and stable and last.canary and last.stable:
            logs = Arms(_lines(last.canary, canary), _lines(last.stable, stable))
        readiness: Arms[Readiness] | NoData = NoData("not scraped")
        if canary and stable:
            begun = last.begun_at if last.begun_at is not None else at
            booting = at - begun < BOOT
            readiness = Arms(_readiness(canary, booting), _readiness(stable, booting))
        instances = None
        if stable and last.stable and not isinstance(traffic, NoData):
            instances = _instances(last.stable, stable)
        sample = Sample(_time(start), _time(at), traffic, logs, readiness, instances)
        self.state = look(self.state, sample)
        self.last = replace(self.last, looked_at=at)


def _born(last: "Last", stable: ArmCounters, canary: ArmCounters) -> bool:
    """Whether the canary's counters began after the last tick, and what they hold is new.

    Nobody saw it before, and it has had fewer requests than stable since.
    """
    if last.stable is None or last.looked_at is not None:
        return False
    return 0 < canary.requests <= stable.requests - last.stable.requests


@dataclass(frozen=True, slots=True)
class Last:
    """The counters last seen, and when.

    Attributes:
        at: of any tick; `begun_at` of the first in the window; `looked_at` of the last look; `paired_at` when both arms were scraped;
            `stable_at` when stable was.
        usual: each arm's usual requests a second, to tell a restart from a lost pod.

    """

    at: float | None = None
    begun_at: float | None = None
    looked_at: float | None = None
    paired_at: float | None = None
    stable_at: float | None = None
    canary: ArmCounters | None = None
    stable: ArmCounters | None = None
    usual: tuple[float, float] = (0.0, 0.0)


def increase(
    before: ArmCounters, now: ArmCounters, seconds: float, usual: float
) -> tuple[Traffic, float]:
    """What happened between two scrapes, and the usual rate after it.

    A counter that fell began again, and what it shows is new; but a sum over pods that fell only a
    little has lost one of them: what it shows is mostly old, and the tick is dropped.
    """
    zero = ArmCounters(0, 0)
    fell = now.requests < before.requests or now.errors < before.errors or _shrunk(before, now)
    if fell:
        if usual and now.requests > JUMP * max(1.0, usual * max(seconds, 1.0)):
            return Traffic(), usual
        before = zero
    requests, errors = now.requests - before.requests, now.errors - before.errors
    rate = requests / seconds if seconds > 0 else usual
    usual = rate if not usual else 0.9 * usual + 0.1 * rate
    return Traffic(requests, min(errors, requests), _histogram(before, now)), usual


def _shrunk(before: ArmCounters, now: ArmCounters) -> bool:
    """Whether a bucket's counter fell, bounds being the same."""
    same = len(before.buckets) == len(now.buckets)
    return same and any(b[1] > n[1] for b, n in zip(before.buckets, now.buckets, strict=True))


def _histogram(before: ArmCounters, now: ArmCounters) -> Histogram:
    bounds = tuple(bound for bound, _ in now.buckets)
    if before.buckets and tuple(bound for bound, _ in before.buckets) != bounds:
        return Histogram()  # another layout: nothing to compare with, this once
    old = [count for _, count in before.buckets] or [0] * len(bounds)
    risen = [count - was for (_, count), was in zip(now.buckets, old, strict=True)]
    if bounds and bounds[-1] == float("inf"):
        bounds = bounds[:-1]
    else:
        risen.append(max([0, *risen, now.requests - before.requests]))
    return Histogram.of_cumulative(bounds, risen)


def _lines(before: ArmCounters, now: ArmCounters) -> LogCounts:
    """Lines since; where a signature's count fell, its counter began again."""
    found: LogCounts = {}
    for name, count in now.logs.items():
        was = before.logs.get(name, 0)
        new = count - was if count >= was else count
        if new:
            found[name] = LogEvents(new, name)
    return found


def _instances(before: ArmCounters, now: ArmCounters) -> dict[str, Traffic] | None:
    """What each instance did since; one that is new or restarted waits for the next tick."""
    found: dict[str, Traffic] = {}
    for name, counters in now.instances.items():
        was = before.instances.get(name)
        if was is not None and counters.requests >= was.requests:
            errors = max(0, counters.errors - was.errors)
            found[name] = Traffic(counters.requests - was.requests, errors)
    return found or None


def _readiness(arm: ArmCounters, booting: bool) -> Readiness:  # noqa: FBT001  # private, one caller
    ready = booting or not arm.desired or arm.ready >= arm.desired
    component = Component("pods", ready, f"{arm.ready} of {arm.desired} ready")
    return Readiness((component,), restarts=arm.restarts)


def _time(at: float) -> datetime:
    return EPOCH + timedelta(seconds=at)
