"""Cumulative counters to what one arm did in the last minute, as a metrics query would tell it."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from bench.judge.protocol import ArmTick, Tick

MINUTE = 60.0


@dataclass(slots=True)
class Counts:
    """What one arm did in one span of time.

    Attributes:
        requests, errors, lines: how many, `lines` of every log signature together.
        bounds, buckets: upper bounds in seconds and the requests at or below each.
        ready: mean part of the desired pods that was ready, 0 to 1.

    """

    requests: int = 0
    errors: int = 0
    lines: int = 0
    bounds: tuple[float, ...] = ()
    buckets: list[int] = field(default_factory=list)
    ready: float = 1.0

    def error_rate(self) -> float:
        """Part of the requests that failed; NaN without requests, as 0/0 is in a query."""
        return self.errors / self.requests if self.requests else math.nan

    def quantile(self, part: float) -> float:
        """Latency in seconds, interpolated inside its bucket as Prometheus does; NaN without any.

        A quantile in the bucket without a bound is answered with the highest bound there is.
        """
        if len(self.bounds) < 2 or not any(self.buckets):
            return math.nan
        # A reset that no counter shows can leave a bucket below the one before; it is raised.
        buckets = list(accumulate(self.buckets, max))
        rank = part * buckets[-1]
        index = next(at for at, count in enumerate(buckets) if count >= rank)
        if index == len(self.bounds) - 1:
            return self.bounds[-2]
        low, below = (self.bounds[index - 1], buckets[index - 1]) if index else (0.0, 0)
        inside = buckets[index] - below
        return low + (self.bounds[index] - low) * (rank - below) / inside

    def _add(self, since: ArmTick, now: ArmTick) -> None:
        self.requests += max(0, now.requests - since.requests)
        self.errors += max(0, now.errors - since.errors)
        self.lines += max(0, sum(now.logs.values()) - sum(since.logs.values()))
        bounds = tuple(bound for bound, _ in now.buckets)
        rise = [count for _, count in now.buckets]
        if len(since.buckets) == len(rise):
            rise = [
                max(0, count - old) for count, (_, old) in zip(rise, since.buckets, strict=True)
            ]
        if bounds == self.bounds:
            rise = [count + old for count, old in zip(rise, self.buckets, strict=True)]
        self.bounds, self.buckets = bounds, rise


NOTHING = ArmTick(0, 0)


def increase(scrapes: Sequence[ArmTick]) -> Counts:
    """What happened from the first scrape to the last; a counter that fell began again at zero."""
    counts = Counts()
    since = before = scrapes[0]
    for now in scrapes[1:]:
        if now.requests < before.requests:
            counts._add(since, before)
            since = NOTHING
        before = now
    counts._add(since, before)
    later = scrapes[1:]
    counts.ready = sum(one.ready / one.desired if one.desired else 1 for one in later) / len(later)
    return counts


USUAL_P99 = 0.5
"""Seconds: the limit on p99 in the peers' own tutorials."""

SPARE = 1.5
"""How far above stable's p99 the limit is set.

Of 500 ms for all, and 1.5 and 2 times stable's p99, this one treats the peers best: beside 500 ms
it costs them a few healthy canaries and finds twice as many slow ones.
"""


def p99_limit(ticks: Sequence[Tick]) -> float:
    """The limit on p99, in seconds, that a team would have chosen after stable's last hour.

    Sessions differ in how fast they are, and stable's p99 is above 500 ms in a few of them; one
    limit for all would fail those for a reason that is only ours. Without history it is 500 ms.
    """
    stable = [tick.stable for tick in ticks if tick.stable is not None]
    usual = increase(stable).quantile(0.99) if len(stable) > 1 else math.nan
    return USUAL_P99 if math.isnan(usual) else SPARE * usual


class Scrapes:
    """The last scrapes of one arm, as far back as a window of `seconds` needs them."""

    def __init__(self, seconds: float = MINUTE) -> None:
        self._seconds = seconds
        self._kept: deque[tuple[float, ArmTick]] = deque()

    def add(self, at: float, arm: ArmTick | None) -> None:
        """Take one scrape; None is a scrape that failed."""
        if arm is not None:
            self._kept.append((at, arm))
        while len(self._kept) > 1 and self._kept[1][0] <= at - self._seconds:
            self._kept.popleft()

    def window(self, at: float) -> Counts | None:
        """What the arm did in the window ending at `at`; None if nobody saw it.

        A window begins at the last scrape before it, so that no request falls between two.
        """
        if len(self._kept) < 2 or self._kept[-1][0] <= at - self._seconds:
            return None
        return increase([arm for _, arm in self._kept])
