"""TLS: whom the store trusts, and whom the server does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import a_canary
from certificates import Certificates, make_certificates, tls_server
from redis_server import RedisServer

from adapters.stores.redis import RedisStore
from bot.ports import PortError

pytestmark = pytest.mark.external_service


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def encrypted(
    made: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    server = tls_server(tmp_path_factory.mktemp("tls"), made)
    yield server
    server.kill()


@pytest.fixture(scope="module")
def strict(made: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = tls_server(tmp_path_factory.mktemp("strict"), made, clients="yes")
    yield server
    server.kill()


async def refused(url: str) -> str:
    """What is said of an address that does not work."""
    store = RedisStore(url)
    try:
        with pytest.raises(PortError) as error:
            await store.ping()
    finally:
        await store.aclose()
    return str(error.value)


async def test_a_known_authority_is_trusted(encrypted: RedisServer, made: Certificates) -> None:
    """With the CA's file a certificate is accepted, by name and by address."""
    for host in ("localhost", "127.0.0.1"):
        url = f"rediss://{host}:{encrypted.port}/0?ssl_ca_certs={made.authority}"
        store = RedisStore(url, prefix=host)
        record = await store.create(a_canary(), "one", ())
        assert await store.load(record.canary.id) == record
        assert "TLS" in (await store.describe()).summary
        await store.aclose()


async def test_an_unknown_authority_is_refused_with_advice(
    encrypted: RedisServer, tmp_path: Path
) -> None:
    """Neither the system's authorities nor another one of ours will do."""
    other = make_certificates(tmp_path)
    for given in ("", f"?ssl_ca_certs={other.authority}"):
        said = await refused(f"rediss://localhost:{encrypted.port}/0{given}")
        assert "CA that is not known here; name the CA's file with ssl_ca_certs" in said


async def test_a_certificate_for_another_name_is_refused_unless_told(
    encrypted: RedisServer, made: Certificates
) -> None:
    """The name is checked, and may be left unchecked by name."""
    url = f"rediss://127.0.0.2:{encrypted.port}/0?ssl_ca_certs={made.authority}"
    assert "for another address; use the name in it" in await refused(url)
    store = RedisStore(f"{url}&ssl_check_hostname=no")
    await store.ping()
    await store.aclose()


async def test_a_clients_certificate_is_shown(strict: RedisServer, made: Certificates) -> None:
    """Where the server asks for it, the bot has one; without it the error says what is missing."""
    url = f"rediss://localhost:{strict.port}/0?ssl_ca_certs={made.authority}"
    assert "name its files with ssl_certfile and ssl_keyfile" in await refused(url)
    mine = f"&ssl_certfile={made.certificate('client')}&ssl_keyfile={made.key('client')}"
    store = RedisStore(url + mine)
    await store.beat("one")
    assert await store.anyone()
    await store.aclose()


def test_a_key_of_another_certificate_is_told_before_the_first_call(made: Certificates) -> None:
    """Certificate and key are tried as soon as the address is read."""
    mixed = f"ssl_certfile={made.certificate('client')}&ssl_keyfile={made.key('server')}"
    with pytest.raises(PortError, match="the key without a passphrase and belonging to"):
        RedisStore(f"rediss://localhost?{mixed}")


async def test_tls_where_there_is_none_is_told(
    encrypted: RedisServer, tmp_path: Path, made: Certificates
) -> None:
    """An s too many, or too few, is told from a server that is down."""
    plain = RedisServer("redis", tmp_path)
    plain.start()
    try:
        said = await refused(plain.url.replace("redis:", "rediss:"))
        assert "only one side speaks TLS" in said
    finally:
        plain.kill()
    assert "rediss://" in await refused(f"redis://localhost:{encrypted.port}")
