"""A wrong configuration is answered with its line, the reason and the known choices."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.config import ConfigError, Settings, load
from bot.config.example import EXAMPLE
from bot.config.units import duration, fraction, weight, written
from bot.core.plan import ANYONE, Dashboard, Weight
from bot.core.slo import Sli

GOOD = """\
slack: {channel: C0DEPLOYS}
tick: 2s
tiers:
  safe: {percent: 5, window: 20m}
  risky:
    promote: approval
    approvers: [S0APPROVE]
services:
  shop:
    tier: safe
    traffic: {adapter: memory}
    metrics: {adapter: memory}
"""


def settings(tmp_path: Path, text: str = GOOD) -> Settings:
    path = tmp_path / "canary.yaml"
    path.write_text(text)
    return load(path)[0]


def problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)
    return str(caught.value).replace(str(tmp_path) + "/", "")


def test_the_example_is_valid(tmp_path: Path) -> None:
    """What `canary init` writes can be loaded."""
    assert ("checkout",) == settings(tmp_path, EXAMPLE).service_names()


def test_a_plan_has_the_tiers_defaults(tmp_path: Path) -> None:
    """Five per cent for twenty minutes, judged for what has a source, decided by anyone."""
    plan = settings(tmp_path).plan_for("shop")

    assert Weight.percent(5) == plan.steps[0].weight
    assert timedelta(minutes=20) == plan.steps[0].window
    assert (Sli.ERRORS, Sli.P95, Sli.P99) == plan.objectives.watched
    assert plan.promote_gate is None
    assert (ANYONE,) == plan.decision.approvers


def test_a_start_may_choose_weight_window_and_a_riskier_tier(tmp_path: Path) -> None:
    """The one start differs; the configuration stays."""
    plan = settings(tmp_path).plan_for("shop", tier="risky", percent="12.5", window="1h30m")

    assert Weight.percent(12.5) == plan.steps[0].weight
    assert timedelta(minutes=90) == plan.steps[0].window
    assert plan.promote_gate is not None
    assert ("S0APPROVE",) == plan.promote_gate.approvers


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"percent": "80"}, "at most 50 %"),
        ({"percent": "0"}, "more than 0 %"),
        ({"percent": "-5"}, "between 0 % and 100 %"),
        ({"percent": "5.55"}, "tenth of a percent"),
        ({"percent": "much"}, "not a percentage"),
        ({"percent": "nan"}, "tenth of a percent"),
        ({"window": "1s"}, "too short to judge"),
        ({"window": "100d"}, "at most 1d"),
        ({"window": "soon"}, "not a duration"),
        ({"tier": "rsky"}, "Did you mean risky?"),
    ],
)
def test_an_impossible_start_is_answered_in_words(
    tmp_path: Path, asked: dict[str, Any], said: str
) -> None:
    """Every refusal says what is wrong and what would be right."""
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        settings(tmp_path).plan_for("shop", **asked)


def test_a_lower_tier_is_told_apart(tmp_path: Path) -> None:
    """It is made, and says what it should have been: whoever starts it must ask for leave."""
    risky = settings(tmp_path, GOOD.replace("tier: safe", "tier: risky"))
    plan = risky.plan_for("shop", tier="safe")
    assert (plan.tier, plan.lowered_from) == ("safe", "risky")
    assert risky.plan_for("shop", tier="risky").lowered_from == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("tier: safe", "tier: sfae"),
            "canary.yaml:10: services.shop.tier: unknown tier 'sfae'; known: risky, safe, unknown. Did you mean safe?",
        ),
        (
            ("tick: 2s", "tick: 2s\nrisk: {without: billing}"),
            "canary.yaml:3: risk.without: must be a list, such as [a, b] (it says 'billing')",
        ),
        (
            ("tick: 2s", "tick: 2s\nrisk: {defaults: perhaps}"),
            "canary.yaml:3: risk.defaults: must be true or false (it says 'perhaps')",
        ),
        (
            ("tick: 2s", "tick: 2s\nrisk: [billing]"),
            "canary.yaml:3: risk: must be a mapping of settings to values (it says ['billing'])",
        ),
        (
            ("services:", "  fast: {promote: auto}\nservices:"),
            "canary.yaml:8: tiers.fast: the tiers stand in order, the safest first, and fast",
        ),
        (("tick: 2s", "tikc: 2s"), "canary.yaml:2: tikc: unknown setting 'tikc'"),
        (("tick: 2s", "tick: 2 parsecs"), "canary.yaml:2: tick: '2 parsecs' is not a duration"),
        (
            ("window: 20m", "window: 3s"),
            "canary.yaml:10: services.shop.tier: a window of 3s is too",
        ),
        (("tick: 2s", "tick: 1ms"), "a tick lies between 1s and 5m"),
        (
            ("percent: 5", "percent: 500"),
            "canary.yaml:4: tiers.safe.percent: a weight lies between",
        ),
        (("    approvers: [S0APPROVE]\n", ""), "nobody may give it"),
        (("[S0APPROVE]", "[ada]"), "a Slack user id (U…)"),
        (("C0DEPLOYS", "'#deploys'"), "canary.yaml:1: slack.channel: '#deploys'"),
        (("slack: {channel: C0DEPLOYS}\n", ""), "slack: is missing"),
        (("    metrics: {adapter: memory}\n", ""), "name a metrics adapter"),
        (("  shop:", "  Shop Floor:"), "small letters"),
        (("tick: 2s", "redis: redis://u:secret@h:1/0"), "CANARY_REDIS_URL"),
        (("  risky:", "  safe:"), "'safe' stands twice"),
        (("tick: 2s", "tick: [2s"), "not readable as YAML"),
        (
            ("window: 20m", "window: 20m, promote: aproval"),
            "must be one of auto, approval; did you mean approval? (it says 'aproval')",
        ),
        (("[S0APPROVE]", "[U0ADA, U0ADA]\n    approvals: 2"), "only 1 person is named"),
        (("[S0APPROVE]", "[U0ADA, W0LIN]\n    approvals: 3"), "only 2 people are named"),
        (("[S0APPROVE]", "[S0APPROVE]\n    approvals: 0"), "tiers.risky.approvals"),
        (("[S0APPROVE]", "[S0APPROVE]\n    approvals: 11"), "tiers.risky.approvals"),
        (("[S0APPROVE]", "[S0APPROVE]\n    pause: often"), "tiers.risky.pause"),
        (("  shop:", "  all:"), "no service can be named all"),
        (("tier: safe", "tier: safe\n    oncall: '@ada'"), "services.shop.oncall"),
        (
            ("tier: safe", "tier: safe\n    dashboards: {logs: 'javascript:alert(1)'}"),
            "services.shop.dashboards.logs",
        ),
        (
            ("tier: safe", "tier: safe\n    dashboards: {logs: 'https://h/<!channel>'}"),
            "services.shop.dashboards.logs",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    """Where it stands, what is wrong, and what is known."""
    found = problems(tmp_path, GOOD.replace(*change, 1))

    assert said in found
    assert "secret" not in found
    assert "Traceback" not in found


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    """Three mistakes are three lines, not three tries."""
    text = GOOD.replace("tick: 2s", "tick: no").replace("percent: 5", "percent: x")

    assert 2 == len(problems(tmp_path, text).splitlines())


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "hello", "null\n"])
def test_a_file_that_is_no_mapping_is_said_to_be_so(tmp_path: Path, text: str) -> None:
    """An empty file is an error with a line, not a crash."""
    assert "needs at least slack and services" in problems(tmp_path, text)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    """The next step stands in the error."""
    with pytest.raises(ConfigError, match="canary init"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20m", 1200), ("90s", 90), ("1h30m", 5400), ("250ms", 0.25), ("1.5m", 90), ("2 h", 7200)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    """And written back so that they can be read again."""
    assert timedelta(seconds=seconds) == duration(text)
    assert duration(text) == duration(written(duration(text)))


@pytest.mark.parametrize("text", ["", "20", "m", "20 minutes and a bit", "-5m", "1e9d", "400d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A bare number has no unit, and nobody guesses one."""
    with pytest.raises(ValueError, match=r"duration|longer than a year"):
        duration(text)


