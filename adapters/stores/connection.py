"""Reaching a Redis: which addresses are understood, and what its errors mean in plain words."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from adapters.stores import Description
from bot.ports import PortError

PATIENCE: Final = 2.0
"""Seconds for a connection, for an answer, and for a free connection of the pool."""

CONNECTIONS: Final = 50

_SCHEMES: Final = {
    "redis": "redis://user:password@host:6379/0",
    "rediss": "rediss://user:password@host:6379/0 (TLS)",
    "unix": "unix:///path/to/redis.sock?db=0",
}

_MEANINGS: Final = (
    ("WRONGPASS", "refused the user or password; check them in the address"),
    ("NOAUTH", "asks for a password; put it into the address"),
    ("NOPERM", "does not allow this to the bot's user; grant it with ACL SETUSER"),
    ("OOM", "is out of memory; raise maxmemory or remove other data"),
    ("READONLY", "is a read-only replica; give the address of the primary"),
    ("MISCONF", "cannot write to its disk and refuses writes; look into its log"),
    ("NOREPLICAS", "has too few replicas for its min-replicas-to-write; look at the replicas"),
    ("LOADING", "is still loading its data; it answers when it is done"),
    ("CLUSTERDOWN", "belongs to a cluster that is down; look at CLUSTER INFO"),
    ("MASTERDOWN", "has lost its primary; look at the failover"),
    ("MOVED", "is one node of a cluster, which the bot cannot use yet; use a single Redis"),
    ("ASK", "is one node of a cluster, which the bot cannot use yet; use a single Redis"),
    ("BUSY", "is held up by somebody's script; end it with SCRIPT KILL"),
    ("WRONGTYPE", "holds something else under the bot's keys; choose another prefix"),
)
"""What Redis' error codes mean, and what to do."""


def connect(url: str) -> Redis:
    """A client for the Redis at this address; nothing is sent yet.

    Raises:
        PortError: the address cannot be understood.

    """
    parts = _parts(url)
    if parts.scheme not in _SCHEMES:
        known = ", ".join(_SCHEMES.values())
        raise PortError(
            f"a store's address cannot begin with {parts.scheme or 'nothing'}://; known: {known}"
        )
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=PATIENCE,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.1), 1),
            client_name="canarybot",
        )
    except (ValueError, TypeError, exceptions.RedisError):
        raise _unreadable() from None
    return Redis.from_pool(pool)


def place_of(url: str) -> str:
    """Where this is, without user and password: `Redis at host:6379/0`."""
    parts = _parts(url)
    if parts.scheme == "unix":
        return f"Redis at {parts.path}"
    host = parts.hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    return f"Redis at {host}:{parts.port or 6379}{parts.path.rstrip('/')}"


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn everything that can go wrong at this Redis into a `PortError`."""
    try:
        yield
    except (exceptions.RedisError, exceptions.RedisClusterException, OSError) as error:
        raise PortError(f"{place} {_meaning(error)}") from error


async def describe(redis: Any, place: str) -> Description:
    """Which server this is and how it keeps its data; what it does not tell is left out."""
    info = await _told(redis.info, place)
    config = await _told(redis.config_get, place, "appendfsync", "save")
    name = str(info.get("server_name", "redis")).capitalize()
    version = info.get("valkey_version") or info.get("redis_version")
    log = info.get("aof_enabled")
    kept = {1: f"append-only file, fsync {config.get('appendfsync', 'unknown')}", 0: "no log"}
    parts = [
        place,
        f"{name} {version}" if version else "does not tell its version",
        kept.get(log, "does not tell how it keeps data") if log is not None else "",
    ]
    warnings = []
    if log == 0:
        snapshots = "" if config.get("save") is None else f" (snapshots: {config['save'] or 'no'})"
        warnings.append(
            f"its append-only file is off{snapshots}: what was written last is lost when it "
            "crashes; set appendonly yes"
        )
    if info.get("maxmemory_policy", "noeviction") != "noeviction":
        warnings.append(
            f"its maxmemory-policy is {info['maxmemory_policy']}: it may throw away a live "
            "canary when memory is short; set noeviction"
        )
    return Description(", ".join(filter(None, parts)), tuple(warnings))


async def _told(ask: Callable[..., Awaitable[Any]], place: str, *names: str) -> dict[str, Any]:
    """What the server answers; managed ones often forbid the question."""
    with explained(place):
        try:
            return dict(await ask(*names))
        except exceptions.ResponseError:
            return {}


def _meaning(error: Exception) -> str:
    text = str(error)
    code = getattr(error, "status_code", None) or text.split(" ", 1)[0]
    for known, meaning in _MEANINGS:
        # Redis before 7.0 puts the code of an error inside a script in the middle of the text.
        if code == known or f"-{known} " in text:
            return meaning
    match error:
        case exceptions.AuthenticationError() | exceptions.AuthorizationError():
            return f"refused the user or password ({text}); check them in the address"
        case exceptions.MaxConnectionsError():
            return "was not asked, all connections are busy; look whether it is slow"
        case exceptions.TimeoutError() | TimeoutError():
            return f"did not answer within {PATIENCE:g} s; look whether it is overloaded"
        case exceptions.ConnectionError() | OSError():
            return f"cannot be reached ({text}); check the address and that it runs"
        case _:
            return f"refused: {text}; look into its log"


def _parts(url: str) -> SplitResult:
    """The parts of an address.

    A password with an unescaped slash or hash would end up in the path, and from there in errors.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _unreadable() from None
    misplaced = parts.path + parts.query + parts.fragment
    if parts.scheme != "unix" and "@" in misplaced:
        raise _unreadable()
    if parts.scheme in {"redis", "rediss"} and not re.fullmatch(r"/?\d*", parts.path):
        # The client would take another database without a word.
        raise PortError(
            "what follows the port in the store's address must be a database's number, for "
            "example redis://host:6379/0"
        )
    return parts


def _unreadable() -> PortError:
    return PortError(
        f"the store's address cannot be read; write it as {_SCHEMES['redis']}, with every special "
        "character of the password as %23, %2F, …"
    )
