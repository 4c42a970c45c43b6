"""What a webhook says: everything its receiver needs, and what the schema promises."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from builders import ADA, GRACE, NOON, a_canary, a_plan

import adapters.publishing
from adapters.publishing.content import content
from bot.core.assessment import Assessment
from bot.core.canary import (
    AwaitingDecision,
    Cause,
    Paused,
    PendingApproval,
    Phase,
    Preparing,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
    Shifting,
)
from bot.core.effects import Milestone
from bot.core.plan import Approval, Dashboard, Gate
from bot.core.slo import Sli
from bot.core.verdict import Finding, Health
from bot.ports import Notice

BREACH = Finding(
    Sli.ERRORS, Health.BREACHED, 0.042, 0.003, float("inf"), "at most 1.05 times", 1 / 4000,
    "42 of 1,000 requests failed, 3 of 1,000 at stable", ("user 17 not found",), 4.1, None,
    "sequential",
)  # fmt: skip
CAUSE = Cause("breach", "errors: 14 times stable's", findings=(BREACH,))
BACK = RolledBack(CAUSE, NOON + timedelta(minutes=6), timedelta(seconds=2))
NOTICE = Notice("n-3", 3, Milestone.ROLLED_BACK, BACK.at, "rolled back", a_canary(phase=BACK))
PHASES: list[Phase] = [
    PendingApproval(NOON, NOON + timedelta(minutes=30), (Approval(GRACE, NOON),)),
    Preparing(NOON),
    Shifting(0, NOON),
    a_canary().phase,
    Paused(0, ADA, NOON, timedelta(minutes=3), timedelta(0)),
    AwaitingDecision(0, "promote", NOON, NOON + timedelta(minutes=30)),
    Promoting(0, NOON, GRACE),
    Promoted(NOON, GRACE),
    RollingBack(CAUSE, NOON),
    BACK,
    Rejected("not today", NOON, ADA),
]


def schema() -> Any:
    path = Path(adapters.publishing.__file__).with_name("schema.json")
    return json.loads(path.read_text())


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.kind)
@pytest.mark.parametrize("milestone", list(Milestone))
def test_every_notice_is_what_the_schema_says(phase: Phase, milestone: Milestone) -> None:
    """And nothing in it is left undocumented."""
    plan = a_plan(
        start_gate=Gate(("S0APPROVE",), timedelta(minutes=30), 2),
        dashboards=(
            Dashboard("Grafana", "https://g.example/{service}/{revision}?f={from}&t={to}"),
        ),
        assessment=Assessment("safe", url="https://code.example/compare"),
        reasons=("it touches billing",),
    )
    canary = a_canary(phase=phase, plan=plan, revision="läden/🛒\ud800 v2")
    body = content(replace(NOTICE, milestone=milestone, canary=canary))
    told = json.loads(body)

    jsonschema_rs.validator_for(schema(), validate_formats=True).validate(told)
    assert set(told["data"]) == set(schema()["properties"]["data"]["properties"])
    assert told["data"]["phase"] == phase.kind
    assert b"NaN" not in body
    assert b"Infinity" not in body
    assert b"user 17" not in body
    assert len(body) < 20_000


def test_a_rollback_says_which_objective_how_far_and_how_sure() -> None:
    """A receiver needs to ask nobody else."""
    told = json.loads(content(NOTICE))["data"]
    finding = told["cause"]["findings"][0]
    assert (finding["sli"], finding["canary"], finding["stable"]) == ("errors", 0.042, 0.003)
    assert finding["ratio"] is None  # JSON has no infinity
    assert finding["odds"] == "at most 1 in 4,000 by chance"
    assert told["took_seconds"] == 2
    assert told["weight_percent"] == 0
