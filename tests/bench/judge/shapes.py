"""How one session looks: its traffic, its clumps, its latencies; every number drawn from the seed."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr

TICK = 10.0
PRELUDE = 360
WINDOW = 120
TICKS = PRELUDE + WINDOW

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAYOUTS: tuple[tuple[float, ...], ...] = (
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),  # Prometheus clients
    (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
    tuple(round(0.005 * 1.5**k, 5) for k in range(18)),
    tuple(round(0.002 * 2.0**k, 5) for k in range(13)),
    (0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),  # Envoy
)


@dataclass(frozen=True, slots=True)
class Clumps:
    """Failures that come together.

    Attributes:
        part: share of all failures that come in clumps; the rest are independent.
        mean: failures a clump, geometric or, with `tail`, Pareto of that index cut at `most`.
        lasting: ticks over which one clump is spread, exponential or, with `tail`, uniform.

    """

    part: float = 0.0
    mean: float = 1.0
    lasting: float = 0.0
    tail: float | None = None
    most: int = 400

    def sizes(self, rng: Generator, count: int) -> Ints:
        """Failures in each of `count` clumps."""
        if self.tail is None:
            return rng.geometric(1 / max(1.0, self.mean), count)
        least = self.mean * (self.tail - 1) / self.tail
        drawn = least * rng.random(count) ** (-1 / self.tail)
        return np.clip(np.rint(drawn), 1, self.most).astype(np.int64)

    def draw(self, rng: Generator, expected: Floats) -> Ints:
        """Failures by unit and tick, `expected` of them on average (units x ticks)."""
        independent = rng.poisson(expected * (1 - self.part))
        if not self.part:
            return independent
        average = float(self.sizes(np.random.default_rng(7), 4000).mean())
        starts = rng.poisson(expected * self.part / average)
        where, when = np.nonzero(starts)
        repeat = starts[where, when]
        sizes = self.sizes(rng, int(repeat.sum()))
        units, begin = np.repeat(np.repeat(where, repeat), sizes), np.repeat(when, repeat)
        span = np.full(len(sizes), self.lasting)
        if self.tail is not None:
            span *= 2 * rng.random(len(sizes))
        span = np.repeat(span, sizes)
        delay = span * (
            rng.exponential(1.0, len(units)) if self.tail is None else rng.random(len(units))
        )
        ticks = np.repeat(begin, sizes) + np.floor(delay).astype(np.int64)
        inside = ticks < expected.shape[1]
        total = independent.copy()
        np.add.at(total, (units[inside], ticks[inside]), 1)
        return total


@dataclass(frozen=True, slots=True)
class Latency:
    """Lognormal latencies; `spread` above the median is what a slow tail changes."""

    median: float
    spread: float
    bounds: tuple[float, ...]

    def shares(self, shift: Floats, tail: Floats) -> Floats:
        """Share of requests in each bucket; log shift of the median and log factor of p99."""
        z = (np.log(self.bounds) - np.log(self.median))[None, None, :] - shift[..., None]
        slow = self.spread + tail[..., None] / 2.326
        cumulative = np.where(z > 0, ndtr(z / slow), ndtr(z / self.spread))
        edges = np.concatenate(
            [np.zeros((*shift.shape, 1)), cumulative, np.ones((*shift.shape, 1))], axis=2
        )
        return np.diff(edges, axis=2)


def wave(rng: Generator, shape: tuple[int, int], sigma: float, ticks: float) -> Floats:
    """A slow random wave around zero: an AR(1) with that deviation and memory, by unit."""
    keep = np.exp(-1 / ticks)
    noise = rng.normal(0, sigma * np.sqrt(1 - keep**2), shape)
    out = np.empty(shape)
    out[:, 0] = rng.normal(0, sigma, shape[0])
    for tick in range(1, shape[1]):
        out[:, tick] = keep * out[:, tick - 1] + noise[:, tick]
    return out


def episodes(
    rng: Generator, shape: tuple[int, int], every: float, lasting: tuple[float, float]
) -> Floats:
    """Spells by unit and tick: 1 inside one, else 0; `every` and `lasting` in ticks."""
    out = np.zeros(shape)
    for unit, start in zip(*np.nonzero(rng.random(shape) < 1 / every), strict=True):
        out[unit, start : start + int(rng.uniform(*lasting)) + 1] = 1.0
    return out


def demand(rng: Generator, family: str) -> Floats:
    """Traffic over the session as a factor of its mean, by tick."""
    at = np.arange(TICKS) / TICKS
    match family:
        case "diurnal":
            low, high = rng.uniform(0.2, 0.6), rng.uniform(1.4, 2.5)
            return low + (high - low) * (at if rng.random() < 0.5 else at[::-1])
        case "real_shape":
            slow = wave(rng, (1, TICKS), rng.uniform(0.2, 0.5), rng.uniform(20, 120))[0]
            fast = wave(rng, (1, TICKS), rng.uniform(0.1, 0.4), rng.uniform(1, 4))[0]
            cron = 1 + rng.uniform(0, 2) * (np.arange(TICKS) % 30 == rng.integers(30))
            factor: Floats = np.exp(slow + fast) * cron
            factor /= factor.mean()
            return factor
        case _:
            return np.ones(TICKS)
