"""What the workspace's tests share: waiting, a connected app and small block builders."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace import RunningWorkspace

Json = dict[str, Any]
ADA, GRACE, LINUS = "U0ADA0001", "U0GRACE01", "U0LINUS01"
DEPLOYS, SHOP, RANDOM = "C0DEPLOYS", "C0SHOP001", "C0RANDOM1"


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until something has become true."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def plain(text: str) -> Json:
    """Make a plain_text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    """Make a mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def button(action_id: str = "go", **more: Any) -> Json:
    """Make a button."""
    return {"type": "button", "text": plain("Go"), "action_id": action_id, **more}


def actions(*elements: Json, **more: Any) -> Json:
    """Make an actions block."""
    return {"type": "actions", "elements": list(elements), **more}


def modal(*blocks: Json, **more: Any) -> Json:
    """Make a modal."""
    inner = list(blocks) or [{"type": "section", "text": mrkdwn("hello")}]
    return {"type": "modal", "title": plain("Canary"), "blocks": inner, **more}


def text_input(block_id: str, action_id: str, **more: Any) -> Json:
    """Make an input block for one line of text."""
    element = {"type": "plain_text_input", "action_id": action_id, **more}
    return {"type": "input", "block_id": block_id, "label": plain("Version"), "element": element}


class People:
    """What people do, through the control API."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def do(self, action: str, **body: Any) -> Json:
        """Do something and give the answer, whatever it is."""
        response = await self.http.post(f"/_/{action}", json=body)
        answer: Json = response.json()
        return answer

    async def command(self, text: str, user: str = "ada", channel: str = "deploys") -> Json:
        """Send a slash command."""
        return await self.do("command", user=user, channel=channel, text=text)

    async def click(self, ts: str, action_id: str = "go", user: str = "ada", **more: Any) -> Json:
        """Click in a message of #deploys."""
        where = {"channel": "deploys", "message_ts": ts, "action_id": action_id}
        return await self.do("click", user=user, **where, **more)

    async def state(self, user: str = "ada") -> Json:
        """See what a person sees."""
        state: Json = (await self.http.get("/_/state", params={"user": user})).json()
        return state

    async def messages(self, channel: str = "deploys") -> list[Json]:
        """Read a channel."""
        response = await self.http.get("/_/messages", params={"channel": channel})
        messages: list[Json] = response.json()["messages"]
        return messages


def make_app(client: AsyncWebClient) -> AsyncApp:
    """Make an app that answers nothing yet."""
    quiet = logging.getLogger("test-app")
    quiet.setLevel(logging.CRITICAL)
    return AsyncApp(client=client, logger=quiet)


@asynccontextmanager
async def connected(
    app: AsyncApp, workspace: RunningWorkspace, handlers: int = 1
) -> AsyncIterator[list[AsyncSocketModeHandler]]:
    """Connect an app by Socket Mode, with one or more connections."""
    opened: list[AsyncSocketModeHandler] = []
    try:
        for _ in range(handlers):
            handler = AsyncSocketModeHandler(app, workspace.app_token, ping_interval=0.1)
            opened.append(handler)
            await handler.connect_async()  # type: ignore[no-untyped-call] # bolt leaves it untyped
        await until(lambda: workspace.workspace.links.count == handlers)
        yield opened
    finally:
        for handler in opened:
            await handler.close_async()  # type: ignore[no-untyped-call] # bolt leaves it untyped
