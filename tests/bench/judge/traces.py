"""Seeded traces of both arms: what happened each tick, healthy or spoilt, at every traffic."""

import zlib
from dataclasses import dataclass

import numpy as np
from bench.judge.cells import Cell
from bench.judge.defects import spoil
from bench.judge.session import BASE, Arm, Trace
from bench.judge.shapes import (
    LAYOUTS,
    PRELUDE,
    TICK,
    TICKS,
    WINDOW,
    Clumps,
    Floats,
    Latency,
    demand,
    episodes,
    wave,
)
from numpy.random import Generator


@dataclass(slots=True)
class Plan:
    """What the seed has drawn for one session, before any request is."""

    clumps: Clumps
    latency: Latency
    load: Floats
    share: Floats
    trouble: Floats
    slow: Floats
    waves: tuple[float, float]
    stalls: float


def plan(cell: Cell, rng: Generator) -> Plan:
    """Draw a session's parameters: cluster size, session length, dispersion, bucket layout."""
    family = cell.family
    clumps = {
        "overdispersed": Clumps(rng.uniform(0.4, 1), rng.uniform(1.5, 4), rng.uniform(0, 2)),
        "retry_bursts": Clumps(rng.uniform(0.4, 1), rng.uniform(2, 7), rng.uniform(0.3, 4)),
        "sticky": Clumps(
            rng.uniform(0.3, 0.9), rng.uniform(4, 15), rng.uniform(6, 60), rng.uniform(1.6, 3.0)
        ),
        "real_shape": Clumps(rng.uniform(0, 0.5), rng.uniform(1.5, 4), rng.uniform(0, 2)),
    }.get(family, Clumps())
    layout = LAYOUTS[rng.integers(len(LAYOUTS))]
    latency = Latency(float(np.exp(rng.uniform(-4.3, -2.3))), rng.uniform(0.4, 0.8), layout)
    load, share = demand(rng, family), np.full(TICKS, 0.05)
    trouble, slow = np.ones(TICKS), np.zeros(TICKS)
    waves = (0.0, 0.0)
    if family in ("overdispersed", "real_shape", "noisy_pods"):
        waves = (rng.uniform(0.0, 0.15), rng.uniform(0.0, 0.03))
    if family == "incident":
        start, end = PRELUDE + int(rng.integers(0, 60)), int(rng.integers(20, 70))
        trouble[start : start + end] = rng.uniform(5, 60)
        slow[start : start + end] = rng.uniform(0.2, 1.2)
        ramp = np.clip((np.arange(TICKS) - start) / max(1, end), 0, 1)
        low, high = rng.uniform(0.01, 0.05), rng.uniform(0.05, 0.2)
        share = low + (high - low) * (ramp if rng.random() < 0.5 else 1 - ramp)
    return Plan(clumps, latency, load, share, trouble, slow, waves, rng.uniform(0.0, 0.015))


def trace(cell: Cell, seed: int, *, pods: bool = False) -> Trace:
    """The session of this cell and seed; the same arguments give the same session."""
    rng = np.random.default_rng([seed, zlib.crc32(str(cell).encode())])
    drawn = plan(cell, rng)
    many = int(rng.integers(10, 40)) if pods or cell.family == "noisy_pods" else 1
    mine = max(1, round(many / 19))
    spoiled = spoil(cell, rng)
    arms = []
    for units, part, bad in ((mine, drawn.share, True), (many, 1 - drawn.share, False)):
        factor, extra, tail, shift = (
            spoiled.canary
            if bad
            else (np.ones(TICKS), np.zeros(TICKS), np.zeros(TICKS), np.zeros(TICKS))
        )
        rate = cell.rate * TICK * drawn.load * part / units
        chance = np.minimum(0.95, BASE * drawn.trouble * factor + extra)
        arms.append(_arm(rng, cell, drawn, (units, rate, chance, tail, drawn.slow + shift)))
    canary, stable = arms
    result = Trace(
        cell, drawn.latency.bounds, canary, stable, spoiled.onset, np.zeros(WINDOW), pods
    )
    spoiled.finish(result, rng)
    return result


def _arm(
    rng: Generator, cell: Cell, drawn: Plan, what: tuple[int, Floats, Floats, Floats, Floats]
) -> Arm:
    units, rate, chance, tail, shift = what
    shape = (units, TICKS)
    noise = np.ones(shape)
    shifts = np.broadcast_to(shift, shape).copy()
    if cell.family == "noisy_pods":
        spells = episodes(rng, shape, rng.uniform(400, 1600), (1, 6))
        noise = np.exp(rng.normal(0, 0.05, (units, 1))) * (1 + rng.uniform(0.5, 3) * spells)
        shifts += 0.15 * spells
    common, own = drawn.waves
    if common:
        shared = np.random.default_rng(int(drawn.latency.median * 1e9)).integers(1 << 31)
        shifts += wave(np.random.default_rng(shared), (1, TICKS), common, 15)
    if own:
        shifts += wave(rng, shape, own, 10)
    errors = drawn.clumps.draw(rng, rate * chance * noise)
    good = rng.poisson(np.maximum(0.0, rate * (1 - chance)) * np.ones(shape))
    shares = drawn.latency.shares(shifts, np.broadcast_to(tail, shape))
    requests = good + errors
    shares = np.clip(shares, 0, 1)
    buckets = rng.multinomial(requests, shares / shares.sum(axis=2, keepdims=True))
    if drawn.clumps.part:
        stalled = drawn.clumps.draw(rng, rate * drawn.stalls * np.ones(shape))
        slow = drawn.latency.median * np.exp(drawn.latency.spread * rng.uniform(2, 3.5, shape))
        where = np.searchsorted(drawn.latency.bounds, slow)
        np.put_along_axis(
            buckets,
            where[..., None],
            np.take_along_axis(buckets, where[..., None], 2) + stalled[..., None],
            2,
        )
        requests = requests + stalled
    return Arm(requests, errors, buckets)
