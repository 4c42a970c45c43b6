"""The command line answers mistakes in words, with exit code 2, and loses nothing."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

TOKENS = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """A command line in an empty folder, without anybody's tokens."""
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_API_URL", "CANARY_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def test_init_writes_a_file_once(runner: CliRunner) -> None:
    """A second time it leaves what was edited alone, and says so."""
    first = runner.invoke(app, ["init"])
    Path("canary.yaml").write_text("edited")
    second = runner.invoke(app, ["init"])

    assert first.exit_code == 0
    assert "canary check" in first.output
    assert second.exit_code == 2
    assert "was left as it is" in second.output
    assert Path("canary.yaml").read_text() == "edited"


def test_serve_names_the_tokens_that_are_missing(runner: CliRunner) -> None:
    """And where Slack shows them."""
    result = runner.invoke(app, ["serve"])

    assert result.exit_code == 2
    assert "SLACK_BOT_TOKEN is not set" in result.output
    assert "SLACK_APP_TOKEN is not set" in result.output


def test_serve_knows_a_token_of_the_wrong_kind(runner: CliRunner) -> None:
    """Tokens are easily taken for one another; neither is printed."""
    tokens = {"SLACK_BOT_TOKEN": "xapp-secret", "SLACK_APP_TOKEN": "xapp-1"}
    result = runner.invoke(app, ["serve"], env=tokens)

    assert result.exit_code == 2
    assert "does not begin with xoxb-" in result.output
    assert "secret" not in result.output


def test_serve_without_a_configuration_says_how_to_make_one(runner: CliRunner) -> None:
    """No traceback, but the next step."""
    result = runner.invoke(app, ["serve"], env=TOKENS)

    assert result.exit_code == 2
    assert "canary init" in result.output
    assert "Traceback" not in result.output


def test_check_lists_every_mistake_of_the_configuration(runner: CliRunner) -> None:
    """Exit code 1, one row a mistake, each with its line."""
    runner.invoke(app, ["init"])
    text = Path("canary.yaml").read_text()
    Path("canary.yaml").write_text(text.replace("envoy\n      run", "enovy\n      run", 1))
    result = runner.invoke(app, ["check"])

    assert result.exit_code == 1
    assert "canary.yaml:" in result.output
    assert "enovy" in result.output
    assert "envoy, memory" in " ".join(result.output.split())


def test_check_reports_what_cannot_be_reached(runner: CliRunner) -> None:
    """Redis, the router, metrics, logs and readiness each say what they miss."""
    runner.invoke(app, ["init"])
    text = Path("canary.yaml").read_text()
    Path("canary.yaml").write_text(text.replace("127.0.0.1:6379", "127.0.0.1:1"))
    result = runner.invoke(app, ["check"])

    assert result.exit_code == 1
    assert "SLACK_BOT_TOKEN" in result.output
    assert "cannot be reached" in " ".join(result.output.split())
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [["demo", "--window", "soon"], ["demo", "--scenario", "x"]])
def test_demo_refuses_what_it_does_not_know(runner: CliRunner, arguments: list[str]) -> None:
    """With what would be right."""
    result = runner.invoke(app, arguments)

    assert result.exit_code == 2
