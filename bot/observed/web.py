"""What is asked of the bot itself over HTTP: `/metrics`, `/healthz`, `/readyz`."""

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from bot.observed.health import Health
from bot.observed.prometheus import PrometheusMeters
from bot.ports.meters import Meters

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

UNMATCHED: Final = "unmatched"
"""Stands for every path that is none of ours: anybody can ask for any."""


def observed_routes(meters: PrometheusMeters, health: Health) -> APIRouter:
    """The three routes; none needs a token, none tells a secret."""
    routes = APIRouter(tags=["itself"])

    @routes.get("/metrics", summary="The bot's own metrics", response_class=Response)
    async def metrics(request: Request) -> Response:
        """In Prometheus's text format, or OpenMetrics for whoever accepts it."""
        text, content_type = meters.exposition(request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type})

    @routes.get("/healthz", summary="Whether this process lives")
    async def healthz() -> JSONResponse:
        """503 once nothing has woken for half a minute: begin the process anew."""
        answer = health.alive()
        return JSONResponse(answer.body, answer.status)

    @routes.get("/readyz", summary="Whether this process can do its work")
    async def readyz() -> JSONResponse:
        """503 while the store or Slack is away, or while it leaves; each part is named."""
        answer = health.ready()
        return JSONResponse(answer.body, answer.status)

    return routes


def asgi(app: App, meters: Meters) -> App:
    """The same application, whose requests are counted by route and status.

    To be put around the whole application, inside the handler of last resort; one that raises
    counts as 500.
    """

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, sending)
        finally:
            took = time.perf_counter() - began
            meters.requested(_route(scope), scope["method"], status, took)

    return counting


def _route(scope: Scope) -> str:
    """The template of the route that was taken."""
    path = getattr(scope.get("route"), "path", None)
    return str(path) if path and re.match("/", str(path)) else UNMATCHED
