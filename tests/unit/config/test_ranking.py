"""The order of the tiers: only the safe ones promote by themselves, whatever the file says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.config import Settings
from bot.core.assessment import Assessment, Impact, Reason, Statement
from bot.core.change import Change, ChangedFile, Seen, Unseen
from bot.core.plan import ANYONE
from bot.core.risk import History, assess

AUTO: dict[str, Any] = {"promote": "auto"}
ASKS: dict[str, Any] = {"promote": "approval", "approvers": ["S0APPROVE"]}


def settings(tiers: dict[str, Any], tier: str, **more: Any) -> Settings:
    memory = {"adapter": "memory"}
    service = {"tier": tier, "traffic": memory, "metrics": memory}
    return Settings.model_validate(
        {"slack": {"channel": "C0DEPLOYS"}, "tiers": tiers, "services": {"shop": service}, **more}
    )


@pytest.mark.parametrize(
    ("tiers", "names"),
    [
        ({"safe": AUTO}, ("safe", "unknown", "risky")),
        ({"safe": AUTO, "slow": AUTO}, ("safe", "slow", "unknown", "risky")),
        ({"safe": AUTO, "risky": ASKS}, ("safe", "unknown", "risky")),
        ({"safe": AUTO, "a": ASKS, "b": ASKS}, ("safe", "unknown", "a", "b")),
        ({"risky": ASKS}, ("unknown", "risky")),
        ({"safe": AUTO, "unknown": ASKS, "b": ASKS}, ("safe", "unknown", "b")),
        ({"risky": AUTO}, ("risky", "unknown", "risky-asks")),
    ],
)
def test_what_is_missing_is_added(tiers: dict[str, Any], names: tuple[str, ...]) -> None:
    """A last tier that asks, and one for what cannot be seen, below the first that asks."""
    made = settings(tiers, next(iter(tiers)))
    assert made.tier_names() == names
    assert made.ranking[names[-1]].asks


def test_the_added_tier_asks_anyone_but_the_author() -> None:
    plan = settings({"safe": AUTO}, "safe").plan_for("shop", tier="risky")
    assert plan.promote_gate is not None
    assert plan.promote_gate.approvers == (ANYONE,)
    assert not plan.promote_gate.author
    assert plan.steps[0].window == timedelta(minutes=20)


@pytest.mark.parametrize(
    ("tiers", "risk", "said"),
    [
        ({"safe": AUTO, "risky": ASKS, "fast": AUTO}, {}, "fast, which promotes by itself"),
        ({"safe": AUTO, "a": ASKS, "b": AUTO, "c": ASKS}, {}, "b, which promotes by itself"),
        ({"asking": AUTO, "risky": ASKS}, {}, "no tier can be named asking"),
        ({"safe": AUTO, "riskiest": ASKS}, {}, "no tier can be named riskiest"),
        ({"safe": AUTO, "risky": ASKS}, {"unknown": "safe"}, "must not promote by itself"),
        ({"safe": AUTO, "risky": ASKS}, {"unknown": "nobody"}, "there is no tier nobody"),
        ({"unknown": AUTO, "risky": ASKS}, {}, "must not promote by itself"),
        ({}, {}, "at least 1"),
    ],
)
def test_an_order_that_would_promote_the_risky_ones_is_refused(
    tiers: dict[str, Any], risk: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(tiers, next(iter(tiers), "safe"), risk=risk)


@given(
    kinds=st.lists(st.booleans(), min_size=1, max_size=5),
    own=st.integers(0, 4),
    what=st.sampled_from(["unseen", "drop", "billing", "cut off"]),
)
def test_nothing_but_a_seen_and_harmless_change_promotes_by_itself(
    kinds: list[bool], own: int, what: str
) -> None:
    """Whatever tiers there are, and whichever is the service's own."""
    tiers = {f"t{n}": ASKS if asks else AUTO for n, asks in enumerate(kinds)}
    try:
        made = settings(tiers, f"t{own % len(kinds)}")
    except ValidationError:
        return
    drop = ChangedFile("db/migrations/2.sql", "added", after="DROP TABLE users;")
    changes: dict[str, Seen] = {
        "unseen": Unseen("away"),
        "drop": Change("v1", "v2", (drop,), source="git"),
        "billing": Change("v1", "v2", (ChangedFile("src/billing/a.py"),), source="git"),
        "cut off": Change("v1", "v2", (ChangedFile("a.py"),), complete=False, source="git"),
    }
    found = assess(changes[what], History(datetime(2026, 3, 2, tzinfo=UTC)), made.policy)
    plan = made.plan_for("shop", assessment=found)
    assert plan.promote_gate is not None
    assert not plan.lowered_from
    assert plan.reasons
    if what == "drop":
        assert plan.tier == made.tier_names()[-1]


def test_a_canary_that_nobody_remembers_is_planned_as_unseen() -> None:
    made = settings({"safe": AUTO, "risky": ASKS}, "safe")
    assert made.plan_for_unseen("shop").tier == "unknown"
    assert settings({"safe": AUTO, "risky": ASKS}, "risky").plan_for_unseen("shop").tier == "risky"


def test_the_reasons_are_those_of_the_tier() -> None:
    """What matters most first; a service's own tier says so where it decides."""
    made = settings({"safe": AUTO, "risky": ASKS}, "safe")
    found = Assessment(
        "risky",
        (Reason("risky", "it touches billing"), Reason("unknown", "odd"), Reason("safe", "small")),
        (Statement("1.sql", 1, "DROP TABLE a", Impact.NOT_ADDITIVE, "it is gone"),),
    )
    assert made.plan_for("shop", assessment=found).reasons == ("it touches billing",)
    lowered = made.plan_for("shop", tier="safe", assessment=found)
    assert lowered.lowered_from == "risky"
    assert lowered.reasons[0] == "instead of risky, as asked for this start"
    own = settings({"safe": AUTO, "risky": ASKS}, "risky")
    assert own.plan_for("shop").reasons == ("configured for shop",)
