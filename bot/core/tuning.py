"""Every threshold of the judge beside the objectives; the defaults were chosen on the benchmark."""

from dataclasses import dataclass
from datetime import timedelta

Looks = tuple[tuple[timedelta, float], ...]
"""When a fixed look is taken, counted from the first sample, and its level in alphas."""


def _looks(*levels: float) -> Looks:
    return tuple(
        (timedelta(minutes=5 * number), level) for number, level in enumerate(levels, start=1)
    )


ERROR_LOOKS = _looks(0.05, 0.12, 0.25, 0.45)
LATENCY_LOOKS = _looks(0.02, 0.03, 0.04, 0.06)


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the judge weighs evidence. Levels are in units of `Objectives.alpha`.

    The levels are calibrated, not added up: at these the benchmark's healthy canaries are rolled
    back about as often as `alpha` says in the worst family and far less in all others.

    Attributes:
        error_level, latency_level, log_level: level of the bet that is looked at on every tick:
            of errors, of each of the four latency bounds, of all log signatures together.
        error_looks, latency_looks: fixed looks, which spend what the bet leaves unspent.
        error_ratios, latency_ratios: the alternatives that are bet on, in margins.
        first_stake: staked at the first look; the rest is staked minute by minute, for a late
            onset. `stakes` is how many minutes share most of it.
        looks_to_win, headroom: no single tick may win more than (threshold + headroom) /
            looks_to_win, so that a rollback needs at least that many bad ticks.
        memory: canary requests over which the split of traffic is averaged; where one tick has
            more than that, its own split counts.
        blocks: lengths, in ticks, at which the clumping of events is measured.
        history: ticks of stable's past after which its clumping is taken as known.
        prior, prior_weight: clumping expected before anything was seen, and the blocks it counts.
        unknown: clumping assumed at least, while stable has been seen for `settle` ticks or less.
        floor, knee, safety, growth: the clumping in use is at least `floor`; what exceeds `knee`
            is multiplied by `safety`; `growth` carries on the rise between the two longest blocks
            where it is above `growth_knee`. While stable has had n events, the clumping is
            raised by the part `unsure` / (n + 1), at most by all of it.
        paired_events, paired_blocks, paired_z: canary events expected, blocks seen and normal
            quantile of the upper bound before the arms' difference may say that the clumping is
            common to both.
        promote_margin, promote_z: promoted only if the ratio's upper bound at this normal
            quantile is at most the margin.
        promote_extra: or, where the canary had none, if its error rate is surely at most this much
            above stable's.
        promote_slow: or, where stable has next to nothing beyond the bound, if the canary surely has
            at most this part of what moves the percentile (5 % for p95, 1 % for p99).
        tails: shares of stable's requests beyond the bounds that p95 and p99 are judged at.
        bound_requests: stable requests before the bounds are chosen; `fewest_for_bounds` will do
            when the canary is already running.
        log_block: a signature counts once in so long. `log_blocks`: times that the canary alone
            must log it before it can be a breach, `log_late` of them after the warm-up.
        log_margin: ratio of log rates that is still no news; `log_history`: what a request of
            stable's past counts, beside one in the window.
        log_rising: ratio at which a signature that stable logs as well is bet to rise.
        most_signatures, most_known: signatures tracked at once, and remembered of the past.
        restarts: restarts of the canary's processes that are a crash loop.
        placebo_blocks: lengths, in ticks, at which stable's instances are compared to each other.

    """

    error_level: float = 0.6
    latency_level: float = 0.12
    log_level: float = 0.2
    error_looks: Looks = ERROR_LOOKS
    latency_looks: Looks = LATENCY_LOOKS
    error_ratios: tuple[float, ...] = (1.6, 2.3, 3.8, 7.6, 24.0)
    latency_ratios: tuple[float, ...] = (1.55, 2.3, 3.6, 9.0)
    first_stake: float = 0.6
    stakes: int = 20
    looks_to_win: float = 3.0
    headroom: float = 1.5
    memory: float = 15.0
    blocks: tuple[int, ...] = (1, 3, 6, 12, 24)
    history: int = 180
    prior: float = 1.15
    prior_weight: float = 8.0
    unknown: float = 2.0
    settle: int = 90
    floor: float = 1.05
    knee: float = 1.3
    safety: float = 1.5
    growth: float = 2.5
    growth_knee: float = 1.5
    unsure: float = 8.0
    paired_events: float = 60.0
    paired_blocks: int = 6
    paired_z: float = 1.28
    promote_margin: float = 1.5
    promote_z: float = 1.96
    promote_extra: float = 0.005
    promote_slow: float = 0.5
    tails: tuple[tuple[float, float], tuple[float, float]] = ((0.03, 0.08), (0.01, 0.004))
    bound_requests: int = 1000
    fewest_for_bounds: int = 200
    log_block: timedelta = timedelta(seconds=30)
    log_blocks: int = 3
    log_late: int = 2
    log_margin: float = 2.0
    log_history: float = 0.5
    log_rising: float = 8.0
    most_signatures: int = 40
    most_known: int = 400
    restarts: int = 3
    placebo_blocks: tuple[int, ...] = (6, 24, 120)

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ValueError: naming the field, what it is and what it must be.

        """
        for name in ("error_level", "latency_level", "log_level", "prior_weight", "memory"):
            if getattr(self, name) <= 0:
                raise ValueError(f"judge: {name} is {getattr(self, name):g}; it must be above 0")
        for name in ("floor", "prior", "unknown", "safety", "looks_to_win", "promote_margin"):
            if getattr(self, name) < 1:
                raise ValueError(f"judge: {name} is {getattr(self, name):g}; it must be 1 or more")
        if min(*self.error_ratios, *self.latency_ratios) <= 1:
            raise ValueError("judge: a ratio that is bet on must be above 1: it is in margins")
        if not 0 < self.first_stake < 1:
            raise ValueError(f"judge: first_stake is {self.first_stake:g}; it must be in (0, 1)")
        if tuple(sorted(set(self.blocks))) != self.blocks or not self.blocks:
            raise ValueError(f"judge: blocks are {self.blocks}; they must rise, from 1 on")
