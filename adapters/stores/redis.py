"""Keeps canaries in Redis, so that every replica of the bot sees the same truth."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from redis.exceptions import ResponseError

from adapters.stores import Description, history, scripts
from adapters.stores.audit import RedisAuditLog
from adapters.stores.chaining import chained, head_of
from adapters.stores.codec import decode_canary, encode_canary, flat, happening_of
from adapters.stores.connection import Link
from adapters.stores.description import describe
from adapters.stores.freezing import Freezing
from adapters.stores.keys import Keys
from adapters.stores.presence import Presence
from adapters.stores.running import Scripts
from bot.core.audit import origin
from bot.core.canary import Canary
from bot.core.freezes import Freeze
from bot.ports import Conflict, Happening, PortError, Record, ServiceBusy

_FIELDS: Final = ("data", "version", "epoch", "owner", "chain", "previous")

KEPT: Final = timedelta(days=90)
"""How long what happened to a finished canary can be looked up. Its looks take up to half a
megabyte, and a Redis that is full refuses writes: what must be kept longer is exported."""

PAGE: Final = 500
"""Entries of a stream that are read at once."""

_log = structlog.get_logger(__name__)


class UnreadableRecord(PortError):  # noqa: N818 - the name says what is wrong
    """What is stored under this key is no canary that this bot can read; others still are."""


class RedisStore:
    """A `CanaryStore` in Redis 7.0 or later, or Valkey.

    Every call ends within a few seconds, with `PortError` when Redis did not do what was asked.

    Attributes:
        trail: the `AuditLog` in the same Redis.

    Args:
        url: one server, Sentinels or a cluster, see `adapters.stores.address`; user and password
            in it are never shown.
        prefix: what all keys begin with; bots that share a Redis need different ones.
        silence: how long an owner may be silent before its canaries are orphans.
        keep: how long a finished canary is kept.

    Raises:
        PortError: the address cannot be understood.

    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "canarybot",
        silence: timedelta = timedelta(seconds=3),
        keep: timedelta = KEPT,
    ) -> None:
        self._link = Link(url)
        self._keys = Keys(prefix)
        self._scripts = Scripts(self._link)
        self._presence = Presence(self._link, self._keys, silence)
        self._freezing = Freezing(self._link, self._scripts, self._keys.freezes)
        self._keep = keep.total_seconds()
        self.trail = RedisAuditLog(self._link, prefix)

    async def create(
        self, canary: Canary, owner: str, happenings: tuple[Happening, ...]
    ) -> Record:
        """See `CanaryStore.create`; the id is the service's name, a hyphen, and something unique.

        Raises:
            ValueError: the id is not made of the service's name.

        """
        if canary.id.rpartition("-")[0] != canary.service:
            raise ValueError(
                f"the id {canary.id} is not the service {canary.service}, -, and more"
            )
        token, gone = secrets.token_hex(8), ""
        index = self._keys.of(canary.service).history
        newest, previous = await history.last(self._link, index)
        while True:
            links, head = chained(origin(canary.id, previous), happenings)
            told = (newest, previous, head)
            status, *found = await self._create(
                canary, owner, links, token=token, gone=gone, told=told
            )
            if status == b"done":
                return Record(canary, 1, 1, owner, head, previous)
            if status == b"after":  # another one was created meanwhile
                newest, previous = await history.last(self._link, index)
                continue
            other = found[0].decode()
            if other in {gone, canary.id} or await self._row(other) is not None:
                raise ServiceBusy(other)
            gone = other  # its record was evicted or deleted by hand: it holds nobody up

    async def _create(
        self,
        canary: Canary,
        owner: str,
        happenings: tuple[Happening, ...],
        *,
        token: str,
        gone: str,
        told: tuple[str, str, str],
    ) -> list[bytes]:
        keys = self._keys.of(canary.service)
        created = canary.created_at.timestamp()
        return await self._scripts.run(
            scripts.CREATE,
            [
                *(keys.record(canary.id), keys.stream(canary.id), keys.live),
                *(keys.shard.open, keys.history, keys.shard.history),
            ],
            [
                token,
                canary.id,
                owner,
                encode_canary(canary),
                int(canary.is_ended),
                int(canary.is_finished),
                int(self._keep * 1000),
                created,
                created - 2 * self._keep,  # an id outlives its record by no more than `keep`
                gone,
                *told,
                *flat(happenings),
            ],
        )

    async def load(self, canary_id: str) -> Record | None:
        """See `CanaryStore.load`; `UnreadableRecord` when there is one that cannot be read."""
        row = await self._row(canary_id)
        return None if row is None else self._record(canary_id, row)

    async def save(self, record: Record, happenings: tuple[Happening, ...]) -> Record:
        """See `CanaryStore.save`."""
        canary = record.canary
        keys = self._keys.of_canary(canary.id)
        token, data = secrets.token_hex(8), encode_canary(canary)
        links, head = chained(head_of(record), happenings)
        status, *found = await self._scripts.run(
            scripts.SAVE,
            [keys.record(canary.id), keys.stream(canary.id), keys.live, keys.shard.open],
            [
                token,
                canary.id,
                data,
                int(canary.is_ended),
                int(canary.is_finished),
                int(self._keep * 1000),
                record.version,
                record.epoch,
                record.owner,
                record.chain,
                head,
                *flat(links),
            ],
        )
        match status, [each.decode(errors="replace") for each in found]:
            case b"done", [owner]:
                return replace(record, version=record.version + 1, owner=owner, chain=head)
            case b"chain", [head]:  # who has written since is this same holder: it may go on
                return await self.save(replace(record, chain=head), happenings)
            case b"stale", [version, epoch, owner]:
                raise Conflict(
                    f"{canary.id} is at version {version}, epoch {epoch} of {owner}; this write "
                    f"is based on version {record.version}, epoch {record.epoch} of {record.owner}"
                )
            case _:
                raise Conflict(f"{canary.id} is not stored any more")

    async def claim(self, canary_id: str, owner: str, epoch: int) -> Record | None:
        """See `CanaryStore.claim`; `UnreadableRecord` when there is one that cannot be read."""
        keys = self._keys.of_canary(canary_id)
        row = await self._scripts.run(
            scripts.CLAIM,
            [keys.record(canary_id), keys.shard.open],
            [secrets.token_hex(8), canary_id, owner, str(epoch)],
        )
        if row[0] == b"stale":
            raise Conflict(f"{canary_id} is in epoch {int(row[1])} by now, not in {epoch}")
        return None if row[1] is None else self._record(canary_id, row)

    async def beat(self, owner: str) -> None:
        """See `CanaryStore.beat`."""
        await self._presence.beat(owner)

    async def anyone(self) -> bool:
        """See `CanaryStore.anyone`."""
        return await self._presence.anyone()

    async def resign(self, owner: str) -> None:
        """See `CanaryStore.resign`."""
        await self._presence.resign(owner)

    async def orphans(self, owner: str = "", held: Collection[str] = ()) -> dict[str, str]:
        """See `CanaryStore.orphans`."""
        return await self._presence.orphans(owner, held)

    async def sharers(self) -> int:
        """See `CanaryStore.sharers`; asks Redis nothing."""
        return self._presence.sharers

    async def unfinished(self, but: Collection[str] = ()) -> tuple[Canary, ...]:
        """See `CanaryStore.unfinished`; what cannot be read is left out, and logged."""
        ids = {name.decode() for name in await self._presence.owners()}
        return tuple(await self._readable(sorted(ids.difference(but))))

    async def live(self, service: str) -> Record | None:
        """See `CanaryStore.live`; `UnreadableRecord` when it cannot be read."""
        async with self._link.asking() as redis:
            canary_id = await redis.get(self._keys.of(service).live)
        return None if canary_id is None else await self.load(canary_id.decode())

    async def recent(self, service: str | None, limit: int) -> tuple[Canary, ...]:
        """See `CanaryStore.recent`; what cannot be read is left out, and logged."""
        if limit <= 0:
            return ()
        indexes = self._keys.shards if service is None else [self._keys.of(service)]
        keys = [each.history for each in indexes]
        found: list[Canary] = []
        known: set[str] = set()
        depth, more = limit, True
        while more and len(found) < limit:  # some may be expired or unreadable
            newest, more = await history.newest(self._link, keys, depth)
            found += await self._readable([each for each in newest if each not in known])
            known.update(newest)
            depth *= 2
        found.sort(key=lambda canary: (canary.created_at, canary.id), reverse=True)
        return tuple(found[:limit])

    async def created(self) -> dict[str, datetime]:
        """See `Archive.created`."""
        return await history.created(self._link, [each.history for each in self._keys.shards])

    async def _readable(self, ids: list[str]) -> list[Canary]:
        """Those of these canaries that are still there and can be read."""
        found = []
        async with self._link.asking() as redis, redis.pipeline(transaction=False) as pipe:
            for each in ids:
                pipe.hmget(self._keys.of_canary(each).record(each), _FIELDS)
            rows = await pipe.execute(raise_on_error=False)
            for row in rows:
                if isinstance(row, Exception) and not isinstance(row, ResponseError):
                    raise row  # a node of a cluster is away
        for each, row in zip(ids, rows, strict=True):
            try:
                if isinstance(row, Exception) or row[1] is not None:
                    found.append(self._record(each, row).canary)
            except UnreadableRecord as error:
                _log.warning("a canary is left out of the list", reason=str(error))
        return found

    async def happenings(self, canary_id: str) -> tuple[Happening, ...]:
        """See `CanaryStore.happenings`; `UnreadableRecord` when one cannot be read."""
        key = self._keys.of_canary(canary_id).stream(canary_id)
        found: list[Happening] = []
        after = "-"
        while True:
            async with self._link.asking() as redis:
                page = await redis.xrange(key, min=after, count=PAGE)
            try:
                found += [happening_of(fields) for _, fields in page]
            except (KeyError, ValueError) as error:
                raise self._unreadable(key, error) from error
            if len(page) < PAGE:
                return tuple(found)
            after = f"({page[-1][0].decode()}"

    async def freeze(self, freeze: Freeze) -> Freeze:
        """See `CanaryStore.freeze`."""
        return await self._freezing.put(freeze)

    async def unfreeze(self, key: str, since: datetime | None = None) -> Freeze | None:
        """See `CanaryStore.unfreeze`."""
        return await self._freezing.take(key, since)

    async def freezes(self) -> tuple[Freeze, ...]:
        """See `CanaryStore.freezes`."""
        return await self._freezing.all()

    async def ping(self) -> None:
        """Ask whether Redis answers; `PortError` when it does not."""
        async with self._link.asking() as redis:
            await redis.ping()

    async def describe(self) -> Description:
        """Which server it is and how it keeps its data; `PortError` when it does not answer."""
        await self.ping()
        return await describe(self._link)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._link.aclose()

    async def _row(self, canary_id: str) -> list[bytes | None] | None:
        key = self._keys.of_canary(canary_id).record(canary_id)
        async with self._link.asking() as redis:
            row: list[bytes | None] = await redis.hmget(key, _FIELDS)
        return None if row[1] is None else row

    def _record(self, canary_id: str, row: Sequence[Any]) -> Record:
        try:
            data, version, epoch, owner, *head = row
            links = [(each or b"").decode() for each in head]
            return Record(decode_canary(data), int(version), int(epoch), owner.decode(), *links)
        except (ValueError, TypeError, AttributeError) as error:
            key = self._keys.of_canary(canary_id).record(canary_id)
            raise self._unreadable(key, error) from error

    def _unreadable(self, key: str, error: Exception) -> UnreadableRecord:
        return UnreadableRecord(
            f"the record {key} in {self._link.place} cannot be read: {error}; repair or delete it"
        )
