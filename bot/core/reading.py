"""From cumulative counters to what happened between two ticks.

Sources report counters as they stand; the last ones are kept inside the canary, so a restart of
the bot loses no request, and resets are handled in one place for every vendor.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Final

from bot.core.slo import Arms, Histogram, NoData, Traffic


@dataclass(frozen=True, slots=True)
class Counters:
    """One instance's counters since it started.

    Attributes:
        requests, errors: answered requests, and those that failed.
        buckets: `(upper bound in seconds, requests at or below it)`, rising; the bucket without
            a bound is left out.
        timed: requests with a latency, the count of the bucket without a bound.

    """

    requests: int
    errors: int
    buckets: tuple[tuple[float, int], ...] = ()
    timed: int = 0


Instances = dict[str, Counters]
"""The counters of one arm by instance (a pod, a process, a router's cluster)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Both arms' counters as one source told them, and when they were true."""

    at: datetime
    canary: Instances | NoData
    stable: Instances | NoData


@dataclass(frozen=True, slots=True)
class Tally:
    """The counters of the last tick at which both arms were read.

    Attributes:
        restarts: how often an instance of each arm has begun to count anew.

    """

    at: datetime
    canary: Instances = field(default_factory=dict)
    stable: Instances = field(default_factory=dict)
    restarts: Arms[int] = field(default_factory=lambda: Arms(0, 0))


@dataclass(frozen=True, slots=True)
class Progress:
    """What one reading has told.

    Attributes:
        tally: what to remember.
        traffic: what happened since the last reading.
        apart: the same of stable by instance; empty where nothing new was told.

    """

    tally: Tally | None
    traffic: Arms[Traffic] | NoData
    apart: dict[str, Traffic] = field(default_factory=dict)


NOTHING_NEW: Final = Arms(Traffic(), Traffic())


def progress(tally: Tally | None, reading: Reading) -> Progress:
    """Take one reading.

    Only ticks at which both arms were read count, so that both cover the same time. An arm that
    was missing is caught up with at the next reading. The first reading says nothing yet: it is
    where counting begins. Nor does one that was told before: a source that is scraped once a
    minute is neither blind in between nor without traffic. One that is not scraped any more is
    found out by the age of what it tells, by its adapter.
    """
    match reading.canary, reading.stable:
        case NoData(reason=reason), _:
            return Progress(tally, NoData(f"canary: {reason}"))
        case _, NoData(reason=reason):
            return Progress(tally, NoData(f"stable: {reason}"))
        case dict() as canary, dict() as stable:
            if tally is None:
                return Progress(Tally(reading.at, canary, stable), NOTHING_NEW)
            if reading.at <= tally.at and not _gone_on(tally, canary, stable):
                return Progress(tally, NOTHING_NEW)  # scraped less often than looked at
            apart = increases(tally.stable, stable)
            traffic = Arms(together(increases(tally.canary, canary)), together(apart))
            restarts = Arms(
                tally.restarts.canary + _restarts(tally.canary, canary),
                tally.restarts.stable + _restarts(tally.stable, stable),
            )
            # An instance that was not scraped this time is kept, or its return would count twice.
            known = tally.canary | canary, tally.stable | stable
            return Progress(Tally(reading.at, *known, restarts), traffic, apart)
    raise AssertionError("a reading is counters or NoData")  # pragma: no cover


def advance(tally: Tally | None, reading: Reading) -> tuple[Tally | None, Arms[Traffic] | NoData]:
    """Take one reading; what to remember and what happened, for whoever knows no instances."""
    told = progress(tally, reading)
    return told.tally, told.traffic


def _gone_on(tally: Tally, canary: Instances, stable: Instances) -> bool:
    """Whether counters went on though their time did not: a clock was set back.

    A replica of the source that lags behind shows an older time as well, but smaller counters.
    """
    pairs = [
        (before[name].requests, counters.requests)
        for before, now in ((tally.canary, canary), (tally.stable, stable))
        for name, counters in now.items()
        if name in before
    ]
    return any(was < is_ for was, is_ in pairs) and all(was <= is_ for was, is_ in pairs)


def increases(before: Instances, now: Instances) -> dict[str, Traffic]:
    """What each instance known before has done since.

    The first sight of an instance is where its counting begins: its counters may hold hours.
    """
    return {
        name: _increase(before[name], counters) for name, counters in now.items() if name in before
    }


def together(instances: dict[str, Traffic]) -> Traffic:
    """All instances as one."""
    parts = tuple(instances.values())
    if not parts:
        return Traffic()
    bounds = parts[0].latency.bounds
    if any(part.latency.bounds != bounds for part in parts):
        return reduce(Traffic.plus, parts)
    # Nearly always all have the same buckets, and this is done for every instance at every tick.
    counts = tuple(map(sum, zip(*(part.latency.counts for part in parts), strict=True)))
    requests, errors = sum(part.requests for part in parts), sum(part.errors for part in parts)
    return Traffic(requests, errors, Histogram(bounds, counts))


def _restarts(before: Instances, now: Instances) -> int:
    return sum(
        name in before and _restarted(before[name], counters) for name, counters in now.items()
    )


def _restarted(before: Counters, now: Counters) -> bool:
    return now.requests < before.requests or now.timed < before.timed


def _increase(before: Counters, now: Counters) -> Traffic:
    if _restarted(before, now):
        before = Counters(0, 0)  # all it has counted is new
    layout = tuple([bound for bound, _ in now.buckets])
    cumulative = [count for _, count in now.buckets]
    if before.buckets and [bound for bound, _ in before.buckets] != list(layout):
        before = Counters(before.requests, before.errors, (), now.timed)  # no histogram this once
        layout, cumulative = (), []
    elif before.buckets:
        cumulative = [
            count - was for count, (_, was) in zip(cumulative, before.buckets, strict=True)
        ]
    last = max(now.timed - before.timed, cumulative[-1] if cumulative else 0)
    return Traffic(
        requests=max(0, now.requests - before.requests),
        errors=max(0, now.errors - before.errors),
        latency=Histogram.of_cumulative(layout, [*cumulative, last]),
    )
