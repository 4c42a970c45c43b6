"""Keeps who did what that is about no canary: in Redis for all replicas, or in this process."""

import secrets
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from adapters.stores import scripts
from adapters.stores.chaining import chained
from adapters.stores.codec import happening_of
from adapters.stores.connection import Link
from adapters.stores.keys import Keys
from adapters.stores.running import Scripts
from bot.core.audit import origin
from bot.ports import Deed, Happening, PortError

TRAIL: Final = "trail"
"""What the chain of deeds is of, see `bot.core.audit.origin`."""

PAGE: Final = 500
"""Entries that are read at once."""

_DEED: Final = TypeAdapter(Deed)


def encode_deed(deed: Deed) -> str:
    """A deed as JSON; `decode_deed` gives back an equal one."""
    return _DEED.dump_json(deed).decode()


def decode_deed(text: str) -> Deed:
    """The deed in this JSON.

    Raises:
        ValueError: it is none, or incomplete.

    """
    try:
        return _DEED.validate_json(text)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in found["loc"])
        raise ValueError(f"{place}: {found['msg']}") from None


def _entry(deed: Deed) -> Happening:
    return Happening(deed.at, deed.what, encode_deed(deed))


def _deeds(entries: tuple[Happening, ...], since: datetime | None, where: str) -> tuple[Deed, ...]:
    wanted = [each for each in entries if since is None or each.at >= since]
    try:
        return tuple(decode_deed(each.data) for each in wanted)
    except ValueError as error:
        raise PortError(f"a deed in {where} cannot be read: {error}") from error


class RedisAuditLog:
    """An `AuditLog` in Redis: one stream, which is never trimmed, and the last entry's hash.

    Args:
        link: the Redis; whoever made it closes it.
        prefix: what all keys begin with.

    """

    def __init__(self, link: Link, prefix: str = "canarybot") -> None:
        self._link = link
        self._keys = Keys(prefix)
        self._scripts = Scripts(link)

    async def append(self, deed: Deed) -> None:
        """See `AuditLog.append`."""
        token, last, entry = secrets.token_hex(8), await self.head(), _entry(deed)
        while True:
            (link,), head = chained(last or origin(TRAIL), (entry,))
            keys = [self._keys.trail, self._keys.trail_head]
            told = [token, last, head, link.at.isoformat(), link.kind, link.data]
            status, *found = await self._scripts.run(scripts.DEED, keys, told)
            if status == b"done":
                return
            last = found[0].decode()  # another deed came first: behind that one

    async def deeds(self, since: datetime | None = None) -> tuple[Deed, ...]:
        """See `AuditLog.deeds`."""
        return _deeds(await self.entries(), since, f"{self._keys.trail} of {self._link.place}")

    async def entries(self) -> tuple[Happening, ...]:
        """See `AuditLog.entries`."""
        found: list[Happening] = []
        after = "-"
        while True:
            async with self._link.asking() as redis:
                page = await redis.xrange(self._keys.trail, after, "+", count=PAGE)
            try:
                found += [happening_of(fields) for _, fields in page]
            except (KeyError, ValueError) as error:
                raise PortError(
                    f"an entry of {self._keys.trail} in {self._link.place} cannot be read: {error}"
                ) from error
            if len(page) < PAGE:
                return tuple(found)
            after = f"({page[-1][0].decode()}"

    async def head(self) -> str:
        """See `AuditLog.head`."""
        async with self._link.asking() as redis:
            (head,) = await redis.hmget(self._keys.trail_head, ["chain"])
        return (head or b"").decode()


class MemoryAuditLog:
    """An `AuditLog` that is gone when its process ends."""

    def __init__(self) -> None:
        self._entries: tuple[Happening, ...] = ()
        self._head = ""

    async def append(self, deed: Deed) -> None:
        """See `AuditLog.append`."""
        links, self._head = chained(self._head or origin(TRAIL), (_entry(deed),))
        self._entries += links

    async def deeds(self, since: datetime | None = None) -> tuple[Deed, ...]:
        """See `AuditLog.deeds`."""
        return _deeds(self._entries, since, "this process's memory")

    async def entries(self) -> tuple[Happening, ...]:
        """See `AuditLog.entries`."""
        return self._entries

    async def head(self) -> str:
        """See `AuditLog.head`."""
        return self._head
