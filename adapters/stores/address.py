"""Which addresses of a Redis are understood: one server, Sentinels, a cluster, each with TLS."""

import re
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bot.ports import PortError


class Kind(Enum):
    """What stands at an address; the value is what its scheme begins with, TLS apart."""

    SINGLE = "redis"
    SOCKET = "unix"
    SENTINEL = "redis+sentinel"
    CLUSTER = "redis+cluster"


SENTINEL_FORM: Final = "redis+sentinel://user:password@host1:26379,host2:26379/mymaster/0"
CLUSTER_FORM: Final = "redis+cluster://user:password@host1:6379,host2:6379"

FORMS: Final = {
    "redis": "redis://user:password@host:6379/0",
    "rediss": "rediss://user:password@host:6379/0 (TLS)",
    "unix": "unix:///path/to/redis.sock?db=0",
    "redis+sentinel": SENTINEL_FORM,
    "rediss+sentinel": "rediss+sentinel://… (TLS)",
    "redis+cluster": CLUSTER_FORM,
    "rediss+cluster": "rediss+cluster://… (TLS)",
}
"""How each kind of address is written."""

FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""Options that name a file: whom to trust, and the client's own certificate and key."""

_TLS: Final = (*FILES, "ssl_check_hostname")
_SENTINEL: Final = ("sentinel_username", "sentinel_password")
_PORTS: Final = {Kind.SENTINEL: 26379}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Redis is and how to log in; only `place` may be shown.

    Attributes:
        hosts: host and port; of the Sentinels or of some nodes of the cluster if it is these.
        path: of the socket, otherwise empty.
        primary: what the Sentinels call the primary, otherwise empty.
        options: what follows the question mark, by name.

    """

    kind: Kind
    tls: bool = False
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    primary: str = ""
    database: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    options: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def place(self) -> str:
        """Where this is, without user and password: `Redis at host:6379/0`."""
        hosts = ", ".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts
        )
        database = f"/{self.database}" if self.database else ""
        match self.kind:
            case Kind.SOCKET:
                return f"Redis at {self.path}"
            case Kind.SINGLE:
                return f"Redis at {hosts}{database}"
            case Kind.SENTINEL:
                return f"Redis {self.primary}{database} by Sentinel at {hosts}"
            case Kind.CLUSTER:
                return f"Redis Cluster at {hosts}"


def read_address(url: str) -> Address:
    """Understand an address.

    Raises:
        PortError: it cannot be understood; the text holds no password.

    """
    parts = _parts(url)
    if parts.scheme not in FORMS:
        known = ", ".join(FORMS.values())
        raise PortError(
            f"a store's address cannot begin with {parts.scheme or 'nothing'}://; known: {known}"
        )
    kind = Kind(parts.scheme.replace("rediss", "redis"))
    tls = parts.scheme.startswith("rediss")
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    options = _options(parts, kind, tls=tls)
    primary, database = _path(parts, kind, options)
    return Address(
        kind,
        tls=tls,
        hosts=() if kind is Kind.SOCKET else _hosts(parts.scheme, hosts, kind),
        path=unquote(parts.path) if kind is Kind.SOCKET else "",
        primary=primary,
        database=database,
        username=unquote(user) or None,
        password=unquote(password) or None,
        options=options,
    )


def _parts(url: str) -> SplitResult:
    """The parts of an address.

    A password with an unescaped slash or hash would end up in the path, and from there in errors.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _unreadable(url) from None
    misplaced = parts.path + parts.query + parts.fragment
    if parts.fragment or (parts.scheme != "unix" and "@" in misplaced):
        raise _unreadable(url)
    return parts


def _hosts(scheme: str, text: str, kind: Kind) -> tuple[tuple[str, int], ...]:
    found = []
    usual = _PORTS.get(kind, 6379)
    each_host = text.split(",") if kind in {Kind.SENTINEL, Kind.CLUSTER} else [text]
    for each in each_host:
        match = re.fullmatch(
            r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\[\]:,\s]*))(?::(\d{0,5}))?", each.strip()
        )
        if match is None:
            raise _unreadable(scheme)
        bracketed, plain, port = match.groups()
        host = unquote(bracketed or plain or "")
        number = int(port or usual)
        if (not host and len(each_host) > 1) or not 0 < number < 65536:
            raise _unreadable(scheme)
        found.append((host or "localhost", number))
    return tuple(found)


def _path(parts: SplitResult, kind: Kind, options: dict[str, str]) -> tuple[str, int]:
    """The primary's name and the number of the database."""
    match kind:
        case Kind.SOCKET:
            if not parts.path.startswith("/") or parts.netloc.rpartition("@")[2]:
                raise _unreadable("unix")
            return "", _number(options.pop("db", ""), parts.scheme)
        case Kind.CLUSTER:
            if parts.path not in {"", "/"}:
                raise PortError(
                    "a Redis Cluster has no databases; leave out what follows the hosts in the "
                    f"store's address: {CLUSTER_FORM}"
                )
            return "", 0
        case Kind.SENTINEL:
            name, _, database = parts.path.removeprefix("/").partition("/")
            if not name:
                raise PortError(
                    "the store's address does not say what the Sentinels call the primary; write "
                    f"it after the hosts: {SENTINEL_FORM}"
                )
            return unquote(name), _number(database, parts.scheme)
        case Kind.SINGLE:
            if options.get("db") and parts.path in {"", "/"}:
                return "", _number(options.pop("db"), parts.scheme)
            return "", _number(parts.path.removeprefix("/"), parts.scheme)


def _number(text: str, scheme: str) -> int:
    if not re.fullmatch(r"\d{0,9}", text):
        # A client would take another database without a word.
        raise PortError(
            "what stands for the database in the store's address must be a number, for example "
            f"{FORMS[scheme.replace('rediss', 'redis')]}"
        )
    return int(text or 0)


def _options(parts: SplitResult, kind: Kind, *, tls: bool) -> dict[str, str]:
    known = {
        *(_TLS if tls else ()),
        *(_SENTINEL if kind is Kind.SENTINEL else ()),
        *(("db",) if kind in {Kind.SINGLE, Kind.SOCKET} else ()),
    }
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name, value in options.items():
        if not tls and name in _TLS:
            raise PortError(
                f"the store's address has the option {name}, but no TLS; let it begin with "
                f"{parts.scheme.replace('redis', 'rediss', 1)}://"
            )
        if name not in known:
            # Not repeated: it may be the rest of a password with an unescaped question mark.
            raise PortError(
                "the store's address has an option that is not known here; known: "
                f"{', '.join(sorted(known)) or 'none'}; the address is written as "
                f"{FORMS[parts.scheme.replace('rediss', 'redis')]}"
            )
        if name in FILES and not Path(value).is_file():
            raise PortError(
                f"the file that {name} names in the store's address, {value}, is not there; "
                "give the path of a PEM file"
            )
        if name == "ssl_check_hostname" and value not in {"yes", "no"}:
            raise PortError("ssl_check_hostname in the store's address must be yes or no")
    return options


def _unreadable(url: str) -> PortError:
    scheme = url.split(":", 1)[0].replace("rediss", "redis")
    form = FORMS.get(scheme, FORMS["redis"])
    return PortError(
        f"the store's address cannot be read; write it as {form}, with every special character "
        "of the password as %23, %2F, …"
    )
