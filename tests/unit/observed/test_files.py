"""The dashboard and the alerts speak only of metrics there are."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest
import yaml
from builders import a_canary

from bot.core.canary import Cause, PendingApproval, RollingBack
from bot.observed import PrometheusMeters

FILES = files("bot.observed") / "files"
WORD = re.compile(r"\b(?:canarybot|process)_[a-z_]+\b")


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FILES / "grafana-dashboard.json").read_text())
    return loaded


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    loaded = yaml.safe_load((FILES / "prometheus-alerts.yaml").read_text())
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def known() -> dict[str, set[str]]:
    """Every series there can be, with its labels."""
    meters = PrometheusMeters()
    since = a_canary().created_at
    held = (RollingBack(Cause("breach", "…"), since), PendingApproval(since, since))
    meters.follow(lambda: [a_canary(phase=phase) for phase in held])
    found: dict[str, set[str]] = {}
    for family in meters.registry.collect():
        endings = {
            "counter": ("_total",),
            "histogram": ("_bucket", "_sum", "_count"),
        }.get(family.type, ("",))
        for ending in endings:
            found[family.name + ending] = {key for one in family.samples for key in one.labels}
    for name, metric in vars(meters._families).items():
        if not name.startswith("_"):
            labels = set(metric._labelnames)
            for series in found:
                if series.startswith(metric._name):
                    found[series] |= labels | ({"le"} if series.endswith("_bucket") else set())
    return found


def expressions() -> list[str]:
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    variables = [v["definition"] for v in dashboard()["templating"]["list"] if "definition" in v]
    return [*shown, *variables, *(rule["expr"] for rule in rules())]


@pytest.mark.parametrize("expression", expressions())
def test_every_expression_is_about_metrics_there_are(expression: str) -> None:
    names = WORD.findall(expression)

    assert names
    assert set(names) <= known().keys()


def test_every_metric_of_the_bot_is_shown_somewhere() -> None:
    """What nobody would look at need not be measured."""
    shown = " ".join(expressions())
    missing = {
        name
        for name in known()
        if name.startswith("canarybot_") and not name.endswith(("_sum", "_count", "_bucket"))
    }

    assert {name for name in missing if name not in shown} <= {
        "canarybot_last_turn_timestamp_seconds"
    }


def test_labels_that_are_grouped_by_are_there() -> None:
    """A misspelt label groups everything into one line without a word."""
    everywhere = {"instance", "job"}
    for expression in expressions():
        for grouped in re.findall(r"by \(([^)]*)\)", expression):
            for label in grouped.split(","):
                names = WORD.findall(expression)
                assert any(label.strip() in known()[name] | everywhere for name in names), (
                    label,
                    expression,
                )


def test_the_dashboard_is_one_grafana_10_takes() -> None:
    """Unique ids, a place each, a datasource by variable, and every panel says what it shows."""
    board, everything = dashboard(), dashboard()["panels"]

    assert board["schemaVersion"] >= 36
    assert {v["name"] for v in board["templating"]["list"]} == {"datasource", "service"}
    assert len({panel["id"] for panel in everything}) == len(everything)
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert taken.isdisjoint(cells), panel["title"]
        taken |= cells
    for panel in panels():
        assert panel["description"].endswith(".")
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["targets"]


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert {"summary", "description", "runbook"} == rule["annotations"].keys()
        assert len(rule["annotations"]["runbook"]) > 80
