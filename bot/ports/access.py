"""Who may use the HTTP API, how often, and that a request counts once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, get_args

Permission = Literal["start", "read", "abort", "decide", "freeze"]
"""What a token may do: `decide` is approve, promote, pause, resume, extend and mark."""

PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

EVERY_SERVICE: Final = "*"
"""Among a token's services: all of them, those of tomorrow too. No service can have this name."""


@dataclass(frozen=True, slots=True)
class Key:
    """One secret of a token; while it is being rotated, it has two.

    Attributes:
        digest: the secret's SHA-256, hexadecimal. It is 256 random bits, which nobody can try
            out, so a slow hash as for passwords would guard nothing.
        until: from when on it is not valid; None for as long as the token is.

    """

    digest: str
    until: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it still counts."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Token:
    """What a machine authenticates with.

    Attributes:
        services: their names, or `EVERY_SERVICE`.
        keys: the newest first.

    """

    name: str
    permissions: tuple[Permission, ...]
    services: tuple[str, ...]
    created_at: datetime
    keys: tuple[Key, ...]
    expires_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or now < self.expires_at

    def sees(self, service: str) -> bool:
        """Whether it is for this service."""
        return EVERY_SERVICE in self.services or service in self.services

    @property
    def sees_everything(self) -> bool:
        """Whether it is for all services."""
        return EVERY_SERVICE in self.services


class NameTaken(Exception):  # noqa: N818 - an answer to be acted on, as those of the store are
    """A token of this name exists, or has been changed by somebody else meanwhile."""


class Tokens(Protocol):
    """Keeps the tokens, for all replicas; all methods raise `PortError` when that is away."""

    async def add(self, token: Token) -> None:
        """Keep a new one.

        Raises:
            NameTaken: there is another one of its name.

        """
        ...

    async def change(self, before: Token, after: Token) -> None:
        """Put one in another's place.

        Raises:
            NameTaken: `before` is not what is kept now.

        """
        ...

    async def all(self) -> tuple[Token, ...]:
        """Every token, by name; what cannot be read is left out, and so opens nothing."""
        ...

    async def revoke(self, name: str) -> bool:
        """Forget one; whether there was one."""
        ...

    async def touch(self, name: str, at: datetime) -> None:
        """Say that it was used."""
        ...

    async def used(self) -> Mapping[str, datetime]:
        """When each token was last used, as far as it was said."""
        ...


@dataclass(frozen=True, slots=True)
class Mine:
    """The request is to be carried out by whoever reserved it.

    Attributes:
        mark: what the first attempt was going to make; the same for each attempt.
        again: whether there was an attempt before, which may have been carried out.

    """

    mark: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Busy:
    """Another attempt is under way; `for_` at most until it may be tried again."""

    for_: timedelta


@dataclass(frozen=True, slots=True)
class Different:
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The request was carried out, and this was its answer."""

    answer: str


class Once(Protocol):
    """Remembers requests by a key of the caller's; errors as of `Tokens`."""

    async def reserve(
        self, key: str, fingerprint: str, mark: str, holder: str
    ) -> Mine | Busy | Different | Answered:
        """Say that this request is about to be carried out.

        Args:
            key: the caller's, with whoever it is in front.
            fingerprint: of the whole request.
            mark: what it is going to make, unless an earlier attempt has said so.
            holder: drawn anew for each attempt.

        """
        ...

    async def keep(self, key: str, holder: str, answer: str) -> None:
        """Keep the answer; nothing where another attempt has the key by now."""
        ...

    async def release(self, key: str, holder: str) -> None:
        """Let the next attempt begin at once; the mark stays, for this one may be half done."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in a span, all at once or spread over it."""

    count: int
    per: timedelta

    def __post_init__(self) -> None:
        if self.count < 1 or self.per <= timedelta(0):
            raise ValueError("a rate is at least one request in some span of time")


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left of a rate.

    Attributes:
        allowed: whether there was enough.
        left: whole requests that can follow at once.
        again: until the next one is allowed; nothing where one is.
        full: until all of them are there again.

    """

    allowed: bool
    left: int
    again: timedelta
    full: timedelta


class Rates(Protocol):
    """Counts requests over all replicas; errors as of `Tokens`."""

    async def take(self, key: str, rate: Rate) -> Taken:
        """Take one, if there is one."""
        ...
