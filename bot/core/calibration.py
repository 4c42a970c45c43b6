"""A/A: judges stable against itself, to learn how often a healthy canary would be rolled back.

A window of stable's own history is split into two arms that cannot differ. With several instances
some of them play the canary, which keeps every clump of requests that sticks to one instance; with
one, each request is dealt by chance, which does not.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core import judge
from bot.core.reading import Counters, Instances, Reading, Tally, advance, progress
from bot.core.slo import Arms, Histogram, NoData, Sample, Sli, Traffic
from bot.core.verdict import Health

Chance = Callable[[], float]
"""Draws between 0 and 1."""

JUDGED: Final = (Sli.ERRORS, Sli.P95, Sli.P99)
"""What a history of requests can tell."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One window, judged: what it would have come to, and over which indicator."""

    breached: tuple[Sli, ...]
    health: Health
    looks: int
    canary_requests: int


def by_instance(
    snapshots: Sequence[tuple[datetime, Instances]], share: float, chance: Chance
) -> list[Reading]:
    """Let some of the instances play the canary, about `share` of them and at least one."""
    names = sorted({name for _, instances in snapshots for name in instances})
    ranked = sorted(names, key=lambda _: chance())
    mine = set(ranked[: max(1, round(share * len(names)))])
    return [
        Reading(
            at,
            {name: counters for name, counters in instances.items() if name in mine},
            {name: counters for name, counters in instances.items() if name not in mine},
        )
        for at, instances in snapshots
    ]


def aa_by_instance(readings: Sequence[Reading], memory: judge.JudgeState) -> Trial:
    """Judge readings whose arms are instances of the same revision.

    Args:
        readings: of the window.
        memory: of a judge that knows the past before it.

    """
    tally: Tally | None = None
    samples = []
    for reading in readings:
        before, told = tally, progress(tally, reading)
        tally = told.tally
        if before is not None:
            samples.append(_sample(before.at, reading.at, told.traffic, told.apart))
    return _judged(samples, memory)


def aa_by_request(
    snapshots: Sequence[tuple[datetime, Instances]],
    share: float,
    memory: judge.JudgeState,
    chance: Chance,
) -> Trial:
    """Judge a window whose every request was dealt to one of the arms by chance."""
    tally: Tally | None = None
    samples = []
    for at, instances in snapshots:
        since = tally.at if tally else at
        tally, traffic = advance(tally, Reading(at, instances, {"none": Counters(0, 0)}))
        if since == at:
            continue
        if isinstance(traffic, NoData):
            samples.append(_sample(since, at, traffic))
        else:
            samples.append(_sample(since, at, deal(traffic.canary, share, chance)))
    return _judged(samples, memory)


def deal(traffic: Traffic, share: float, chance: Chance) -> Arms[Traffic]:
    """Deal each request to the canary with this chance, failed and slow ones alike."""
    errors = binomial(traffic.errors, share, chance)
    fine = binomial(traffic.requests - traffic.errors, share, chance)
    slow = tuple(binomial(count, share, chance) for count in traffic.latency.counts)
    rest = tuple(a - b for a, b in zip(traffic.latency.counts, slow, strict=True))
    bounds = traffic.latency.bounds
    mine = Traffic(errors + fine, errors, Histogram(bounds, slow))
    theirs = Traffic(
        traffic.requests - mine.requests, traffic.errors - errors, Histogram(bounds, rest)
    )
    return Arms(mine, theirs)


def binomial(trials: int, share: float, chance: Chance) -> int:
    """How many of `trials` come true, drawn by the gaps between them (Devroye 1986, X.4.3)."""
    if trials <= 0 or share <= 0:
        return 0
    step, hits, at = math.log1p(-share), 0, 0
    while True:
        at += int(math.log(max(chance(), 1e-300)) / step) + 1
        if at > trials:
            return hits
        hits += 1


def wilson(hits: float, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if not trials:
        return 0.0, 1.0
    z, p = 1.959964, hits / trials
    middle = p + z * z / (2 * trials)
    spread = z * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _judged(samples: Sequence[Sample], memory: judge.JudgeState) -> Trial:
    for looks, sample in enumerate(samples, 1):
        memory = judge.look(memory, sample)
        found = judge.verdict(memory)
        if found.breaches:
            breached = tuple(finding.sli for finding in found.breaches)
            return Trial(breached, found.health, looks, found.requests)
    last = judge.verdict(memory)
    return Trial((), last.health, len(samples), last.requests)


def _sample(
    since: datetime,
    at: datetime,
    traffic: Arms[Traffic] | NoData,
    apart: dict[str, Traffic] | None = None,
) -> Sample:
    nothing = NoData("not part of the trial")
    return Sample(since, at, traffic, nothing, nothing, apart)
