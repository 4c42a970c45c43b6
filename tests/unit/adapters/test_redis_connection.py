"""Addresses of stores, and what the errors of Redis are in plain words."""

from pathlib import Path

import pytest
from redis import exceptions
from redis.asyncio.sentinel import MasterNotFoundError

from adapters.stores.address import Kind, read_address
from adapters.stores.connection import Link, explained
from adapters.stores.redis import RedisStore
from bot.ports import PortError

SECRET = "s3cr3tpass"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://localhost", "Redis at localhost:6379"),
        (f"redis://:{SECRET}@cache:6380/2", "Redis at cache:6380/2"),
        (f"rediss://bot:{SECRET}@cache.example", "Redis at cache.example:6379"),
        ("redis://[::1]:7000/0", "Redis at [::1]:7000"),
        (f"unix://bot:{SECRET}@/run/redis.sock?db=1", "Redis at /run/redis.sock"),
        (
            f"redis+sentinel://bot:{SECRET}@one,two:26380,[::1]/mymaster/3?sentinel_password={SECRET}",
            "Redis mymaster/3 by Sentinel at one:26379, two:26380, [::1]:26379",
        ),
        ("rediss+sentinel://one/my%20master", "Redis my master by Sentinel at one:26379"),
        (
            f"redis+cluster://:{SECRET}@one,[fe80::1]:7000",
            "Redis Cluster at one:6379, [fe80::1]:7000",
        ),
        (f"rediss+cluster://:{SECRET}@one/", "Redis Cluster at one:6379"),
    ],
)
async def test_known_addresses_are_understood_and_shown_without_secrets(
    url: str, place: str
) -> None:
    """Every known scheme makes a client, and its name in errors holds no password."""
    assert read_address(url).place == place
    assert SECRET not in repr(read_address(url))
    await Link(url).aclose()


def test_what_an_address_says_is_what_is_used() -> None:
    """Names, passwords, the primary, the database: each where it belongs, unescaped."""
    found = read_address(
        "rediss+sentinel://b%40t:p%2F%3A@one:1,two/the%20first/7"
        "?sentinel_username=eye&sentinel_password=s%26t&ssl_check_hostname=no"
    )
    assert (found.kind, found.tls) == (Kind.SENTINEL, True)
    assert (found.username, found.password) == ("b@t", "p/:")
    assert found.hosts == (("one", 1), ("two", 26379))
    assert (found.primary, found.database) == ("the first", 7)
    assert found.options == {
        "sentinel_username": "eye",
        "sentinel_password": "s&t",
        "ssl_check_hostname": "no",
    }


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("redis+sentinel://one,two", "what the Sentinels call the primary.*/mymaster/0"),
        ("redis+sentinel://one/mymaster/first", "must be a number.*redis.sentinel://"),
        ("redis+sentinel://one,,two/mymaster", "cannot be read.*redis.sentinel://"),
        ("redis+sentinel://one:70000/mymaster", "cannot be read.*redis.sentinel://"),
        ("redis+cluster://one,two/1", "has no databases"),
        ("redis+cluster://one,two:x", "cannot be read.*redis.cluster://"),
        ("redis://one,two:1/0", "cannot be read"),
        ("redis://one?ssl_ca_certs=x", "no TLS; let it begin with rediss://"),
        ("redis+cluster://one?ssl_keyfile=x", "no TLS; let it begin with rediss.cluster://"),
        ("rediss://one?ssl_ca_certs=/no/such/file", "that ssl_ca_certs names.*is not there"),
        ("rediss://one?ssl_check_hostname=maybe", "must be yes or no"),
        ("redis://one?socket_timeout=3", "not known here; known: db"),
        ("rediss://one?sentinel_password=x", "not known here; known: .*ssl_ca_certs"),
        ("unix://run/redis.sock", "unix:///path"),
        ("redis+sentinels://one/mymaster", "known: redis://.*redis.sentinel://.*redis.cluster://"),
    ],
)
def test_a_malformed_address_is_told_what_is_wrong_with_it(url: str, text: str) -> None:
    """Each mistake has its own sentence, which ends in how to write it."""
    with pytest.raises(PortError, match=text):
        RedisStore(url)


