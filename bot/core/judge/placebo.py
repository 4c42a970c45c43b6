"""Stable's instances compared to each other: how uneven healthy instances are by themselves.

A pod with a noisy neighbour or a poison client pinned to it is as likely on stable as on the canary.
Between twenty healthy pods one sees how often that happens, which two sums cannot tell.
"""

from dataclasses import dataclass, field, replace

from bot.core.slo import Traffic
from bot.core.tuning import Tuning

FEWEST = 3
"""Instances below which there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Group:
    """Errors and requests by instance in blocks of one length.

    Attributes:
        counts: `(errors, requests)` of the block being filled, by instance.
        ticks: in it so far.
        chi, freedom, events: of the closed blocks.

    """

    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    ticks: int = 0
    chi: float = 0.0
    freedom: int = 0
    events: int = 0


@dataclass(frozen=True, slots=True)
class Placebo:
    """Errors by instance, at each block length; empty where instances are not told apart."""

    groups: tuple[Group, ...] = ()


def placebo(before: Placebo, instances: dict[str, Traffic], tuning: Tuning) -> Placebo:
    """Take one tick of stable's instances."""
    if len(instances) < FEWEST:
        return before
    groups = before.groups or (Group(),) * len(tuning.placebo_blocks)
    return Placebo(
        tuple(
            _filled(group, instances, length)
            for group, length in zip(groups, tuning.placebo_blocks, strict=True)
        )
    )


def dispersion(known: Placebo, tuning: Tuning) -> float | None:
    """Dispersion of errors between healthy instances; None while too little is known."""
    worst: float | None = None
    for group in known.groups:
        if group.freedom < 2 * tuning.prior_weight or group.events < tuning.prior_weight:
            continue
        weight = 2 * group.freedom / (2 + group.freedom / group.events)
        prior = tuning.prior * tuning.prior_weight
        found = weight * group.chi / group.freedom
        value = (found + prior) / (weight + tuning.prior_weight)
        worst = max(worst or 1.0, value)
    return worst


def _filled(group: Group, instances: dict[str, Traffic], length: int) -> Group:
    counts = dict(group.counts)
    for name, traffic in instances.items():
        errors, requests = counts.get(name, (0, 0))
        counts[name] = (errors + traffic.errors, requests + traffic.requests)
    if group.ticks + 1 < length:
        return replace(group, counts=counts, ticks=group.ticks + 1)
    errors = sum(count for count, _ in counts.values())
    requests = sum(count for _, count in counts.values())
    if not errors or not requests:
        return Group(chi=group.chi, freedom=group.freedom, events=group.events)
    rate = errors / requests
    served = [(y, rate * n) for y, n in counts.values() if n]
    chi = sum((y - expected) ** 2 / expected for y, expected in served)
    return Group(
        chi=group.chi + chi,
        freedom=group.freedom + len(served) - 1,
        events=group.events + errors,
    )
