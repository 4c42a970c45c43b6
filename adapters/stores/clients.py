"""Clients for one Redis, for a primary that Sentinels know, and for a cluster."""

import ssl
from importlib.metadata import version
from typing import Any, Final

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Connection, Redis, RedisCluster, SSLConnection
from redis.asyncio import UnixDomainSocketConnection as SocketConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    MasterNotFoundError,
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import ExponentialBackoff
from redis.driver_info import DriverInfo
from redis.maint_notifications import MaintNotificationsConfig

from adapters.stores.address import FILES, Address, Kind
from bot.ports import PortError

PATIENCE: Final = 2.0
"""Seconds for a connection, and for an answer."""

LIMIT: Final = 2 * PATIENCE
"""Seconds for everything one question takes: a free connection, finding the server, connecting,
asking once more."""

SENTINEL_PATIENCE: Final = 0.5
"""Seconds for a Sentinel, after which the next one is asked."""

_PLAIN: Final = {
    # Shown by CLIENT LIST. A client's name would be, too, but is an error where CLIENT is forbidden.
    "driver_info": DriverInfo().add_upstream_driver("canarybot", version("canarybot")),
    # A question of Redis Enterprise's at every connection, which others know nothing of.
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
}

CONNECTIONS: Final = 50
"""At most, to one server."""


def client_for(address: Address) -> Any:
    """A client for this address; nothing is sent yet.

    Raises:
        PortError: a certificate or key that the address names cannot be read.

    """
    _check_files(address)
    match address.kind:
        case Kind.SINGLE | Kind.SOCKET:
            return Redis.from_pool(
                BlockingConnectionPool(
                    max_connections=CONNECTIONS,
                    timeout=LIMIT,
                    **_target(address),
                    **_common(address),
                    db=address.database,
                    retry=_retry(1),
                )
            )
        case Kind.SENTINEL:
            return _PrimaryClient(address)
        case Kind.CLUSTER:
            return _ClusterClient(address)


def _target(address: Address) -> dict[str, Any]:
    if address.kind is Kind.SOCKET:
        return {"connection_class": SocketConnection, "path": address.path}
    host, port = address.hosts[0]
    kind = SSLConnection if address.tls else Connection
    return {"connection_class": kind, "host": host, "port": port}


def _common(address: Address) -> dict[str, Any]:
    """What every connection to the data is made with."""
    return {
        "username": address.username,
        "password": address.password,
        "socket_timeout": PATIENCE,
        "socket_connect_timeout": PATIENCE,
        **_PLAIN,
        **_tls(address),
    }


def _tls(address: Address) -> dict[str, Any]:
    """The options of TLS alone."""
    named = {name: value for name, value in address.options.items() if name in FILES}
    check = address.options.get("ssl_check_hostname", "yes") == "yes"
    return {**named, "ssl_check_hostname": check} if address.tls else {}


def _retry(times: int) -> Retry:
    return Retry(ExponentialBackoff(cap=0.5, base=0.1), times)


class _Sentinels(Sentinel):
    """Sentinels that are asked for the primary's address one after another."""

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """The primary of this name, from the first Sentinel that knows one.

        redis-py would list all primaries instead, which during a failover shows the old one for
        longer, and hides one that this Sentinel alone cannot reach.

        Raises:
            MasterNotFoundError: no Sentinel that answers knows it.

        """
        silent = []
        for sentinel in tuple(self.sentinels):
            try:
                found: Any = await sentinel.sentinel_get_master_addr_by_name(service_name)
            except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
                silent.append(f" : {error!r}")
                continue
            if found is not None:
                self.sentinels.remove(sentinel)
                self.sentinels.insert(0, sentinel)  # it is asked first next time
                host, port = found
                return (host.decode() if isinstance(host, bytes) else host), int(port)
        raise MasterNotFoundError(service_name + "".join(silent))


