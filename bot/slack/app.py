"""The Slack edge, connected: acknowledge first, work then, and never leave anybody without words."""

import asyncio
import contextlib
import logging
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.canary import Canary
from bot.ports import Clock, PortError
from bot.ports.meters import NO_METERS, Meters
from bot.slack import starting
from bot.slack.actions import unknown_button
from bot.slack.commands import run_command
from bot.slack.desk import Catalog, Desk, Launches, Parts
from bot.slack.home import HomeTab
from bot.slack.http import HttpMode, Web
from bot.slack.limiter import Limiter, PausingRetry
from bot.slack.live_message import SlackBoard
from bot.slack.metered import CountedClient
from bot.slack.permissions import Groups, Home, Visit
from bot.slack.reply import Replies
from bot.slack.socket import Sockets
from bot.slack.surfaces import AtOnce, Views
from bot.slack.transport import Transport
from bot.slack.views import kit
from bot.slack.views.canary import Action
from bot.slack.views.form import FORM, PREFIX, action_id
from bot.slack.views.home import START, UNFREEZE

TIMEOUT: Final = 10
STOP_PATIENCE: Final = 2.0
"""Seconds from being told to leave until those whose request is not done yet hear of it."""

TELL_PATIENCE: Final = 0.8
"""Seconds for telling them; together less than the three the process gives the edge."""

LEARN_AGAIN: Final = 30.0

_ANYTHING: Final = re.compile(".*")
_OURS: Final = re.compile("|".join(re.escape(action.value) for action in Action) + r"\Z")

_IN_FORM: Final = re.compile(re.escape(PREFIX))

_LEAVING: Final = (
    "The bot is being restarted in the middle of your request, which may not have been done. "
    "`/canary status` shows how things stand; if it was not done, ask again."
)

_log = structlog.get_logger()
_bolt_log = logging.getLogger("bot.slack.bolt")
_bolt_log.setLevel(logging.CRITICAL)  # it warns of the token it finds; faults come to _on_error

Handler = Callable[[Parts, dict[str, Any]], Awaitable[None]]
FormHandler = Callable[[Parts, dict[str, Any]], AtOnce]


def make_client(
    bot_token: str, api_url: str, limiter: Limiter, meters: Meters = NO_METERS
) -> AsyncWebClient:
    """A Web API client that never repeats a call by itself, but for one after a 429.

    The SDK's own repetition after a broken connection can post a message twice.

    Args:
        bot_token: xoxb-…
        api_url: Slack's or a local workspace's API; a missing slash at the end is added.
        limiter: paused as a whole when Slack says that it is too much.
        meters: hears of every call.

    """
    client = CountedClient(
        token=bot_token,
        base_url=api_url.rstrip("/") + "/",
        timeout=TIMEOUT,
        retry_handlers=[PausingRetry(limiter)],
    )
    client.meters = meters
    if _is_local(api_url):
        client.proxy = None  # the SDK takes HTTP_PROXY for loopback addresses too
    return client


