"""Behind Sentinels: the store finds the primary, and finds the next one when it dies."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from builders import NOON, a_canary
from redis_server import until
from redis_sets import Sentinels, saved, sentinels

from adapters.stores.redis import RedisStore
from bot.ports import Conflict, Happening, PortError, Record

pytestmark = pytest.mark.external_service

STARTED = (Happening(NOON, "start", "{}"),)


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Sentinels]:
    with sentinels(tmp_path) as running:
        yield running


@pytest.fixture
async def store(behind: Sentinels) -> AsyncIterator[RedisStore]:
    store = RedisStore(behind.url)
    yield store
    await store.aclose()


async def test_a_dead_primary_is_followed_to_its_successor(
    store: RedisStore, behind: Sentinels
) -> None:
    """After kill -9 of the primary the same store saves on, on the replica, and loses nothing."""
    record = await store.create(a_canary(), "one", STARTED)
    for _ in range(10):
        record = await store.save(record, STARTED)
    first = behind.primary()
    with first.admin() as admin:
        assert admin.wait(1, 5000) == 1
    first.kill()

    record = await saved(store, record, STARTED)

    assert record.version == 12
    assert str(behind.servers[1].port) in (await store.describe()).summary
    assert len(await store.happenings(record.canary.id)) == 12
    assert await store.live("shop") == record
    claimed = await store.claim(record.canary.id, "two", 1)
    assert claimed is not None
    assert claimed.epoch == 2


async def test_a_hung_primary_is_given_up_in_bounded_time(
    store: RedisStore, behind: Sentinels
) -> None:
    """A primary that is only frozen is left for its successor, and nothing is lost when it thaws."""
    record = await store.create(a_canary(), "one", STARTED)
    first = behind.primary()
    with first.admin() as admin:
        assert admin.wait(1, 5000) == 1
    first.freeze()

    record = await saved(store, record, STARTED)
    first.thaw()
    for _ in range(60):
        record = await saved(store, record, STARTED)

    assert await store.load(record.canary.id) == record
    assert len(await store.happenings(record.canary.id)) == record.version


async def test_a_demoted_primary_is_left_at_its_first_refusal(
    store: RedisStore, behind: Sentinels
) -> None:
    """READONLY makes the store ask the Sentinels again: an arranged failover costs no error."""
    record = await store.create(a_canary(), "one", ())
    first, second = behind.servers
    with next(iter(behind.clients())) as sentinel:
        sentinel.execute_command("SENTINEL FAILOVER", "mymaster")
    until(lambda: behind.primaries() == {second.port}, "the Sentinels name the other one")
    # They will tell the old one themselves, after ten seconds.
    first.ask("REPLICAOF", "127.0.0.1", second.port)

    record = await store.save(record, ())

    assert record.version == 2


async def test_a_lost_claim_leaves_one_writer(store: RedisStore, behind: Sentinels) -> None:
    """When a failover forgets a claim, who made it can no longer write beside who made the next.

    Both hold the same epoch then, and may hold the same version.
    """
    await store.create(a_canary(), "one", STARTED)
    first, second = behind.servers
    with first.admin() as admin:
        assert admin.wait(1, 5000) == 1
    second.freeze()
    first.ask("CLIENT KILL", "TYPE", "replica")
    lost = await store.claim("shop-k3x9ab", "two", 1)
    assert lost is not None
    first.kill()
    second.thaw()

    claimed: Record | None = None
    async with asyncio.timeout(30):
        while claimed is None:
            with suppress(PortError):
                claimed = await store.claim("shop-k3x9ab", "three", 1)
            await asyncio.sleep(0.05)

    assert claimed is not None
    assert (claimed.version, claimed.epoch) == (lost.version, lost.epoch)
    with pytest.raises(Conflict, match="epoch 2 of three"):
        await store.save(replace(lost, canary=a_canary(drift="late")), ())
    assert (await store.save(claimed, ())).version == claimed.version + 1


async def test_a_write_that_no_replica_has_does_not_count(
    store: RedisStore, behind: Sentinels
) -> None:
    """Its answer would be forgotten with the primary: the caller is told, and writes again."""
    record = await store.create(a_canary(), "one", STARTED)
    second = behind.servers[1]
    second.freeze()

    with pytest.raises(PortError, match="not passed a write on to any replica"):
        await store.save(record, STARTED)
    second.thaw()

    stored = await store.load(record.canary.id)
    assert stored is not None
    assert (await store.save(stored, ())).version == stored.version + 1


async def test_a_primary_without_a_replica_is_not_waited_for(
    store: RedisStore, behind: Sentinels
) -> None:
    """There is nobody who could follow it: refusing its writes would help nobody."""
    record = await store.create(a_canary(), "one", STARTED)
    behind.servers[1].kill()
    with behind.primary().admin() as admin:
        until(lambda: not admin.role()[2], "the replica is missed")

    for _ in range(20):
        record = await store.save(record, STARTED)

    assert record.version == 21


async def test_the_description_says_sentinel_and_what_is_missing(
    store: RedisStore, behind: Sentinels
) -> None:
    """Which primary it is now, its replicas, and what a failover could lose."""
    found = await store.describe()
    assert "Redis mymaster by Sentinel at 127.0.0.1:" in found.summary
    assert f"primary now 127.0.0.1:{behind.servers[0].port}" in found.summary
    assert "1 replica" in found.summary
    assert ["min-replicas-to-write is 0" in each for each in found.warnings] == [True]
    behind.servers[0].ask("CONFIG SET", "min-replicas-to-write", 1)
    assert (await store.describe()).warnings == ()
    port, sentinel = next(iter(behind.sentinels.items()))
    sentinel.kill()
    assert [f"127.0.0.1:{port} does not" in w for w in (await store.describe()).warnings] == [True]
    assert behind.password not in str(found)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (("mymaster", "another"), "no primary that its Sentinels know"),
        (("sentinel_password=", "sentinel_password=x"), "check sentinel_username"),
        (("//:", "//:x"), "refused the user or password"),
    ],
)
async def test_a_wrong_name_or_password_is_told(
    behind: Sentinels, wrong: tuple[str, str], text: str
) -> None:
    """Each of the three has its own sentence, without any password."""
    store = RedisStore(behind.url.replace(*wrong))
    with pytest.raises(PortError, match=text) as error:
        await store.ping()
    await store.aclose()
    assert behind.password not in str(error.value)
    assert behind.sentinel_password not in str(error.value)


async def test_a_server_that_is_no_sentinel_is_told(behind: Sentinels) -> None:
    """The address of the primary itself is not that of a Sentinel, nor the other way round."""
    port, sentinel = behind.servers[0].port, next(iter(behind.sentinels))
    for url, text in (
        (
            f"redis+sentinel://127.0.0.1:{port}/mymaster?sentinel_password={behind.password}",
            "is no Sentinel",
        ),
        (f"redis://:{behind.sentinel_password}@127.0.0.1:{sentinel}", "if it is a Sentinel"),
    ):
        store = RedisStore(url)
        with pytest.raises(PortError, match=text):
            await store.claim("shop-k3x9ab", "one", 1)
        await store.aclose()
