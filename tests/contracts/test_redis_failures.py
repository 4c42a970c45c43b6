"""A Redis that crashes, hangs, forgets or refuses costs an error, never a canary."""

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

import pytest
import redis
from builders import NOON, a_canary
from redis_server import REDIS, RedisServer
from servers import free_port

from adapters.stores.redis import RedisStore
from bot.ports import Conflict, Happening, PortError

STARTED = (Happening(NOON, "start", "{}"),)


async def test_every_answered_write_survives_a_kill(
    store: RedisStore, server: RedisServer
) -> None:
    """After kill -9 and a restart the store goes on as if nothing had happened."""
    record = await store.create(a_canary(), "one", STARTED)
    for number in range(20):
        canary = replace(record.canary, notes=number)
        record = await store.save(replace(record, canary=canary), STARTED)
    server.kill()
    server.start()
    assert await store.load(record.canary.id) == record
    assert await store.live("shop") == record
    assert len(await store.happenings(record.canary.id)) == 21
    assert (await store.save(record, ())).version == record.version + 1


async def test_a_forgotten_script_is_sent_again(store: RedisStore, admin: redis.Redis) -> None:
    """Emptying the server's script cache, as a failover does, is not noticed."""
    record = await store.create(a_canary(), "one", ())
    admin.script_flush()
    record = await store.save(record, ())
    admin.script_flush()
    claimed = await store.claim(record.canary.id, "two", 1)
    assert claimed is not None
    assert claimed.epoch == 2


async def test_a_server_that_is_down_is_an_error_and_its_return_is_not(
    store: RedisStore, server: RedisServer
) -> None:
    """Every call fails with a sentence while the server is down, and works when it is back."""
    record = await store.create(a_canary(), "one", ())
    server.kill()
    calls = [
        store.create(a_canary(id="shop-000002"), "one", ()),
        store.load(record.canary.id),
        store.save(record, ()),
        store.claim(record.canary.id, "two", 1),
        store.beat("one"),
        store.orphans(),
        store.live("shop"),
        store.recent(None, 5),
        store.happenings(record.canary.id),
        store.ping(),
        store.describe(),
    ]
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        assert isinstance(answer, PortError)
        assert f"127.0.0.1:{server.port} cannot be reached" in str(answer)
    server.start()
    assert await store.load(record.canary.id) == record


async def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    """A hung server costs a few seconds, never forever."""
    connected: list[asyncio.StreamWriter] = []
    hung = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
    store = RedisStore(f"redis://127.0.0.1:{hung.sockets[0].getsockname()[1]}")
    async with asyncio.timeout(30):
        with pytest.raises(PortError, match="did not answer within 2 s"):
            await store.ping()
    await store.aclose()
    for writer in connected:
        writer.close()
    hung.close()


class Deaf:
    """Passes everything on to a server, until it swallows one answer and cuts the connection."""

    def __init__(self, port: int) -> None:
        self.swallow = b""
        self.swallowed = 0
        self._target = port
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: requests up, answers down."""
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        with contextlib.closing(writer), contextlib.closing(up_writer):
            while request := await reader.read(1 << 20):
                up_writer.write(request)
                answer = await up_reader.read(1 << 20)
                if self.swallow and self.swallow in request:
                    self.swallow = b""
                    self.swallowed += 1
                    return
                writer.write(answer)


async def test_a_write_whose_answer_was_lost_is_done_once(server: RedisServer) -> None:
    """A broken connection after the write is neither a conflict nor a second write."""
    deaf = Deaf(server.port)
    proxy = await asyncio.start_server(deaf.serve, "127.0.0.1", 0)
    store = RedisStore(f"redis://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
    try:
        # Once beforehand, so that the server knows the scripts and no call is sent twice for that.
        first = await store.create(a_canary(id="mail-000001", service="mail"), "one", ())
        await store.claim("mail-000001", "one", 1)
        with contextlib.suppress(Conflict):
            await store.save(first, ())

        deaf.swallow = b"EVALSHA"
        record = await store.create(a_canary(), "one", STARTED)
        assert record.version == 1
        deaf.swallow = b"EVALSHA"
        record = await store.save(record, STARTED)
        assert record.version == 2
        deaf.swallow = b"EVALSHA"
        claimed = await store.claim(record.canary.id, "two", 1)
        assert claimed is not None
        assert (claimed.version, claimed.epoch) == (3, 2)
        assert len(await store.happenings(record.canary.id)) == 2
        assert deaf.swallowed == 3
    finally:
        await store.aclose()
        proxy.close()


async def test_a_server_without_memory_refuses_with_advice(store: RedisStore, admin: Any) -> None:
    """Out of memory nothing is half written, and reading goes on."""
    record = await store.create(a_canary(), "one", ())
    admin.config_set("maxmemory", "1")
    with pytest.raises(PortError, match="out of memory; raise maxmemory"):
        await store.save(record, STARTED)
    assert await store.load(record.canary.id) == record
    admin.config_set("maxmemory", "0")
    await store.save(record, ())


@pytest.mark.external_service
@pytest.mark.parametrize("server", [REDIS], indirect=True)
async def test_a_replica_refuses_with_advice(store: RedisStore, admin: Any) -> None:
    """A read-only replica is told apart from a broken server."""
    admin.replicaof("127.0.0.1", free_port())
    with pytest.raises(
        PortError, match="read-only replica; give the address of the primary, or of the Sentinels"
    ):
        await store.beat("one")


async def test_a_forbidden_command_names_the_right_that_is_missing(
    server: RedisServer, admin: Any
) -> None:
    """A user that may only read is told so at its first write."""
    admin.acl_setuser("reader", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-set"])
    store = RedisStore(server.url.replace("//", "//reader:any@"))
    with pytest.raises(PortError, match="does not allow this"):
        await store.beat("one")
    await store.aclose()


async def test_the_description_says_what_endangers_the_canaries(
    store: RedisStore, server: RedisServer, admin: Any
) -> None:
    """Version, place and persistence are told; no log and eviction are warned of."""
    sound = await store.describe()
    assert f"127.0.0.1:{server.port}" in sound.summary
    assert "append-only file, fsync always" in sound.summary
    assert sound.warnings == ()
    admin.config_set("appendonly", "no")
    admin.config_set("maxmemory-policy", "allkeys-lru")
    risky = await store.describe()
    assert "appendonly yes" in risky.warnings[0]
    assert "noeviction" in risky.warnings[1]
