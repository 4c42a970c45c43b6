"""What is in Redis: how long it is kept, and what becomes of data that is not ours."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import NOON, a_canary
from redis_server import KEPT, RedisServer

from adapters.stores.codec import encode_canary
from adapters.stores.keys import Keys
from adapters.stores.redis import RedisStore, UnreadableRecord
from bot.core.canary import Promoted
from bot.ports import Conflict, Happening, PortError

KEYS = Keys("canarybot").of("shop")
STARTED = (Happening(NOON, "start", "{}"),)


async def test_a_finished_canary_expires_and_a_live_one_never(
    store: RedisStore, admin: Any
) -> None:
    """Record and stream of a finished canary go after `keep`; before that nothing expires."""
    record = await store.create(a_canary(), "one", STARTED)
    row, stream = KEYS.record("shop-k3x9ab"), KEYS.stream("shop-k3x9ab")
    assert (admin.ttl(row), admin.ttl(stream)) == (-1, -1)
    ended = replace(record.canary, phase=Promoted(NOON))
    await store.save(replace(record, canary=ended), STARTED)
    for key in (row, stream):
        assert 0 < admin.ttl(key) <= KEPT.total_seconds()


async def test_an_expired_canary_is_gone_from_every_answer(store: RedisStore, admin: Any) -> None:
    """History leaves out what has expired, and still answers with as many as were asked for."""
    for number in range(6):
        created_at = NOON + timedelta(minutes=number)
        canary = a_canary(id=f"shop-{number:06}", phase=Promoted(NOON), created_at=created_at)
        await store.create(canary, "one", ())
    for number in (5, 4, 2):
        admin.delete(KEYS.record(f"shop-{number:06}"))
    assert [each.id for each in await store.recent("shop", 2)] == ["shop-000003", "shop-000001"]
    assert await store.load("shop-000005") is None


async def test_ids_are_forgotten_once_their_records_must_be_gone(
    store: RedisStore, admin: Any
) -> None:
    """History does not grow for ever: a new canary drops ids older than twice `keep`."""
    for number, age in enumerate((KEPT * 3, KEPT, timedelta(0))):
        canary = a_canary(id=f"shop-{number:06}", phase=Promoted(NOON), created_at=NOON - age)
        await store.create(canary, "one", ())
    for index in (KEYS.history, KEYS.shard.history):
        assert admin.zrange(index, 0, -1) == [b"shop-000001", b"shop-000002"]


async def test_a_live_canary_whose_record_is_gone_holds_nobody_up(
    store: RedisStore, admin: Any
) -> None:
    """When the live canary's record was evicted, the service can have a new one."""
    await store.create(a_canary(), "one", ())
    admin.delete(KEYS.record("shop-k3x9ab"))
    assert await store.live("shop") is None
    created = await store.create(a_canary(id="shop-second"), "one", ())
    assert await store.live("shop") == created
    with pytest.raises(Conflict, match="not stored any more"):
        await store.save(replace(created, canary=a_canary()), ())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"not json", "Invalid JSON"),
        (b"\xff\x00", "Invalid JSON"),
        (encode_canary(a_canary()).replace(b'{"format":1', b'{"format":9'), "format 9"),
    ],
)
async def test_one_unreadable_record_takes_nothing_else_down(
    store: RedisStore, admin: Any, data: bytes, reason: str
) -> None:
    """It is an error that names its key where it is asked for, and is left out of lists."""
    await store.create(a_canary(), "one", ())
    await store.create(a_canary(id="mail-000001", service="mail"), "one", ())
    key = KEYS.record("shop-k3x9ab")
    admin.hset(key, "data", data)
    for call in (
        store.load("shop-k3x9ab"),
        store.live("shop"),
        store.claim("shop-k3x9ab", "2", 1),
    ):
        with pytest.raises(UnreadableRecord, match=reason) as error:
            await call
        assert key in str(error.value)
    assert [each.id for each in await store.recent(None, 9)] == ["mail-000001"]
    assert tuple(await store.orphans()) == ("mail-000001", "shop-k3x9ab")


async def test_an_unreadable_stream_names_its_key(store: RedisStore, admin: Any) -> None:
    """A stream with foreign entries in it is an error that says which one."""
    await store.create(a_canary(), "one", STARTED)
    admin.xadd(KEYS.stream("shop-k3x9ab"), {"foreign": "entry"})
    with pytest.raises(UnreadableRecord, match="stream:shop-k3x9ab"):
        await store.happenings("shop-k3x9ab")


async def test_foreign_data_under_the_same_keys_is_left_alone(
    store: RedisStore, admin: Any
) -> None:
    """A key of another type is an error that advises another prefix, and is not overwritten."""
    admin.set(KEYS.record("shop-k3x9ab"), "somebody else's")
    with pytest.raises(PortError, match="choose another prefix"):
        await store.create(a_canary(), "one", ())
    with pytest.raises(PortError, match="choose another prefix"):
        await store.load("shop-k3x9ab")
    assert admin.get(KEYS.record("shop-k3x9ab")) == b"somebody else's"


async def test_prefixes_keep_bots_apart(store: RedisStore, server: RedisServer) -> None:
    """Two bots with different prefixes do not see each other's canaries."""
    await store.create(a_canary(), "one", ())
    other = RedisStore(server.url, prefix="other")
    assert await other.load("shop-k3x9ab") is None
    assert await other.orphans() == {}
    await other.create(a_canary(), "one", ())
    await other.aclose()
