"""What is frozen, in one Redis: a hash by the freezes' keys, for one may be of every service."""

from datetime import datetime
from typing import Final

from adapters.stores import scripts
from adapters.stores.codec import Unreadable, decode_freeze, encode_freeze
from adapters.stores.connection import Link
from adapters.stores.running import Scripts
from bot.core.freezes import Freeze
from bot.ports import PortError

_REPLACE: Final = """
-- KEYS: the freezes
-- ARGV: key, the freeze as it was read or nothing, the freeze that takes its place
local stands = redis.call('HMGET', KEYS[1], ARGV[1])[1] or ''
if stands ~= ARGV[2] then
  return {'changed'}
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return {'done'}
"""


class Freezing:
    """The freezes, for all replicas; all methods raise `PortError` when Redis is away."""

    def __init__(self, link: Link, running: Scripts, key: str) -> None:
        self._link = link
        self._scripts = running
        self._key = key

    async def put(self, freeze: Freeze) -> Freeze:
        """Keep it in place of the one of the same key, unless that withstands it; what stands."""
        text = encode_freeze(freeze)
        if freeze.kind != "lock":
            async with self._link.asking() as redis:
                await redis.hset(self._key, freeze.key, text)
            return freeze
        while True:
            async with self._link.asking() as redis:
                (found,) = await redis.hmget(self._key, [freeze.key])
            standing = None if found is None else self._read(found)
            if standing is not None and standing.withstands(freeze):
                return standing
            arguments = [freeze.key, found or b"", text]
            (outcome,) = await self._scripts.run(_REPLACE, [self._key], arguments)
            if outcome == b"done":
                return freeze

    async def take(self, key: str, since: datetime | None) -> Freeze | None:
        """Forget the one of this key, if it is that of `since`, and answer it.

        What is forgotten is what was read: one that was set meanwhile stays, or is looked at anew.
        """
        while True:
            async with self._link.asking() as redis:
                (text,) = await redis.hmget(self._key, [key])
            if text is None:
                return None
            freeze = self._read(text)
            if since not in {None, freeze.since}:
                return None
            (outcome,) = await self._scripts.run(scripts.LIFT, [self._key], [key, text])
            # Gone: lifted in the same moment, perhaps by this very call, whose answer was lost.
            if outcome in {b"done", b"gone"}:
                return freeze

    async def all(self) -> tuple[Freeze, ...]:
        """Every one, by scope and key.

        One that cannot be read is an error: to start what is frozen is worse than to start
        nothing.
        """
        async with self._link.asking() as redis:
            rows = await redis.hgetall(self._key)
        read = map(self._read, rows.values())
        return tuple(sorted(read, key=lambda freeze: (freeze.scope, freeze.key)))

    def _read(self, text: bytes) -> Freeze:
        try:
            return decode_freeze(text)
        except Unreadable as error:
            raise PortError(
                f"a freeze in Redis under {self._key} cannot be read ({error}); delete that key "
                "and set the freezes again"
            ) from error
