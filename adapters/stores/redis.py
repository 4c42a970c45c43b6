"""Keeps canaries in Redis, so that every replica of the bot sees the same truth."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from redis.exceptions import NoScriptError

from adapters.stores import Description, scripts
from adapters.stores.codec import decode_canary, encode_canary
from adapters.stores.connection import connect, describe, explained, place_of
from adapters.stores.keys import Keys
from bot.core.canary import Canary
from bot.ports import Conflict, Happening, PortError, Record, ServiceBusy

PAGE: Final = 500
"""Entries of a stream that are read at once."""

_log = structlog.get_logger(__name__)


class UnreadableRecord(PortError):  # noqa: N818 - the name says what is wrong
    """What is stored under this key is no canary that this bot can read; others still are."""


class RedisStore:
    """A `CanaryStore` in Redis 7.0 or later, or Valkey.

    Every call ends within a few seconds, with `PortError` when Redis did not do what was asked.

    Args:
        url: `redis://`, `rediss://` or `unix://`; user and password in it are never shown.
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
        silence: timedelta = timedelta(seconds=5),
        keep: timedelta = timedelta(days=90),
    ) -> None:
        self._redis: Any = connect(url)  # redis-py's types do not tell its two modes apart
        self._place = place_of(url)
        self._keys = Keys(prefix)
        self._silence = silence
        self._keep = keep.total_seconds()

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
        with explained(self._place):
            # In a slot of its own, so outside the script; a name too many does no harm.
            await self._redis.sadd(self._keys.services, canary.service)
        token, gone = secrets.token_hex(8), ""
        while True:
            status, *busy = await self._create(canary, owner, happenings, token, gone)
            if status == b"done":
                return Record(canary, 1, 1, owner)
            other = busy[0].decode()
            if other in {gone, canary.id} or await self._row(other) is not None:
                raise ServiceBusy(other)
            gone = other  # its record was evicted or deleted by hand: it holds nobody up

    async def _create(
        self,
        canary: Canary,
        owner: str,
        happenings: tuple[Happening, ...],
        token: str,
        gone: str,
    ) -> list[bytes]:
        keys = self._keys.of(canary.service)
        created = canary.created_at.timestamp()
        return await self._run(
            scripts.CREATE,
            [keys.record(canary.id), keys.stream(canary.id), keys.live, keys.open, keys.history],
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
                *_flat(happenings),
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
        status, *found = await self._run(
            scripts.SAVE,
            [keys.record(canary.id), keys.stream(canary.id), keys.live, keys.open],
            [
                secrets.token_hex(8),
                canary.id,
                encode_canary(canary),
                int(canary.is_ended),
                int(canary.is_finished),
                int(self._keep * 1000),
                record.version,
                record.epoch,
                *_flat(happenings),
            ],
        )
        match status, [each.decode(errors="replace") for each in found]:
            case b"done", [owner]:
                return replace(record, version=record.version + 1, owner=owner)
            case b"stale", [version, epoch, owner]:
                raise Conflict(
                    f"{canary.id} is at version {version}, epoch {epoch} of {owner}; this write "
                    f"is based on version {record.version}, epoch {record.epoch}"
                )
            case _:
                raise Conflict(f"{canary.id} is not stored any more")

    async def claim(self, canary_id: str, owner: str, epoch: int) -> Record | None:
        """See `CanaryStore.claim`; `UnreadableRecord` when there is one that cannot be read."""
        keys = self._keys.of_canary(canary_id)
        row = await self._run(
            scripts.CLAIM,
            [keys.record(canary_id), keys.open],
            [secrets.token_hex(8), canary_id, owner, str(epoch)],
        )
        if row[0] == b"stale":
            raise Conflict(f"{canary_id} is in epoch {int(row[1])} by now, not in {epoch}")
        return None if row[1] is None else self._record(canary_id, row)

    async def beat(self, owner: str) -> None:
        """See `CanaryStore.beat`."""
        with explained(self._place):
            await self._redis.set(self._keys.beat(owner), b"1", px=self._silence)
            await self._redis.set(self._keys.anyone, owner.encode(), px=self._silence)

    async def anyone(self) -> bool:
        """See `CanaryStore.anyone`."""
        with explained(self._place):
            return bool(await self._redis.exists(self._keys.anyone))

    async def resign(self, owner: str) -> None:
        """See `CanaryStore.resign`."""
        with explained(self._place):
            await self._redis.delete(self._keys.beat(owner))
            if await self._redis.get(self._keys.anyone) == owner.encode():
                await self._redis.delete(
                    self._keys.anyone
                )  # another one's next beat sets it again

    async def orphans(self, owner: str = "", held: Collection[str] = ()) -> tuple[str, ...]:
        """See `CanaryStore.orphans`."""
        owners: dict[bytes, bytes] = {}
        with explained(self._place):
            for service in await self._services():
                owners |= await self._redis.hgetall(self._keys.of(service).open)
            alive = {
                owner
                for owner in sorted(set(owners.values()))
                if await self._redis.exists(self._keys.beat(owner.decode()))
            }
        return tuple(
            sorted(
                name.decode()
                for name, by in owners.items()
                if by not in alive or (by == owner.encode() and name.decode() not in held)
            )
        )

    async def live(self, service: str) -> Record | None:
        """See `CanaryStore.live`; `UnreadableRecord` when it cannot be read."""
        with explained(self._place):
            canary_id = await self._redis.get(self._keys.of(service).live)
        return None if canary_id is None else await self.load(canary_id.decode())

    async def recent(self, service: str | None, limit: int) -> tuple[Canary, ...]:
        """See `CanaryStore.recent`; what cannot be read is left out, and logged."""
        found: list[Canary] = []
        with explained(self._place):
            services = await self._services() if service is None else [service]
            for each in services if limit > 0 else ():
                found += await self._newest(each, limit)
        found.sort(key=lambda canary: (canary.created_at, canary.id), reverse=True)
        return tuple(found[:limit])

    async def _newest(self, service: str, limit: int) -> list[Canary]:
        """One service's newest, page by page, because some may be expired or unreadable."""
        keys = self._keys.of(service)
        found: list[Canary] = []
        start, ids = 0, [b""]
        while ids and len(found) < limit:
            ids = await self._redis.zrevrange(keys.history, start, start + limit - 1)
            start += limit
            names = [each.decode() for each in ids]
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hmget(keys.record(name), _FIELDS)
                rows = await pipe.execute(raise_on_error=False)
            for name, row in zip(names, rows, strict=True):
                try:
                    if isinstance(row, Exception) or row[1] is not None:
                        found.append(self._record(name, row).canary)
                except UnreadableRecord as error:
                    _log.warning("a canary is left out of the list", reason=str(error))
        return found

    async def happenings(self, canary_id: str) -> tuple[Happening, ...]:
        """See `CanaryStore.happenings`; `UnreadableRecord` when one cannot be read."""
        key = self._keys.of_canary(canary_id).stream(canary_id)
        found: list[Happening] = []
        after = "-"
        while True:
            with explained(self._place):
                page = await self._redis.xrange(key, min=after, count=PAGE)
            try:
                found += [_happening(fields) for _, fields in page]
            except (KeyError, ValueError) as error:
                raise self._unreadable(key, error) from error
            if len(page) < PAGE:
                return tuple(found)
            after = f"({page[-1][0].decode()}"

    async def ping(self) -> None:
        """Ask whether Redis answers; `PortError` when it does not."""
        with explained(self._place):
            await self._redis.ping()

    async def describe(self) -> Description:
        """Which server it is and how it keeps its data; `PortError` when it does not answer."""
        await self.ping()
        return await describe(self._redis, self._place)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._redis.aclose()

    async def _services(self) -> list[str]:
        return sorted(each.decode() for each in await self._redis.smembers(self._keys.services))

    async def _row(self, canary_id: str) -> list[bytes | None] | None:
        key = self._keys.of_canary(canary_id).record(canary_id)
        with explained(self._place):
            row: list[bytes | None] = await self._redis.hmget(key, _FIELDS)
        return None if row[1] is None else row

    def _record(self, canary_id: str, row: Sequence[Any]) -> Record:
        try:
            data, version, epoch, owner = row
            return Record(decode_canary(data), int(version), int(epoch), owner.decode())
        except (ValueError, TypeError, AttributeError) as error:
            key = self._keys.of_canary(canary_id).record(canary_id)
            raise self._unreadable(key, error) from error

    def _unreadable(self, key: str, error: Exception) -> UnreadableRecord:
        return UnreadableRecord(
            f"the record {key} in {self._place} cannot be read: {error}; repair or delete it"
        )

    async def _run(self, script: str, keys: list[str], arguments: list[Any]) -> list[Any]:
        """Run a script by its digest; send it whole when the server does not know it (any more).

        Not by redis-py's own way, which asks for the right to SCRIPT LOAD as well.
        """
        digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        with explained(self._place):
            try:
                return await self._redis.evalsha(digest, len(keys), *keys, *arguments)  # type: ignore[no-any-return]  # a script may answer anything
            except NoScriptError:
                return await self._redis.eval(script, len(keys), *keys, *arguments)  # type: ignore[no-any-return]  # as above


_FIELDS: Final = ("data", "version", "epoch", "owner")


def _flat(happenings: tuple[Happening, ...]) -> list[str]:
    return [text for each in happenings for text in (each.at.isoformat(), each.kind, each.data)]


def _happening(fields: dict[bytes, bytes]) -> Happening:
    at = datetime.fromisoformat(fields[b"at"].decode())
    return Happening(at, fields[b"kind"].decode(), fields[b"data"].decode())
