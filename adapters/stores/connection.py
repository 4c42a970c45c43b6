"""Asking a Redis: in bounded time, and with errors in plain words."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from redis import exceptions
from redis.asyncio.sentinel import MasterNotFoundError

from adapters.stores.address import CLUSTER_FORM, SENTINEL_FORM, Kind, read_address
from adapters.stores.clients import CONNECTIONS, LIMIT, PATIENCE, client_for
from bot.ports import PortError

_CLUSTERED: Final = f"is one node of a cluster; write the store's address as {CLUSTER_FORM}"

_MEANINGS: Final = (
    ("WRONGPASS", "refused the user or password; check them in the address"),
    ("NOAUTH", "asks for a password; put it into the address"),
    ("NOPERM", "does not allow this to the bot's user; grant it with ACL SETUSER"),
    ("OOM", "is out of memory; raise maxmemory or remove other data"),
    ("READONLY", "is a read-only replica; give the address of the primary, or of the Sentinels"),
    ("MISCONF", "cannot write to its disk and refuses writes; look into its log"),
    ("NOREPLICAS", "has too few replicas for its min-replicas-to-write; look at the replicas"),
    ("LOADING", "is still loading its data; it answers when it is done"),
    ("CLUSTERDOWN", "belongs to a cluster that is down; look at CLUSTER INFO"),
    ("MASTERDOWN", "has lost its primary; look at the failover"),
    ("MOVED", _CLUSTERED),
    ("ASK", _CLUSTERED),
    ("CROSSSLOT", _CLUSTERED),
    ("BUSY", "is held up by somebody's script; end it with SCRIPT KILL"),
    ("WRONGTYPE", "holds something else under the bot's keys; choose another prefix"),
)
"""What Redis' error codes mean, and what to do."""

_PHRASES: Final = (
    (
        "previous master is now a slave",
        "has just got another primary, which not every Sentinel knows yet; it answers soon",
    ),
    (
        "No connection available",
        "was not asked, all connections are busy; look whether it is slow",
    ),
    ("unknown command 'SENTINEL'", f"is no Sentinel; give theirs: {SENTINEL_FORM}"),
    ("unknown command", f"does not know it; if it is a Sentinel, write {SENTINEL_FORM}"),
    (
        "Cluster mode is not enabled",
        "is no cluster; write redis:// instead of redis+cluster://",
    ),
    (
        "unknown ca",
        "does not trust the bot's certificate; give ssl_certfile and ssl_keyfile from its CA",
    ),
    (
        "self-signed certificate in certificate chain",
        "shows a certificate of a CA that is not known here; name the CA's file with ssl_ca_certs",
    ),
    (
        "unable to get local issuer certificate",
        "shows a certificate of a CA that is not known here; name the CA's file with ssl_ca_certs",
    ),
    (
        "Hostname mismatch",
        "shows a certificate for another name; use the name in it, or ssl_check_hostname=no",
    ),
    (
        "IP address mismatch",
        "shows a certificate for another address; use the name in it, or ssl_check_hostname=no",
    ),
    (
        "CERTIFICATE_REQUIRED",
        "asks for the bot's certificate; name its files with ssl_certfile and ssl_keyfile",
    ),
    (
        "certificate required",
        "asks for the bot's certificate; name its files with ssl_certfile and ssl_keyfile",
    ),
    ("WRONG_VERSION_NUMBER", "does not speak TLS there; check the port, or leave the s out"),
    ("record layer failure", "does not speak TLS there; check the port, or leave the s out"),
)
"""What stands in the text of an error that has no code."""


class Link:
    """A Redis and how it is asked.

    Attributes:
        redis: redis-py's client; its types do not tell its modes apart.
        place: where it is, for errors.
        kind, tls: what it is.

    Args:
        url: its address; user and password in it are never shown.

    Raises:
        PortError: the address cannot be understood.

    """

    def __init__(self, url: str) -> None:
        address = read_address(url)
        self.kind = address.kind
        self.tls = address.tls
        self.place = address.place
        self.redis: Any = client_for(address)
        # A cluster's client refuses what is too much at once, instead of letting it wait.
        self._room = asyncio.Semaphore(CONNECTIONS) if self.kind is Kind.CLUSTER else None

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Any]:
        """The client, for one question; `PortError` for all that goes wrong with it."""
        with explained(self.place):
            async with asyncio.timeout(LIMIT):
                if self._room is None:
                    yield self.redis
                else:
                    async with self._room:
                        yield self.redis

    async def aclose(self) -> None:
        """Close all connections."""
        if self.kind is Kind.CLUSTER:
            await self.redis.close_for_good()
        else:
            await self.redis.aclose()


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn everything that can go wrong at this Redis into a `PortError`."""
    try:
        yield
    except (exceptions.RedisError, exceptions.RedisClusterException, OSError) as error:
        raise PortError(f"{place} {_meaning(error)}") from error


def _meaning(error: Exception) -> str:
    if isinstance(error, exceptions.RedisClusterException) and error.__cause__ is not None:
        return _meaning_of_cause(error)
    text = str(error)
    code = getattr(error, "status_code", None) or text.split(" ", 1)[0]
    for known, meaning in _MEANINGS:
        # Redis before 7.0 puts the code of an error inside a script in the middle of the text.
        if code == known or f"-{known} " in text:
            return meaning
    for phrase, meaning in _PHRASES:
        if phrase in text:
            return meaning
    match error:
        case MasterNotFoundError():
            return _no_primary(text)
        case exceptions.AuthenticationError() | exceptions.AuthorizationError():
            return f"refused the user or password ({text}); check them in the address"
        case exceptions.MaxConnectionsError():
            return "was not asked, all connections are busy; look whether it is slow"
        case exceptions.TimeoutError() | TimeoutError():
            return (
                f"did not answer within {PATIENCE:g} s; look whether it is overloaded, or whether "
                "only one side speaks TLS"
            )
        case exceptions.ConnectionError() | OSError():
            cut = "reset by peer" in text or "closed by server" in text
            # A server that asks for a certificate may hang up before its reason has arrived.
            encrypted = (
                ", and whether it wants TLS (rediss://), or a certificate of the bot's: then name "
                "its files with ssl_certfile and ssl_keyfile"
            )
            why = f"cannot be reached ({text}); check the address and that it runs"
            return why + (encrypted if cut else "")
        case _:
            return f"refused: {text}; look into its log"


def _meaning_of_cause(error: exceptions.RedisClusterException) -> str:
    """A cluster's client wraps what it heard from the last node it tried."""
    cause = error.__cause__
    return _meaning(cause) if isinstance(cause, Exception) else str(error)


def _no_primary(text: str) -> str:
    if "AuthenticationError" in text:
        return (
            "cannot be found: the Sentinels refused the bot; check sentinel_username and "
            "sentinel_password in the address"
        )
    if " : " in text:
        return (
            "cannot be found: no Sentinel that answers knows a primary of this name; check the "
            "Sentinels' hosts and that they run"
        )
    return (
        "is no primary that its Sentinels know; check the name in the address against "
        "SENTINEL MASTERS"
    )
