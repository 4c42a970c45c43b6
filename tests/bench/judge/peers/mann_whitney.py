"""The Mann-Whitney interval of Kayenta: a shift between two series, found by root search.

After `kayenta-mannwhitney/.../MannWhitney.scala` and `BrentSolver.java` of spinnaker/kayenta,
which follow `wilcox.test` of R with ties, continuity correction and no exact distribution.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

TOLERANCE = 1e-4
"""Absolute, whatever the unit: shifts below it are noise to the solver."""

STEPS = 1001
EPSILON = 2.220446049250313e-16

Shift = Callable[[float], float]


class AllTiedError(ValueError):
    """Every observation is the same at some shift, so the statistic has no spread."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Confidence bounds and the Hodges-Lehmann estimate of the shift of x over y."""

    lower: float
    upper: float
    estimate: float


def statistic(x: Sequence[float], y: Sequence[float]) -> Shift:
    """The standardised rank sum of `x - mu` among `y`, as a function of mu; it falls in steps.

    Ranks are counted against the sorted `y` rather than drawn up anew, which gives the same
    sums; two values of `x` that rounding merges at some mu are still counted as two.

    Raises:
        AllTiedError: from the function, where all observations are tied.

    """
    n, m = len(x), len(y)
    ranked, grouped = sorted(y), tuple(Counter(x).items())
    ties = sum(count**3 - count for count in (*Counter(x).values(), *Counter(y).values()))
    half, scale, spread = n * m / 2, n * m / 12, (n + m) * (n + m - 1)

    def z(mu: float) -> float:
        doubled, tied = 0, ties
        for value, count in grouped:
            moved = value - mu
            below = bisect_left(ranked, moved)
            if below < m and ranked[below] == moved:
                upto = bisect_right(ranked, moved, below)
                same = upto - below
                tied += 3 * count * same * (count + same)
                doubled += count * (below + upto)
            else:
                doubled += 2 * count * below
        sigma = math.sqrt(scale * ((n + m + 1) - tied / spread))
        if sigma == 0:
            raise AllTiedError("all observations are tied")
        off = doubled / 2 - half
        return (off - (math.copysign(0.5, off) if off else 0.0)) / sigma

    return z


def superiority(x: Sequence[float], y: Sequence[float]) -> float:
    """Chance that a value of `x` is above one of `y`, ties for half: the `cles` effect size."""
    ranked = sorted(y)
    doubled = sum(bisect_left(ranked, value) + bisect_right(ranked, value) for value in x)
    return doubled / (2 * len(x) * len(y))


def interval(x: Sequence[float], y: Sequence[float], confidence: float) -> Interval:
    """How far `x` lies above `y`.

    Raises:
        AllTiedError: when the statistic has no spread, as with one value a side.

    """
    z = statistic(x, y)
    low, high = min(x) - max(y), max(x) - min(y)
    ends = z(low), z(high)
    quantile = NormalDist().inv_cdf((1.0 - confidence) / 2)

    def bound(at: float) -> float:
        first, last = ends[0] - at, ends[1] - at
        if first <= 0:
            return low
        if last >= 0:
            return high
        return brent(lambda mu: z(mu) - at, (low, high), (first, last))

    return Interval(bound(-quantile), bound(quantile), brent(z, (low, high), ends))


def brent(f: Shift, ends: tuple[float, float], values: tuple[float, float]) -> float:
    """A root of `f` between `ends`, where it has `values`, by Brent's method.

    `f` is a staircase, so where between two steps the search stops is part of the verdict: the
    steps are those of R's `zeroin`. The ends are not checked for a change of sign.
    """
    (a, b), (fa, fb) = ends, values
    if fa == 0:
        return a
    if fb == 0:
        return b
    c, fc = a, fa
    for _ in range(STEPS):
        before = b - a
        if abs(fc) < abs(fb):
            a, b, c = b, c, b
            fa, fb, fc = fb, fc, fb
        least = 2 * EPSILON * abs(b) + TOLERANCE / 2
        step = (c - b) / 2
        if abs(step) <= least or fb == 0:
            return b
        if abs(before) >= least and abs(fa) > abs(fb):
            step = _interpolated((a, b, c), (fa, fb, fc), before, step, least)
        if abs(step) < least:
            step = least if step > 0 else -least
        a, fa = b, fb
        b += step
        fb = f(b)
        if (fb > 0 and fc > 0) or (fb < 0 and fc < 0):
            c, fc = a, fa
    return b


def _interpolated(
    points: tuple[float, float, float],
    values: tuple[float, float, float],
    before: float,
    half: float,
    least: float,
) -> float:
    """The step by secant or inverse parabola where it stays well inside, else half the way."""
    (a, b, c), (fa, fb, fc) = points, values
    width = c - b
    if a == c:
        slope = fb / fa
        p, q = width * slope, 1.0 - slope
    else:
        q, slope, ratio = fa / fc, fb / fc, fb / fa
        p = ratio * (width * q * (q - slope) - (b - a) * (slope - 1.0))
        q = (q - 1.0) * (slope - 1.0) * (ratio - 1.0)
    if p > 0:
        q = -q
    else:
        p = -p
    inside = p < 0.75 * width * q - abs(least * q) / 2 and p < abs(before * q / 2)
    return p / q if inside else half
