"""Reads what belongs together, though it may be written meanwhile."""

from typing import Final

from bot.ports import Archive, AuditLog, Happening, PortError, Record

TRIES: Final = 5


async def deeds_of(log: AuditLog) -> tuple[tuple[Happening, ...], str]:
    """All deeds, and the hash of the last one.

    Raises:
        PortError: the log cannot be reached, or something of it cannot be read.

    """
    head = await log.head()
    for _ in range(TRIES):
        entries = await log.entries()
        before, head = head, await log.head()
        if before == head:
            return entries, head
    raise PortError("deeds are written faster than they can be read; try again")


async def read(archive: Archive, canary_id: str) -> tuple[Record, tuple[Happening, ...]] | None:
    """A canary's record and the stream that belongs to it, though it may be written meanwhile.

    Raises:
        PortError: the store cannot be reached, or something of it cannot be read.

    """
    record = await archive.load(canary_id)
    for _ in range(TRIES):
        entries = await archive.happenings(canary_id)
        again, record = record, await archive.load(canary_id)
        if record is None:
            return None
        if again is not None and (again.version, again.epoch) == (record.version, record.epoch):
            return record, entries
    raise PortError(f"{canary_id} is written faster than it can be read; try again")
