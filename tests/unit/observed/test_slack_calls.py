"""Every call of Slack is counted, by method and by what came of it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from servers import Reply, Web, free_port, web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports.meters import NoMeters
from bot.slack.app import make_client
from bot.slack.faults import BROKEN
from bot.slack.limiter import Limiter, Rate


@dataclass
class Heard(NoMeters):
    calls: list[tuple[str, str]] = field(default_factory=list)
    waits: list[tuple[str, float]] = field(default_factory=list)

    def slack_called(self, method: str, code: str) -> None:
        self.calls.append((method, code))

    def slack_waited(self, method: str, seconds: float) -> None:
        self.waits.append((method, seconds))


class Slack:
    """Answers what it is told."""

    answer: dict[str, object] = {"ok": True}  # noqa: RUF012 - replaced as a whole

    def __call__(self, _method: str, _path: str, _body: bytes) -> Reply:
        return 200, "application/json", json.dumps(self.answer)


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
async def server(slack: Slack) -> AsyncIterator[Web]:
    async with web(slack) as server:
        yield server


def client_of(url: str, heard: Heard) -> AsyncWebClient:
    return make_client("xoxb-1", f"{url}/api", Limiter(), heard)


async def test_calls_and_errors_are_counted_by_method_and_code(slack: Slack, server: Web) -> None:
    heard = Heard()
    client = client_of(server.url, heard)

    await client.chat_postMessage(channel="C1", text="hello")
    slack.answer = {"ok": False, "error": "not_in_channel"}
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C1", text="hello")
    slack.answer = {"ok": False, "error": "ratelimited"}
    with pytest.raises(SlackApiError):
        await client.views_publish(user_id="U1", view={"type": "home", "blocks": []})

    assert heard.calls == [
        ("chat.postMessage", ""),
        ("chat.postMessage", "not_in_channel"),
        ("views.publish", "ratelimited"),
    ]


async def test_a_slack_that_is_away_is_counted_as_that() -> None:
    heard = Heard()
    with pytest.raises(BROKEN):
        await client_of(f"http://127.0.0.1:{free_port()}", heard).api_test()

    assert heard.calls == [("api.test", "unreachable")]


async def test_the_wait_for_a_turn_is_measured() -> None:
    """From the moment a caller asks to the moment it may go."""
    heard, now = Heard(), 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    limiter = Limiter(
        methods={"chat.update": Rate(60, 1)}, now=lambda: now, sleep=sleep, meters=heard
    )
    await limiter.take("chat.update")
    await limiter.take("chat.update")

    assert [(method, round(waited, 3)) for method, waited in heard.waits] == [
        ("chat.update", 0.0), ("chat.update", 1.0),
    ]  # fmt: skip
