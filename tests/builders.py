"""Valid values by default; a test says only what matters to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.canary import Canary, Observing, Thread
from bot.core.judge import begin
from bot.core.plan import Actor, Gate, Plan, Step, Weight
from bot.core.slo import Arms, Objectives
from bot.ports import Turn

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ADA = Actor("U0ADA0001", "ada")
GRACE = Actor("U0GRACE01", "grace", ("S0APPROVE",))
ARMS = Arms(canary="green", stable="blue")


async def _nobody_else() -> None:
    """No other replica wants to say it."""


FIRST = Turn(again=False, confirm=_nobody_else)
AGAIN = Turn(again=True, confirm=_nobody_else)


def a_plan(**changes: Any) -> Plan:
    """One step of 5 % for 20 minutes, promoted by the numbers."""
    plan = Plan(
        tier="safe",
        steps=(Step(Weight.percent(5), timedelta(minutes=20)),),
        tick=timedelta(seconds=10),
        objectives=Objectives(),
        decision=Gate(("S0APPROVE",), timedelta(minutes=30)),
    )
    return replace(plan, **changes)


def a_canary(**changes: Any) -> Canary:
    """A canary of shop v2, five minutes into its window, its message posted."""
    plan = changes.pop("plan", a_plan())
    canary = Canary(
        id="shop-k3x9ab",
        service="shop",
        revision="v2",
        plan=plan,
        phase=Observing(0, NOON, NOON + timedelta(minutes=20), NOON + timedelta(minutes=40)),
        channel="C0DEPLOYS",
        started_by=ADA,
        created_at=NOON,
        judge=begin(plan.objectives),
        arms=ARMS,
        stable_revision="v1",
        asked=Weight.percent(5),
        next_look_at=NOON + timedelta(minutes=5),
        last_look_at=NOON + timedelta(minutes=4, seconds=50),
        thread=Thread("C0DEPLOYS", "1772452800.000100"),
    )
    return replace(canary, **changes)
