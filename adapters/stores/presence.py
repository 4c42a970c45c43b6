"""Which replicas live, by their heartbeats, and which canaries nobody works on."""

from collections.abc import Collection
from datetime import timedelta
from itertools import compress

from adapters.stores.connection import Link
from adapters.stores.keys import Keys


class Presence:
    """The heartbeats of all replicas, in one Redis.

    Args:
        silence: how long a heartbeat lasts.

    All methods raise `PortError` when Redis cannot be reached.

    Attributes:
        sharers: how many living replicas had unfinished canaries at the last look for orphans.

    """

    def __init__(self, link: Link, keys: Keys, silence: timedelta) -> None:
        self._link = link
        self._keys = keys
        self._silence = silence
        self.sharers = 1

    async def beat(self, owner: str) -> None:
        """Say that this replica is alive, and that some replica is."""
        async with self._link.asking() as redis, redis.pipeline(transaction=False) as pipe:
            pipe.set(self._keys.beat(owner), b"1", px=self._silence)
            pipe.set(self._keys.anyone, owner.encode(), px=self._silence)
            await pipe.execute()

    async def anyone(self) -> bool:
        """Whether any replica has said lately that it is alive."""
        async with self._link.asking() as redis:
            return bool(await redis.exists(self._keys.anyone))

    async def resign(self, owner: str) -> None:
        """Say that this replica leaves."""
        async with self._link.asking() as redis:
            await redis.delete(self._keys.beat(owner))
            if await redis.get(self._keys.anyone) == owner.encode():
                # If it was another one's by now, that one's next beat sets it again.
                await redis.delete(self._keys.anyone)

    async def owners(self) -> dict[bytes, bytes]:
        """The owner of every unfinished canary, by its id."""
        found: dict[bytes, bytes] = {}
        async with self._link.asking() as redis, redis.pipeline(transaction=False) as pipe:
            for shard in self._keys.shards:
                pipe.hgetall(shard.open)
            for some in await pipe.execute():
                found |= some
        return found

    async def orphans(self, owner: str = "", held: Collection[str] = ()) -> dict[str, str]:
        """Unfinished canaries whose owner is silent, or is `owner` without holding them; and whose."""
        owners = await self.owners()
        names = sorted(set(owners.values()))
        async with self._link.asking() as redis, redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.exists(self._keys.beat(name.decode()))
            alive = set(compress(names, await pipe.execute()))
        self.sharers = max(1, len(alive))
        return {
            name.decode(): by.decode()
            for name, by in sorted(owners.items())
            if by not in alive or (by == owner.encode() and name.decode() not in held)
        }
