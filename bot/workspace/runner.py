"""Running a workspace: for good from the command line, or for a while inside a test."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn

from bot.workspace.app import create_app
from bot.workspace.core import Workspace
from bot.workspace.settings import Settings


@dataclass(frozen=True, slots=True)
class RunningWorkspace:
    """A workspace that answers at `base_url`."""

    base_url: str
    workspace: Workspace

    @property
    def api_url(self) -> str:
        """Give the base URL for a Slack client; it ends in a slash."""
        return f"{self.base_url}/api/"

    @property
    def bot_token(self) -> str:
        """Give the bot's token."""
        return self.workspace.settings.bot_token

    @property
    def app_token(self) -> str:
        """Give the app-level token for Socket Mode."""
        return self.workspace.settings.app_token

    @property
    def signing_secret(self) -> str:
        """Give the secret that signs requests in HTTP mode."""
        return self.workspace.settings.signing_secret


class _Server(uvicorn.Server):
    """A server that leaves the signals to whoever runs it, and stops at once when told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask the server to end."""
        self.should_exit = True
        self._stop.set()

    async def main_loop(self) -> None:
        """Keep the Date header fresh, each second until the end."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 1.0)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bound_socket(host: str, port: int) -> socket.socket:
    """Bind before the server starts, so that its address is known at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def make_server(settings: Settings, host: str, port: int) -> tuple[_Server, RunningWorkspace]:
    """Make a server whose open connections the workspace can cut."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    workspace: Workspace = app.state.workspace
    shown = f"[{host}]" if ":" in host else host
    workspace.base_url = f"http://{shown}:{port}"
    workspace.connections = server.server_state.connections
    return server, RunningWorkspace(workspace.base_url, workspace)


@asynccontextmanager
async def running_workspace(
    settings: Settings | None = None, *, port: int = 0, host: str = "127.0.0.1"
) -> AsyncIterator[RunningWorkspace]:
    """Run a workspace inside this event loop; port 0 takes a free one."""
    bound = bound_socket(host, port)
    server, running = make_server(settings or Settings(), host, bound.getsockname()[1])
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started:
            if serving.done():
                serving.result()
                raise RuntimeError("the workspace stopped while it was starting")
            await asyncio.sleep(0.005)
        yield running
    finally:
        server.stop()
        await serving
        bound.close()
