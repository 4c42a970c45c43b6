"""Follows every chain that is stored, and says where one is broken."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.stores.audit import TRAIL
from adapters.stores.chaining import link_of
from adapters.stores.redis import UnreadableRecord
from adapters.stores.scripts import STREAM_LENGTH
from bot.audit.reading import deeds_of, read
from bot.core.audit import verified
from bot.ports import Archive, AuditLog, Happening, Record


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether what is stored is whole.

    Attributes:
        canaries, entries: how many chains were followed, that of the deeds not counted.
        broken: what is wrong, in plain words.
        notes: what could not be followed, and why that is no fault.

    """

    canaries: int
    entries: int
    broken: tuple[str, ...]
    notes: tuple[str, ...]


async def check(archive: Archive, log: AuditLog, kept: timedelta, now: datetime) -> Checked:
    """Follow every chain that is stored.

    Args:
        archive, log: the store.
        kept: how long a finished canary is kept; one that is gone before that has vanished.
        now: for that.

    Raises:
        PortError: the store cannot be reached.

    """
    found = _Findings(now - kept, await archive.created())
    for canary_id, created_at in found.created.items():
        try:
            canary = await read(archive, canary_id)
        except UnreadableRecord as error:
            found.broken.append(f"{canary_id}: {error}")
            continue
        if canary is not None:
            found.follow(*canary)
        elif created_at > found.oldest:
            found.broken.append(f"{canary_id}: its record is gone: evicted, or deleted by hand")
    entries, head = await deeds_of(log)
    links = [link_of(entry) for entry in entries]
    chain = verified(TRAIL, "", head, links, len(links) + 1)
    found.broken += [f"deeds: entry {number} {why}" for number, why in chain.broken]
    return Checked(found.canaries, found.entries, tuple(found.broken), tuple(found.notes))


class _Findings:
    """What was found so far."""

    def __init__(self, oldest: datetime, created: Mapping[str, datetime]) -> None:
        self.oldest = oldest
        self.created = created
        self.canaries = 0
        self.entries = 0
        self.broken: list[str] = []
        self.notes: list[str] = []

    def follow(self, record: Record, entries: tuple[Happening, ...]) -> None:
        """Follow one canary's chain, and look for the one it names."""
        name = record.canary.id
        self.canaries += 1
        self.entries += len(entries)
        links = [link_of(entry) for entry in entries]
        chain = verified(name, record.previous, record.chain, links, STREAM_LENGTH)
        for number, why in chain.broken:
            kind = f" ({entries[number - 1].kind})" if 0 < number <= len(entries) else ""
            self.broken.append(f"{name}: entry {number}{kind} {why}")
        if chain.unchained:
            self.notes.append(
                f"{name}: {chain.unchained} entries are from before there were chains"
            )
        if chain.trimmed:
            self.notes.append(f"{name}: its oldest entries have made room for newer ones")
        before, _, at = record.previous.partition(" ")
        if before and before not in self.created and datetime.fromisoformat(at) > self.oldest:
            self.broken.append(f"{before}: it has vanished; {name} says that it came after it")
