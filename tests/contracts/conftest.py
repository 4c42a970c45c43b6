"""A Redis of its own for each test that asks for one, and one of every kind for all tests."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from certificates import make_certificates, tls_server
from redis_server import KEPT, REDIS, VALKEY, RedisServer
from redis_sets import cluster, sentinels

from adapters.stores.redis import RedisStore
from adapters.stores.rights import acl

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


@pytest.fixture(scope="session")
def redis_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """The address of a Redis of this kind, started when first asked for."""
    running: dict[str, str] = {}
    with ExitStack() as stack:

        def serve(kind: str) -> str:
            if kind not in running:
                running[kind] = _start(kind, tmp_path_factory.mktemp(kind), stack)
            return running[kind]

        yield serve


def _start(kind: str, folder: Path, stack: ExitStack) -> str:
    """Start a Redis of this kind until the stack is closed; its address."""
    match kind:
        case "sentinel":
            return stack.enter_context(sentinels(folder)).url
        case "cluster":
            return stack.enter_context(cluster(folder)).url
        case "tls":
            made = make_certificates(folder)
            server = tls_server(folder, made)
            stack.callback(server.kill)
            return f"rediss://localhost:{server.port}?ssl_ca_certs={made.authority}"
        case "managed":
            server = RedisServer(REDIS, folder)
            stack.callback(server.kill)
            server.start()
            secret = secrets.token_hex(8)
            server.ask("ACL", "SETUSER", "canarybot", "on", f">{secret}", *acl())
            return server.url.replace("//", f"//canarybot:{secret}@")
        case _:
            server = RedisServer(kind, folder)
            stack.callback(server.kill)
            server.start()
            return server.url
