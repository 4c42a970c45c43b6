"""Serves the API inside the bot's own event loop, and leaves when the bot does."""

import asyncio
import contextlib
import logging
import socket
from typing import Any, Final

import structlog
import uvicorn

from bot.api.connections import Config, Silent
from bot.config.api import CONNECTIONS_PER_ADDRESS
from bot.ports import PortError

CLOSE_PATIENCE: Final = 2.0
"""Seconds for requests under way; whoever waits for an end is let go and asks again elsewhere."""

IDLE_CONNECTION: Final = 75
"""Seconds between two requests of one connection."""

_log = structlog.get_logger()


class _Server(uvicorn.Server):
    """Signals belong to the bot."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when it is done."""
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave them alone."""
        yield


class ApiServer:
    """One replica's API.

    Args:
        app: see `make_api`.
        host, port: where; port 0 takes any free one.

    """

    def __init__(self, app: Any, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port that was bound; 0 before `start`."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    async def start(self) -> None:
        """Listen.

        Raises:
            PortError: the address cannot be had.

        """
        try:
            self._socket = _bound(self._host, self._port)
        except OSError as error:
            why = error.strerror or str(error)
            raise PortError(
                f"the API cannot be served at {self._host}:{self._port}: {why}. Free the port, or "
                "choose another one with api.listen"
            ) from error
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        state = getattr(self._app, "state", None)
        per_address = getattr(state, "connections_per_address", CONNECTIONS_PER_ADDRESS)
        config = Config(
            self._app,
            Silent(per_address),
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            lifespan="off",
            ws="none",
            timeout_keep_alive=IDLE_CONNECTION,
            timeout_graceful_shutdown=int(CLOSE_PATIENCE),
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        up = asyncio.create_task(self._server.up.wait())
        await asyncio.wait({up, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if self._serving.done():
            self._serving.result()
            raise PortError(f"the API does not begin to serve at {self._host}:{self.port}")
        _log.info("api.up", host=self._host, port=self.port)

    async def close(self) -> None:
        """Take nothing new, let go of whoever waits, answer what has come; within three seconds."""
        serving, self._serving = self._serving, None
        if self._server is None or serving is None:
            return
        state = getattr(self._app, "state", None)
        leaving = getattr(state, "leaving", None)
        if leaving is not None:
            leaving.set()
        self._server.should_exit = True
        done, _ = await asyncio.wait({serving}, timeout=CLOSE_PATIENCE + 0.5)
        if not done:
            self._server.force_exit = True
            serving.cancel()
            await asyncio.wait({serving}, timeout=0.2)
        if self._socket is not None:
            self._socket.close()
        _log.info("api.down")


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket."""
    family, kind, proto, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, proto)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)  # noqa: FBT003 - that is how it is called
        made.bind(address)
        # Now, for uvicorn begins to listen later, and another process could do so first.
        made.listen(2048)
    except OSError:
        made.close()
        raise
    return made