class _Following:
    """A connection that asks the Sentinels whenever it connects anew.

    redis-py's own asks when it is taken from the pool, but goes back to the same server when it
    is to repeat a command, the refused ones of a former primary included.
    """

    async def send_packed_command(self: Any, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's
        """Send, after connecting to whatever is the primary now, if need be."""
        if not self.is_connected:
            await self.connect()
        await super().send_packed_command(command, check_health)  # type: ignore[misc] # a mixin's


class _PrimaryConnection(_Following, SentinelManagedConnection):
    """To the primary."""


class _PrimarySSLConnection(_Following, SentinelManagedSSLConnection):
    """To the primary, by TLS."""


class _PrimaryPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to whatever is the primary now; who finds none free waits for one."""


class _PrimaryClient(Redis):
    """A client for the primary of this moment, which it asks the Sentinels for."""

    def __init__(self, address: Address) -> None:
        options, ssl_on = address.options, {"ssl": True} if address.tls else {}
        self._sentinel: Any = _Sentinels(  # type: ignore[no-untyped-call]  # redis-py's
            address.hosts,
            sentinel_kwargs={
                "username": options.get("sentinel_username"),
                "password": options.get("sentinel_password"),
                "socket_timeout": SENTINEL_PATIENCE,
                "socket_connect_timeout": SENTINEL_PATIENCE,
                **_PLAIN,
                "retry": _retry(0),
                **ssl_on,
                **_tls(address),
            },
        )
        found = zip(address.hosts, self._sentinel.sentinels, strict=True)
        self.sentinels = tuple((host, port, client) for (host, port), client in found)
        pool = _PrimaryPool(  # type: ignore[no-untyped-call]  # redis-py's
            address.primary,
            self._sentinel,
            max_connections=CONNECTIONS,
            timeout=LIMIT,
            **_common(address),
            connection_class=_PrimarySSLConnection if address.tls else _PrimaryConnection,
            db=address.database,
            retry=_retry(1),
        )
        super().__init__(connection_pool=pool)
        self.auto_close_connection_pool = True

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001 - redis-py's
        """Close the connections to the primary and to the Sentinels."""
        await super().aclose(close_connection_pool)
        await self._sentinel.aclose()


class _FirstArgument:
    """Where a command's key is: the bot's commands all have one, in the first place.

    The client would ask the server for its list of commands, 200 kB, at every change of the
    cluster, and need the right to.
    """

    async def initialize(self, _node: object = None) -> None:
        """Nothing is to be asked."""

    async def get_keys(self, *command: Any) -> tuple[Any, ...] | None:
        """The key of a command."""
        return command[1:2] or None


class _ClusterClient(RedisCluster):
    """A client for all nodes of a cluster."""

    def __init__(self, address: Address) -> None:
        super().__init__(
            startup_nodes=[ClusterNode(host, port) for host, port in address.hosts],
            max_connections=CONNECTIONS + 10,  # some are the client's own, to see the cluster
            retry=_retry(3),
            ssl=address.tls,
            reinitialize_steps=0,  # what has moved is moved, slot by slot
            **_common(address),
        )
        self.commands_parser: Any = _FirstArgument()

    async def execute_command(self, *command: Any, **options: Any) -> Any:
        """Send a command to the node that has its key."""
        # redis-py sends the very first commands anywhere, before it has seen the cluster.
        await self.initialize()
        try:
            return await super().execute_command(*command, **options)
        except AttributeError as error:
            # redis-py closes connections that others are just opening.
            raise exceptions.ConnectionError("the connection was closed meanwhile") from error

    async def initialize(
        self,
        additional_startup_nodes_info: list[tuple[str, int]] | None = None,
        last_failed_node_name: str | None = None,
    ) -> RedisCluster:
        """See the cluster anew, if need be, by the nodes found last time or by the given ones.

        redis-py would keep only one of the two; but a name may point to another node by now, and
        the given nodes may all be gone.
        """
        await super().initialize(additional_startup_nodes_info, last_failed_node_name)
        known = self.nodes_manager.startup_nodes
        for node in self.startup_nodes:
            known.setdefault(node.name, node)
        return self

    async def aclose(self) -> None:
        """See the cluster anew with the next command; redis-py calls this after some errors.

        It would close every connection for that, those that others are waiting on as well.
        """
        self._initialize = True

    async def close_for_good(self) -> None:
        """Close all connections."""
        self._initialize = False  # otherwise nothing is closed
        await super().aclose()


def _check_files(address: Address) -> None:
    """Read the certificates once, so that an unreadable one is told before the first call."""
    given = {name: address.options.get(name) for name in FILES}
    trying = ""
    try:
        context = ssl.create_default_context()
        if given["ssl_ca_certs"]:
            trying = "ssl_ca_certs"
            context.load_verify_locations(cafile=given["ssl_ca_certs"])
        if given["ssl_certfile"]:
            trying = "ssl_certfile (with ssl_keyfile)"
            context.load_cert_chain(given["ssl_certfile"], given["ssl_keyfile"])
    except (OSError, ValueError) as error:
        raise PortError(
            f"what {trying} names in the store's address cannot be used ({error}); give PEM "
            "files, the key without a passphrase and belonging to the certificate"
        ) from None
