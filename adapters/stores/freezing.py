"""What is frozen, in one Redis: a hash by scope, for a freeze is not of one service only."""

from datetime import datetime

from adapters.stores import scripts
from adapters.stores.codec import Unreadable, decode_freeze, encode_freeze
from adapters.stores.connection import Link
from adapters.stores.running import Scripts
from bot.core.freezes import Freeze
from bot.ports import PortError


class Freezing:
    """The freezes, for all replicas; all methods raise `PortError` when Redis is away."""

    def __init__(self, link: Link, running: Scripts, key: str) -> None:
        self._link = link
        self._scripts = running
        self._key = key

    async def put(self, freeze: Freeze) -> None:
        """Keep it, in place of the one of the same scope."""
        async with self._link.asking() as redis:
            await redis.hset(self._key, freeze.scope, encode_freeze(freeze))

    async def take(self, scope: str, since: datetime | None) -> Freeze | None:
        """Forget the one of this scope, if it is that of `since`, and answer it.

        What is forgotten is what was read: one that was set meanwhile stays, or is looked at anew.
        """
        while True:
            async with self._link.asking() as redis:
                (text,) = await redis.hmget(self._key, [scope])
            if text is None:
                return None
            freeze = self._read(text)
            if since not in {None, freeze.since}:
                return None
            (outcome,) = await self._scripts.run(scripts.LIFT, [self._key], [scope, text])
            # Gone: lifted in the same moment, perhaps by this very call, whose answer was lost.
            if outcome in {b"done", b"gone"}:
                return freeze

    async def all(self) -> tuple[Freeze, ...]:
        """Every one, by scope.

        One that cannot be read is an error: to start what is frozen is worse than to start
        nothing.
        """
        async with self._link.asking() as redis:
            rows = await redis.hgetall(self._key)
        return tuple(sorted(map(self._read, rows.values()), key=lambda freeze: freeze.scope))

    def _read(self, text: bytes) -> Freeze:
        try:
            return decode_freeze(text)
        except Unreadable as error:
            raise PortError(
                f"a freeze in Redis under {self._key} cannot be read ({error}); delete that key "
                "and set the freezes again"
            ) from error
