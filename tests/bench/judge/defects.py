"""What is wrong with a canary, and what goes wrong around a healthy one."""

from dataclasses import dataclass

import numpy as np
from bench.judge.cells import Cell
from bench.judge.session import BASE, Arm, Trace
from bench.judge.shapes import PRELUDE, TICK, TICKS, WINDOW, Floats, Ints
from numpy.random import Generator

Spoilt = tuple[Floats, Floats, Floats, Floats]
"""By tick: factor on the error rate, failures added a request, log factor of p99, log shift."""


@dataclass(slots=True)
class Spoil:
    """A defect: what it does to the canary's rates, and what `finish` adds to the trace."""

    cell: Cell
    canary: Spoilt
    onset: float = 0.0

    def finish(self, made: Trace, rng: Generator) -> None:
        """Logs, readiness, gaps and resets; and how many requests the defect harms each tick."""
        name = self.cell.name
        made.harm = _harm(made, self.canary)
        _lines(made, rng, 150 if name == "rare_logs" else 12)
        match name:
            case "gaps":
                _gaps(made, rng)
            case "resets":
                made.canary.reset = _some(rng, PRELUDE + 1, 3)
                made.stable.reset = _some(rng, 1, 6)
            case "cold_start":
                _boot_lines(made.canary, rng)
            case "new_log":
                made.canary.logs["new"] = _window(rng.poisson(0.5 * TICK / 60, TICKS))
            case "unready":
                made.canary.ready[PRELUDE + int(self.onset / TICK) :] = 0
            case "crash_loop":
                every = int(rng.integers(3, 8))
                made.canary.restarts[PRELUDE + every :: every] = 1
                made.canary.ready[PRELUDE + every :: every] = 0
            case "thin_good" | "thin_half":
                _exactly(made.canary, 20, 10 if name == "thin_half" else 0, rng)
            case _:
                pass
        if self.cell.name == "zero":
            for part in (made.canary.requests, made.canary.errors, made.canary.buckets):
                part[:] = 0
            made.canary.logs = {}
        if self.cell.name == "no_metrics":
            made.canary.seen[PRELUDE:] = made.stable.seen[PRELUDE:] = False


def spoil(cell: Cell, rng: Generator) -> Spoil:
    """The defect of this cell; where it may begin at any moment, its onset is drawn."""
    factor, extra, tail, shift = np.ones(TICKS), np.zeros(TICKS), np.zeros(TICKS), np.zeros(TICKS)
    onset, name = 0.0, cell.name
    begin = PRELUDE
    if name in ("x5_half", "unready"):
        onset = WINDOW * TICK / 2 if name == "x5_half" else TICK * float(rng.integers(0, 60))
        begin += int(onset / TICK)
    match name:
        case "x1.5" | "x2" | "x5" | "x5_half" | "x5_bursty" | "x5_sticky":
            factor[begin:] = float(name.removeprefix("x").split("_", 1)[0])
        case "+1pp" | "+5pp" | "+20pp":
            extra[begin:] = float(name[1:-2]) / 100
        case "leak":
            factor[begin:] = 1 + 9 * np.arange(WINDOW) / WINDOW
        case "thin_half":
            extra[begin:] = 0.495
        case "p99_x1.3" | "p99_x2":
            tail[begin:] = np.log(float(name.removeprefix("p99_x")))
        case "p95_shift":
            tail[begin:] = np.log(1.5) * 2.326 / 1.645
        case "cold_start":
            shift[begin : begin + int(rng.integers(2, 9))] = rng.uniform(0.3, 1.5)
        case _:
            pass
    return Spoil(cell, (factor, extra, tail, shift), onset)


def _harm(made: Trace, spoilt: Spoilt) -> Floats:
    """Requests a tick that would have gone well on stable: failed, or slower than its p95."""
    requests = made.canary.requests.sum(0)[PRELUDE:]
    factor, extra, tail, _ = (part[PRELUDE:] for part in spoilt)
    failing = requests * (BASE * (factor - 1) + extra)
    if not tail.any():
        return np.asarray(failing, np.float64)
    mine = made.canary.buckets.sum(0)[PRELUDE:]
    theirs = made.stable.buckets.sum(0)[PRELUDE:].sum(0)
    above = np.cumsum(theirs[::-1])[::-1] / max(1, theirs.sum())
    first = int(np.argmax(above <= 0.06)) if (above <= 0.06).any() else len(above) - 1
    slow: Floats = mine[:, first:].sum(1) - requests * above[first]
    return np.maximum(0.0, slow)


def _lines(made: Trace, rng: Generator, signatures: int) -> None:
    """Log lines both arms share: a few common ones, many rare ones, some in clumps."""
    smooth = np.ones(31)
    ours = np.convolve(made.canary.requests.sum(0)[PRELUDE:], smooth, "same")
    theirs = np.convolve(made.stable.requests.sum(0)[PRELUDE:], smooth, "same")
    share = np.concatenate([np.zeros(PRELUDE), ours / np.maximum(1, ours + theirs)])
    for number in range(signatures):
        often = float(np.exp(rng.uniform(np.log(0.005), np.log(6)))) * TICK / 60
        events = rng.poisson(often, TICKS)
        mine = rng.binomial(events, share)
        clump = rng.geometric(1 / 3) if rng.random() < 0.3 else 1
        made.canary.logs[f"s{number}"] = mine * clump
        made.stable.logs[f"s{number}"] = (events - mine) * clump


def _boot_lines(arm: Arm, rng: Generator) -> None:
    """A new process says things that an old one said long ago."""
    for number in range(int(rng.integers(1, 6))):
        lines = np.zeros(TICKS, np.int64)
        last = int(rng.integers(1, 8))
        lines[PRELUDE : PRELUDE + last] = rng.poisson(0.7, last)
        arm.logs[f"boot{number}"] = lines


def _gaps(made: Trace, rng: Generator) -> None:
    """Scrapes that fail for a while, of one arm or both, and counters not read anew."""
    for arm in (made.canary, made.stable):
        for start in _some(rng, 1, 12):
            arm.seen[start : start + int(rng.geometric(0.25))] = False
        for start in _some(rng, PRELUDE + 1, 4):
            arm.fresh[start : start + int(rng.integers(1, 4))] = False
    for start in _some(rng, PRELUDE + 1, 2):
        length = int(rng.integers(1, 13))
        made.canary.seen[start : start + length] = made.stable.seen[start : start + length] = False


def _exactly(arm: Arm, requests: int, bad: int, rng: Generator) -> None:
    """So many canary requests in the window, no more and no less, as fast as any."""
    mix = arm.buckets.sum((0, 1)) / max(1, arm.buckets.sum())
    for part in (arm.requests, arm.errors, arm.buckets):
        part[:] = 0
    for index, at in enumerate(rng.integers(0, WINDOW, requests)):
        arm.requests[0, PRELUDE + at] += 1
        arm.buckets[0, PRELUDE + at] += rng.multinomial(1, mix)
        arm.errors[0, PRELUDE + at] += index < bad


def _window(lines: Ints) -> Ints:
    lines[:PRELUDE] = 0
    return lines


def _some(rng: Generator, first: int, most: int) -> tuple[int, ...]:
    """Up to `most` moments, at least one, in order and none twice."""
    count = int(rng.integers(1, most + 1))
    return tuple(sorted({int(at) for at in rng.integers(first, TICKS, count)}))
