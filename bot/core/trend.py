"""How both arms did lately, in few enough points to be drawn as a line of characters."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from bot.core.slo import Arms, Histogram, NoData, Traffic

MOST: Final = 16
"""Points that are kept; once there are more, neighbours become one."""


class Point(NamedTuple):
    """A few looks together: requests and errors, and the 95th percentiles in seconds.

    A percentile is None where nothing was timed; of several looks it is their mean, weighted by
    requests.
    """

    requests: tuple[int, int] = (0, 0)
    errors: tuple[int, int] = (0, 0)
    p95: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Trend:
    """Points from the first look on, oldest first; in each pair the canary comes first.

    Attributes:
        each: looks that a whole point covers; `last` those in the last point.

    """

    points: tuple[Point, ...] = ()
    each: int = 1
    last: int = 1

    def after(self, traffic: Arms[Traffic] | NoData) -> "Trend":
        """With one more look; one that saw nothing leaves it as it is."""
        if isinstance(traffic, NoData):
            return self
        point = _of(traffic)
        if self.points and self.last < self.each:
            return Trend(
                (*self.points[:-1], _both(self.points[-1], point)), self.each, self.last + 1
            )
        points = (*self.points, point)
        if len(points) <= MOST:
            return Trend(points, self.each, 1)
        halved = tuple(
            _both(*points[at : at + 2]) if at + 1 < len(points) else points[at]
            for at in range(0, len(points), 2)
        )
        return Trend(halved, 2 * self.each, 1 if len(points) % 2 else 2 * self.each)


def _of(traffic: Arms[Traffic]) -> Point:
    arms = (traffic.canary, traffic.stable)
    return Point(
        (arms[0].requests, arms[1].requests),
        (arms[0].errors, arms[1].errors),
        (_p95(arms[0].latency), _p95(arms[1].latency)),
    )


def _p95(latency: Histogram) -> float | None:
    found = latency.quantile(0.95)
    return None if found is None else float(f"{found:.3g}")


def _both(one: Point, other: Point) -> Point:
    return Point(
        (one.requests[0] + other.requests[0], one.requests[1] + other.requests[1]),
        (one.errors[0] + other.errors[0], one.errors[1] + other.errors[1]),
        (_mean(one, other, 0), _mean(one, other, 1)),
    )


def _mean(one: Point, other: Point, arm: int) -> float | None:
    left, right = one.p95[arm], other.p95[arm]
    if left is None or right is None:
        return right if left is None else left
    whole = one.requests[arm] + other.requests[arm]
    share = one.requests[arm] / whole if whole else 0.5
    return float(f"{left * share + right * (1 - share):.3g}")
