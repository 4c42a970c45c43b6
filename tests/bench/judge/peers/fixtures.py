"""Bad canaries from public threads that a peer let through, as series and as ticks."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan
from typing import Final

from bench.judge.peers.flagger import Flagger
from bench.judge.peers.kayenta import kayenta_end
from bench.judge.protocol import ArmTick, Decision, Judge, Tick

NAN: Final = float("nan")
SIXTH: Final = 6
"""Ticks a minute."""

HISTORY: Final = 60
"""Minutes of healthy stable before the window."""


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of one arm: requests, errors by tick, latencies in ms that they share evenly."""

    requests: int
    errors: tuple[int, ...] = (0,) * SIXTH
    latencies: tuple[float, ...] = (12.0,)


@dataclass(frozen=True, slots=True)
class PublicCase:
    """One thread.

    Attributes:
        control, experiment: the series a metrics query gave, where the thread has one.
        canary, stable: the minutes of a session that shows such series.
        right: what a judge should decide; `says` what this peer decides.

    """

    name: str
    url: str
    story: str
    control: tuple[float, ...]
    experiment: tuple[float, ...]
    canary: tuple[Minute, ...]
    stable: tuple[Minute, ...]
    right: Decision = "rollback"
    says: Decision = "promote"

    def peer(self) -> Judge:
        """A new judge as the thread had it."""
        return Flagger(5, reads=10.0) if self.name.startswith("flagger") else kayenta_end()

    def ticks(self) -> tuple[Tick, ...]:
        """An hour of stable without errors, then both arms from 0 until the case ends.

        Each minute of that hour has all latencies that stable shows later.
        """
        latencies = tuple(value for minute in self.stable for value in minute.latencies)
        before = (Minute(self.stable[0].requests, latencies=latencies),) * HISTORY
        stable = _scrapes((*before, *self.stable))
        canary = [None] * (HISTORY * SIXTH) + _scrapes(self.canary)
        start = HISTORY * SIXTH
        return tuple(
            Tick(10.0 * (index - start), ours, theirs)
            for index, (ours, theirs) in enumerate(zip(canary, stable, strict=True))
        )


BOUNDS: Final = (*(half / 2 for half in range(1, 41)), *range(25, 100, 5), *range(100, 108))
"""In ms; fine enough for a minute's percentiles to follow the series of a case."""


def _scrapes(minutes: Sequence[Minute]) -> list[ArmTick | None]:
    requests = errors = 0
    counts = [0] * (len(BOUNDS) + 1)
    out: list[ArmTick | None] = [_scrape(0, 0, counts)]
    for minute in minutes:
        cuts = [minute.requests * part // SIXTH for part in range(SIXTH + 1)]
        for (low, high), failed in zip(pairwise(cuts), minute.errors, strict=True):
            requests += high - low
            errors += failed
            for latency, count in _shared(minute.latencies, high - low):
                counts[bisect_left(BOUNDS, latency)] += count
            out.append(_scrape(requests, errors, counts))
    return out


def _shared(latencies: Sequence[float], requests: int) -> Iterator[tuple[float, int]]:
    cuts = [requests * part // len(latencies) for part in range(len(latencies) + 1)]
    for latency, (low, high) in zip(latencies, pairwise(cuts), strict=True):
        yield latency, high - low


def _scrape(requests: int, errors: int, counts: Sequence[int]) -> ArmTick:
    total, buckets = 0, []
    for bound, count in zip((*BOUNDS, float("inf")), counts, strict=True):
        total += count
        buckets.append((bound / 1000, total))
    return ArmTick(requests, errors, tuple(buckets))


def _failing(errors: Sequence[int], requests: int) -> tuple[Minute, ...]:
    """Minutes with so many errors each, spread over their ticks."""
    return tuple(
        Minute(requests, tuple((count + tick) // SIXTH for tick in range(SIXTH)))
        for count in errors
    )


def _slow(latencies: Sequence[float], requests: int) -> tuple[Minute, ...]:
    return tuple(Minute(requests, latencies=(latency,)) for latency in latencies)


REDIRECTS: Final = (NAN, 0.048, NAN, 0.18, 0.089, NAN, 0.098, 0.035, NAN, NAN)
SPARSE: Final = (0.0, 1.0, 2.0, 1.0, 0.0, 0.0)
NARROW: Final = (
    *(10.0, 10.1, 10.2, 10.3, 10.4, 10.5, 10.6),
    *(17.0, 17.1, 17.2, 17.3, 17.4, 17.5, 17.6, 17.7),
)
WIDE: Final = (
    *(1.0, 100.0, 4.0, 101.0, 5.0, 102.0, 6.0, 103.0),
    *(7.0, 104.0, 8.0, 105.0, 9.0, 106.0, 17.0),
)

CASES: Final = (
    PublicCase(
        "spinnaker#5622",
        "https://github.com/spinnaker/spinnaker/issues/5622",
        "A status that stable never answers appears in five of ten minutes. The thread's rates a "
        "second are whole errors a minute here, at 5 canary requests a second.",
        (NAN,) * len(REDIRECTS),
        REDIRECTS,
        _failing([0 if isnan(rate) else round(60 * rate) for rate in REDIRECTS], 300),
        _failing([0] * len(REDIRECTS), 5700),
    ),
    PublicCase(
        "kayenta#426",
        "https://github.com/spinnaker/kayenta/issues/426",
        "Errors where there are usually none: four of them in six minutes, stable has none.",
        (0.0,) * len(SPARSE),
        SPARSE,
        _failing([int(count) for count in SPARSE], 300),
        _failing([0] * len(SPARSE), 5700),
    ),
    PublicCase(
        "kayenta#780",
        "https://github.com/spinnaker/kayenta/issues/780",
        "Case 1, an increase in variability: half the minutes near 100 where stable stays below "
        "18. The thread's code has the wide series as control while its title speaks of an "
        "increase, so the canary has the wide one here; the peer says the same either way round.",
        NARROW,
        WIDE,
        _slow(WIDE, 300),
        _slow(NARROW, 5700),
    ),
    PublicCase(
        "flagger#1815",
        "https://github.com/fluxcd/flagger/issues/1815",
        "Up to 20 in the metrics, 1 in Flagger, 1.1 allowed: it reads the newest point, which is "
        "still being filled, through a query that never answers less than 1. The points are made "
        "up, the thread has none: a fifth fails, and the newest ten seconds do not show it yet.",
        (1.0,) * 6,
        (20.0, 20.0, 20.0, 20.0, 20.0, 1.0),
        (Minute(300, (10, 10, 10, 10, 10, 0)),) * 20,
        (Minute(5700),) * 20,
    ),
)
