"""`canary token`: makes, lists, rotates and revokes what pipelines authenticate with."""

import getpass
import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, get_args

from adapters.clock import SystemClock
from adapters.stores.access import RedisTokens
from adapters.stores.audit import RedisAuditLog
from adapters.stores.connection import Link
from bot.api.secrets import digest, draw
from bot.bootstrap import redis_url
from bot.config import Secrets, Settings, load
from bot.config.units import unknown, written
from bot.core.plan import Actor
from bot.ports import AuditLog, Deed
from bot.ports.access import (
    EVERY_SERVICE,
    PERMISSIONS,
    Key,
    NameTaken,
    Permission,
    Token,
    Tokens,
)

GRACE: Final = timedelta(hours=1)
"""How long the old secret still counts after a rotation, where nothing else is said."""

ACCOUNT: Final = "account:"
"""How the ids of those begin who type on the bot's machine."""

NOBODY: Final = Actor(f"{ACCOUNT}unknown", "unknown")

LONGEST: Final = timedelta(days=366)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class TokenDesk:
    """The tokens of one bot, for whoever has its Redis.

    All methods raise `PortError` when the store is away, and ValueError with a plain sentence.
    """

    def __init__(
        self,
        tokens: Tokens,
        settings: Settings,
        now: datetime,
        trail: AuditLog | None = None,
        by: Actor = NOBODY,
    ) -> None:
        self._tokens = tokens
        self._trail = trail
        self._by = by
        self._services = settings.service_names()
        self._now = now

    async def create(
        self,
        name: str,
        services: Sequence[str],
        can: str,
        expires: timedelta | None = None,
        *,
        every: bool = False,
    ) -> str:
        """Make one; the secret, which is kept nowhere."""
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name for a token: small letters, digits, dots and dashes, such as "
                "shop-ci. It stands in configurations as token:NAME"
            )
        if expires is not None and not timedelta(0) < expires <= LONGEST:
            raise ValueError("--expires lies between a moment and a year, for example 90d")
        secret = draw()
        token = Token(
            name,
            permissions(can),
            self._scope(services, every=every),
            self._now,
            (Key(digest(secret)),),
            self._now + expires if expires else None,
        )
        if any(one.name == name for one in await self._tokens.all()):
            raise _taken(name)
        await self._note("token.made", name, _described(token))
        try:
            await self._tokens.add(token)
        except NameTaken:
            raise _taken(name) from None
        return secret

    async def rotate(self, name: str, grace: timedelta = GRACE) -> str:
        """A new secret; the old one counts until its grace is over."""
        if not timedelta(0) <= grace <= timedelta(days=30):
            raise ValueError("--grace lies between 0s and 30d, for example 1h")
        before = await self._named(name)
        secret, end = draw(), self._now + grace
        older = tuple(
            Key(key.digest, min(key.until or end, end))
            for key in before.keys
            if key.is_valid(self._now)
        )
        keys = (Key(digest(secret)), *(older if grace else ()))
        await self._note("token.rotated", name, {"grace": written(grace)})
        try:
            await self._tokens.change(before, replace(before, keys=keys))
        except NameTaken:
            raise ValueError(
                f"{name} was changed by somebody else in this moment. Nothing was done; look with "
                "canary token list, and try again"
            ) from None
        return secret

    async def revoke(self, name: str) -> None:
        """Forget it; it opens nothing from a few seconds later on."""
        if not await self._tokens.revoke(name):
            raise await self._unknown(name)
        await self._note("token.revoked", name, {})

    async def rows(self) -> list[tuple[str, ...]]:
        """Name, what it may, for which services, made, last used, expires; by name."""
        used = await self._tokens.used()
        return [
            (
                token.name,
                ", ".join(token.permissions),
                "all services" if token.sees_everything else ", ".join(token.services),
                _day(token.created_at),
                _day(used.get(token.name), "never"),
                self._end(token),
            )
            for token in await self._tokens.all()
        ]

    async def _note(self, what: str, name: str, data: Mapping[str, str]) -> None:
        """Write it down; before anything is opened, and after anything is shut."""
        if self._trail is not None:
            await self._trail.append(Deed(self._now, self._by, what, name, data=data))

    def _end(self, token: Token) -> str:
        if not token.is_valid(self._now):
            return f"expired {_day(token.expires_at)}"
        return _day(token.expires_at, "never")

    def _scope(self, services: Sequence[str], *, every: bool) -> tuple[str, ...]:
        if every:
            if services:
                raise ValueError("--all-services and --service say different things: take one")
            return (EVERY_SERVICE,)
        if not services:
            raise ValueError(
                f"for which services? --service NAME, once for each, of: "
                f"{', '.join(self._services)}. Or --all-services"
            )
        for name in services:
            if name not in self._services:
                raise ValueError(unknown("service", name, self._services))
        return tuple(sorted(set(services)))

    async def _named(self, name: str) -> Token:
        found = next((one for one in await self._tokens.all() if one.name == name), None)
        if found is None:
            raise await self._unknown(name)
        return found

    async def _unknown(self, name: str) -> ValueError:
        known = [token.name for token in await self._tokens.all()]
        return ValueError(unknown("token", name, known))


def permissions(text: str) -> tuple[Permission, ...]:
    """Of `start,read,abort`.

    Raises:
        ValueError: none, or one that there is not.

    """
    asked = {word for word in re.split(r"[,\s]+", text.strip().lower()) if word}
    for word in sorted(asked):
        if word not in get_args(Permission):
            raise ValueError(unknown("permission", word, PERMISSIONS))
    if not asked:
        raise ValueError(f"--can takes some of {', '.join(PERMISSIONS)}, with commas between them")
    return tuple(one for one in PERMISSIONS if one in asked)


def _taken(name: str) -> ValueError:
    return ValueError(
        f"there is a token {name} already. Take another name, or give it a new secret: "
        f"canary token rotate {name}"
    )


def _described(token: Token) -> dict[str, str]:
    """What it opens, for the record; nothing that opens it."""
    return {
        "permissions": ",".join(token.permissions),
        "services": ",".join(token.services),
        "expires_at": token.expires_at.isoformat() if token.expires_at else "",
    }


def _whoever() -> Actor:
    """Who types: the name of the machine's account is all that is known."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        name = str(os.getuid())
    return Actor(f"{ACCOUNT}{name}", name)


def _day(at: datetime | None, otherwise: str = "") -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else otherwise


@asynccontextmanager
async def opened(config: Path, secrets: Secrets) -> AsyncIterator[TokenDesk]:
    """The desk of the bot that this configuration describes, until the block ends.

    Raises:
        ConfigError: the configuration cannot be used.
        PortError: the store's address cannot be understood.

    """
    settings, _ = load(config)
    link = Link(redis_url(settings, secrets))
    try:
        now, trail = SystemClock().now(), RedisAuditLog(link)
        yield TokenDesk(RedisTokens(link), settings, now, trail, _whoever())
    finally:
        await link.aclose()
