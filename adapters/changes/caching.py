"""Remembers what a source told: for good between two commits, briefly of names that may move.

One question is asked once at a time: whoever asks it meanwhile waits for that answer.
"""

import asyncio
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol, TypeVar
from weakref import WeakValueDictionary

import structlog

from adapters.changes.beside import allowed
from adapters.changes.blind import Blind, both, within
from adapters.changes.names import is_full, shown
from adapters.changes.texts import is_wanted
from bot.core.change import Change, Seen, Unseen
from bot.ports import Wanted

MOST: Final = 64
"""Changes that are kept."""
MOST_TEXT: Final = 32_000_000
"""Characters of files that are kept in all."""
NAMES_HOLD: Final = 60.0
"""Seconds a tag or branch, and the labels of a change, are taken to be what they were."""
UNSEEN_HOLDS: Final = 10.0
"""Seconds after which it is tried again what could not be told."""

log = structlog.get_logger()

K = TypeVar("K")
V = TypeVar("V")


class Source(Protocol):
    """What is asked; every method raises `Blind` when it cannot be told now."""

    @property
    def who(self) -> str:
        """Who is asked, for a sentence: "GitHub", "git"."""
        ...

    async def resolve(self, revision: str) -> str:
        """The commit of a revision."""
        ...

    async def between(self, base: str, head: str, wanted: Wanted) -> Change:
        """What lies between two commits, without labels."""
        ...

    async def labels(self, change: Change) -> tuple[str, ...]:
        """The labels of what its commits were merged with, as they are now."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """A change, and the paths whose texts were asked for."""

    change: Change
    asked: frozenset[str]

    @property
    def size(self) -> int:
        files = (*self.change.files, *self.change.earlier)
        return sum(len(file.before or "") + len(file.after or "") for file in files)


class Cached:
    """Asks a source; this is the only place where its failures become `Unseen`."""

    def __init__(
        self, source: Source, patience: timedelta, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._patience = patience.total_seconds()
        self._now = now
        self._commits: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._labels: OrderedDict[tuple[str, str], tuple[tuple[str, ...], float]] = OrderedDict()
        self._unseen: OrderedDict[tuple[str, str], tuple[Unseen, float]] = OrderedDict()
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def compare(self, base: str, head: str, wanted: Wanted) -> Seen:
        """See `ChangeSource.compare`."""
        asked = (base, head)
        turn = self._turns.setdefault(asked, asyncio.Lock())
        async with turn:
            if asked in self._unseen:
                unseen, at = self._unseen[asked]
                if self._now() - at < UNSEEN_HOLDS:
                    return unseen
                del self._unseen[asked]
            seen = await self._ask(base, head, wanted)
            if isinstance(seen, Unseen):
                _remember(self._unseen, asked, (seen, self._now()))
            return seen

    async def _ask(self, base: str, head: str, wanted: Wanted) -> Seen:
        who = self._source.who
        try:
            async with within(self._patience):
                return await self._look(base, head, wanted)
        except Blind as blind:
            return Unseen(str(blind))
        except TimeoutError:
            return Unseen(
                f"{who} did not tell within {self._patience:g} s what lies between {shown(base)} "
                f"and {shown(head)}; look whether it is overloaded, or raise `patience`"
            )
        except Exception as error:  # noqa: BLE001 - a source's mistake must not end a start
            # Not its text, nor the values around: they may hold what is secret.
            where = "".join(traceback.format_tb(error.__traceback__))
            kind = type(error).__name__
            log.error("changes.failed", who=who, kind=kind, where=where)  # noqa: TRY400 - see above
            return Unseen(
                f"{who} was asked what lies between {shown(base)} and {shown(head)}, and the "
                f"answer could not be read ({kind}); see the bot's log"
            )

    async def _look(self, base: str, head: str, wanted: Wanted) -> Change:
        key = await both(self._commit(base), self._commit(head))
        kept = self._kept.get(key)
        if kept is None or not _covers(kept, wanted):
            kept = await self._look_closely(key, wanted, kept)
        self._kept.move_to_end(key)
        files = tuple(
            file if is_wanted(file, wanted) else replace(file, before=None, after=None)
            for file in kept.change.files
        )
        labels = await self._labelled(key, kept.change)
        told = replace(kept.change, base=base, head=head, files=files, labels=labels)
        return replace(told, earlier=allowed(told.earlier, wanted))

    async def _look_closely(
        self, key: tuple[str, str], wanted: Wanted, before: _Kept | None
    ) -> _Kept:
        """Ask for the change with what is wanted now and was before."""
        known = before.asked if before else frozenset()

        def also(path: str) -> bool:
            return wanted(path) or path in known

        change = await self._source.between(*key, also)
        asked = frozenset(file.path for file in change.files if is_wanted(file, also))
        kept = _Kept(change, asked)
        _remember(self._kept, key, kept)
        while len(self._kept) > 1 and sum(one.size for one in self._kept.values()) > MOST_TEXT:
            self._kept.popitem(last=False)
        return kept

    async def _commit(self, revision: str) -> str:
        known = self._commits.get(revision)
        if known and (is_full(revision) or self._now() - known[1] < NAMES_HOLD):
            return known[0]
        commit = await self._source.resolve(revision)
        _remember(self._commits, revision, (commit, self._now()))
        return commit

    async def _labelled(self, key: tuple[str, str], change: Change) -> tuple[str, ...]:
        known = self._labels.get(key)
        if known and self._now() - known[1] < NAMES_HOLD:
            return known[0]
        labels = await self._source.labels(change)
        _remember(self._labels, key, (labels, self._now()))
        return labels


def _covers(kept: _Kept, wanted: Wanted) -> bool:
    return all(file.path in kept.asked for file in kept.change.files if is_wanted(file, wanted))


def _remember(place: OrderedDict[K, V], key: K, value: V) -> None:
    place[key] = value
    place.move_to_end(key)
    while len(place) > MOST:
        place.popitem(last=False)
