"""One session of two arms, and the counters that a scrape of it shows, tick by tick."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from bench.judge.cells import Cell
from bench.judge.protocol import ArmTick, Tick
from bench.judge.shapes import PRELUDE, TICK, TICKS, Floats, Ints
from numpy.typing import NDArray

BASE = 0.005
"""Share of requests that fail when all is well."""


@dataclass(slots=True)
class Arm:
    """One arm, by unit (a pod, or the whole arm) and tick.

    Attributes:
        requests, errors: units x ticks; `buckets` units x ticks x buckets.
        logs: lines by signature and tick.
        ready, restarts: by tick.
        seen, fresh: whether a tick was scraped, and whether the counters were read anew.
        reset: ticks at which every counter began again at zero.

    """

    requests: Ints
    errors: Ints
    buckets: Ints
    logs: dict[str, Ints] = field(default_factory=dict)
    ready: Ints = field(default_factory=lambda: np.ones(TICKS, np.int64))
    restarts: Ints = field(default_factory=lambda: np.zeros(TICKS, np.int64))
    seen: NDArray[np.bool_] = field(default_factory=lambda: np.ones(TICKS, bool))
    fresh: NDArray[np.bool_] = field(default_factory=lambda: np.ones(TICKS, bool))
    reset: tuple[int, ...] = ()


@dataclass(slots=True)
class Trace:
    """One session. `onset` in seconds from the start of the window, `harm` by window tick."""

    cell: Cell
    bounds: tuple[float, ...]
    canary: Arm
    stable: Arm
    onset: float
    harm: Floats
    pods: bool = False

    def ticks(self) -> Iterator[Tick]:
        """The hour before the window (canary None), its start at 0, then 120 ticks."""
        stable = _scrapes(self.stable, self.bounds, -1, pods=self.pods)
        canary = _scrapes(self.canary, self.bounds, PRELUDE - 1, pods=self.pods)
        for index in range(-1, TICKS):
            at = (index + 1 - PRELUDE) * TICK
            yield Tick(at, canary[index] if index >= PRELUDE - 1 else None, stable[index])


def _scrapes(
    arm: Arm, bounds: tuple[float, ...], begin: int, *, pods: bool
) -> dict[int, ArmTick | None]:
    """Counters at the end of each tick, from `begin` (all zero there) on."""
    first = begin + 1
    requests, errors, buckets = (
        _counters(part, first, arm.reset) for part in (arm.requests, arm.errors, arm.buckets)
    )
    logs = {
        name: _counters(lines[None, :], first, arm.reset)[0] for name, lines in arm.logs.items()
    }
    edges = (*bounds, float("inf"))
    restarts = np.cumsum(arm.restarts)
    total = (requests.sum(0).tolist(), errors.sum(0).tolist(), buckets.sum(0).tolist())
    out: dict[int, ArmTick | None] = {}
    last = begin
    for index in range(begin, TICKS):
        if arm.fresh[index] or index == begin:
            last = index
        row = last - begin
        units = {
            f"p{unit}": ArmTick(
                int(requests[unit, row]),
                int(errors[unit, row]),
                tuple(zip(edges, buckets[unit, row].tolist(), strict=True)),
            )
            for unit in (range(len(requests)) if pods else ())
        }
        out[index] = ArmTick(
            total[0][row],
            total[1][row],
            tuple(zip(edges, total[2][row], strict=True)),
            {name: int(lines[row]) for name, lines in logs.items() if lines[row]},
            int(arm.ready[index]),
            1,
            int(restarts[index]) if index >= 0 else 0,
            units,
        )
        if index > begin and not arm.seen[index]:
            out[index] = None
    return out


def _counters(part: Ints, first: int, resets: tuple[int, ...]) -> Ints:
    """Cumulative over ticks (axis 1) from `first`, led by zero; histograms cumulative by bound."""
    kept = np.cumsum(part[:, first:], axis=1)
    for at in resets:
        if at > first:
            kept[:, at - first :] -= kept[:, at - first - 1 : at - first].copy()
    led = np.concatenate([np.zeros_like(kept[:, :1]), kept], axis=1)
    return np.cumsum(led, axis=2) if led.ndim == 3 else led
