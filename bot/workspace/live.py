"""Change notices to the open pages."""

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

# Changes that come together become one notice.
QUIET_SECONDS = 0.03


class Live:
    """Tells every open page that there is something new to fetch."""

    def __init__(self) -> None:
        self._version = 0
        self._changed = asyncio.Event()

    @property
    def version(self) -> int:
        """Give the number of changes so far."""
        return self._version

    def change(self) -> None:
        """Note that something visible has changed."""
        self._version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, seen: int) -> int:
        """Wait for a change after the one seen."""
        while self._version == seen:
            await self._changed.wait()
        return self._version

    async def serve(self, socket: WebSocket) -> None:
        """Send a notice on each change until the page goes away."""
        await socket.accept()
        sender = asyncio.create_task(self._send(socket))
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            pass
        finally:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, RuntimeError, WebSocketDisconnect):
                await sender

    async def _send(self, socket: WebSocket) -> None:
        seen = -1
        while True:
            seen = await self.wait(seen)
            await socket.send_json({"type": "change", "version": seen})
            await asyncio.sleep(QUIET_SECONDS)
