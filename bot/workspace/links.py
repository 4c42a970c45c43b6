"""Socket Mode: the app's WebSocket connections, their envelopes and acknowledgements."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from bot.workspace.settings import Settings
from bot.workspace.wire import Json, new_id

TICKET_SECONDS = 30.0


@dataclass(slots=True, eq=False)
class Link:
    """One connection of the app."""

    socket: WebSocket
    number: int
    leaving: bool = False
    acknowledged: int = 0
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, payload: Json) -> bool:
        """Send JSON; False if the connection is gone."""
        async with self.sending:
            if self.socket.application_state is not WebSocketState.CONNECTED:
                return False
            try:
                await self.socket.send_text(json.dumps(payload))
            except (WebSocketDisconnect, RuntimeError):
                return False
        return True


class Links:
    """Up to ten connections; each payload goes to one of them, in turn."""

    def __init__(self, settings: Settings, changed: Callable[[], None]) -> None:
        self._settings = settings
        self._changed = changed
        self._tickets: dict[str, float] = {}
        self._links: list[Link] = []
        self._waiting: dict[str, asyncio.Future[Json | str | None]] = {}
        self._turn = 0
        self._numbers = 0

    @property
    def count(self) -> int:
        """Give how many connections there are."""
        return len(self._links)

    def new_ticket(self) -> str:
        """Make a ticket for one handshake."""
        ticket = str(uuid.uuid4())
        self._tickets[ticket] = time.monotonic() + TICKET_SECONDS
        return ticket

    async def serve(self, socket: WebSocket) -> None:
        """Hold one connection from its handshake to its end."""
        expires_at = self._tickets.pop(socket.query_params.get("ticket", ""), 0.0)
        if time.monotonic() > expires_at:
            await socket.close(code=1008)  # before accept: the client sees HTTP 403
            return
        await socket.accept()
        self._numbers += 1
        link = Link(socket, self._numbers)
        if len(self._links) >= self._settings.max_connections:
            await link.send(self._farewell("too_many_websockets"))
            await socket.close(code=1000)
            return
        self._links.append(link)
        self._changed()
        try:
            await link.send(self._hello())
            while True:
                self._take(link, await socket.receive_text())
        except (WebSocketDisconnect, KeyError):
            pass  # it is gone, or has sent bytes, which Socket Mode does not know
        finally:
            self._links.remove(link)
            self._changed()

    async def deliver(self, kind: str, payload: Json, extra: Json | None = None) -> Json | str:
        """Send a payload to one connection and wait for its acknowledgement.

        Raises ConnectionError when there is no connection, TimeoutError when nothing comes back.
        """
        link = self._next()
        envelope_id = str(uuid.uuid4())
        envelope: Json = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
            **(extra or {}),
        }
        done = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = done
        try:
            # A connection that has just gone has taken the payload with it, as in Slack.
            await link.send(envelope)
            async with asyncio.timeout(self._settings.ack_seconds):
                return await done or {}
        finally:
            del self._waiting[envelope_id]

    async def disconnect(self, how: str, cut: Callable[[WebSocket], None], most: int) -> int:
        """End connections: `refresh` and `warning` ask first, `drop` closes, `cut` tears."""
        chosen = [link for link in self._links if not link.leaving][:most]
        for link in chosen:
            if how == "warning":
                await link.send(self._farewell("warning"))
                continue
            link.leaving = True
            if how == "refresh":
                await link.send(self._farewell("refresh_requested"))
            elif how == "drop":
                await link.socket.close(code=1000)
            else:
                cut(link.socket)
        return len(chosen)

    def _next(self) -> Link:
        open_links = [link for link in self._links if not link.leaving]
        if not open_links:
            raise ConnectionError
        self._turn += 1
        return open_links[self._turn % len(open_links)]

    def _take(self, link: Link, text: str) -> None:
        try:
            message = json.loads(text)
            envelope_id = message["envelope_id"]
        except (ValueError, TypeError, KeyError):
            return  # Slack takes no notice of what is no acknowledgement
        waiting = self._waiting.get(envelope_id)
        if waiting is not None and not waiting.done():
            link.acknowledged += 1
            waiting.set_result(message.get("payload"))

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": self.count,
            "debug_info": self._debug(
                approximate_connection_time=self._settings.connection_seconds
            ),
            "connection_info": {"app_id": self._settings.app_id},
        }

    def _farewell(self, reason: str) -> Json:
        return {"type": "disconnect", "reason": reason, "debug_info": self._debug()}

    def _debug(self, **more: int) -> Json:
        return {"host": new_id("applink-"), "build_number": 1, **more}