def test_shares_are_read_with_and_without_a_sign() -> None:
    """5 %, 5% and 0.05 where a share is meant; 5 and 5 % where a weight is."""
    assert 0.05 == fraction("5%") == fraction("5 %") == fraction(0.05)
    assert Weight.percent(5) == weight("5 %") == weight(5) == weight("5")


def test_who_is_called_when_a_rollback_takes_long(tmp_path: Path) -> None:
    """The limit and the on-call reach the plan; an id that is none is refused."""
    text = GOOD + "escalation: {after: 45s, oncall: S0ONCALL}\n"
    plan = settings(tmp_path, text).plan_for("shop")
    assert (timedelta(seconds=45), "S0ONCALL") == (plan.escalation.after, plan.escalation.oncall)
    assert "escalation.oncall" in problems(tmp_path, text.replace("S0ONCALL", "'@oncall'"))


def test_a_gate_is_as_the_tier_says(tmp_path: Path) -> None:
    """How many, whether the author may, users, groups and channels; the same for what is thin."""
    text = GOOD.replace("tier: safe", "tier: risky").replace(
        "[S0APPROVE]", "[S0APPROVE, C0TEAM, G0SMALL, U0ADA]\n    approvals: 3\n    pause: 20m"
    )
    plan = settings(tmp_path, text).plan_for("shop")
    gate = plan.promote_gate

    assert gate is not None
    assert ("S0APPROVE", "C0TEAM", "G0SMALL", "U0ADA") == gate.approvers
    assert (3, False) == (gate.needed, gate.author)
    assert gate == plan.decision
    assert timedelta(minutes=20) == plan.pause
    relaxed = text.replace("approvals: 3", "author_may_approve: true")
    assert settings(tmp_path, relaxed).plan_for("shop").decision.author


def test_where_nobody_is_named_anyone_decides_alone(tmp_path: Path) -> None:
    """The author too: numbers alone decide such a tier, but for want of evidence."""
    decision = settings(tmp_path).plan_for("shop").decision
    assert (1, True) == (decision.needed, decision.author)
    assert timedelta(hours=2) == settings(tmp_path).plan_for("shop").pause


def test_a_service_has_its_own_oncall_and_dashboards(tmp_path: Path) -> None:
    """They win over what is common to all, and reach the plan."""
    own = "tier: safe\n    oncall: U0ADA\n    dashboards: {Logs: 'https://logs/{service}?{from}'}"
    text = GOOD.replace("tier: safe", own) + "escalation: {after: 45s, oncall: S0ONCALL}\n"
    plan = settings(tmp_path, text).plan_for("shop")
    assert (timedelta(seconds=45), "U0ADA") == (plan.escalation.after, plan.escalation.oncall)
    assert (Dashboard("Logs", "https://logs/{service}?{from}"),) == plan.dashboards
