"""Tells who did what from what is stored, as the lines of an audit export."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.stores.audit import TRAIL, decode_deed
from adapters.stores.chaining import link_of
from adapters.stores.codec import Unreadable, decode_message
from adapters.stores.redis import UnreadableRecord
from adapters.stores.scripts import STREAM_LENGTH
from bot.audit.reading import deeds_of, read
from bot.config.units import unknown
from bot.core.audit import origin, verified
from bot.core.canary import Canary
from bot.core.deeds import BOT, Telling, person, tell
from bot.core.ledger import STANDING, Writer
from bot.ports import Archive, AuditLog, Deed, Happening, Record

LOOKED_BACK: Final = timedelta(days=35)
"""How long before the range a canary may have begun that still acts in it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told.

    Attributes:
        since, until: when it happened; `until` itself is left out.
        service: only of this one, and what concerns it; empty for all.
        canary: only this one, by its id; empty for all.
        looks: every entry with its data, looks included.

    """

    since: datetime
    until: datetime
    service: str = ""
    canary: str = ""
    looks: bool = False

    def tells(self, at: datetime) -> bool:
        """Whether something that happened then is in the range."""
        return self.since <= at < self.until


Line = tuple[datetime, dict[str, Any]]


async def export(
    archive: Archive, log: AuditLog, wanted: Wanted, write: Callable[[str], object]
) -> Writer:
    """Write what is wanted, oldest first, one line a call and without line feeds.

    At any moment only the canaries are in memory that overlap.

    Raises:
        PortError: the store cannot be reached.
        ValueError: the canary or the service is unknown.

    """
    created = _chosen(dict(await archive.created()), wanted)
    writer = Writer()
    first = min(created.values(), default=wanted.since)
    asked = {
        "since": wanted.since.isoformat(),
        "until": wanted.until.isoformat(),
        "service": wanted.service,
        "of": wanted.canary,
        "looks": wanted.looks,
        "canaries_from": first.isoformat(),
    }
    write(writer.head(asked))
    waiting = [] if wanted.canary else await _trail(log, wanted)
    for canary_id, created_at in created.items():
        waiting.sort(key=lambda line: line[0])
        while waiting and waiting[0][0] < created_at:
            write(writer.line(waiting.pop(0)[1]))
        waiting += [line async for line in _canary(archive, canary_id, created_at, wanted)]
    for _, told in sorted(waiting, key=lambda line: line[0]):
        write(writer.line(told))
    write(writer.end())
    return writer


def _chosen(created: dict[str, datetime], wanted: Wanted) -> dict[str, datetime]:
    if wanted.canary:
        if wanted.canary not in created:
            raise ValueError(unknown("canary", wanted.canary, list(created)[-20:]))
        return {wanted.canary: created[wanted.canary]}
    services = {service_of(canary_id) for canary_id in created}
    if wanted.service and wanted.service not in services:
        raise ValueError(unknown("service", wanted.service, services))
    return {
        canary_id: at
        for canary_id, at in created.items()
        if wanted.since - LOOKED_BACK <= at < wanted.until
        and wanted.service in {"", service_of(canary_id)}
    }


def service_of(canary_id: str) -> str:
    """The service of a canary: its id up to the last hyphen."""
    return canary_id.rpartition("-")[0]


async def _trail(log: AuditLog, wanted: Wanted) -> list[Line]:
    """What was done that is about no canary; the rest of its chain is counted as skipped."""
    found: list[Line] = []
    last, told = origin(TRAIL), 0
    entries, head = await deeds_of(log)
    for number, entry in enumerate(entries, 1):
        previous, last = last, entry.hash or last
        deed = _deed(entry)
        mine = wanted.service in {"", deed.about} or deed.about == "all"
        if not wanted.tells(entry.at) or not mine:
            continue
        line = {
            "at": entry.at.isoformat(),
            "trail": TRAIL,
            "kind": entry.kind,
            "who": person(deed.by),
            "what": f"{entry.kind.replace('.', ' ')}: {deed.about}",
            "why": deed.reason,
            "evidence": dict(deed.data),
            **_chain(entry, number, number - told - 1, previous),
            "data": entry.data,
        }
        told = number
        found.append((entry.at, line))
    if found:
        standing = _standing(len(entries), len(entries) - told, head)
        found.append((found[-1][0], {"trail": TRAIL, **standing}))
    return _in_order(found)


def _deed(entry: Happening) -> Deed:
    try:
        return decode_deed(entry.data)
    except ValueError as error:  # written by another version of the bot
        return Deed(entry.at, BOT, entry.kind, "all", "", {"not_understood": str(error)})


def _chain(entry: Happening, number: int, skipped: int, previous: str) -> dict[str, Any]:
    """Its place in its chain; what follows entries that have made room follows nothing."""
    link = link_of(entry)
    place: dict[str, Any] = {"entry": number, "skipped": skipped, "digest": link.digest}
    if not link.hash:
        return {**place, "unchained": True}
    return {**place, "previous": previous, "hash": link.hash}


def _standing(entries: int, skipped: int, head: str) -> dict[str, Any]:
    what = f"its chain has {entries} entries"
    return {"kind": STANDING, "what": what, "entry": entries, "skipped": skipped, "hash": head}


def _in_order(lines: list[Line]) -> list[Line]:
    """The same, in the order they were written in, where a clock was set back as well."""
    found: list[Line] = []
    for at, told in lines:
        found.append((max(at, found[-1][0]) if found else at, told))
    return found


async def _canary(
    archive: Archive, canary_id: str, created_at: datetime, wanted: Wanted
) -> AsyncIterator[Line]:
    try:
        kept = await read(archive, canary_id)
    except UnreadableRecord as error:
        kept, why = None, str(error)
    else:
        why = "its record is gone: it has expired, or was deleted"
    named = {"canary": canary_id, "service": service_of(canary_id)}
    if kept is None:
        if wanted.tells(created_at):
            at = {"at": created_at.isoformat()}
            yield created_at, {**at, **named, "kind": "missing", "what": why}
        return
    record, entries = kept
    lines = _in_order(list(_lines(record, entries, wanted)))
    for line in lines:
        yield line
    if lines:
        told = lines[-1][1]["entry"]
        standing = _standing(len(entries), len(entries) - told, record.chain)
        phase = {"phase": record.canary.phase.kind}
        yield lines[-1][0], {**named, "revision": record.canary.revision, **phase, **standing}


def _lines(record: Record, entries: tuple[Happening, ...], wanted: Wanted) -> list[Line]:
    found: list[Line] = []
    canary: Canary | None = None
    last, told = origin(record.canary.id, record.previous), 0
    for number, entry in enumerate(entries, 1):
        previous, last = last, entry.hash or last
        telling = _telling(canary, entry)
        canary = telling.canary
        if not wanted.tells(entry.at) or not (wanted.looks or telling.telling):
            continue
        line = {
            "at": entry.at.isoformat(),
            "canary": record.canary.id,
            "service": record.canary.service,
            "revision": record.canary.revision,
            "kind": entry.kind,
            "who": person(telling.by),
            "what": telling.what,
            "why": telling.why,
            "evidence": telling.evidence,
            **({"after": record.previous} if number == 1 else {}),
            **_chain(entry, number, number - told - 1, previous),
            **({"data": entry.data} if wanted.looks else {}),
        }
        if number == 1 and _is_trimmed(record, entries):
            line["trimmed"] = True
        told = number
        found.append((entry.at, line))
    return found


def _is_trimmed(record: Record, entries: tuple[Happening, ...]) -> bool:
    links = [link_of(entry) for entry in entries[:1]]
    full = len(entries) >= STREAM_LENGTH
    return full and verified(record.canary.id, record.previous, "", links, 1).trimmed


def _telling(canary: Canary | None, entry: Happening) -> Telling:
    try:
        return tell(canary, decode_message(entry.data))
    except (Unreadable, ValueError, AssertionError) as error:
        evidence = {"not_understood": str(error)}  # written by another version of the bot
        return Telling(canary, BOT, entry.kind.replace("_", " "), "", evidence)
