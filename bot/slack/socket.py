"""Socket Mode that stays up: two connections, a watchdog, and refreshes that lose no click.

Slack sends each payload to one connection only, and neither commands nor clicks a second time. So
when Slack asks for a refresh the new connection is opened first and the old one read to its end.
A connection that is about to be closed takes nothing more: what it hears then is not begun and not
acknowledged, and the person sees Slack's own error.
"""

import asyncio
import contextlib
import logging
import time
from typing import Any, Final

import structlog
from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.faults import BROKEN, explain

CONNECTIONS: Final = 2
WATCH_EVERY: Final = 3.0
LOOK_EVERY: Final = 0.5
"""Seconds until a torn connection is noticed; the SDK waits for its next ping."""

PING_INTERVAL: Final = 5.0
LINGER: Final = 30.0
"""Seconds an old connection is still read after its successor stands.

Longer than Slack takes to close it (about ten), since whoever closes first loses what is under way.
"""

MOST_CONNECTIONS: Final = 6
"""Old ones included; Slack allows ten an app, over all its processes."""

ACK_PATIENCE: Final = 0.3
"""Seconds for the acknowledgements under way; each takes some 20 ms."""

CLOSE_PATIENCE: Final = 0.3
HOPELESS_AFTER: Final = 60.0
"""Seconds after which a connection that does not come back is thrown away for a new one."""

_log = structlog.get_logger()
_sdk = logging.getLogger("bot.slack.socket.sdk")
_sdk.setLevel(logging.CRITICAL)  # its tracebacks at every retry say less than our two events


class _Client(SocketModeClient):
    """The SDK's client, which tells its connection when Slack wants it replaced."""

    def __init__(self, connection: "_Connection", app_token: str, web: AsyncWebClient) -> None:
        super().__init__(
            app_token=app_token, logger=_sdk, web_client=web, ping_interval=connection.ping
        )
        self.proxy = web.proxy  # where the web client goes directly, this one does too
        self._connection = connection

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        if message.get("type") == "disconnect" and self._connection.hand_over(
            str(message.get("reason") or "")
        ):
            return
        await super().run_message_listeners(message, raw_message)

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - the SDK's own signature
        if not self._connection.retired:
            await super().connect_to_new_endpoint(force)

    async def issue_new_wss_url(self) -> str:
        try:
            url = await super().issue_new_wss_url()
        except BROKEN as error:
            self._connection.complain(explain("Socket Mode cannot be opened", error))
            raise
        self._connection.complain("")
        return url


class _Connection(AsyncSocketModeHandler):
    """One connection, with a count of what it has not acknowledged yet."""

    def __init__(self, sockets: "Sockets", app: AsyncApp, app_token: str) -> None:
        # Not the parent's __init__, which would make the SDK's plain client.
        self.app = app
        self.app_token = app_token
        self.ping = sockets.ping
        self.sockets = sockets
        self.retired = False
        self.leaving = False
        self.lost: Any = None  # the last session that was found closed
        self.answering = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self.gone = asyncio.Event()
        self.up_at = time.monotonic()
        self.client = _Client(self, app_token, sockets.web)
        self.client.on_close_listeners.append(self._closed)
        self.client.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type] # the SDK types its base class only

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override] # bolt's own handler narrows it the same way
        if self.leaving:
            return
        self.answering += 1
        self.idle.clear()
        try:
            await super().handle(client, req)
        finally:
            self.answering -= 1
            if not self.answering:
                self.idle.set()

    async def _closed(self, _message: WSMessage) -> None:
        self.gone.set()

    @property
    def alive(self) -> bool:
        """Whether the socket is open as far as one knows."""
        session = self.client.current_session
        return not (self.client.closed or self.client.stale or session is None or session.closed)

    @property
    def torn(self) -> bool:
        """Whether the socket has closed since the last look and nobody wanted it to."""
        session = self.client.current_session
        if self.retired or self.leaving or session is None or not session.closed:
            return False
        lost, self.lost = self.lost, session
        return lost is not session

    def hand_over(self, reason: str) -> bool:
        """Whether Slack's wish to disconnect is taken care of."""
        return self.sockets.replace(self, reason)

    def complain(self, why: str) -> None:
        """Say once why Slack does not let us in."""
        self.sockets.complain(why)

    async def close(self) -> None:
        """Acknowledge what was begun, close the socket, and wait for the SDK's tasks to end."""
        self.leaving = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ACK_PATIENCE):
                await self.idle.wait()
        client = self.client
        tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
        try:
            async with asyncio.timeout(CLOSE_PATIENCE):
                await self.close_async()  # type: ignore[no-untyped-call] # bolt leaves it untyped
        except (TimeoutError, *BROKEN) as error:
            _log.info("slack.socket.close_failed", error=str(error) or type(error).__name__)
        waiting = [task for task in tasks if task is not None]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await client.aiohttp_client_session.close()


