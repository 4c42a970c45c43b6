"""How Slack is connected: what each mode needs, what is refused, and the manifest that fits it."""

from pathlib import Path

import pytest
import yaml
from servers import LOOPBACK, web
from typer.testing import CliRunner

from bot.checkup import State, _request_url
from bot.cli import app
from bot.config import ConfigError, Secrets, load
from bot.config.listening import listen_address
from bot.config.models import SlackSettings
from bot.slack.checkup import SCOPES, check_slack
from bot.slack.manifest import manifest, request_url
from bot.workspace import Settings, running_workspace

REST = """
services:
  shop:
    tier: safe
    traffic: {adapter: memory}
    metrics: {adapter: memory}
"""
TOKENS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "CANARY_REDIS_URL")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder, without anybody's tokens."""
    for name in TOKENS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def slack(folder: Path, settings: str) -> SlackSettings:
    """The Slack settings of a file with these."""
    path = folder / "canary.yaml"
    path.write_text(f"slack: {{channel: C0DEPLOYS{settings}}}\n{REST}")
    return load(path)[0].slack


def test_socket_mode_is_the_default(folder: Path) -> None:
    """Nothing has to be reachable from outside."""
    assert slack(folder, "").mode == "socket"


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        (", mode: http", ("127.0.0.1", 3000)),
        (', mode: http, listen: "0.0.0.0:8080"', ("0.0.0.0", 8080)),
        (', mode: http, listen: "[::1]:3000"', ("::1", 3000)),
        (', mode: http, listen: "bot.internal:3000"', ("bot.internal", 3000)),
    ],
)
def test_http_mode_listens_where_it_is_told(
    folder: Path, settings: str, address: tuple[str, int]
) -> None:
    """On loopback unless told otherwise."""
    assert slack(folder, settings).address == address


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (', listen: "127.0.0.1:3000"', "add mode: http, or take listen out"),
        (", mode: https", "must be one of socket, http"),
        (", mode: http, listen: localhost", "write host:port"),
        (', mode: http, listen: ":3000"', "write host:port"),
        (', mode: http, listen: "localhost:0"', "between 1 and 65535"),
        (', mode: http, listen: "localhost:70000"', "between 1 and 65535"),
        (', mode: http, listen: "::1:3000"', "stands in brackets"),
        (', mode: http, listen: "[nowhere]:3000"', "write host:port"),
        (', mode: http, listen: "http://localhost:3000"', "there is no path"),
        (", mod: http", "mode"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(
    folder: Path, settings: str, said: str
) -> None:
    """And with what would be right."""
    with pytest.raises(ConfigError) as caught:
        slack(folder, settings)
    assert said in str(caught.value)
    assert "canary.yaml:1" in str(caught.value)


def test_an_address_is_host_and_port() -> None:
    """Other digits than 0 to 9 are none."""
    with pytest.raises(ValueError, match="write host:port"):
        listen_address("localhost:３０００")  # noqa: RUF001 - that is the point


@pytest.mark.usefixtures("folder")
def test_each_mode_asks_for_its_own_secret_only() -> None:
    """A signing secret is no use in Socket Mode, nor an app token in HTTP mode."""
    secrets = Secrets()
    assert [text.split()[0] for text in secrets.missing()] == [
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
    ]
    names = [text.split()[0] for text in secrets.missing("http")]
    assert names == ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("secret", "said"), [("", "is not set"), ("  ", "is not set"), ("xapp-1", "is a token")]
)
def test_a_signing_secret_is_set_and_no_token(
    monkeypatch: pytest.MonkeyPatch, secret: str, said: str
) -> None:
    """It is not printed, and Slack's page for it is named."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", secret)
    (problem,) = Secrets().missing("http")
    assert said in problem
    assert "Basic Information, App Credentials" in problem
    assert "xapp-1" not in problem


def test_serve_names_what_the_mode_of_the_file_needs(folder: Path) -> None:
    """The file is read first; when it is wrong, that is said before any token is asked for."""
    runner = CliRunner()
    slack(folder, ", mode: http")
    wanted = runner.invoke(app, ["serve"], env={"SLACK_BOT_TOKEN": "xoxb-1"})
    (folder / "canary.yaml").write_text("slack: {mode: http}")
    wrong = runner.invoke(app, ["serve"])

    assert (wanted.exit_code, wrong.exit_code) == (2, 2)
    assert "SLACK_SIGNING_SECRET is not set" in wanted.output
    assert "SLACK_APP_TOKEN" not in wanted.output
    assert "slack.channel" in wrong.output
    assert "is not set" not in wrong.output


def test_the_manifest_for_http_mode_names_one_address_for_everything() -> None:
    """Commands, clicks and events come to the same request URL, and Socket Mode is off."""
    made = yaml.safe_load(manifest("https://canary.example.com"))
    url = "https://canary.example.com/slack/events"

    assert made["features"]["slash_commands"][0]["url"] == url
    assert made["settings"]["interactivity"] == {"is_enabled": True, "request_url": url}
    events = {"request_url": url, "bot_events": ["app_home_opened"]}
    assert made["settings"]["event_subscriptions"] == events
    assert made["settings"]["socket_mode_enabled"] is False


def test_the_manifest_for_socket_mode_names_no_address() -> None:
    """Slack refuses one there."""
    made = yaml.safe_load(manifest())

    assert "://" not in manifest()
    assert made["settings"]["event_subscriptions"] == {"bot_events": ["app_home_opened"]}
    assert made["settings"]["socket_mode_enabled"] is True
    assert made["features"]["app_home"]["home_tab_enabled"] is True
    assert made["features"]["slash_commands"][0]["usage_hint"].split(" | ") == [
        "start", "status", "list", "history", "why", "approve", "abort", "help",
    ]  # fmt: skip
    assert {"channels:read", "groups:read"} < set(SCOPES)


@pytest.mark.parametrize(
    "address",
    [
        "https://c.example.com/bot",
        "https://c.example.com/bot/",
        "https://c.example.com/bot/slack/events",
    ],
)
def test_an_address_may_have_a_path_of_its_own(address: str) -> None:
    """As where a proxy gives the bot a part of a site."""
    assert request_url(address) == "https://c.example.com/bot/slack/events"


@pytest.mark.parametrize(
    "address", ["http://c.example.com", "c.example.com", "https://", "https://h?x"]
)
def test_an_address_that_slack_cannot_call_is_refused(address: str) -> None:
    """Exit code 2, one sentence, no manifest."""
    result = CliRunner().invoke(app, ["manifest", "--http", address])

    assert result.exit_code == 2
    assert "--http" in result.output
    assert "for example https://canary.example.com" in result.output
    assert "display_information" not in result.output


def test_the_command_prints_either_manifest() -> None:
    """As it is pasted at Slack."""
    plain = CliRunner().invoke(app, ["manifest"])
    called = CliRunner().invoke(app, ["manifest", "--http", "https://c.example.com"])

    assert plain.output == manifest()
    assert called.output == manifest("https://c.example.com")


async def test_check_asks_whether_a_bot_listens() -> None:
    """Nobody there is no failure, since the bot may not be started yet; another program is named."""
    status = 200
    async with web(lambda _method, _path, _body: (status, "text/plain", "")) as there:
        found = await _request_url(LOOPBACK, there.port)
        status = 404
        other = await _request_url(LOOPBACK, there.port)
        assert there.asked == ["/healthz", "/healthz"]
    nobody = await _request_url(LOOPBACK, there.port)

    assert (found.state, other.state, nobody.state) == (State.OK, State.NOTE, State.NOTE)
    assert "/slack/events" in found.text
    assert "404" in other.text
    assert "`canary serve` will" in nobody.text


async def test_check_asks_for_no_app_token_in_http_mode() -> None:
    """Slack would refuse it, and there is nothing it could tell."""
    async with running_workspace(Settings()) as workspace:
        token, url = workspace.bot_token, workspace.api_url
        both = await check_slack(token, workspace.app_token, url, [])
        http = await check_slack(token, None, url, [])
        calls = workspace.workspace.counts.calls["apps.connections.open"]

    assert [answer.what for answer in both] == ["bot token", "app token"]
    assert [answer.what for answer in http] == ["bot token"]
    assert calls == 1
