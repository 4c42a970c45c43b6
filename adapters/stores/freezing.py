"""What is frozen, in one Redis: a hash by scope, for a freeze is not of one service only."""

from adapters.stores.codec import Unreadable, decode_freeze, encode_freeze
from adapters.stores.connection import Link
from bot.core.freezes import Freeze
from bot.ports import PortError


class Freezing:
    """The freezes, for all replicas; all methods raise `PortError` when Redis is away."""

    def __init__(self, link: Link, key: str) -> None:
        self._link = link
        self._key = key

    async def put(self, freeze: Freeze) -> None:
        """Keep it, in place of the one of the same scope."""
        async with self._link.asking() as redis:
            await redis.hset(self._key, freeze.scope, encode_freeze(freeze))

    async def take(self, scope: str) -> Freeze | None:
        """Forget the one of this scope, and answer it."""
        before = next((one for one in await self.all() if one.scope == scope), None)
        async with self._link.asking() as redis:
            await redis.hdel(self._key, scope)
        return before

    async def all(self) -> tuple[Freeze, ...]:
        """Every one, by scope.

        One that cannot be read is an error: to start what is frozen is worse than to start
        nothing.
        """
        async with self._link.asking() as redis:
            rows = await redis.hgetall(self._key)
        try:
            found = [decode_freeze(text) for text in rows.values()]
        except Unreadable as error:
            raise PortError(
                f"a freeze in Redis under {self._key} cannot be read ({error}); delete that key "
                "and set the freezes again"
            ) from error
        return tuple(sorted(found, key=lambda freeze: freeze.scope))
