"""Keeps canaries in this process: for tests, and for a first run without Redis."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from adapters.stores import Description
from adapters.stores.chaining import chained
from adapters.stores.codec import decode_canary, encode_canary
from bot.core.audit import before, origin
from bot.core.canary import Canary
from bot.core.freezes import Freeze
from bot.ports import Clock, Conflict, Happening, Record, ServiceBusy


@dataclass(slots=True)
class _Row:
    """One canary, encoded, so that what comes back went through the same codec as Redis' does."""

    data: bytes
    version: int
    epoch: int
    owner: str
    created_at: datetime
    finished: bool
    chain: str
    previous: str
    stream: list[Happening] = field(default_factory=list)

    def record(self) -> Record:
        canary, stands = decode_canary(self.data), (self.version, self.epoch, self.owner)
        return Record(canary, *stands, self.chain, self.previous)


class MemoryStore:
    """A `CanaryStore` that is gone when its process ends.

    Args:
        clock: tells how long an owner has been silent.
        silence: how long an owner may be silent before its canaries are orphans.

    """

    def __init__(self, clock: Clock, *, silence: timedelta = timedelta(seconds=5)) -> None:
        self._clock = clock
        self._silence = silence
        self._rows: dict[str, _Row] = {}
        self._live: dict[str, str] = {}
        self._history: defaultdict[str, list[str]] = defaultdict(list)
        self._beats: dict[str, datetime] = {}
        self._sharers = 1
        self._freezes: dict[str, Freeze] = {}

    async def create(
        self, canary: Canary, owner: str, happenings: tuple[Happening, ...]
    ) -> Record:
        """See `CanaryStore.create`."""
        busy = self._live.get(canary.service)
        if busy is not None or canary.id in self._rows:
            raise ServiceBusy(busy or canary.id)
        newest = next(iter(await self.recent(canary.service, 1)), None)
        previous = before(newest.id, newest.created_at) if newest else ""
        links, chain = chained(origin(canary.id, previous), happenings)
        row = _Row(
            data=encode_canary(canary),
            version=1,
            epoch=1,
            owner=owner,
            created_at=canary.created_at,
            finished=canary.is_finished,
            chain=chain,
            previous=previous,
            stream=list(links),
        )
        self._rows[canary.id] = row
        self._history[canary.service].append(canary.id)
        if not canary.is_ended:
            self._live[canary.service] = canary.id
        return row.record()

    async def load(self, canary_id: str) -> Record | None:
        """See `CanaryStore.load`."""
        row = self._rows.get(canary_id)
        return row.record() if row else None

    async def save(self, record: Record, happenings: tuple[Happening, ...]) -> Record:
        """See `CanaryStore.save`."""
        canary = record.canary
        row = self._rows.get(canary.id)
        if row is None:
            raise Conflict(f"{canary.id} is not stored any more")
        stands = (row.version, row.epoch, row.owner)
        if stands != (record.version, record.epoch, record.owner):
            raise Conflict(
                f"{canary.id} is at version {row.version}, epoch {row.epoch} of {row.owner}; this "
                f"write is based on version {record.version}, epoch {record.epoch} of "
                f"{record.owner}"
            )
        row.data = encode_canary(canary)
        row.version += 1
        row.finished = canary.is_finished
        links, row.chain = chained(row.chain, happenings)
        row.stream.extend(links)
        if canary.is_ended and self._live.get(canary.service) == canary.id:
            del self._live[canary.service]
        return replace(
            record,
            version=row.version,
            owner=row.owner,
            chain=row.chain,
            previous=row.previous,
        )

    async def claim(self, canary_id: str, owner: str, epoch: int) -> Record | None:
        """See `CanaryStore.claim`."""
        row = self._rows.get(canary_id)
        if row is None:
            return None
        if row.epoch != epoch:
            raise Conflict(f"{canary_id} is in epoch {row.epoch} by now, not in {epoch}")
        row.owner = owner
        row.epoch += 1
        row.version += 1
        return row.record()

    async def beat(self, owner: str) -> None:
        """See `CanaryStore.beat`."""
        self._beats[owner] = self._clock.now()

    async def anyone(self) -> bool:
        """See `CanaryStore.anyone`."""
        now = self._clock.now()
        return any(now - at < self._silence for at in self._beats.values())

    async def resign(self, owner: str) -> None:
        """See `CanaryStore.resign`."""
        self._beats.pop(owner, None)

    async def orphans(self, owner: str = "", held: Collection[str] = ()) -> dict[str, str]:
        """See `CanaryStore.orphans`."""
        now = self._clock.now()
        alive = {owner for owner, at in self._beats.items() if now - at < self._silence}
        owners = {row.owner for row in self._rows.values() if not row.finished}
        self._sharers = max(1, len(owners & alive))
        return {
            canary_id: row.owner
            for canary_id, row in sorted(self._rows.items())
            if not row.finished
            and (row.owner not in alive or (row.owner == owner and canary_id not in held))
        }

    async def sharers(self) -> int:
        """See `CanaryStore.sharers`."""
        return self._sharers

    async def unfinished(self, but: Collection[str] = ()) -> tuple[Canary, ...]:
        """See `CanaryStore.unfinished`."""
        return tuple(
            row.record().canary
            for canary_id, row in self._rows.items()
            if not row.finished and canary_id not in but
        )

    async def live(self, service: str) -> Record | None:
        """See `CanaryStore.live`."""
        canary_id = self._live.get(service)
        return None if canary_id is None else await self.load(canary_id)

    async def recent(self, service: str | None, limit: int) -> tuple[Canary, ...]:
        """See `CanaryStore.recent`."""
        ids = self._history.get(service, []) if service is not None else list(self._rows)
        newest = sorted(ids, key=lambda each: (self._rows[each].created_at, each), reverse=True)
        return tuple(decode_canary(self._rows[each].data) for each in newest[: max(0, limit)])

    async def created(self) -> dict[str, datetime]:
        """See `Archive.created`."""
        rows = sorted(self._rows.items(), key=lambda each: (each[1].created_at, each[0]))
        return {canary_id: row.created_at for canary_id, row in rows}

    async def happenings(self, canary_id: str) -> tuple[Happening, ...]:
        """See `CanaryStore.happenings`."""
        row = self._rows.get(canary_id)
        return tuple(row.stream) if row else ()

    async def freeze(self, freeze: Freeze) -> Freeze:
        """See `CanaryStore.freeze`."""
        standing = self._freezes.get(freeze.key)
        if standing is not None and standing.withstands(freeze):
            return standing
        self._freezes[freeze.key] = freeze
        return freeze

    async def unfreeze(self, key: str, since: datetime | None = None) -> Freeze | None:
        """See `CanaryStore.unfreeze`."""
        freeze = self._freezes.get(key)
        if freeze is None or since not in {None, freeze.since}:
            return None
        return self._freezes.pop(key)

    async def freezes(self) -> tuple[Freeze, ...]:
        """See `CanaryStore.freezes`."""
        return tuple(sorted(self._freezes.values(), key=lambda one: (one.scope, one.key)))

    async def ping(self) -> None:
        """Nothing can be down."""

    async def describe(self) -> Description:
        """What `canary check` shows."""
        return Description(
            "in this process's memory",
            ("canaries are forgotten when the bot stops; configure a Redis to keep them",),
        )

    async def aclose(self) -> None:
        """Nothing to close."""
