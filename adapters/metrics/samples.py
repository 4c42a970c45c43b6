"""From raw samples over a window to the series of one scrape, as if one had scraped oneself."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.metrics.counting import Point
from adapters.metrics.selectors import Selector

_SAME: Final = 0.010
"""Seconds within which two samples are of the same scrape."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series' raw samples: Unix seconds, rising, and values; never empty."""

    name: str
    labels: Mapping[str, str]
    times: tuple[float, ...]
    values: tuple[float, ...]


def newest(series: Sequence[Series], requests: Selector, until: float = math.inf) -> float | None:
    """When the requests of one instance were last scraped; None when they never were."""
    own = [s for s in series if s.name == requests.metric and requests.matches(s.labels)]
    times = ((s.times, bisect_right(s.times, until)) for s in own)
    return max((known[count - 1] for known, count in times if count), default=None)


def at_scrape(
    series: Sequence[Series], requests: Selector, at: float, known: Sequence[float] | None = None
) -> list[Point]:
    """Every series of one instance as it stood at the scrape `at`.

    The queries are answered one by one, so one may have seen a scrape that another has not: later
    samples are left out, and a series that has none at `at` keeps its last value, as counters do.
    Unless the instance began anew since: then that value belongs to a process that is gone, and
    the series does not exist any more.

    Args:
        series: of one instance.
        requests: which of them count its requests.
        at: the scrape, in Unix seconds.
        known: what `restarts` says of them, for whoever asks again and again.

    """
    begun = restarts(series, requests) if known is None else known
    later = [restart for restart in begun if restart <= at + _SAME]
    points = []
    for one in series:
        index = bisect_right(one.times, at + _SAME) - 1
        if index < 0:
            continue
        since = one.times[index] + _SAME
        if not any(since < restart for restart in later):
            points.append(Point(one.name, one.labels, one.values[index], one.times[index]))
    return points


def restarts(series: Sequence[Series], requests: Selector) -> tuple[float, ...]:
    """When an instance's requests stepped back, which they do only at the start of its process."""
    return tuple(
        time
        for one in series
        if one.name == requests.metric
        for before, value, time in zip(one.values, one.values[1:], one.times[1:], strict=False)
        if value < before
    )
