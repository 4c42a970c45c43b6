"""A split that nobody answers for: the store came back empty, or a hand was at the router.

Such a canary is put on record, judged, shown to people, and rolled back when nobody claims it.
"""

from dataclasses import replace

from bot.core import judge
from bot.core.canary import AwaitingDecision, Canary, Promoted
from bot.core.commands import Found
from bot.core.effects import Topic
from bot.core.milestones import published
from bot.core.moves import Transition, announce, telling
from bot.core.plan import FULL, ZERO, Split, Step
from bot.core.slo import Arms


def stray(split: Split, last: Canary | None) -> Arms[str] | None:
    """Which arm is which in a split that no live canary explains.

    Args:
        split: as the router tells it.
        last: the service's last canary, ended; it knows which backend is stable.

    Returns:
        None where one backend has all the traffic, or where more than two share it: then nobody
        can tell what is meant.

    """
    carrying = sorted(
        (backend for backend, weight in split.items() if weight > ZERO),
        key=lambda backend: (split[backend], backend),
    )
    if len(carrying) != 2 or any(split[backend] == FULL for backend in carrying):
        return None
    lighter, heavier = carrying
    stable = _stable_after(last)
    if stable == lighter:
        lighter, heavier = heavier, lighter
    return Arms(canary=lighter, stable=heavier)


def _stable_after(last: Canary | None) -> str | None:
    if last is None or last.arms is None:
        return None
    return last.arms.canary if isinstance(last.phase, Promoted) else last.arms.stable


def begin_found(found: Found) -> Transition:
    """A canary that waits to be claimed, judged meanwhile."""
    plan = replace(found.plan, steps=(Step(found.weight, found.plan.steps[0].window),))
    canary = Canary(
        id=found.canary_id,
        service=found.service,
        revision=found.revision,
        plan=plan,
        phase=AwaitingDecision(0, "orphan", found.at, found.at + found.grace),
        channel=found.channel,
        started_by=found.by,
        created_at=found.at,
        judge=judge.begin(plan.objectives),
        arms=found.arms,
        asked=found.weight,
        next_look_at=found.at,
        last_look_at=found.at,
    ).noted(found.at, f"found at {found.weight}, with no record of it", found.by)
    detail = (
        f"{found.arms.canary} carries {found.weight} of {found.service}'s traffic, and no record "
        "says why. Promote it if it is wanted"
    )
    move = telling(announce(canary), Topic.DECISION_NEEDED, found.at, detail)
    return published(None, move, found.at)
