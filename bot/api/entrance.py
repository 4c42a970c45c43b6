"""The first to see a request: who sends it, how often, how large; no error leaves it as a traceback."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog

from bot.api.doorkeeper import Doorkeeper
from bot.api.problems import Problem, away, fault, unreadable
from bot.ports import PortError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ROOT: Final = "/v1/"
MOST_BYTES: Final = 1024 * 1024
MOST_DEPTH: Final = 16
READ_PATIENCE: Final = 10.0
"""Seconds until a body must be there whole."""

_ABORT: Final = re.compile(r"/v1/canaries/[^/]+/abort")
_NESTING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_log = structlog.get_logger()


class Entrance:
    """An ASGI middleware around everything else."""

    def __init__(self, app: App, doorkeeper: Doorkeeper) -> None:
        self._app = app
        self._doorkeeper = doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, headers = False, {"x-content-type-options": "nosniff"}

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                extra = [(name.lower().encode(), v.encode()) for name, v in headers.items()]
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        try:
            if scope["path"].startswith(ROOT):
                headers["cache-control"] = "no-store"
                headers |= await self._let_in(scope)
                receive = await _whole(scope, receive)
            await self._app(scope, receive, sending)
        except Exception as error:
            problem = _problem(error, scope)
            if begun:
                raise
            await problem.answer()(scope, receive, sending)

    async def _let_in(self, scope: Scope) -> dict[str, str]:
        urgent = scope["method"] == "POST" and bool(_ABORT.fullmatch(scope["path"]))
        sent = _header(scope, b"authorization")
        address = (scope.get("client") or ("unknown", 0))[0]
        caller = await self._doorkeeper.admit(sent, address, urgent=urgent)
        left = await self._doorkeeper.count(caller, urgent=urgent)
        scope.setdefault("state", {})["caller"] = caller
        return left


def _problem(error: Exception, scope: Scope) -> Problem:
    match error:
        case Problem():
            return error
        case PortError():
            return away(str(error))
        case _:
            _log.error("api.failed", method=scope["method"], path=scope["path"], exc_info=error)
            return fault()


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _whole(scope: Scope, receive: Receive) -> Receive:
    """Read the body within its bounds of size, depth and time, and hand it on."""
    declared = _header(scope, b"content-length")
    if declared.isdigit() and int(declared) > MOST_BYTES:
        raise _too_large()
    body = b""
    try:
        async with asyncio.timeout(READ_PATIENCE):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    break
                body += message.get("body", b"")
                if len(body) > MOST_BYTES:
                    raise _too_large()
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise Problem(
            408,
            "slow-request",
            f"The body did not come within {READ_PATIENCE:g} s.",
            "Send it again, whole.",
            {"Connection": "close"},
        ) from None
    if _too_deep(body):
        raise unreadable()
    handed = False

    async def again() -> Message:
        nonlocal handed
        if handed:
            return await receive()  # whether the caller has hung up
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _too_large() -> Problem:
    return Problem(
        413,
        "too-large",
        f"The body has more than {MOST_BYTES // 1024} KB. Nothing was done.",
        "Leave the texts of large files out, and send complete: false where files are left out.",
        {"Connection": "close"},
    )


def _too_deep(body: bytes) -> bool:
    depth = 0
    for found in _NESTING.finditer(body):
        if found[0] in b"[{":
            depth += 1
        elif found[0] in b"]}":
            depth -= 1
        if depth > MOST_DEPTH:
            return True
    return False
