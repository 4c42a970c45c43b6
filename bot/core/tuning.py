"""Every threshold of the judge beside the objectives; the defaults were chosen on the benchmark."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

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
        floor, knee, safety: the clumping in use is at least `floor`; what exceeds `knee` is
            multiplied by `safety`. While stable has had n events, the clumping is raised by the
            part `unsure` / (n + 1), at most by all of it.
        error_spell, latency_spell, spell_level: the chance that a healthy canary has so many events
            outside its worst spell, this long at most, must be at most `spell_level` as well, since
            one session or stall may be larger than any that stable has shown.
        spell_part: of the time so far, the most that a spell may be, so that what lasts is found
            early as well.
        error_clumps, latency_clumps: asked only where the clumping is above this. Slow requests
            come in spells that the many ordinary ones hide: there it is always asked.
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
        bound_requests, bound_ticks: stable requests, and ticks of its past, before the bounds are
            chosen; `fewest_for_bounds` requests will do when the canary is already running.
        log_block: a signature counts once in so long. `log_blocks`: times that the canary alone
            must log it before it can be a breach, `log_late` of them after the warm-up.
        log_margin: ratio of log rates that is still no news; `log_history`: what a request of
            stable's past counts, beside one in the window.
        log_rising: ratio at which a signature that stable logs as well is bet to rise.
        most_signatures, most_known: signatures tracked at once, and remembered of the past.
        restarts: restarts of the canary's processes that are a crash loop.
        placebo_blocks: lengths, in ticks, at which stable's instances are compared to each other.

    """

    error_level: float = 0.8
    latency_level: float = 0.12
    log_level: float = 0.2
    error_looks: Looks = ERROR_LOOKS
    latency_looks: Looks = LATENCY_LOOKS
    error_ratios: tuple[float, ...] = (1.6, 2.3, 3.8, 7.6, 24.0)
    latency_ratios: tuple[float, ...] = (1.55, 2.3, 3.6, 9.0)
    first_stake: float = 0.7
    stakes: int = 20
    looks_to_win: float = 3.0
    headroom: float = 2.5
    memory: float = 15.0
    blocks: tuple[int, ...] = (1, 3, 6, 12, 24)
    history: int = 180
    prior: float = 1.15
    prior_weight: float = 8.0
    unknown: float = 2.0
    settle: int = 90
    floor: float = 1.05
    knee: float = 1.3
    safety: float = 1.3
    unsure: float = 8.0
    error_spell: timedelta = timedelta(minutes=5)
    latency_spell: timedelta = timedelta(minutes=10)
    spell_level: float = 0.05
    spell_part: float = 0.5
    error_clumps: float = 1.35
    latency_clumps: float = 1.0
    paired_events: float = 60.0
    paired_blocks: int = 6
    paired_z: float = 1.28
    promote_margin: float = 1.5
    promote_z: float = 1.96
    promote_extra: float = 0.005
    promote_slow: float = 0.5
    tails: tuple[tuple[float, float], tuple[float, float]] = ((0.03, 0.08), (0.01, 0.004))
    bound_requests: int = 1000
    bound_ticks: int = 30
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
        for name, (least, most, strictly) in _RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most or (strictly and value in (least, most)):
                raise ValueError(f"judge: {name} is {value:g}; it must be {_said(name)}")
        for name in ("error_spell", "latency_spell"):
            if getattr(self, name) < timedelta(minutes=1):
                found = getattr(self, name).total_seconds()
                raise ValueError(f"judge: {name} is {found:g} s; it must be a minute or more")
        if self.log_block < timedelta(0):
            raise ValueError("judge: log_block must not be negative")
        for name in ("error_ratios", "latency_ratios"):
            if not getattr(self, name) or min(getattr(self, name)) <= 1:
                raise ValueError(f"judge: {name} must all be above 1, for they are in margins")
        for name in ("blocks", "placebo_blocks"):
            found = getattr(self, name)
            if not found or tuple(sorted({*found})) != found or found[0] < 1:
                raise ValueError(f"judge: {name} are {found}; they must rise, from 1 on")
        for name in ("error_looks", "latency_looks"):
            times = [at for at, _ in getattr(self, name)]
            if times != sorted(times) or any(level <= 0 for _, level in getattr(self, name)):
                raise ValueError(f"judge: {name} must rise in time, each with a level above 0")
        if not all(0 < share < 1 for pair in self.tails for share in pair):
            raise ValueError(f"judge: tails are {self.tails}; shares lie between 0 and 1")


_ENDLESS = math.inf
_RANGES: Final[dict[str, tuple[float, float, bool]]] = {
    **dict.fromkeys(
        ("error_level", "latency_level", "log_level", "prior_weight", "memory", "promote_z"),
        (0.0, _ENDLESS, True),
    ),
    **dict.fromkeys(
        ("floor", "knee", "prior", "unknown", "safety", "looks_to_win", "promote_margin"),
        (1.0, _ENDLESS, False),
    ),
    **dict.fromkeys(("log_margin", "log_rising"), (1.0, _ENDLESS, True)),
    **dict.fromkeys(("first_stake", "spell_level", "spell_part"), (0.0, 1.0, True)),
    **dict.fromkeys(
        ("headroom", "unsure", "error_clumps", "latency_clumps", "paired_events", "paired_z",
         "promote_extra", "promote_slow", "log_history", "history", "settle", "bound_ticks",
         "log_late"),
        (0.0, _ENDLESS, False),
    ),
    **dict.fromkeys(
        ("stakes", "paired_blocks", "bound_requests", "fewest_for_bounds", "log_blocks",
         "most_signatures", "most_known", "restarts"),
        (1.0, _ENDLESS, False),
    ),
}  # fmt: skip
"""The least and the most each may be, and whether it must lie between them strictly."""


def _said(name: str) -> str:
    least, most, strictly = _RANGES[name]
    if most < _ENDLESS:
        return f"between {least:g} and {most:g}"
    return f"above {least:g}" if strictly else f"{least:g} or more"
