"""The Slack edge, connected: acknowledge first, work then, and never leave anybody without words."""

import asyncio
import contextlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Clock, PortError
from bot.slack.actions import press, unknown_button
from bot.slack.commands import run_command
from bot.slack.desk import Catalog, Desk, Parts
from bot.slack.limiter import Limiter, PausingRetry
from bot.slack.live_message import SlackBoard
from bot.slack.permissions import Groups, Home, Visit
from bot.slack.reply import Replies
from bot.slack.socket import Sockets
from bot.slack.views import kit
from bot.slack.views.canary import Action

TIMEOUT: Final = 10
STOP_PATIENCE: Final = 5.0
LEARN_AGAIN: Final = 30.0

_ANYTHING: Final = re.compile(".*")
_OURS: Final = re.compile("|".join(re.escape(action.value) for action in Action) + r"\Z")

_log = structlog.get_logger()
_bolt_log = logging.getLogger("bot.slack.bolt")
_bolt_log.setLevel(logging.CRITICAL)  # it warns of the token it finds; faults come to _on_error

Handler = Callable[[Parts, dict[str, Any]], Awaitable[None]]


def make_client(bot_token: str, api_url: str, limiter: Limiter) -> AsyncWebClient:
    """A Web API client that never repeats a call by itself, but for one after a 429.

    The SDK's own repetition after a broken connection can post a message twice.

    Args:
        bot_token: xoxb-…
        api_url: Slack's or a local workspace's API; a missing slash at the end is added.
        limiter: paused as a whole when Slack says that it is too much.

    """
    client = AsyncWebClient(
        token=bot_token,
        base_url=api_url.rstrip("/") + "/",
        timeout=TIMEOUT,
        retry_handlers=[PausingRetry(limiter)],
    )
    if _is_local(api_url):
        client.proxy = None  # the SDK takes HTTP_PROXY for loopback addresses too
    return client


class SlackEdge:
    """Takes commands and clicks to the engine.

    `board` is made first, since the engine needs it: limiter, `make_client`, `SlackBoard`, engine,
    `SlackEdge`, all with the same limiter.
    """

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        app_token: str,
        limiter: Limiter,
        board: SlackBoard,
        service: Desk,
        catalog: Catalog,
        clock: Clock,
        new_canary_id: Callable[[str], str],
    ) -> None:
        self.board = board
        self._client = client
        self._home = Home(client)
        self._parts = Parts(
            desk=service,
            catalog=catalog,
            board=board,
            replies=Replies(client, limiter),
            groups=Groups(client, limiter),
            home=self._home,
            clock=clock,
            new_canary_id=new_canary_id,
        )
        self._running: set[asyncio.Task[Any]] = set()
        self._learning: asyncio.Task[None] | None = None
        self.app = self._make_app()
        self._sockets = Sockets(self.app, app_token, client)

    @property
    def connected(self) -> bool:
        """Whether commands and clicks can arrive now."""
        return self._sockets.connected

    async def start(self) -> None:
        """Connect in the background; returns at once, whether Slack can be reached or not."""
        self._sockets.start()
        self._learning = asyncio.get_running_loop().create_task(self._learn())

    async def stop(self) -> None:
        """Take no more work, let what is running end for up to 5 s, then send the last states."""
        await self.close()
        await self.board.stop()

    async def close(self) -> None:
        """Take no more work and let what is running end; the board goes on."""
        await self._sockets.stop()
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=STOP_PATIENCE)
            for task in late:
                _log.warning("slack.listener.cut_off", listener=task.get_name())
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _learn(self) -> None:
        """Know the own workspace before the first approval, so that it need not wait."""
        while why := await self._home.learn():
            _log.warning("slack.home.unknown", why=why)
            await asyncio.sleep(LEARN_AGAIN)

    def _make_app(self) -> AsyncApp:
        token = self._client.token

        # A function, not a method: bolt passes `self` by name to whatever has such a parameter.
        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            """Bolt would ask Slack before the first acknowledgement; the token is known anyway."""
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

        app = AsyncApp(
            client=AsyncWebClient(base_url=self._client.base_url),
            authorize=authorize,
            logger=_bolt_log,
            signing_secret="",  # Socket Mode has none
        )
        app.command(_ANYTHING)(self._listener(run_command))
        app.action(_OURS)(self._listener(press))
        app.action(_ANYTHING)(self._listener(unknown_button))
        app.view(_ANYTHING)(self._listener(_not_understood))
        app.view_closed(_ANYTHING)(self._listener(_nothing))
        app.shortcut(_ANYTHING)(self._listener(_not_understood))
        app.options(_ANYTHING)(self._options)
        app.event(_ANYTHING)(self._listener(_nothing))
        app.error(self._on_error)
        return app

    def _listener(self, handle: Handler) -> Callable[..., Awaitable[None]]:
        """The one way in: acknowledge before anything is awaited, then work under watch.

        Nothing is raised into bolt: a listener that fails before bolt has looked (each 10 ms)
        takes its own acknowledgement back.
        """

        async def listener(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            task = asyncio.current_task()
            assert task is not None, "listeners run in tasks"
            self._running.add(task)
            try:
                await handle(self._parts, body)
            except Exception as error:  # noqa: BLE001 - told and logged, whatever it is
                await self._on_error(error, body, None)
            finally:
                self._running.discard(task)

        return listener

    async def _options(self, ack: AsyncAck) -> None:
        await ack(options=[])

    async def _on_error(
        self, error: Exception, body: dict[str, Any], response: BoltResponse | None
    ) -> None:
        """Tell the person in plain words, and the log everything."""
        visit = Visit.of(body)
        reference = secrets.token_hex(3)
        if isinstance(error, PortError):
            _log.warning("slack.request.not_done", by=visit.user_id, why=str(error))
            text = f"That could not be done now. {error}"
        else:
            _log.error(
                "slack.request.failed", reference=reference, by=visit.user_id, exc_info=error
            )
            text = (
                "Something went wrong inside the bot, and your request may not have been done. "
                "`/canary status` shows how things stand. If it happens again, give the bot's "
                f"maintainers this reference to its log: {reference}."
            )
        if body.get("type") != "event_callback":
            await self._parts.replies.privately(visit, kit.private(text))
        if response is not None:  # not acknowledged: do it, or the person sees a timeout too
            response.status, response.body = 200, ""


async def _nothing(parts: Parts, body: dict[str, Any]) -> None:
    """Events and closed views ask for no answer."""


async def _not_understood(parts: Parts, body: dict[str, Any]) -> None:
    text = "The bot has no use for this, so nothing changed. `/canary help` shows what it can do."
    await parts.replies.privately(Visit.of(body), kit.private(text))


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
