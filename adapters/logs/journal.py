"""Follows the files of one log through renaming, cutting and new ones."""

import glob
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from adapters.logs.entries import MOST_KEPT, Entries, Kept
from adapters.logs.parsing import Fields, parsed
from adapters.logs.tail import Identity, Tail, identity

HISTORY: Final = timedelta(minutes=10)
"""How far before the first window a file is read, for lines that explain a breach."""
SKEW: Final = timedelta(minutes=2)
"""How far a new line's time may be from now before it is not believed."""

_log = structlog.get_logger(__name__)


class Unseen(Exception):  # noqa: N818 - it becomes `NoData`, which is no fault
    """The log cannot be read; the text says which file, why, and what to do."""


@dataclass(slots=True)
class _Followed:
    """A file; `skew` says what is wrong with the times in it, and is empty when nothing is."""

    tail: Tail
    entries: Entries
    skew: str = ""


@dataclass(slots=True)
class Journal:
    """One log: the files at some places, and the errors found in them so far.

    Files are known by their inode, so one that was renamed is read to its end.

    Args:
        places: paths, or patterns with `*`.
        fields: what the files' fields are called.
        most: bytes of a file that are read at once.

    """

    places: tuple[str, ...]
    fields: Fields
    most: int
    _files: dict[Identity, _Followed] = field(default_factory=dict)
    _kept: deque[Kept] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    _read_at: datetime | None = None

    def read(self, since: datetime, arrival: datetime, now: datetime) -> None:
        """Read what is new.

        Args:
            since: at first sight, how far back the files are read.
            arrival: when lines without a time count as written.
            now: the wall clock.

        Raises:
            Unseen: a file is missing, cannot be read, or its times cannot be true.

        """
        try:
            here = self._here()
            for key in [key for key in self._files if key not in here]:
                self._finish(key, arrival)
            for key, path in here.items():
                self._follow(key, path, since, arrival, now)
        except OSError as error:
            raise Unseen(
                f"the log {error.filename} cannot be read: {error.strerror}; check its rights"
            ) from error
        self._read_at = now
        if not here:
            raise Unseen(
                f"there is no log at {', '.join(self.places)}; check the path in the options, and "
                "that the backend runs and writes there"
            )
        for followed in self._files.values():
            if followed.skew:
                raise Unseen(followed.skew)

    def errors(self) -> Iterator[Kept]:
        """Every error in mind, the oldest first within a file."""
        yield from self._kept
        for followed in self._files.values():
            yield from followed.entries.pending()

    def _here(self) -> dict[Identity, Path]:
        """The files at our places now."""
        here: dict[Identity, Path] = {}
        for place in self.places:
            # Path.glob takes no absolute patterns.
            names = sorted(glob.glob(place)) if glob.has_magic(place) else [place]  # noqa: PTH207 - as said
            for name in names:
                try:
                    here[identity(Path(name))] = Path(name)
                except FileNotFoundError:
                    continue  # it may be in the middle of a rotation
        return here

    def _follow(
        self, key: Identity, path: Path, since: datetime, arrival: datetime, now: datetime
    ) -> None:
        known = self._files.get(key)
        if known is None:
            entries = Entries(self.fields, self._kept)
            known = self._files[key] = _Followed(Tail(path, self.most), entries)
            if self._read_at is None:
                self._begin(known, since)
                return
        known.tail.path = path
        self._take_new(known, arrival, now)

    def _begin(self, followed: _Followed, since: datetime) -> None:
        lines, is_whole = followed.tail.start(lambda some: self._reaches(some, since - HISTORY))
        if not is_whole and not self._reaches(lines, since):
            _log.warning(
                "a log is not read back to the last look; raise max_bytes",
                path=str(followed.tail.path),
            )
        followed.entries.take(lines, None)

    def _take_new(self, followed: _Followed, arrival: datetime, now: datetime) -> None:
        tail = followed.tail
        lines = tail.more()
        if tail.skipped:
            _log.warning(
                "a log grows faster than it is read; raise max_bytes",
                path=str(tail.path),
                skipped_bytes=tail.skipped,
            )
        newest = followed.entries.take(lines, arrival)
        if newest is not None:
            followed.skew = self._skewed(tail.path, newest, now)

    def _skewed(self, path: Path, newest: datetime, now: datetime) -> str:
        """What to say when lines written since the last look claim another time."""
        if (self._read_at or now) - SKEW <= newest <= now + SKEW:
            return ""
        ahead = (newest - now).total_seconds() / 3600
        return (
            f"the newest line of {path} claims to be {ahead:+.2f} h off the bot's clock; let the "
            "service log in UTC, or set `timezone`"
        )

    def _reaches(self, lines: list[str], moment: datetime) -> bool:
        times = (parsed(line, self.fields).at for line in lines[:100])
        return next((at <= moment for at in times if at is not None), False)

    def _finish(self, key: Identity, arrival: datetime) -> None:
        """Read the rest of a file that was renamed away; one that was deleted has no rest."""
        followed = self._files.pop(key)
        for sibling in followed.tail.path.parent.iterdir():
            with suppress(FileNotFoundError):
                if identity(sibling) == key:
                    followed.tail.path = sibling
                    followed.entries.take(followed.tail.more(), arrival)
                    break
        followed.entries.close()
