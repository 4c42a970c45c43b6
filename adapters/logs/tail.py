"""Reads what was appended to a file since the last time, whatever was done to it meanwhile."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

_FIRST: Final = 65_536
"""Bytes of a file's end that are read at first sight, and more until they reach far enough."""
_MARK: Final = 64

Identity = tuple[int, int]
"""Device and inode: what a file is, whatever its name."""


def identity(path: Path) -> Identity:
    """Which file this is.

    Raises:
        OSError: there is none, or it cannot be looked at.

    """
    found = path.stat()
    return found.st_dev, found.st_ino


@dataclass(slots=True)
class Tail:
    """A place in a file.

    A file that was cut short (copytruncate) is read from its beginning; that it was cut and has
    grown past the old place is seen by the bytes before that place, which are others then. A last
    line without its end is left for the next time, unless it has not grown since the last time.

    Attributes:
        path: where the file is now.
        most: bytes that are read at once; of more than that the newest are read.
        skipped: bytes that were left out because of `most`, at the last reading.

    """

    path: Path
    most: int
    skipped: int = 0
    _offset: int = 0
    _mark: bytes = b""
    _unfinished: int = 0

    def start(self, is_enough: Callable[[list[str]], bool]) -> tuple[list[str], bool]:
        """Read the end of the file, as much as is enough.

        Returns:
            the lines, and whether they are all lines of the file.

        """
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = min(_FIRST, size, self.most)
            while True:
                self._offset, self._mark, self._unfinished = size - length, b"", 0
                lines = self._read(file, length, is_whole=length == size)
                if length in {size, self.most} or is_enough(lines):
                    return lines, length == size
                length = min(length * 8, size, self.most)

    def more(self) -> list[str]:
        """Read the lines that were appended since."""
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < self._offset or not self._is_where_it_was(file):
                self._offset, self._mark, self._unfinished = 0, b"", 0
            self.skipped = max(0, size - self._offset - self.most)
            self._offset += self.skipped
            return self._read(file, self.most, is_whole=not self.skipped)

    def _is_where_it_was(self, file: BinaryIO) -> bool:
        file.seek(self._offset - len(self._mark))
        return file.read(len(self._mark)) == self._mark

    def _read(self, file: BinaryIO, length: int, *, is_whole: bool) -> list[str]:
        """Read from the place on, up to the last whole line; the first may be half a line."""
        file.seek(self._offset)
        data = file.read(length)
        end = data.rfind(b"\n") + 1
        rest = len(data) - end
        if rest and (rest == self._unfinished or (not end and rest == self.most)):
            end, rest = len(data), 0
        self._unfinished = rest
        if end:
            self._offset += end
            self._mark = data[max(0, end - _MARK) : end]
        begin = 0 if is_whole else data.find(b"\n", 0, end) + 1
        text = data[begin:end].replace(b"\0", b"").decode("utf-8", errors="replace")
        return [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")] if text else []
