"""In a Redis Cluster: canaries of all slots, and a primary that dies."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from builders import NOON, a_canary
from redis_server import REDIS, until
from redis_sets import Cluster, cluster, saved

from adapters.stores.clients import LIMIT
from adapters.stores.keys import Keys
from adapters.stores.redis import RedisStore
from bot.ports import Happening, PortError

pytestmark = pytest.mark.external_service

STARTED = (Happening(NOON, "start", "{}"),)
SERVICES = [f"service{number}" for number in range(40)]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, replicas=True) as running:
        yield running


@pytest.fixture
async def store(nodes: Cluster) -> AsyncIterator[RedisStore]:
    store = RedisStore(nodes.url)
    yield store
    await store.aclose()


async def test_canaries_of_all_nodes_are_one_list(store: RedisStore, nodes: Cluster) -> None:
    """Whatever asks about all services gathers it from all nodes."""
    records = await asyncio.gather(
        *(store.create(a_canary(id=f"{name}-1", service=name), "one", ()) for name in SERVICES)
    )
    assert all(server.ask("DBSIZE") > 0 for server in nodes.servers[:3])
    assert set(await store.orphans()) == {record.canary.id for record in records}
    await store.beat("one")
    assert await store.orphans() == {}
    assert await store.anyone()
    assert len(await store.recent(None, 100)) == len(SERVICES)
    assert len(await store.recent(None, 7)) == 7
    assert await asyncio.gather(*(store.live(name) for name in SERVICES)) == records


async def test_a_dead_primary_is_followed_to_its_replica(
    store: RedisStore, nodes: Cluster
) -> None:
    """After kill -9 of a primary its slots are saved to on its replica; the others never stop."""
    records = [
        await store.create(a_canary(id=f"{name}-1", service=name), "one", STARTED)
        for name in SERVICES
    ]
    for server in nodes.servers[:3]:
        with server.admin() as admin:
            assert admin.wait(1, 5000) == 1
    nodes.servers[0].kill()

    records = await asyncio.gather(*(saved(store, record, STARTED) for record in records))

    assert {record.version for record in records} == {2}
    assert len(await store.recent(None, 100)) == len(SERVICES)
    assert set(await store.orphans()) == {record.canary.id for record in records}


async def test_a_moved_slot_is_followed(store: RedisStore, nodes: Cluster) -> None:
    """Slots that move to another node, while a canary is live, cost no error."""
    record = await store.create(a_canary(), "one", STARTED)
    client = store._link.redis
    slot = client.keyslot(Keys("canarybot").of("shop").live)
    old = client.nodes_manager.get_node_from_slot(slot)
    source = next(server for server in nodes.servers if server.port == old.port)
    target = next(server for server in nodes.servers[:3] if server is not source)
    names = {server: server.ask("CLUSTER MYID") for server in (source, target)}
    target.ask("CLUSTER SETSLOT", slot, "IMPORTING", names[source])
    source.ask("CLUSTER SETSLOT", slot, "MIGRATING", names[target])
    keys = source.ask("CLUSTER GETKEYSINSLOT", slot, 100)
    source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
    record = await store.save(record, STARTED)  # asked for at the new node, by ASK
    for server in (target, source):
        server.ask("CLUSTER SETSLOT", slot, "NODE", names[target])

    record = await store.save(record, STARTED)

    assert await store.load("shop-k3x9ab") == record
    assert await store.live("shop") == record


async def test_the_description_says_cluster(store: RedisStore, nodes: Cluster) -> None:
    """How many primaries there are, and what a failover could lose."""
    found = await store.describe()
    assert found.summary.startswith("Redis Cluster at 127.0.0.1:")
    assert "3 primaries" in found.summary
    assert "1 replica each" in found.summary
    assert ["min-replicas-to-write is 0" in each for each in found.warnings] == [True]
    for server in nodes.servers:
        server.ask("CONFIG SET", "min-replicas-to-write", 1)
    assert (await store.describe()).warnings == ()


async def test_one_node_as_a_single_redis_is_told_how_to_write_it(
    nodes: Cluster, redis_at: Callable[[str], str]
) -> None:
    """The right form is named both ways round: a cluster as a server, a server as a cluster."""
    single = RedisStore(nodes.servers[0].url)
    with pytest.raises(PortError, match=r"write the store's address as redis\+cluster://"):
        await asyncio.gather(*(single.live(name) for name in SERVICES))
    with pytest.raises(PortError, match=r"write the store's address as redis\+cluster://"):
        await single.orphans()
    await single.aclose()
    wrong = RedisStore(redis_at(REDIS).replace("redis://", "redis+cluster://"))
    with pytest.raises(PortError, match="is no cluster; write redis://"):
        await wrong.ping()
    await wrong.aclose()


async def test_a_cluster_that_is_down_is_an_error_in_bounded_time(
    store: RedisStore, nodes: Cluster
) -> None:
    """Every call fails with a sentence while no node answers, dead or hung, and works again after."""
    record = await store.create(a_canary(), "one", ())
    for stop, go in (("freeze", "thaw"), ("kill", "start")):
        for server in nodes.servers:
            getattr(server, stop)()
        calls = (store.load("shop-k3x9ab"), store.save(record, ()), store.orphans(), store.ping())
        async with asyncio.timeout(3 * LIMIT):
            answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(answer) for answer in answers] == [PortError] * 4
        for server in nodes.servers:
            getattr(server, go)()
        until(lambda: all("ok" in str(n.ask("CLUSTER INFO")) for n in nodes.servers), "it is back")
        record = await saved(store, record, STARTED)