def test_a_file_that_holds_no_certificate_is_told_before_the_first_call(tmp_path: Path) -> None:
    """A wrong file is told with the name of its option."""
    path = tmp_path / "ca.crt"
    path.write_text("no certificate")
    with pytest.raises(PortError, match=r"what ssl_ca_certs names .* PEM"):
        RedisStore(f"rediss://one?ssl_ca_certs={path}")


@pytest.mark.parametrize(
    "url",
    [
        f"http://{SECRET}@cache",
        f"sentinel://:{SECRET}@cache",
        "cache:6379",
        "",
        f"redis://:{SECRET}/with/slash@cache:6379",
        f"redis://:12{SECRET}#hash@cache:6379",
        f"redis://:{SECRET}?x@cache:6379",
        f"redis://cache:{SECRET}",
        "redis://[::1",
        "redis://cache:6379/0?socket_timeout=soon",
    ],
)
def test_an_unknown_address_is_refused_and_not_repeated(url: str) -> None:
    """The error shows how to write an address, and nothing of the one that was given."""
    with pytest.raises(PortError, match="redis://user:password@host:6379/0") as error:
        RedisStore(url)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (exceptions.ConnectionError("Connection refused"), "cannot be reached"),
        (exceptions.TimeoutError("timed out"), "did not answer within 2 s"),
        (TimeoutError(), "did not answer within 2 s"),
        (OSError("Network is unreachable"), "cannot be reached"),
        (exceptions.AuthenticationError("no"), "refused the user or password"),
        (exceptions.AuthorizationError("no"), "refused the user or password"),
        (exceptions.BusyLoadingError("loading", status_code="LOADING"), "still loading"),
        (exceptions.ReadOnlyError("r", status_code="READONLY"), "address of the primary"),
        (exceptions.OutOfMemoryError("m", status_code="OOM"), "raise maxmemory"),
        (exceptions.ClusterDownError("CLUSTERDOWN Hash slot not served"), "CLUSTER INFO"),
        (exceptions.MaxConnectionsError("many"), "all connections are busy"),
        (exceptions.ResponseError("MISCONF Redis is configured to save"), "its disk"),
        (exceptions.ResponseError("NOREPLICAS Not enough good replicas"), "too few replicas"),
        (exceptions.ResponseError("BUSY Redis is busy running a script"), "SCRIPT KILL"),
        (exceptions.ResponseError("MASTERDOWN Link with MASTER is down"), "lost its primary"),
        (exceptions.ResponseError("ERR Error running script: -OOM command"), "raise maxmemory"),
        (exceptions.MovedError("1 127.0.0.1:7001", status_code="MOVED"), "redis.cluster://"),
        (exceptions.AskError("1 127.0.0.1:7001", status_code="ASK"), "redis.cluster://"),
        (MasterNotFoundError("x"), "no primary that its Sentinels know"),
        (MasterNotFoundError("x : TimeoutError()"), "no Sentinel that"),
        (
            MasterNotFoundError("x : AuthenticationError('no')"),
            "check sentinel_username",
        ),
        (exceptions.ResponseError("unknown command 'SENTINEL', with args"), "is no Sentinel"),
        (exceptions.ResponseError("unknown command 'EVALSHA', with args"), "if it is a Sentinel"),
        (
            exceptions.RedisClusterException("Cluster mode is not enabled on this node"),
            "no cluster",
        ),
        (exceptions.ResponseError("ERR something new"), "refused: ERR something new"),
        (exceptions.RedisClusterException("no slots"), "no slots"),
    ],
)
def test_every_error_says_where_why_and_what_to_do(error: Exception, text: str) -> None:
    """What Redis or the network answers becomes one sentence with advice."""
    with pytest.raises(PortError, match=text) as raised, explained("Redis at cache:6379"):
        raise error
    assert str(raised.value).startswith("Redis at cache:6379 ")


def test_a_fault_of_our_own_is_not_blamed_on_redis() -> None:
    """Only what Redis and the network raise is explained."""
    with pytest.raises(ZeroDivisionError), explained("Redis at cache:6379"):
        raise ZeroDivisionError
