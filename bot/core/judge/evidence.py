"""Evidence that the canary has more than its share of some event, as an e-process."""

import math
from dataclasses import dataclass
from typing import Final

from bot.core.slo import Arms

RATIOS: Final = (1.45, 2.0, 3.2, 5.5, 11.0, 36.0)
"""Alternatives that are bet on: ratios of the canary's event rate to stable's, in margins."""

CLUMPING: Final = 1.3
"""Events come in clumps (a retry, one broken client); evidence is divided by this dispersion."""

FIRST_BET: Final = 0.5
"""Staked at the first look; the rest is staked later, so that a late onset is found too."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A running bet on each ratio.

    Attributes:
        wealth: log of what the bet on each of `RATIOS` has become.
        bets: how many stakes have been placed.
        peak: log of the highest total wealth so far; `exp(-peak)` bounds the chance that a
            healthy canary ever looks this bad.

    """

    wealth: tuple[float, ...] = (-math.inf,) * len(RATIOS)
    bets: int = 0
    peak: float = 0.0

    @property
    def chance(self) -> float:
        """Chance, at most, that a canary no worse than the margin looks this bad at any look."""
        return min(1.0, math.exp(-self.peak))


def weigh(
    evidence: Evidence, events: Arms[int], requests: Arms[int], *, margin: float, alpha: float
) -> Evidence:
    """Take what happened in one look and bet on.

    Under a rate ratio r the canary's share of both arms' events is q(r) = r nc / (r nc + ns). The
    likelihood ratio of q(r) against q(margin) is a fair bet for every true ratio up to the margin,
    since it rises with the canary's events. No single look may win more than a third of what a
    rollback needs: one bad moment is not a trend.

    Args:
        evidence: what earlier looks left.
        events, requests: of each arm in the same window; without requests in both nothing changes.
        margin: the largest ratio that is still no news.
        alpha: the chance at which the caller will call it a breach.

    """
    if not requests.canary or not requests.stable:
        return evidence
    odds = requests.canary / requests.stable
    null = margin * odds / (1 + margin * odds)
    cap = -math.log(alpha) / 3
    stake = _stake(evidence.bets)
    wealth = tuple(
        _log_add(before, math.log(stake))
        + min(cap, _log_ratio(events, ratio * margin * odds, null) / CLUMPING)
        for before, ratio in zip(evidence.wealth, RATIOS, strict=True)
    )
    bets = evidence.bets + 1
    unstaked = (1 - FIRST_BET) / bets
    total = unstaked + sum(math.exp(min(log, 700.0)) for log in wealth) / len(wealth)
    return Evidence(wealth, bets, max(evidence.peak, math.log(total)))


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


def _stake(bets: int) -> float:
    """Stakes add up to 1 over any number of looks: a half at first, then 1/2 / (k (k + 1))."""
    return FIRST_BET if bets == 0 else (1 - FIRST_BET) / (bets * (bets + 1))


def _log_ratio(events: Arms[int], odds: float, null: float) -> float:
    share = odds / (1 + odds)
    return events.canary * math.log(share / null) + events.stable * math.log(
        (1 - share) / (1 - null)
    )


def _log_add(a: float, b: float) -> float:
    high, low = max(a, b), min(a, b)
    return high + math.log1p(math.exp(low - high))
