import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient
from structlog.testing import capture_logs
from unit.slack.connected import until
from unit.workspace.support import Json, People, make_app

from bot.slack.socket import Sockets
from bot.workspace import RunningWorkspace, Settings, running_workspace


@asynccontextmanager
async def connecting(
    workspace: RunningWorkspace, seen: list[str], linger: float = 60.0
) -> AsyncIterator[Sockets]:
    """Two connections with a quick watchdog; commands are acknowledged and written down."""
    client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
    app = make_app(client)

    @app.command("/canary")
    async def canary(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        seen.append(str(body["text"]))

    sockets = Sockets(app, workspace.app_token, client, ping=0.3, watch_every=0.1, linger=linger)
    await sockets.start()
    try:
        yield sockets
    finally:
        await sockets.stop()


async def test_two_connections_stand(workspace: RunningWorkspace) -> None:
    """One process holds two, and says so once."""
    with capture_logs() as logs:
        async with connecting(workspace, []) as sockets:
            await until(lambda: workspace.workspace.links.count == 2 and sockets.connected)
        assert not sockets.connected
    await until(lambda: workspace.workspace.links.count == 0)
    assert [entry["event"] for entry in logs].count("slack.socket.up") == 1


@pytest.mark.parametrize(("how", "most"), [("refresh", 1), ("warning", 1), ("warning", 2)])
async def test_no_command_is_lost_while_connections_are_refreshed(
    workspace: RunningWorkspace, people: People, how: str, most: int
) -> None:
    """Commands in flight at every moment of a refresh are all acknowledged and all done once."""
    seen: list[str] = []
    sending: list[asyncio.Task[Json]] = []
    async with connecting(workspace, seen):
        await until(lambda: workspace.workspace.links.count == 2)
        for number in range(120):
            if number % 40 == 20:
                sending.append(asyncio.create_task(people.do("disconnect", how=how, most=most)))
            sending.append(asyncio.create_task(people.command(f"/canary number-{number}")))
            await asyncio.sleep(0.003)
        answers = await asyncio.gather(*sending)
        await until(lambda: len(seen) >= 120)
    assert all(answer["ok"] for answer in answers), answers
    assert sorted(seen) == sorted(f"number-{number}" for number in range(120))


async def test_an_old_connection_that_slack_does_not_close_is_closed(
    workspace: RunningWorkspace, people: People
) -> None:
    """After its successor stands and some time has passed, two connections are left."""
    links = workspace.workspace.links
    async with connecting(workspace, [], linger=0.05):
        await until(lambda: links.count == 2)
        first = {link.number for link in links._links}
        await people.do("disconnect", how="refresh")
        await until(lambda: links.count == 2 and not first & {ln.number for ln in links._links})


@pytest.mark.parametrize("how", ["drop", "cut"])
async def test_lost_connections_come_back(
    workspace: RunningWorkspace, people: People, how: str
) -> None:
    """Closed or torn, both connections are there again and deliver."""
    seen: list[str] = []
    async with connecting(workspace, seen):
        await until(lambda: workspace.workspace.links.count == 2)
        first = {link.number for link in workspace.workspace.links._links}
        await people.do("disconnect", how=how)
        await until(
            lambda: (
                len({link.number for link in workspace.workspace.links._links} - first) == 2
                and workspace.workspace.links.count == 2
            )
        )
        assert (await people.command("/canary again"))["ok"]
        await until(lambda: seen == ["again"])


async def test_torn_connections_come_back_before_the_next_ping(
    workspace: RunningWorkspace, people: People
) -> None:
    """With both gone nobody can click, and the SDK would notice by a ping that failed."""
    client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
    sockets = Sockets(make_app(client), workspace.app_token, client, ping=60)
    await sockets.start()
    links = workspace.workspace.links
    try:
        for _ in range(2):
            await until(lambda: links.count == 2)
            first = {link.number for link in links._links}
            await people.do("disconnect", how="cut")
            await until(
                lambda first=first: (
                    links.count == 2 and not first & {n.number for n in links._links}
                )  # type: ignore[misc] # mypy cannot infer a lambda's default
            )
    finally:
        await sockets.stop()
    assert workspace.workspace.counts.calls["apps.connections.open"] == 6


async def test_a_failed_handshake_does_not_end_it(
    workspace: RunningWorkspace, people: People
) -> None:
    """The SDK alone would try the used-up ticket for ever; the watchdog makes it ask for a new one."""
    links = workspace.workspace.links
    real, refused = links.new_ticket, 0

    def spoilt() -> str:
        nonlocal refused
        refused += 1
        return real() if refused > 4 else "used-up"

    async with connecting(workspace, []) as sockets:
        await until(lambda: links.count == 2)
        links.new_ticket = spoilt  # type: ignore[method-assign] # the handshake fails four times
        await people.do("disconnect", how="drop")
        await until(lambda: refused > 4 and links.count == 2, 20)
        await until(lambda: sockets.connected)


async def test_starting_does_not_wait_for_slack(unused_port: int) -> None:
    """With nobody there `start` returns, and the connections come once Slack does."""
    url = f"http://127.0.0.1:{unused_port}/api/"
    client = AsyncWebClient(token="xoxb-local-workspace", base_url=url)
    app = make_app(client)
    sockets = Sockets(app, "xapp-local-workspace", client, ping=0.2, watch_every=0.1)
    with capture_logs() as logs:
        await sockets.start()
        assert not sockets.connected
        await until(lambda: "slack.socket.refused" in {entry["event"] for entry in logs})
        await until(lambda: "slack.socket.down" in {entry["event"] for entry in logs})
        async with running_workspace(Settings(), port=unused_port):
            await until(lambda: sockets.connected)
            await sockets.stop()
    refusals = [entry for entry in logs if entry["event"] == "slack.socket.refused"]
    assert len(refusals) == 1
    assert "Socket Mode cannot be opened: Slack cannot be reached" in refusals[0]["why"]


async def test_a_wrong_token_is_said_once_in_plain_words(workspace: RunningWorkspace) -> None:
    """However often it is tried."""
    client = AsyncWebClient(token="xoxb-wrong", base_url=workspace.api_url)
    sockets = Sockets(make_app(client), "xapp-wrong", client, ping=0.05, watch_every=0.05)
    with capture_logs() as logs:
        await sockets.start()
        counts = workspace.workspace.counts
        await until(lambda: counts.calls["apps.connections.open"] > 5)
        await sockets.stop()
    refusals = [entry["why"] for entry in logs if entry["event"] == "slack.socket.refused"]
    assert len(refusals) == 1
    assert "invalid_auth" in refusals[0]


async def test_going_down_and_up_is_logged(workspace: RunningWorkspace, people: People) -> None:
    """Once each, so that an alarm can be hung on it."""

    def events() -> list[str]:
        told = [entry["event"].removeprefix("slack.socket.") for entry in logs]
        return [event for event in told if event in {"up", "down"}]

    with capture_logs() as logs:
        async with connecting(workspace, []):
            await until(lambda: workspace.workspace.links.count == 2 and events()[-1:] == ["up"])
            logs.clear()
            await people.do("faults", method="apps.connections.open", error="x", times=8)
            await people.do("disconnect", how="drop")
            await until(lambda: events() == ["down", "up"])


def test_the_sdk_is_quiet() -> None:
    """Its tracebacks at every retry would bury what the bot itself says."""
    assert not logging.getLogger("bot.slack.socket.sdk").isEnabledFor(logging.ERROR)


@pytest.fixture
def unused_port() -> int:
    """A free port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("how", ["stop", "refresh", "warning", "drop", "cut"])
async def test_no_command_ends_in_silence(how: str) -> None:
    """Whatever becomes of the connections: done, or shown to its person as an error, never neither.

    What was acknowledged is done once; what was not may have been done, if only its
    acknowledgement was lost.
    """
    seen: list[str] = []
    sending: dict[str, asyncio.Task[Json]] = {}
    settings = Settings(ack_seconds=0.5, connection_seconds=60)
    async with (
        running_workspace(settings) as workspace,
        crowd(workspace) as people,
        connecting(workspace, seen, linger=0.2) as sockets,
    ):
        await until(lambda: workspace.workspace.links.count == 2)
        ending: asyncio.Task[None] | None = None
        for number in range(60):
            text = f"number-{number}"
            sending[text] = asyncio.create_task(people.command(f"/canary {text}"))
            await asyncio.sleep(0.002)
            if number == 20:
                await until(lambda: len(seen) >= 5)
                ended = sockets.stop() if how == "stop" else end(people, how)
                ending = asyncio.create_task(ended)
        assert ending is not None
        await ending
        answers = {text: await task for text, task in sending.items()}
    done = [text for text, answer in answers.items() if answer["ok"]]
    assert len(seen) == len(set(seen)), "something was done twice"
    assert set(done) <= set(seen), "something was acknowledged and not done"
    shown = {answer["shown"] for answer in answers.values() if not answer["ok"]}
    assert all("failed with the error" in text for text in shown)
    assert len(done) >= 5
    if (
        how == "refresh"
    ):  # after a warning alone Slack goes on sending, also to what is closed then
        assert len(done) == 60
    if how == "stop":
        assert set(done) == set(seen), "something was done and called an error"
        assert len(done) < 60


async def end(people: People, how: str) -> None:
    """End one connection of the two."""
    await people.do("disconnect", how=how, most=1)


@asynccontextmanager
async def crowd(workspace: RunningWorkspace) -> AsyncIterator[People]:
    """Many people at once."""
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(
        base_url=workspace.base_url, trust_env=False, limits=limits, timeout=10
    ) as http:
        yield People(http)


async def test_a_connection_that_leaves_begins_nothing_more(
    workspace: RunningWorkspace,
) -> None:
    """What it still hears is neither done nor acknowledged, so the person sees an error."""
    seen: list[str] = []
    async with connecting(workspace, seen) as sockets, crowd(workspace) as people:
        await until(lambda: workspace.workspace.links.count == 2)
        for connection in sockets._connections:
            connection.leaving = True
        answer = await people.command("/canary too-late")
        assert answer["error"] == "operation_timeout"
    assert not seen
