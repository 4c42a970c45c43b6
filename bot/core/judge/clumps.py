"""Chances of counts whose events come in clumps: Poisson clumps of geometric size.

Retries, sticky sessions and poison clients make events arrive together. With clumps of mean size c
the variance of a count is `2 c - 1` times its mean (its dispersion), in a 5 % arm as in a 95 % arm,
since whole clumps are dealt to the arms. At c = 1 everything here is plain Poisson or binomial.
"""

import math

_PLAIN = 1.0005
_EXACT_UP_TO = 400


def clump_size(dispersion: float) -> float:
    """Mean size of geometric clumps that give this dispersion (variance by mean, at least 1)."""
    return max(1.0, (dispersion + 1) / 2)


def tilt(ratio: float, size: float) -> tuple[float, float]:
    """The exponential tilt that multiplies a clumped count's mean by `ratio`.

    Returns:
        theta, the log weight of one event, and E[exp(theta clump)] - 1. However large the ratio,
        theta stays below -ln(1 - 1/size): one clump of any size is never overwhelming evidence.

    """
    if size < _PLAIN:
        return math.log(ratio), ratio - 1
    p = 1 / size
    rest = 1 - p
    root = math.sqrt(ratio)
    weight = ((math.sqrt(p * p + 4 * rest * ratio) - p) / (2 * rest * root)) ** 2
    return math.log(weight), p * weight / (1 - rest * weight) - 1


def at_least(count: float, events: float, share: float, size: float) -> float:
    """Chance that `count` or more of `events` fall to an arm that gets `share` of the clumps.

    Exact for Poisson clumps of geometric size (the Polya-Aeppli law, by its recursion), by
    saddlepoint (Lugannani and Rice 1980) where counts are large.
    """
    mean = events * share
    if count <= 0 or count <= mean:
        return 1.0
    clumps = mean / size
    if count <= _EXACT_UP_TO and clumps < _EXACT_UP_TO:
        chance = _exact(math.ceil(count), clumps, size)
        if chance > 1e-9:
            return chance
    return _saddlepoint(count - 0.5, events / size, share, size)


def _exact(count: int, clumps: float, size: float) -> float:
    p = 1 / size
    rest = 1 - p
    before, now = 0.0, math.exp(-clumps)
    below = now
    for n in range(1, count):
        before, now = (
            now,
            (clumps * p + 2 * rest * (n - 1)) / n * now - rest * rest * (n - 2) / n * before,
        )
        below += now
    return max(0.0, 1 - below)


def _saddlepoint(count: float, clumps: float, share: float, size: float) -> float:
    p = 1 / max(size, 1 + 1e-9)
    low, high = 0.0, min(-math.log1p(-p) * (1 - 1e-9), 50.0)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _bent(middle, clumps, share, p)[1] < count else (low, middle)
    theta = (low + high) / 2
    height, _, curve = _bent(theta, clumps, share, p)
    w = math.sqrt(max(2 * (theta * count - height), 0.0))
    u = 2 * math.sinh(theta / 2) * math.sqrt(max(curve, 0.0))
    if w < 1e-4 or u <= 0:
        return 1.0
    density = math.exp(-w * w / 2) / math.sqrt(2 * math.pi)
    return min(1.0, max(0.0, 0.5 * math.erfc(w / math.sqrt(2)) + density * (1 / u - 1 / w)))


def _bent(theta: float, clumps: float, share: float, p: float) -> tuple[float, float, float]:
    """Cumulant function of the arm's count at theta, and its first two derivatives."""
    weight = math.exp(theta)
    divisor = 1 - (1 - p) * weight
    moment = p * weight / divisor
    first = moment / divisor
    second = first * (1 + 2 * (1 - p) * weight / divisor)
    mixed = 1 + share * (moment - 1)
    slope = share * first / mixed
    return (
        clumps * math.log(mixed),
        clumps * slope,
        clumps * (share * second / mixed - slope * slope),
    )