class SlackEdge:
    """Takes commands and clicks to the engine.

    `board` is made first, since the engine needs it: limiter, `make_client`, `SlackBoard`, engine,
    `SlackEdge`, all with the same limiter. With `http` Slack calls the bot, and `app_token` is not
    used; without it the bot connects to Slack.
    """

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        app_token: str,
        limiter: Limiter,
        board: SlackBoard,
        service: Desk,
        launcher: Launches,
        catalog: Catalog,
        clock: Clock,
        new_canary_id: Callable[[str], str],
        http: HttpMode | None = None,
    ) -> None:
        self.board = board
        self._client = client
        self._home = Home(client)
        self._parts = Parts(
            desk=service,
            launcher=launcher,
            catalog=catalog,
            board=board,
            replies=Replies(client, limiter),
            groups=Groups(client, limiter),
            home=self._home,
            clock=clock,
            new_canary_id=new_canary_id,
            views=Views(client, limiter),
        )
        self._tab = HomeTab()
        self._running: dict[asyncio.Task[Any], dict[str, Any]] = {}
        self._learning: asyncio.Task[None] | None = None
        self.app = self._make_app(http.signing_secret if http else "")
        self.transport: Transport = (
            Web(self.app, http) if http else Sockets(self.app, app_token, client)
        )

    @property
    def connected(self) -> bool:
        """Whether commands and clicks can arrive now."""
        return self.transport.connected

    async def start(self) -> None:
        """Begin to take commands and clicks; does not wait for Slack.

        Raises:
            PortError: HTTP mode's address cannot be had.

        """
        await self.transport.start()
        self._learning = asyncio.get_running_loop().create_task(self._learn())
        self._tab.start(self._parts)

    async def stop(self) -> None:
        """Take no more work, let what is running end for a while, then send the last states."""
        await self.close()
        await self.board.stop()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def message_url(self, canary: Canary) -> str:
        """Where the canary's message is; empty before it is posted or the workspace known."""
        return self._home.link(canary.thread)

    async def close(self) -> None:
        """Take no more work and let what is running end; the board goes on. Below three seconds.

        What is not done by then has been acknowledged, so its people are told that it may not be
        done. It is left running as long as the process lives: an abort may be among it.
        """
        give_up_at = asyncio.get_running_loop().time() + STOP_PATIENCE
        await self.transport.stop()
        await self._tab.stop()
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)
        if self._running:
            patience = give_up_at - asyncio.get_running_loop().time()
            await asyncio.wait(self._running, timeout=max(patience, 0))
        if self._running:
            await self._apologise(list(self._running.values()))

    async def _apologise(self, bodies: list[dict[str, Any]]) -> None:
        """Tell everybody whose request is under way that the bot leaves."""
        visits = [Visit.of(body) for body in bodies if body.get("type") != "event_callback"]
        for visit in visits:
            _log.warning("slack.request.left_behind", by=visit.user_id)
        telling = [self._parts.replies.privately(v, kit.private(_LEAVING)) for v in visits]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TELL_PATIENCE):
                await asyncio.gather(*telling)

    async def _learn(self) -> None:
        """Know the own workspace before the first approval, so that it need not wait."""
        while why := await self._home.learn():
            _log.warning("slack.home.unknown", why=why)
            await asyncio.sleep(LEARN_AGAIN)

    def _make_app(self, signing_secret: str) -> AsyncApp:
        token = self._client.token

        # A function, not a method: bolt passes `self` by name to whatever has such a parameter.
        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            """Bolt would ask Slack before the first acknowledgement; the token is known anyway."""
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

        app = AsyncApp(
            client=AsyncWebClient(base_url=self._client.base_url),
            authorize=authorize,
            logger=_bolt_log,
            signing_secret=signing_secret,  # Socket Mode has none
        )
        app.command(_ANYTHING)(self._listener(run_command))
        app.action(_OURS)(self._listener(self._tab.press))
        app.action(START)(self._listener(self._tab.begin))
        app.action(UNFREEZE)(self._listener(self._tab.unfreeze))
        app.action(_IN_FORM)(self._listener(starting.change))
        app.action(_ANYTHING)(self._listener(unknown_button))
        app.view(FORM)(self._form_listener(starting.submit))
        app.view(_ANYTHING)(self._listener(_not_understood))
        app.view_closed(_ANYTHING)(self._listener(_nothing))
        app.shortcut(_ANYTHING)(self._listener(_not_understood))
        app.options(action_id("service"))(self._form_listener(starting.suggest))
        app.options(_ANYTHING)(self._options)
        app.event("app_home_opened")(self._listener(self._tab.opened))
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
            async with self._watched(body):
                await handle(self._parts, body)

        return listener

    def _form_listener(self, handle: FormHandler) -> Callable[..., Awaitable[None]]:
        """For what wants an answer with its acknowledgement: made at once, then worked on."""

        async def listener(ack: AsyncAck, body: dict[str, Any]) -> None:
            async with self._watched(body):
                try:
                    at_once = handle(self._parts, body)
                except Exception:
                    await ack()  # or the person would see Slack's error instead of the reason
                    raise
                await ack(**at_once.answer)
                if at_once.then is not None:
                    await at_once.then()

        return listener

    @contextlib.asynccontextmanager
    async def _watched(self, body: dict[str, Any]) -> AsyncIterator[None]:
        """Known while it is under way; what goes wrong is told and logged, whatever it is."""
        task = asyncio.current_task()
        assert task is not None, "listeners run in tasks"
        self._running[task] = body
        try:
            yield
        except Exception as error:  # noqa: BLE001 - see above
            await self._on_error(error, body, None)
        finally:
            self._running.pop(task, None)

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
        if body.get("type") == "event_callback":
            return  # nobody's request; without an acknowledgement Slack sends it again
        told = await self._parts.replies.privately(visit, kit.private(text))
        if response is not None and told:  # or the person would see Slack's error as well
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
