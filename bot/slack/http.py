"""HTTP mode: Slack calls a request URL, and only what carries its fresh signature is heard.

Every request is checked on its raw body before anything reads it, within five minutes of its
timestamp either way. One that was taken is not done a second time by this process; another replica
does not know of it, and there the canary's state is what refuses a second abort or approval.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import hdrs, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import Clock, SignatureVerifier

from bot.ports import PortError
from bot.slack.seen import WINDOW, Seen

PATH: Final = "/slack/events"
"""The one path that takes commands, interactivity and events."""

HEALTH: Final = "/healthz"
MOST_BYTES: Final = 1024 * 1024
"""A request's body; Slack's largest, a modal, has 250 KB."""

READ_PATIENCE: Final = 5.0
"""Seconds until a request must be there whole; Slack itself gives up after three."""

IDLE_CONNECTION: Final = 75.0
ANSWER_PATIENCE: Final = 0.3
CLOSE_PATIENCE: Final = 0.2
SAY_AGAIN_AFTER: Final = 60.0

_log = structlog.get_logger()
_server_log = logging.getLogger("bot.slack.http.server")
_server_log.setLevel(logging.CRITICAL)  # a traceback for whatever is no HTTP; anybody can send it


@dataclass(frozen=True, slots=True)
class HttpMode:
    """Where requests are taken and what they are signed with; port 0 takes any free one."""

    signing_secret: str
    host: str
    port: int


class _Now(Clock):
    """The SDK's clock, by the function that tests can turn."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()


class Web:
    """The request URL of one replica.

    Args:
        app: its listeners, made with the same signing secret, so that bolt checks once more.
        mode: address and secret.
        now: the wall clock in seconds, against which timestamps are held.

    """

    def __init__(
        self, app: AsyncApp, mode: HttpMode, *, now: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._mode = mode
        self._now = now
        self._verifier = SignatureVerifier(mode.signing_secret, _Now(now))
        self._seen = Seen(now)
        self._runner: web.AppRunner | None = None
        self._leaving = False
        self._answering = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._refused = 0
        self._told_at = float("-inf")

    @property
    def connected(self) -> bool:
        """Whether requests are taken now."""
        return self._runner is not None and not self._leaving

    @property
    def port(self) -> int:
        """The port that was bound; 0 before `start`."""
        addresses = self._runner.addresses if self._runner else []
        return int(addresses[0][1]) if addresses else 0

    async def start(self) -> None:
        """Listen.

        Raises:
            PortError: the address cannot be had.

        """
        host, port = self._mode.host, self._mode.port
        server = web.Application(client_max_size=MOST_BYTES)
        server.on_response_prepare.append(_without_banner)
        server.router.add_post(PATH, self._take)
        server.router.add_get(HEALTH, self._health)
        # What is signed is what came, so nothing is unpacked.
        runner = web.AppRunner(
            server,
            access_log=None,
            logger=_server_log,
            auto_decompress=False,
            keepalive_timeout=IDLE_CONNECTION,
            shutdown_timeout=CLOSE_PATIENCE,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            why = error.strerror or str(error)
            raise PortError(
                f"Slack's requests cannot be taken at {host}:{port}: {why}. Free the port, or "
                "choose another one with slack.listen."
            ) from error
        self._runner = runner
        _log.info("slack.http.up", host=host, port=self.port, path=PATH)

    async def stop(self) -> None:
        """Take nothing new, answer what has come, then close; within half a second."""
        self._leaving = True
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for site in tuple(runner.sites):
            await site.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_PATIENCE):
                await self._idle.wait()
        await runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        """For a load balancer: 503 from the moment on in which this replica leaves."""
        status = 503 if self._leaving else 200
        return web.json_response({"ok": status == 200}, status=status)

    async def _take(self, request: web.Request) -> web.Response:
        self._answering += 1
        self._idle.clear()
        try:
            return await self._answer(request)
        except Exception as error:
            if not isinstance(error, web.HTTPException):
                _log.exception("slack.http.failed", remote=request.remote)
            raise
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()

    async def _answer(self, request: web.Request) -> web.Response:
        if self._leaving:  # on a connection kept open; the person sees Slack's error
            return _refusal(503, "this replica is leaving")
        try:
            async with asyncio.timeout(READ_PATIENCE):
                body = await request.read()
        except TimeoutError:
            return _refusal(408, "the request did not come to its end")
        why = self._objection(request, body)
        if why:
            self._note_refusal(why, request.remote)
            return _refusal(401, "invalid request")
        signature = request.headers[_SIGNATURE]
        earlier = self._seen.outcome(signature)
        if earlier is not None:
            return await _again(request, earlier)
        outcome = self._seen.remember(signature, float(request.headers[_TIMESTAMP]))
        try:
            answer = await self._dispatch(request, body)
        except BaseException:
            outcome.set_result(500)
            self._seen.forget(signature)
            raise
        outcome.set_result(answer.status)
        if answer.status != 200:
            self._seen.forget(signature)  # not done, so Slack's next attempt counts
        return answer

    async def _dispatch(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        bolt = AsyncBoltRequest(body=body.decode(), query=request.query_string, headers=headers)  # type: ignore[arg-type] # bolt's Dict is invariant
        return await to_aiohttp_response(await self._app.async_dispatch(bolt))

    def _objection(self, request: web.Request, body: bytes) -> str:
        """Why this is not taken for Slack's; nothing when it is."""
        timestamp = request.headers.get(_TIMESTAMP)
        signature = request.headers.get(_SIGNATURE)
        if not timestamp or not signature:
            return "it is not signed"
        try:
            off = self._now() - int(timestamp)
            valid = self._verifier.is_valid(body, timestamp, signature)
        except (ValueError, TypeError):  # no number, no UTF-8, no ASCII
            return "its signature is malformed"
        if valid:
            return ""
        if abs(off) > WINDOW:
            return f"its timestamp is {off:.0f} s off; is this machine's clock right?"
        return "its signature does not match SLACK_SIGNING_SECRET"

    def _note_refusal(self, why: str, remote: str | None) -> None:
        """Log the first at once and then one line a minute, since anybody can send them."""
        self._refused += 1
        now = time.monotonic()
        if now - self._told_at < SAY_AGAIN_AFTER:
            return
        _log.warning("slack.http.refused", why=why, remote=remote, requests=self._refused)
        self._told_at, self._refused = now, 0


_TIMESTAMP: Final = "X-Slack-Request-Timestamp"
_SIGNATURE: Final = "X-Slack-Signature"


async def _again(request: web.Request, earlier: asyncio.Future[int]) -> web.Response:
    """Answer a request that has come before: nothing is done, and nothing told.

    200 once the first one was taken. Slack's own repetition of an event that follows within the
    same second has the same signature, and an error would only make Slack send it once more.
    """
    status = await asyncio.shield(earlier)
    _log.info(
        "slack.http.repeated",
        status=status,
        retry=request.headers.get("X-Slack-Retry-Num", ""),
        remote=request.remote,
    )
    return web.Response(status=status)


def _refusal(status: int, error: str) -> web.Response:
    answer = web.json_response({"error": error}, status=status)
    if status != 401:
        answer.force_close()
    return answer


async def _without_banner(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.popall(hdrs.SERVER, None)
