"""How far events come in clumps: measured on stable, and on the difference of the arms.

Stable's counts are compared over blocks of several lengths, since a session fails for minutes and a
retry for seconds. What both arms share (a slow database) makes stable's counts uneven too, but not
the canary's share of them: once the canary has shown enough, that share's own unevenness may say
less.
"""

import math
from typing import NamedTuple

from bot.core.tuning import Tuning

SEGMENT = 180
"""Ticks that share one mean rate; slow drift is no clumping."""


class Block(NamedTuple):
    """Stable's counts in blocks of one length; a tuple, for there are many and they are stored.

    Attributes:
        events, exposure, ticks: of the block being filled.
        squares, sum_events, sum_exposure, closed: of this segment's closed blocks, and how many.
        chi, freedom, total: of all closed segments.

    """

    events: float = 0.0
    exposure: float = 0.0
    ticks: int = 0
    squares: float = 0.0
    sum_events: float = 0.0
    sum_exposure: float = 0.0
    closed: int = 0
    chi: float = 0.0
    freedom: int = 0
    total: float = 0.0


class Pair(NamedTuple):
    """The canary's count around its own running share, in blocks of one length."""

    events: float = 0.0
    expected: float = 0.0
    variance: float = 0.0
    squares: float = 0.0
    variances: float = 0.0
    closed: int = 0


class Spread(NamedTuple):
    """What is known of one kind of event's clumping.

    Attributes:
        blocks: stable's counts by block length; empty once the past is known well enough.
        scales: dispersion of stable's counts by block length, shrunk to the prior.
        ticks: how long stable has been seen, and how many `events` it had.
        pairs: the arms' difference by block length; `looks` how many ticks of it.
        placebo: dispersion between stable's instances, where they are told apart.
        value: the dispersion to use now.

    """

    blocks: tuple[Block, ...] = ()
    scales: tuple[float, ...] = ()
    ticks: int = 0
    events: int = 0
    pairs: tuple[Pair, ...] = ()
    looks: int = 0
    placebo: float | None = None
    value: float = 0.0


def learn(spread: Spread, events: int, exposure: int, tuning: Tuning) -> Spread:
    """Take one tick of stable's counts."""
    if not exposure:
        return spread
    before = spread.blocks or (Block(),) * len(tuning.blocks)
    after = tuple(
        _filled(block, events, exposure, length)
        for block, length in zip(before, tuning.blocks, strict=True)
    )
    ticks = spread.ticks + 1
    learnt = spread._replace(blocks=after, ticks=ticks, events=spread.events + events)
    if ticks % tuning.blocks[min(2, len(tuning.blocks) - 1)] and spread.scales:
        return learnt
    return learnt._replace(scales=_scales(after, tuning))


def settled(spread: Spread, tuning: Tuning) -> Spread:
    """Once the canary runs, a long enough past stands: an incident in the window is no clumping."""
    if spread.ticks < tuning.history or not spread.blocks:
        return spread
    return spread._replace(blocks=(), scales=_scales(spread.blocks, tuning))


def compare(
    spread: Spread, canary: int, both: int, share: float, tuning: Tuning, *, paired: bool
) -> Spread:
    """Take one tick of both arms; `share` is the canary's share at its own running ratio."""
    if not paired:
        return spread._replace(value=_in_use(spread, (), tuning))
    looks = spread.looks + 1
    expected, variance = both * share, both * share * (1 - share)
    before = spread.pairs or (Pair(),) * len(tuning.blocks)
    pairs = tuple(
        _paired(pair, canary, expected, variance, close=looks % length == 0)
        for pair, length in zip(before, tuning.blocks, strict=True)
    )
    after = spread._replace(pairs=pairs, looks=looks)
    return after._replace(value=_in_use(after, pairs, tuning))


def _filled(block: Block, events: int, exposure: int, length: int) -> Block:
    y, n, ticks = block.events + events, block.exposure + exposure, block.ticks + 1
    squares, sum_events, sum_exposure = block.squares, block.sum_events, block.sum_exposure
    before = block.chi, block.freedom, block.total
    if ticks < length:
        return Block(y, n, ticks, squares, sum_events, sum_exposure, block.closed, *before)
    count = block.closed + 1
    sums = squares + y * y / n, sum_events + y, sum_exposure + n
    closed = Block(0.0, 0.0, 0, *sums, count, *before)
    if count < max(7, SEGMENT // length):
        return closed
    return Block(
        chi=block.chi + _chi(closed),
        freedom=block.freedom + count - 1,
        total=block.total + closed.sum_events,
    )


def _chi(block: Block) -> float:
    """Sum of (y - rate n)^2 / (rate n) over the segment's closed blocks."""
    if not block.sum_events:
        return float(max(0, block.closed - 1))
    return block.sum_exposure / block.sum_events * block.squares - block.sum_events


def _scales(blocks: tuple[Block, ...], tuning: Tuning) -> tuple[float, ...]:
    """Dispersion by block length, each shrunk to the one before as far as it is unsure."""
    scales: list[float] = []
    before = tuning.prior
    for block in blocks:
        freedom = block.freedom + max(0, block.closed - 1)
        chi, events = block.chi + _chi(block), block.total + block.sum_events
        if freedom:
            # The variance of an estimated dispersion is (2 + 1 / events a block) / blocks.
            weight = 2 * freedom / (2 + freedom / max(events, 1e-9))
            found = chi / freedom
            prior = max(1.0, before) * tuning.prior_weight
            before = (weight * found + prior) / (weight + tuning.prior_weight)
        scales.append(before)
    return tuple(scales)


def _paired(pair: Pair, events: int, expected: float, variance: float, *, close: bool) -> Pair:
    x, e, v = pair.events + events, pair.expected + expected, pair.variance + variance
    if not close:
        return Pair(x, e, v, pair.squares, pair.variances, pair.closed)
    return Pair(0.0, 0.0, 0.0, pair.squares + (x - e) ** 2, pair.variances + v, pair.closed + 1)


def _in_use(spread: Spread, pairs: tuple[Pair, ...], tuning: Tuning) -> float:
    value = 1.0
    scales = spread.scales or (tuning.prior,) * len(tuning.blocks)
    if pairs:
        bound = math.inf
        for index, (scale, pair) in enumerate(zip(scales, pairs, strict=True)):
            found = _upper(pair, tuning)
            if math.isinf(bound) and index:
                pass  # a shorter scale is unknown, so nothing speaks against stable's
            elif found is not None:
                bound = found
            elif index:
                bound = 1 + 2 * (value - 1)
            value = max(value, min(scale, bound))
    else:
        value = max(value, *scales)
    if spread.placebo is not None:
        value = max(1.0, spread.placebo)
    else:
        value *= 1 + min(1.0, tuning.unsure / (spread.events + 1))
        if spread.ticks <= tuning.settle:
            value = max(value, tuning.unknown)
    return max(tuning.floor, value + (tuning.safety - 1) * max(0.0, value - tuning.knee))


def _upper(pair: Pair, tuning: Tuning) -> float | None:
    """Upper confidence bound of the difference's dispersion (Wilson-Hilferty), if it is known."""
    freedom = pair.closed - 1
    if freedom < tuning.paired_blocks - 1 or pair.variances <= tuning.paired_events:
        return None
    shrink = 1 - 2 / (9 * freedom) - tuning.paired_z * math.sqrt(2 / (9 * freedom))
    low = max(0.05, shrink) ** 3
    return pair.squares / pair.variances * pair.closed / freedom / max(low, 0.05)
