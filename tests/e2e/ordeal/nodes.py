"""A primary, two replicas and three Sentinels of Redis, as one would run them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import redis

from bot.demo.loopback import free_ports

LOOPBACK: Final = "127.0.0.1"
PRIMARY: Final = "mymaster"
NODES: Final = ("redis-0", "redis-1", "redis-2")
SENTINELS: Final = ("sentinel-0", "sentinel-1", "sentinel-2")
SILENCE_MS: Final = 1500
"""After which a Sentinel holds a Redis for dead."""


class Nodes:
    """Where they are, how they are started, and which of them is the primary."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ports = free_ports(len(NODES) + len(SENTINELS))
        self._ports = dict(zip((*NODES, *SENTINELS), ports, strict=True))
        for name in self._ports:
            (folder / name).mkdir()
        for name in NODES:
            self._file(name).write_text(self._node(name))
        for name in SENTINELS:
            self._file(name).write_text(self._sentinel(name))

    @property
    def url(self) -> str:
        """Where a bot finds them."""
        hosts = ",".join(f"{LOOPBACK}:{self._ports[name]}" for name in SENTINELS)
        return f"redis+sentinel://{hosts}/{PRIMARY}/0"

    def command(self, name: str) -> list[str]:
        """How one of them is started, each time: it has written into its file what it has become."""
        binary = shutil.which("redis-server")
        assert binary is not None, "no redis-server here; on Debian: apt install redis-server"
        more = ["--sentinel"] if name in SENTINELS else []
        return [binary, str(self._file(name)), *more]

    def answers(self, name: str) -> bool:
        """Whether it takes commands."""
        try:
            with self._client(name) as client:
                return bool(client.ping())
        except (redis.RedisError, OSError):
            return False

    def primary(self) -> str:
        """Which one the Sentinels hold for the primary; the first one when nobody can be asked."""
        for sentinel in SENTINELS:
            try:
                port = int(self._about(sentinel)["port"])
            except (redis.RedisError, OSError):
                continue
            return next(name for name in NODES if self._ports[name] == port)
        return NODES[0]

    def follows(self) -> bool:
        """Whether the first primary has both replicas; only then will Sentinels see them at once."""
        try:
            with self._client(NODES[0]) as client:
                return bool(client.info("replication")["connected_slaves"] == 2)
        except (redis.RedisError, OSError):
            return False

    def settled(self) -> bool:
        """Whether there is a primary with two replicas that keep up, known to every Sentinel."""
        try:
            with self._client(self.primary()) as client:
                found = client.info("replication")
            known = [self._about(sentinel) for sentinel in SENTINELS]
        except (redis.RedisError, OSError):
            return False
        complete = all(
            (int(each["num-slaves"]), int(each["num-other-sentinels"])) == (2, 2) for each in known
        )
        return found["role"] == "master" and found["connected_slaves"] == 2 and complete

    def _about(self, sentinel: str) -> Any:
        """What a Sentinel knows of the primary."""
        with self._client(sentinel) as client:
            return client.sentinel_master(PRIMARY)

    @contextmanager
    def _client(self, name: str) -> Iterator[redis.Redis]:
        client = redis.Redis(
            port=self._ports[name], socket_timeout=0.5, socket_connect_timeout=0.5
        )
        try:
            yield client
        finally:
            client.close()

    def _file(self, name: str) -> Path:
        return self._folder / name / "redis.conf"

    def _node(self, name: str) -> str:
        first = NODES[0]
        lines = [
            f"port {self._ports[name]}",
            f"bind {LOOPBACK}",
            f"dir {self._folder / name}",
            "appendonly yes",
            "appendfsync always",
            'save ""',
            "repl-diskless-sync-delay 0",
            "repl-ping-replica-period 1",
            "repl-timeout 5",
            # A primary that has been replaced while it was stopped takes no more writes.
            "min-replicas-to-write 1",
            "min-replicas-max-lag 3",
        ]
        lines += [] if name == first else [f"replicaof {LOOPBACK} {self._ports[first]}"]
        return "\n".join(lines) + "\n"

    def _sentinel(self, name: str) -> str:
        quorum = 2
        lines = [
            f"port {self._ports[name]}",
            f"bind {LOOPBACK}",
            f"dir {self._folder / name}",
            f"sentinel monitor {PRIMARY} {LOOPBACK} {self._ports[NODES[0]]} {quorum}",
            f"sentinel down-after-milliseconds {PRIMARY} {SILENCE_MS}",
            f"sentinel failover-timeout {PRIMARY} 2000",
            f"sentinel parallel-syncs {PRIMARY} 2",
        ]
        return "\n".join(lines) + "\n"
