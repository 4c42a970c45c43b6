"""Which canaries there were and when they were created, as Redis' sorted sets remember them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain

from adapters.stores.connection import Link
from bot.core.audit import before


async def newest(link: Link, indexes: Iterable[str], depth: int) -> tuple[list[str], bool]:
    """So many of the newest ids in these indexes together, and whether there are more."""
    async with link.asking() as redis, redis.pipeline(transaction=False) as pipe:
        for index in indexes:
            pipe.zrevrange(index, 0, depth - 1, withscores=True)
        pages = await pipe.execute()
    merged = sorted(chain(*pages), key=lambda each: (each[1], each[0]), reverse=True)
    more = len(merged) > depth or any(len(page) == depth for page in pages)
    return [name.decode() for name, _ in merged[:depth]], more


async def last(link: Link, index: str) -> tuple[str, str]:
    """The newest id in an index, and how the canary after it names it; empty where there is none."""
    async with link.asking() as redis:
        rows = await redis.zrevrange(index, 0, 0, withscores=True)
    for name, created_at in rows:
        return name.decode(), before(name.decode(), datetime.fromtimestamp(created_at, UTC))
    return "", ""


async def created(link: Link, indexes: Iterable[str]) -> dict[str, datetime]:
    """All ids in these indexes together, oldest first."""
    async with link.asking() as redis, redis.pipeline(transaction=False) as pipe:
        for index in indexes:
            pipe.zrevrange(index, 0, -1, withscores=True)
        pages = await pipe.execute()
    rows = sorted(chain(*pages), key=lambda each: (each[1], each[0]))
    return {name.decode(): datetime.fromtimestamp(at, UTC) for name, at in rows}
