"""Addresses of stores, and what the errors of Redis are in plain words."""

import pytest
from redis import exceptions

from adapters.stores.connection import connect, explained, place_of
from adapters.stores.redis import RedisStore
from bot.ports import PortError

SECRET = "s3cr3tpass"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://localhost", "Redis at localhost:6379"),
        (f"redis://:{SECRET}@cache:6380/2", "Redis at cache:6380/2"),
        (f"rediss://bot:{SECRET}@cache.example", "Redis at cache.example:6379"),
        ("redis://[::1]:7000/0", "Redis at [::1]:7000/0"),
        (f"unix://bot:{SECRET}@/run/redis.sock?db=1", "Redis at /run/redis.sock"),
    ],
)
async def test_known_addresses_are_understood_and_shown_without_secrets(
    url: str, place: str
) -> None:
    """Every known scheme makes a client, and its name in errors holds no password."""
    assert place_of(url) == place
    await connect(url).aclose()


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
        (exceptions.MovedError("1 127.0.0.1:7001", status_code="MOVED"), "one node of a cluster"),
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
