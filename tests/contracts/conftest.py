"""A Redis of its own for each test that asks for one, the wheel's and Debian's."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis_server import KEPT, REDIS, VALKEY, RedisServer

from adapters.stores.redis import RedisStore

KINDS = [VALKEY, pytest.param(REDIS, marks=pytest.mark.external_service)]


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(request.param, tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore(server.url, keep=KEPT)
    yield store
    await store.aclose()


@pytest.fixture
def admin(server: RedisServer) -> Iterator[Any]:
    with server.admin() as admin:
        yield admin
