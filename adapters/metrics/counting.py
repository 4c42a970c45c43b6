"""From exposed series to one instance's counters, the same for every vendor."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.metrics.selectors import LatencySelector, Selection
from bot.core.reading import Counters, Instances, Reading
from bot.core.slo import NoData


@dataclass(frozen=True, slots=True)
class Point:
    """One series' value; `at` is its own time in Unix seconds, None when it tells none."""

    name: str
    labels: Mapping[str, str]
    value: float
    at: float | None = None


@dataclass(frozen=True, slots=True)
class ArmCounters:
    """One arm's counters by instance, and when the newest of them was true."""

    at: datetime
    instances: Instances


def counted(points: Sequence[Point], selection: Selection) -> Counters | NoData:
    """Add up the series of one instance of one arm.

    Without any error series there were no errors; without a histogram there are no latencies.
    That there are requests at all is for the caller to know. A value that is no count (NaN,
    infinite, negative) makes all of it `NoData`.
    """
    requests = [
        p
        for p in points
        if p.name == selection.requests.metric and selection.requests.matches(p.labels)
    ]
    errors = [
        p
        for p in points
        if any(p.name == s.metric and s.matches(p.labels) for s in selection.errors)
    ]
    latency = selection.latency
    timed = [
        p for p in points if latency and p.name == latency.buckets and latency.matches(p.labels)
    ]
    for point in (*requests, *errors, *timed):
        if not math.isfinite(point.value) or point.value < 0:
            return NoData(f"{point.name} is {point.value:g}, which is no count")
    buckets, total = _buckets(timed, latency) if latency else ((), 0)
    return Counters(_total(requests), _total(errors), buckets, total)


def both(canary: ArmCounters | NoData, stable: ArmCounters | NoData) -> Reading | NoData:
    """Put the arms together.

    The reading is as old as its older arm, so that it counts as new only once that arm has gone
    on as well. With the newer arm's time, a source that lags on one arm would give looks at which
    only the other arm has had requests.
    """
    if isinstance(canary, NoData) and isinstance(stable, NoData):
        if canary.reason == stable.reason:
            return canary
        return NoData(f"canary: {canary.reason}; stable: {stable.reason}")
    if isinstance(canary, NoData):
        assert not isinstance(stable, NoData)  # seen above
        return Reading(stable.at, canary, stable.instances)
    if isinstance(stable, NoData):
        return Reading(canary.at, canary.instances, stable)
    return Reading(min(canary.at, stable.at), canary.instances, stable.instances)


def moment(unix: float) -> datetime:
    """Unix seconds as aware UTC."""
    return datetime.fromtimestamp(unix, UTC)


def age(seconds: float) -> str:
    """An age in words: "45 s", "4 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.0f} h"


def _total(points: Iterable[Point]) -> int:
    return round(sum(point.value for point in points))


def _buckets(
    points: Iterable[Point], latency: LatencySelector
) -> tuple[tuple[tuple[float, int], ...], int]:
    """Histograms added up over the bounds they share, which keeps the counts exact."""
    histograms: dict[frozenset[tuple[str, str]], dict[float, float]] = {}
    for point in points:
        bound = _number(point.labels.get("le", ""))
        if bound is not None:
            rest = frozenset(item for item in point.labels.items() if item[0] != "le")
            histograms.setdefault(rest, {})[bound] = point.value
    whole = [histogram for histogram in histograms.values() if math.inf in histogram]
    if not whole:
        return (), 0
    shared = set.intersection(*(set(histogram) for histogram in whole))
    total = {bound: round(sum(h[bound] for h in whole)) for bound in sorted(shared)}
    timed = total.pop(math.inf)
    return tuple((bound * latency.scale, count) for bound, count in total.items()), timed


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number
