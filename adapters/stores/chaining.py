"""Chaining what is to be written, as `bot.core.audit` describes it, in every store alike."""

from collections.abc import Iterable
from dataclasses import replace

from bot.core.audit import Link, digest, following, origin
from bot.ports import Happening, Record


def chained(head: str, happenings: Iterable[Happening]) -> tuple[tuple[Happening, ...], str]:
    """These happenings with their hashes, behind the entry with the hash `head`; the new head."""
    found = []
    for each in happenings:
        head = following(head, each.at.isoformat(), each.kind, digest(each.data))
        found.append(replace(each, hash=head))
    return tuple(found), head


def head_of(record: Record) -> str:
    """What the record's next entry follows."""
    return record.chain or origin(record.canary.id, record.previous)


def link_of(happening: Happening) -> Link:
    """The chain's view of an entry that was stored."""
    at, data = happening.at.isoformat(), digest(happening.data)
    return Link(at, happening.kind, data, happening.hash)
