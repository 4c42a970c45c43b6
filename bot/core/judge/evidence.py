"""Evidence that the canary has more than its share of some event: a bet, fixed looks, a ratio."""

import math
from dataclasses import dataclass, field
from datetime import timedelta

from bot.core.judge.clumps import at_least, clump_size, tilt
from bot.core.judge.spells import Span, Spell, follow, without_worst
from bot.core.tuning import Looks, Tuning


@dataclass(frozen=True, slots=True)
class Channel:
    """What one kind of event is held to.

    Attributes:
        margin: the largest ratio of rates, canary to stable, that is still no news.
        ratios: alternatives that are bet on, in margins: all above 1.
        level: chance at which the bet, looked at on every tick, is a breach.
        looks: fixed looks, each with its own level.
        spell_from: dispersion above which the canary must be worse without its worst spell, too.
        spell: how long that is at most.

    """

    margin: float
    ratios: tuple[float, ...]
    level: float
    looks: Looks
    spell_from: float = math.inf
    spell: timedelta = timedelta(minutes=5)

    @property
    def total(self) -> float:
        """Level of the bet and all looks together."""
        return self.level + sum(level for _, level in self.looks)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What has been seen of one kind of event.

    Attributes:
        wealth: log of what the bet on each ratio has become; empty before the first stake.
        staked, stakes: how much was staked so far, and how often.
        events, both, expected: canary's events, both arms', and what the canary may have had.
        excess, rest, noise: sums of the stratified ratio (Mantel and Haenszel 1959).
        looked: fixed looks taken.
        chance: how likely, at most, a canary at the margin looks this bad at any look.
        rule: what made it a breach: "sequential", "look", or nothing.
        dispersion: clumping at the last tick.
        spell: the canary's worst few minutes.

    """

    wealth: tuple[float, ...] = ()
    staked: float = 0.0
    stakes: int = 0
    events: int = 0
    both: int = 0
    expected: float = 0.0
    excess: float = 0.0
    rest: float = 0.0
    noise: float = 0.0
    looked: int = 0
    chance: float = 1.0
    rule: str = ""
    dispersion: float = 1.0
    spell: Spell = field(default_factory=Spell)

    @property
    def ratio(self) -> float | None:
        """Canary's rate to stable's, stratified by tick; None before stable had an event."""
        return self.excess / self.rest if self.rest > 0 else None

    def interval(self, z: float) -> tuple[float, float | None]:
        """Bounds of the ratio at this normal quantile; no upper one before both arms had events."""
        if self.rest <= 0:
            return 0.0, None
        if self.excess <= 0:
            # Nothing seen: at the bound, that would have a chance of 2.5 % (z = 1.96).
            most = -math.log(0.5 * math.erfc(z / math.sqrt(2))) * clump_size(self.dispersion)
            return 0.0, most * self.noise / self.rest**2
        width = z * math.sqrt(self.dispersion * self.noise / (self.excess * self.rest))
        ratio = self.excess / self.rest
        return ratio * math.exp(-width), ratio * math.exp(min(width, 50.0))


def weigh(
    evidence: Evidence,
    events: tuple[int, int],
    *,
    odds: float,
    dispersion: float,
    elapsed: timedelta,
    channel: Channel,
    tuning: Tuning,
) -> Evidence:
    """Take one tick of both arms' events.

    Under a rate ratio r the canary gets q(r) = r odds / (1 + r odds) of all clumps. For each
    alternative the bet is exp(theta x - clumps ln(1 + q(margin) (M(theta) - 1))): the exact
    likelihood ratio where events are single, and still fair, whatever its ratio up to the margin,
    where they come in geometric clumps. No tick wins more than its cap, and where events come in
    clumps a breach must stand without the canary's worst spell.

    Args:
        evidence: what earlier ticks left.
        events: canary's and stable's.
        odds: canary's requests to stable's.
        dispersion: variance by mean of the events.
        elapsed: since the first sample.
        channel, tuning: what it is held to.

    """
    canary, stable = events
    both = canary + stable
    null = channel.margin * odds / (1 + channel.margin * odds)
    even = odds / (1 + odds)
    size = clump_size(dispersion)
    stakes, staked, wealth = _stake(evidence, elapsed, channel, tuning)
    cap = (tuning.headroom - math.log(channel.level)) / tuning.looks_to_win
    wealth = _bets(wealth, (canary, both), null=null, size=size, cap=cap, channel=channel)
    total = 1 - staked + sum(math.exp(min(log, 600.0)) for log in wealth) / len(wealth)
    sequential = min(1.0, channel.total / channel.level / max(total, 1.0))
    tick = Span(canary, null * both, both)
    whole = Span(evidence.events, evidence.expected, evidence.both).plus(tick)
    spell = follow(evidence.spell, tick, elapsed, channel.spell)
    looked, fixed = _look(evidence.looked, whole, size, elapsed, channel)
    found = min(sequential, fixed)
    if found <= channel.total and dispersion > channel.spell_from:
        rest = without_worst(spell, whole, size, tuning.spell_part)
        found = max(found, min(1.0, rest * channel.total / tuning.spell_level))
    rule = evidence.rule
    if not rule and found <= channel.total:
        rule = "look" if fixed < sequential else "sequential"
    return Evidence(
        wealth, staked, stakes, whole.events, whole.both, whole.expected,
        evidence.excess + canary * (1 - even),
        evidence.rest + stable * even,
        evidence.noise + both * even * (1 - even),
        looked, min(evidence.chance, found), rule, dispersion, spell,
    )  # fmt: skip


def _bets(
    wealth: tuple[float, ...],
    events: tuple[int, int],
    *,
    null: float,
    size: float,
    cap: float,
    channel: Channel,
) -> tuple[float, ...]:
    """Each bet after the canary's and both arms' events of one tick."""
    canary, both = events
    if not both:
        return wealth
    return tuple(
        log + min(cap, _won(canary, both, null, tilt(ratio, size), size))
        for log, ratio in zip(wealth, channel.ratios, strict=True)
    )


def _won(canary: int, both: int, null: float, tilted: tuple[float, float], size: float) -> float:
    theta, moment = tilted
    return theta * canary - both / size * math.log1p(null * moment)


def _stake(
    evidence: Evidence, elapsed: timedelta, channel: Channel, tuning: Tuning
) -> tuple[int, float, tuple[float, ...]]:
    """Place this minute's stake, if it is due; all of them add up to 1 over any time."""
    if not evidence.stakes:
        first = math.log(tuning.first_stake)
        return 1, tuning.first_stake, (first,) * len(channel.ratios)
    due = int(elapsed / timedelta(minutes=1))
    if due < evidence.stakes:
        return evidence.stakes, evidence.staked, evidence.wealth
    left = 1 - tuning.first_stake
    stake = 0.0
    for number in range(evidence.stakes, due + 1):
        early = number <= tuning.stakes
        rare = 0.2 * tuning.stakes / (number * max(1, number - 1))
        stake += left * (0.8 / tuning.stakes if early else rare)
    log = math.log(stake)
    wealth = tuple(_log_add(before, log) for before in evidence.wealth)
    return due + 1, evidence.staked + stake, wealth


