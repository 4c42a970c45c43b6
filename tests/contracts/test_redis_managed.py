"""A managed Redis, whose users may do little: the store asks for no more than it says."""

import secrets
from dataclasses import replace
from typing import Any

import pytest
from builders import NOON, a_canary
from redis_server import REDIS, RedisServer

from adapters.stores.redis import RedisStore
from adapters.stores.rights import COMMANDS, acl
from bot.core.canary import Promoted
from bot.ports import Happening, PortError

STARTED = (Happening(NOON, "start", "{}"),)


async def test_the_stated_rights_are_enough_and_describe_says_less(
    server: RedisServer, admin: Any
) -> None:
    """Without CONFIG, INFO, CLIENT and SCRIPT all works; a wrong password is never repeated."""
    secret = secrets.token_hex(8)
    server.ask("ACL", "SETUSER", "canarybot", "on", f">{secret}", *acl())
    store = RedisStore(server.url.replace("//", f"//canarybot:{secret}@"))
    record = await store.create(a_canary(), "one", STARTED)
    await store.save(record, ())
    await store.beat("one")
    assert await store.orphans() == {}
    found = await store.describe()
    assert "does not tell its version" in found.summary
    assert found.warnings == ()
    await store.aclose()
    for wrong in (f"canarybot:{secret}x@", f"nobody:{secret}@"):
        intruder = RedisStore(server.url.replace("//", f"//{wrong}"))
        with pytest.raises(PortError, match="refused the user or password") as error:
            await intruder.ping()
        assert secret not in str(error.value)
        await intruder.aclose()


async def test_no_stated_right_is_superfluous(server: RedisServer, admin: Any) -> None:
    """Every command on the list is one that the store sends, scripts included."""
    store = RedisStore(server.url)
    admin.config_resetstat()
    record = await store.create(a_canary(), "one", STARTED)
    await store.save(record, STARTED)
    await store.claim("shop-k3x9ab", "two", 1)
    ended = await store.claim("shop-k3x9ab", "two", 2)
    assert ended is not None
    await store.save(replace(ended, canary=replace(ended.canary, phase=Promoted(NOON))), ())
    await store.beat("one")
    await store.anyone()
    await store.orphans()
    await store.resign("one")
    await store.recent(None, 3)
    await store.live("shop")
    await store.happenings("shop-k3x9ab")
    await store.ping()
    await store.aclose()
    used = {name.removeprefix("cmdstat_") for name in admin.info("commandstats")}
    assert set(COMMANDS) - used == set()


@pytest.mark.external_service
@pytest.mark.parametrize("server", [REDIS], indirect=True)
async def test_keys_of_others_cannot_be_touched(server: RedisServer, admin: Any) -> None:
    """The stated rights end at the prefix."""
    server.ask("ACL", "SETUSER", "canarybot", "on", ">x", *acl())
    store = RedisStore(server.url.replace("//", "//canarybot:x@"), prefix="another")
    with pytest.raises(PortError, match="does not allow this"):
        await store.beat("one")
    await store.aclose()
