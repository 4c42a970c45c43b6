"""Puts the lines of a log file together to entries, and keeps the errors among them.

A line that carries a time begins an entry, and so does every JSON object. Plain lines without a
time go on with the plain entry above them when that carries one; in a file without times they do
when they are indented or belong to a traceback.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from adapters.logs.counting import ErrorLine, error_line
from adapters.logs.parsing import Fields, Line, parsed
from bot.core.logs import is_error

MOST_KEPT: Final = 20_000
"""Errors that are kept in mind of one log; past that the oldest are forgotten."""

_LONGEST: Final = 200
_TRACEBACK: Final = "Traceback (most recent call last)"
_CHAINED: Final = ("During handling of the above", "The above exception was")
_GOES_ON: Final = (
    *(" ", "\t", "|", "+", "Caused by: ", "goroutine ", "LINE ", "DETAIL:", "HINT:", "CONTEXT:"),
    *_CHAINED,
)

Kept = tuple[str, ErrorLine]
"""Which arm wrote it, empty when the file is one arm's own, and the error."""


@dataclass(slots=True)
class _Entry:
    """An entry that may still go on."""

    first: Line
    at: datetime
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def add(self, text: str) -> None:
        """Of a very long entry the beginning and the end are kept."""
        self.lines.append(text)
        if len(self.lines) > _LONGEST:
            del self.lines[_LONGEST // 2]

    def takes(self, text: str) -> bool:
        """Whether a plain line without a time belongs to this entry."""
        if self.first.is_json:
            return False
        if self.first.at is not None or text.startswith(_GOES_ON):
            return True
        if text.startswith(_TRACEBACK):
            return _TRACEBACK not in self.lines[0] or self.lines[-1].startswith(_CHAINED)
        # Right below the frames of a traceback stands its exception.
        in_frames = self.lines[-1].startswith((" ", _TRACEBACK))
        return in_frames and any(_TRACEBACK in line for line in self.lines)


@dataclass(slots=True)
class Entries:
    """One file's lines on their way to the errors kept of its log.

    Attributes:
        kept: the errors of all files of the log.

    """

    fields: Fields
    kept: deque[Kept]
    _last: datetime | None = None
    _open: _Entry | None = field(default=None)

    def take(self, lines: list[str], arrival: datetime | None) -> datetime | None:
        """Take lines in the order they stand in the file.

        Args:
            lines: whole lines.
            arrival: when lines without a time count as written; None for the time of the last
                line above that carries one, and for not at all where there is none.

        Returns:
            the newest time a line carries, None when none does.

        """
        newest: datetime | None = None
        for text in lines:
            if text.strip():
                line = parsed(text, self.fields)
                self._take(line, arrival)
                newest = max(newest or line.at, line.at) if line.at else newest
        return newest

    def pending(self) -> Iterator[Kept]:
        """The last entry, as far as it goes now, when it is an error."""
        entry = self._open
        if entry is not None and is_error(entry.first.level, entry.text):
            yield entry.first.arm, error_line(entry.at, entry.text)

    def close(self) -> None:
        """No more lines belong to the last entry."""
        self.kept.extend(self.pending())
        self._open = None

    def _take(self, line: Line, arrival: datetime | None) -> None:
        is_plain = line.at is None and not line.is_json
        if is_plain and self._open is not None and self._open.takes(line.text):
            self._open.add(line.text)
            return
        self.close()
        self._last = line.at or self._last
        at = line.at or arrival or self._last
        if at is not None:
            self._open = _Entry(line, at, [line.text])