class Sockets:
    """The bot's connections to Slack."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        web: AsyncWebClient,
        *,
        ping: float = PING_INTERVAL,
        watch_every: float = WATCH_EVERY,
        linger: float = LINGER,
    ) -> None:
        self.web = web
        self.ping = ping
        self._app = app
        self._app_token = app_token
        self._watch_every = watch_every
        self._linger = linger
        self._connections: list[_Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._was_connected: bool | None = None
        self._complaint = ""

    @property
    def connected(self) -> bool:
        """Whether at least one connection lives."""
        return any(connection.alive for connection in self._connections)

    async def start(self) -> None:
        """Connect in the background; while Slack cannot be reached it is tried again."""
        for _ in range(CONNECTIONS):
            self._spawn(self._connect(self._open()))
        self._spawn(self._watch())
        self._spawn(self._revive())

    async def stop(self) -> None:
        """Take nothing new, acknowledge what has come, then close; within a second."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(connection.close() for connection in self._connections))
        self._connections.clear()

    def replace(self, old: _Connection, reason: str) -> bool:
        """Open a successor before the old connection ends; False to let the SDK reconnect."""
        if old.retired:
            return True
        _log.info("slack.socket.disconnect", reason=reason)
        if reason not in {"warning", "refresh_requested"}:
            return False
        old.retired = True
        self._spawn(self._hand_over(old, self._open()))
        return True

    def complain(self, why: str) -> None:
        """Log why Slack does not let us in, each reason once."""
        if why and why != self._complaint:
            _log.warning("slack.socket.refused", why=why)
        self._complaint = why

    def _open(self) -> _Connection:
        connection = _Connection(self, self._app, self._app_token)
        self._connections.append(connection)
        return connection

    async def _connect(self, connection: _Connection) -> None:
        await connection.connect_async()  # type: ignore[no-untyped-call] # bolt leaves it untyped
        self._note()

    async def _hand_over(self, old: _Connection, new: _Connection) -> None:
        await self._connect(new)
        crowded = len(self._connections) > MOST_CONNECTIONS
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0 if crowded else self._linger):
                await old.gone.wait()
        await self._discard(old)

    async def _discard(self, connection: _Connection) -> None:
        await connection.close()
        self._connections.remove(connection)  # last, so that `stop` closes what is cut short here

    async def _watch(self) -> None:
        """Free connections from what the SDK does not recover from by itself.

        After one failed handshake it tries the same used-up address for ever; without an address
        it asks for a new one.
        """
        while True:
            await asyncio.sleep(self._watch_every)
            now = time.monotonic()
            for connection in [c for c in self._connections if not c.retired]:
                if await connection.client.is_connected():
                    connection.up_at = now
                elif now - connection.up_at > HOPELESS_AFTER:
                    connection.retired = True
                    _log.warning("slack.socket.replaced", down_for=now - connection.up_at)
                    self._spawn(self._discard(connection))
                    self._spawn(self._connect(self._open()))
                else:
                    connection.client.wss_uri = None
            self._note()

    async def _revive(self) -> None:
        """Reconnect at once where a socket was torn; the SDK's own lock keeps it from doing it too."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for connection in [c for c in self._connections if c.torn]:
                self._spawn(connection.client.connect_to_new_endpoint())

    def _note(self) -> None:
        """Log when the bot goes out of reach and when it is back."""
        connected = self.connected
        if connected != self._was_connected:
            alive = sum(connection.alive for connection in self._connections)
            if connected:
                _log.info("slack.socket.up", connections=alive)
            else:
                _log.warning("slack.socket.down", what="clicks and commands do not arrive")
        self._was_connected = connected

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("slack.socket.task_failed", exc_info=error)
