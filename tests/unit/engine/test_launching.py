"""Whoever starts a canary: its tier follows from its change, and leave is asked where it is due."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import ADA, GRACE, a_plan
from world import Bot, a_start

from bot.core.assessment import Assessment, Reason
from bot.core.canary import Canary, PendingApproval, Promoted
from bot.core.change import Change
from bot.core.commands import Approve
from bot.core.freezes import ALL, Freeze
from bot.core.machine import Refused
from bot.core.plan import ANYONE, Actor, Gate, Plan
from bot.engine.launching import Launcher, Wish, with_leave

HOUR = timedelta(hours=1)
KEEPERS = Gate(("S0BOSS",), HOUR, author=False)
BOSS = Actor("U0BOSS001", "boss", ("S0BOSS",))
RISKY = Assessment("risky", (Reason("risky", "it touches billing"),))


@dataclass
class Planned:
    """Two tiers, and keepers."""

    gate: Gate = KEEPERS
    made: list[Assessment | None] = field(default_factory=list)

    def channel_of(self, service: str) -> str:
        return "C0DEPLOYS"

    def keepers(self, service: str) -> Gate:
        return self.gate

    def plan_for(
        self,
        service: str,
        *,
        tier: str | None,
        percent: str | None,
        window: str | None,
        assessment: Assessment | None,
    ) -> Plan:
        if percent == "500":
            raise ValueError("500 % is more than all the traffic")
        self.made.append(assessment)
        due = assessment.tier if assessment else "safe"
        chosen = tier or due
        return replace(
            a_start().plan,
            tier=chosen,
            promote_gate=self.gate if chosen == "risky" else None,
            lowered_from=due if (due, chosen) == ("risky", "safe") else "",
        )


@dataclass
class Found:
    """Finds a risky change."""

    found: Assessment = RISKY
    asked: int = 0

    async def assess(self, service: str, revision: str, sent: Change | None = None) -> Assessment:
        self.asked += 1
        return self.found

    async def stable(self, service: str) -> str | None:
        return "v1"


@pytest.fixture
def launch(bot: Bot) -> Callable[..., Launcher]:
    def made(planned: Planned | None = None, found: Found | None = None) -> Launcher:
        return Launcher(
            starter=bot.service,
            planner=planned or Planned(),
            assessor=found or Found(),
            clock=bot.service._clock,
            new_canary_id=lambda service: f"{service}-abc123",
        )

    return made


def wish(by: Actor = ADA, **more: Any) -> Wish:
    return Wish("shop", "v2", by, **more)


async def test_the_tier_is_the_changes(launch: Callable[..., Launcher]) -> None:
    canary = await launch().launch(wish())
    assert isinstance(canary, Canary)
    assert (canary.plan.tier, canary.plan.promote_gate) == ("risky", KEEPERS)


async def test_what_makes_no_plan_is_said_before_anything_is_asked(
    launch: Callable[..., Launcher],
) -> None:
    found = Found()
    with pytest.raises(ValueError, match="more than all"):
        await launch(found=found).launch(wish(percent="500"))
    assert found.asked == 0


@pytest.mark.parametrize("by", [ADA, BOSS])
async def test_a_lower_tier_waits_for_another_who_may(
    bot: Bot, launch: Callable[..., Launcher], by: Actor
) -> None:
    """Also where an approver asks for it: who starts it does not count for its own change."""
    canary = await launch().launch(wish(by, tier="safe"))
    assert isinstance(canary, Canary)
    assert isinstance(canary.phase, PendingApproval)
    assert "asked to lower the tier from risky to safe" in canary.timeline[-1].text
    own = await bot.service.command(canary.id, Approve(by, datetime.now(UTC), "start"))
    assert isinstance(own, Refused)
    other = replace(BOSS, id="U0BOSS002", name="other")
    assert isinstance(
        await bot.service.command(canary.id, Approve(other, datetime.now(UTC), "start")), Canary
    )
    ended = await bot.until(canary.id, lambda each: each.is_finished)
    assert isinstance(ended.phase, Promoted)


async def test_an_approver_whose_own_word_counts_lowers_at_once(
    launch: Callable[..., Launcher],
) -> None:
    gate = replace(KEEPERS, author=True)
    canary = await launch(Planned(gate)).launch(wish(BOSS, tier="safe"))
    assert isinstance(canary, Canary)
    assert not isinstance(canary.phase, PendingApproval)
    assert canary.plan.lowered_from == "risky"


def test_leave_wants_no_fewer_than_the_lower_tier_does() -> None:
    plan = replace(a_plan(), lowered_from="risky", start_gate=Gate((ANYONE,), HOUR, needed=3))
    assert with_leave(plan, KEEPERS, ADA).start_gate == replace(KEEPERS, needed=3)
    assert with_leave(replace(plan, lowered_from=""), KEEPERS, ADA) == replace(
        plan, lowered_from=""
    )


@pytest.mark.parametrize(
    "by",
    [
        ADA,
        GRACE,
        Actor("token:ci", "ci"),
        Actor("U0BOSS001", "boss", ("S0BOSS",), via="token:ci"),
    ],
)
async def test_only_an_approver_overrides_a_freeze(
    bot: Bot, launch: Callable[..., Launcher], by: Actor
) -> None:
    """A machine that says it speaks for one does not."""
    await bot.service.freeze(Freeze(ALL, GRACE, "the sale", datetime.now(UTC), None))
    answer = await launch().launch(wish(by, override="nobody can pay"))
    assert isinstance(answer, Refused)
    assert "in spite of a freeze" in answer.reason


async def test_an_approvers_override_is_on_record(
    bot: Bot, launch: Callable[..., Launcher]
) -> None:
    await bot.service.freeze(Freeze(ALL, GRACE, "the sale", datetime.now(UTC), None))
    canary = await launch().launch(wish(BOSS, override="nobody can pay"))
    assert isinstance(canary, Canary)
    assert canary.override is not None
    assert (canary.override.by, canary.override.reason) == (BOSS, "nobody can pay")
    assert any("overrode the freeze of everything" in entry.text for entry in canary.timeline)


async def test_whoever_asks_twice_can_name_the_canary_first(
    launch: Callable[..., Launcher],
) -> None:
    canary = await launch().naming("shop-mine12").launch(wish())
    assert isinstance(canary, Canary)
    assert canary.id == "shop-mine12"