def _look(
    looked: int, whole: Span, size: float, elapsed: timedelta, channel: Channel
) -> tuple[int, float]:
    """Take the fixed look that is due: the chance of so many events, in units of its level."""
    if looked >= len(channel.looks) or elapsed < channel.looks[looked][0]:
        return looked, 1.0
    while looked + 1 < len(channel.looks) and elapsed >= channel.looks[looked + 1][0]:
        looked += 1
    level = channel.looks[looked][1]
    if not whole.both or whole.excess <= 0:
        return looked + 1, 1.0
    chance = at_least(whole.events, whole.both, whole.expected / whole.both, size)
    return looked + 1, min(1.0, chance * channel.total / level)


def exceeds(events: int, trials: int, limit: float, looks: int) -> float:
    """Chance, at most, of this many events if the true rate were at the limit.

    Chernoff's bound exp(-n KL(p, limit)) (Hoeffding 1963), times looks (looks + 1) so that it
    holds at all looks together.
    """
    if not trials or events <= limit * trials:
        return 1.0
    p = min(1.0, events / trials)
    divergence = p * math.log(p / limit)
    if p < 1:
        divergence += (1 - p) * math.log((1 - p) / (1 - limit))
    return min(1.0, looks * (looks + 1) * math.exp(-trials * divergence))


def _log_add(a: float, b: float) -> float:
    high, low = max(a, b), min(a, b)
    return high + math.log1p(math.exp(low - high))
