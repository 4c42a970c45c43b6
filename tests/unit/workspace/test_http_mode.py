"""HTTP mode, settings and the command line."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import ValidationError
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import DEPLOYS, Json, People, actions, button, until

from bot.workspace import RunningWorkspace, Settings, read_settings, running_workspace
from bot.workspace.runner import bound_socket
from bot.workspace.settings import RequestUrls


@asynccontextmanager
async def served(app: AsyncApp, port_of: Any) -> AsyncIterator[None]:
    """Serve a bolt app's request URL on a socket."""
    web = FastAPI()
    handler = AsyncSlackRequestHandler(app)

    @web.post("/slack/events")
    async def events(request: Request) -> Response:
        return await handler.handle(request)

    server = uvicorn.Server(uvicorn.Config(web, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[port_of]))
    await until(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def http_mode(secret: str) -> AsyncIterator[tuple[AsyncApp, RunningWorkspace, People]]:
    """Run a workspace whose app takes signed requests."""
    bound = bound_socket("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/slack/events"
    urls = RequestUrls(commands=url, interactivity=url, events=url)
    settings = Settings(request_urls=urls, signing_secret="right", ack_seconds=1.0)
    async with running_workspace(settings) as running:
        client = AsyncWebClient(token=running.bot_token, base_url=running.api_url)
        app = AsyncApp(client=client, signing_secret=secret)
        async with (
            served(app, bound),
            httpx.AsyncClient(base_url=running.base_url, trust_env=False) as http,
        ):
            yield app, running, People(http)


async def test_commands_and_clicks_arrive_as_signed_requests() -> None:
    """A bolt app behind a request URL accepts the signature, the command and the click."""
    async with http_mode("right") as (app, running, people):
        clicks: list[Json] = []

        @app.command("/canary")
        async def canary(ack: AsyncAck, body: Json) -> None:
            await ack(f"got {body['text']}")

        @app.action("go")
        async def go(ack: AsyncAck, body: Json) -> None:
            await ack()
            clicks.append(body)

        assert (await people.command("/canary status"))["ok"]
        assert (await people.messages())[-1]["text"] == "got status"
        client = AsyncWebClient(token=running.bot_token, base_url=running.api_url)
        posted = await client.chat_postMessage(
            channel=DEPLOYS, text="x", blocks=[actions(button())]
        )
        assert (await people.click(posted["ts"]))["ok"]
        assert clicks[0]["message"]["ts"] == posted["ts"]
        with pytest.raises(SlackApiError, match="socket_mode_not_enabled"):
            await client.apps_connections_open(app_token=running.app_token)


async def test_app_with_another_secret_refuses_the_requests() -> None:
    """A wrong signing secret ends in dispatch_failed for the person."""
    async with http_mode("wrong") as (_, _, people):
        assert (await people.command("/canary status"))["error"] == "dispatch_failed"


def test_settings_are_read_and_misspelt_keys_refused(tmp_path: Path) -> None:
    """A file changes what it names; a key that does not exist is an error."""
    path = tmp_path / "workspace.json"
    path.write_text('{"team_name": "Ours", "rate_limits": 0}')
    assert read_settings(path).team_name == "Ours"
    path.write_text('{"team_nam": "Ours"}')
    with pytest.raises(ValidationError, match="team_nam"):
        read_settings(path)


async def test_command_line_serves_until_it_is_stopped() -> None:
    """`python -m bot.workspace` says where it is, answers, and ends cleanly on SIGTERM."""
    arguments = ("-m", "bot.workspace", "--port", "0")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    async with httpx.AsyncClient(trust_env=False) as http:
        health = await http.get(f"{line.split()[-1]}/healthz")
    process.terminate()
    assert await process.wait() == 0
    assert health.json()["ok"] is True
    assert await process.stdout.read() == b""
