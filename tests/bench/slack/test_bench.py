"""The measurement of Slack's limits runs, at a size at which its times mean nothing."""

from pathlib import Path

import pytest
from bench.slack import __main__ as command
from bench.slack.rollouts import Plan, measured
from bench.slack.table import Found, both, table


@pytest.mark.parametrize("plan", [Plan(1), Plan(3, replicas=2)])
async def test_a_row_is_measured_without_a_429(plan: Plan, tmp_path: Path) -> None:
    """Every end and every click is seen in a real local Slack, which refuses nothing."""
    found = await measured(plan, 6.0, tmp_path, times=2)

    assert found.refused == 0
    assert (len(found.ends), len(found.clicks)) == (2, 2)
    assert len(found.together) == plan.live
    assert found.edits > 0
    assert found.gaps


def test_a_row_shows_the_median_and_the_longest() -> None:
    """What was not measured is a dash."""
    row = Found(20, 2, 44.6, 0, (20.0, 30.0, 31.0), (0.02, 1.333), (0.5,), ())
    assert "| 20, 2 replicas | 45 | 0 | 30 / 31 s | 0.68 / 1.3 s | 0.5 s (1) | - |" in table([row])
    assert both([]) == "-"


def test_what_cannot_be_measured_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command fails with words."""

    async def fails(*_: object) -> Found:
        raise AssertionError("no workspace here")

    monkeypatch.setattr(command, "measured", fails)
    assert command.main(["--quick"]) == 1
    assert "could not be measured: no workspace here" in capsys.readouterr().err
