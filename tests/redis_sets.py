"""Several Redis servers that belong together: behind Sentinels, or as a cluster."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis
from redis_server import REDIS, RedisServer, binary_of, until
from servers import LOOPBACK, Server, free_port, launch

from adapters.stores.clients import LIMIT
from adapters.stores.redis import RedisStore
from bot.ports import Happening, PortError, Record

PRIMARY: Final = "mymaster"
"""What the Sentinels call the primary."""

DOWN_AFTER: Final = 500
"""Milliseconds after which a silent server is held for dead."""


@dataclass
class Sentinels:
    """A primary, its replicas, and three Sentinels that watch them.

    Attributes:
        servers: the first one is the primary in the beginning.
        sentinels: the Sentinels' processes, by port.

    """

    servers: list[RedisServer]
    sentinels: dict[int, Server]
    password: str
    sentinel_password: str

    @property
    def url(self) -> str:
        """Where a client finds them."""
        hosts = ",".join(f"{LOOPBACK}:{port}" for port in self.sentinels)
        return (
            f"redis+sentinel://:{self.password}@{hosts}/{PRIMARY}/0"
            f"?sentinel_password={self.sentinel_password}"
        )

    def primary(self) -> RedisServer:
        """The primary, as most Sentinels see it."""
        ports = [self._primary_of(port) for port in self.sentinels]
        most = max(set(ports), key=ports.count)
        return next(server for server in self.servers if server.port == most)

    def primaries(self) -> set[int]:
        """The ports of what the Sentinels hold for the primary; one, when they agree."""
        return {self._primary_of(port) for port, one in self.sentinels.items() if one.is_running}

    def wait_for_replicas(self, number: int) -> None:
        """Wait until so many replicas have everything, and all Sentinels know them and each other.

        A replica that is connected but not yet in step would be promoted empty.
        """

        def in_step() -> bool:
            primary = self.primary()
            replicas = [server for server in self.servers if server is not primary and server.runs]
            for replica in replicas:
                with replica.admin() as admin:
                    if admin.info("replication").get("master_link_status") != "up":
                        return False
            return len(replicas) == number and all(
                self._sees(port, number) for port in self.sentinels
            )

        until(in_step, "the replicas are in step and the Sentinels know them")

    def clients(self) -> Iterator[redis.Redis]:
        """A client of each Sentinel, to be closed."""
        return (self._sentinel(port) for port in self.sentinels)

    def kill(self) -> None:
        """End all of them."""
        for sentinel in self.sentinels.values():
            sentinel.kill()
        for server in self.servers:
            server.kill()

    def _sees(self, port: int, replicas: int) -> bool:
        with self._sentinel(port) as sentinel:
            state = sentinel.sentinel_master(PRIMARY)
            found = sentinel.sentinel_slaves(PRIMARY)
        good = [each for each in found if each["flags"] == "slave"]
        return state["num-other-sentinels"] == 2 and len(good) >= replicas

    def _primary_of(self, port: int) -> int:
        with self._sentinel(port) as sentinel:
            return int(sentinel.sentinel_get_master_addr_by_name(PRIMARY)[1])

    def _sentinel(self, port: int) -> redis.Redis:
        password = self.sentinel_password
        return redis.Redis(host=LOOPBACK, port=port, password=password, decode_responses=True)


@contextmanager
def sentinels(folder: Path, kind: str = REDIS, replicas: int = 1) -> Iterator[Sentinels]:
    """Run a primary with replicas behind three Sentinels, all with passwords."""
    password, of_sentinels = secrets.token_hex(8), secrets.token_hex(8)
    common = {
        "--requirepass": password,
        "--masterauth": password,
        "--repl-diskless-sync-delay": "0",
    }
    found = Sentinels([], {}, password, of_sentinels)
    try:
        for number in range(1 + replicas):
            of_primary = {"--replicaof": f"{LOOPBACK} {found.servers[0].port}"} if number else {}
            place = folder / f"server{number}"
            place.mkdir()
            options = {**common, **of_primary}
            server = RedisServer(kind, place, options, {"password": password})
            found.servers.append(server)
            server.start()
        for number in range(3):
            port = free_port()
            path = folder / f"sentinel{number}.conf"
            path.write_text(_sentinel_conf(found, folder, port))
            argv = [binary_of(kind), str(path), "--sentinel"]
            found.sentinels[port] = launch(argv, folder / f"sentinel{number}.log")
        found.wait_for_replicas(replicas)
        yield found
    finally:
        found.kill()


def _sentinel_conf(found: Sentinels, folder: Path, port: int) -> str:
    name = PRIMARY
    return "\n".join(
        [
            *(f"port {port}", f"bind {LOOPBACK}", f"dir {folder}"),
            f"requirepass {found.sentinel_password}",
            f"sentinel monitor {name} {LOOPBACK} {found.servers[0].port} 2",
            f"sentinel auth-pass {name} {found.password}",
            f"sentinel down-after-milliseconds {name} {DOWN_AFTER}",
            f"sentinel failover-timeout {name} 1000",
            f"sentinel parallel-syncs {name} 1",
            "",
        ]
    )


@dataclass
class Cluster:
    """Three primaries, each with a third of the slots, and maybe a replica each.

    Attributes:
        servers: the primaries first, then their replicas in the same order.

    """

    servers: list[RedisServer]

    @property
    def url(self) -> str:
        """Where a client finds it: by two of its nodes."""
        hosts = ",".join(f"{LOOPBACK}:{server.port}" for server in self.servers[:2])
        return f"redis+cluster://{hosts}"

    def kill(self) -> None:
        """End all of them."""
        for server in self.servers:
            server.kill()


@contextmanager
def cluster(folder: Path, kind: str = REDIS, *, replicas: bool = False) -> Iterator[Cluster]:
    """Run a cluster of three primaries."""
    found = Cluster([])
    try:
        for number in range(6 if replicas else 3):
            place = folder / f"node{number}"
            place.mkdir()
            options = {
                "--cluster-enabled": "yes",
                "--cluster-node-timeout": "1000",
                "--cluster-config-file": "nodes.conf",
                "--repl-diskless-sync-delay": "0",
            }
            server = RedisServer(kind, place, options)
            found.servers.append(server)
            server.start()
        _join(found)
        yield found
    finally:
        found.kill()


def _join(found: Cluster) -> None:
    first, bounds = found.servers[0], (0, 5461, 10923, 16384)
    for number, server in enumerate(found.servers):
        # Two nodes that never met could otherwise both begin with epoch 0 and quarrel.
        server.ask("CLUSTER SET-CONFIG-EPOCH", number + 1)
        if number < 3:
            server.ask("CLUSTER ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
        if server is not first:
            server.ask("CLUSTER MEET", LOOPBACK, first.port, first.bus)
    size = len(found.servers)
    until(lambda: all(_known(each) == size for each in found.servers), "the nodes know each other")
    for primary, replica in zip(found.servers, found.servers[3:], strict=False):
        replica.ask("CLUSTER REPLICATE", primary.ask("CLUSTER", "MYID"))

    def in_step() -> bool:
        states = [server.ask("CLUSTER INFO") for server in found.servers]
        links = [server.ask("INFO", "replication") for server in found.servers[3:]]
        return all(state["cluster_state"] == "ok" for state in states) and all(
            link.get("master_link_status") == "up" for link in links
        )

    until(in_step, "the cluster is complete")


def _known(server: RedisServer) -> int:
    return int(server.ask("CLUSTER INFO")["cluster_known_nodes"])


async def saved(store: RedisStore, record: Record, happenings: tuple[Happening, ...]) -> Record:
    """Save as often as it takes; no single try may take long."""
    async with asyncio.timeout(60):
        while True:
            before = time.monotonic()
            try:
                return await store.save(record, happenings)
            except PortError:
                assert time.monotonic() - before < LIMIT + 1
                await asyncio.sleep(0.05)
