"""A request URL with listeners that write down what they hear, and requests signed as Slack's."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from servers import LOOPBACK
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.slack.http import PATH, HttpMode, Web
from bot.workspace.delivery import signature

SECRET = "a-secret-of-slack"
FORM = "application/x-www-form-urlencoded"
Json = dict[str, Any]


@dataclass
class Door:
    """A request URL, what its listeners heard, and a client before it."""

    web: Web
    app: AsyncApp
    http: httpx.AsyncClient
    heard: list[str] = field(default_factory=list)
    hold: asyncio.Event | None = None
    fail: bool = False

    async def send(self, body: bytes, *, kind: str = FORM, **headers: str) -> httpx.Response:
        """Send a body with these headers, dashes written as underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(PATH, content=body, headers={"Content-Type": kind} | named)

    async def command(self, text: str, off: float = 0, secret: str = SECRET) -> httpx.Response:
        """Send a slash command, signed at a time that is so many seconds off."""
        body = command(text)
        return await self.send(body, **signed(body, off, secret))


def command(text: str) -> bytes:
    """A slash command as Slack posts it."""
    known = {"command": "/canary", "text": text, "user_id": "U0ADA0001", "team_id": "T0CANARY1"}
    return urlencode(known).encode()


def signed(body: bytes, off: float = 0, secret: str = SECRET) -> dict[str, str]:
    """The two headers of a body."""
    timestamp = str(int(time.time() + off))
    value = signature(secret, timestamp, body.decode())
    return {"X_Slack_Request_Timestamp": timestamp, "X_Slack_Signature": value}


@asynccontextmanager
async def opened() -> AsyncIterator[Door]:
    """Serve an app that writes down what it hears."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token="xoxb-1")

    app = AsyncApp(authorize=authorize, signing_secret=SECRET)
    web = Web(app, HttpMode(SECRET, LOOPBACK, 0))
    await web.start()
    base = f"http://{LOOPBACK}:{web.port}"
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        door = Door(web, app, http)

        @app.command("/canary")
        async def canary(ack: AsyncAck, body: Json) -> None:
            if door.hold is not None:
                await door.hold.wait()
            if door.fail:
                raise RuntimeError("before the acknowledgement")
            await ack()
            door.heard.append(str(body["text"]))

        @app.event("app_home_opened")
        async def home(body: Json) -> None:
            door.heard.append(str(body["event_id"]))

        try:
            yield door
        finally:
            await web.stop()
