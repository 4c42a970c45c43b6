"""The first to see a request: who sends it, how often, how large; no error leaves it as a traceback."""

import re
from typing import Final

import structlog

from bot.api.bodies import App, Message, Receive, Scope, Send, header, whole
from bot.api.doorkeeper import Doorkeeper
from bot.api.problems import Problem, away, crowded, fault
from bot.ports import PortError

ROOT: Final = "/v1/"
MOST_ENTERING: Final = 500
"""Requests that wait to be let in, while the store is slow; aborts are not among them."""

_ABORT: Final = re.compile(r"/v1/canaries/[^/]+/abort")
_log = structlog.get_logger()


class Entrance:
    """An ASGI middleware around everything else."""

    def __init__(self, app: App, doorkeeper: Doorkeeper) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._entering = 0

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
                receive = await whole(scope, receive)
            await self._app(scope, receive, sending)
        except Exception as error:
            problem = _problem(error, scope)
            if begun:
                raise
            await problem.answer()(scope, receive, sending)

    async def _let_in(self, scope: Scope) -> dict[str, str]:
        urgent = scope["method"] == "POST" and bool(_ABORT.fullmatch(scope["path"]))
        if not urgent and self._entering >= MOST_ENTERING:
            raise crowded()
        sent = header(scope, b"authorization")
        address = (scope.get("client") or ("unknown", 0))[0]
        self._entering += not urgent
        try:
            caller = await self._doorkeeper.admit(sent, address, urgent=urgent)
            left = await self._doorkeeper.count(caller, urgent=urgent)
        finally:
            self._entering -= not urgent
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
