"""Reads what git prints of a comparison, in the formats that are separated by NUL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adapters.changes.beside import Entry
from adapters.changes.comparing import Status
from bot.core.change import ChangedFile, Commit

COMMIT_FORMAT: Final = "--format=tformat:%H%n%ae%n%ct%n%s"
"""Such that only the subject, which is last, can hold anything."""

_STATUS: Final[Mapping[str, Status]] = {"A": "added", "C": "added", "D": "removed", "R": "renamed"}
_FILE_MODES: Final = frozenset({"100644", "100755", "120000"})
_SUBMODULE: Final = "160000"


@dataclass(frozen=True, slots=True)
class Listed:
    """A file, and the blobs it was and is; empty where it was or is none.

    Attributes:
        elsewhere: whether it is a submodule on either side: what changes in it is not seen here.

    """

    file: ChangedFile
    before: str
    after: str
    elsewhere: bool = False


Lines = Mapping[str, tuple[int, int]]
"""Lines added and removed by path; (0, 0) of a binary file."""


def listed(raw: bytes, lines: Lines) -> tuple[Listed, ...]:
    """The files of `git diff-tree -r -z -M --raw`; a record that was cut off is left out."""
    parts, found = _parts(raw), []
    for meta in parts:
        fields = meta.removeprefix(":").split(" ")
        first = next(parts, None)
        if len(fields) != 5 or first is None:
            break
        old_mode, new_mode, old, new, code = fields
        path, previous = first, ""
        if code[:1] in {"R", "C"}:
            second = next(parts, None)
            if second is None:
                break
            path, previous = second, first if code[:1] == "R" else ""
        added, removed = lines.get(path, (0, 0))
        file = ChangedFile(
            path=path,
            status=_STATUS.get(code[:1], "modified"),
            previous_path=previous,
            added=added,
            removed=removed,
        )
        before = old if old_mode in _FILE_MODES and code[:1] != "C" else ""
        after = new if new_mode in _FILE_MODES else ""
        found.append(Listed(file, before, after, _SUBMODULE in {old_mode, new_mode}))
    return tuple(found)


def lines(numstat: bytes) -> Lines:
    """The counts of `git diff-tree -r -z -M --numstat`, by the path a file has now."""
    parts, found = _parts(numstat), {}
    for part in parts:
        fields = part.split("\t", 2)
        if len(fields) != 3:
            break
        path = fields[2]
        if not path:  # a rename: both paths follow
            next(parts, None)
            path = next(parts, "")
        found[path] = (_count(fields[0]), _count(fields[1]))
    return found


def commits(log: bytes) -> tuple[Commit, ...]:
    """The commits of `git log -z` in `COMMIT_FORMAT`."""
    found = []
    for part in _parts(log):
        fields = part.split("\n", 3)
        if len(fields) != 4:
            break
        at = datetime.fromtimestamp(int(fields[2]), UTC) if fields[2].isdigit() else None
        found.append(Commit(fields[0], fields[1], fields[3], at))
    return tuple(found)


def blobs(batch: bytes) -> dict[str, bytes]:
    """The contents of `git cat-file --batch` by id; what is missing or no blob is left out."""
    found, at = {}, 0
    while (end := batch.find(b"\n", at)) >= 0:
        fields = batch[at:end].decode("ascii", errors="replace").split(" ")
        at = end + 1
        if len(fields) != 3 or not fields[2].isdigit():
            continue  # "<id> missing"
        size = int(fields[2])
        if fields[1] == "blob" and at + size <= len(batch):
            found[fields[0]] = batch[at : at + size]
        at += size + 1
    return found


def sizes(checked: bytes) -> dict[str, int]:
    """The sizes of `git cat-file --batch-check` by id, of blobs."""
    found = {}
    for line in checked.decode("ascii", errors="replace").splitlines():
        fields = line.split(" ")
        if len(fields) == 3 and fields[1] == "blob" and fields[2].isdigit():
            found[fields[0]] = int(fields[2])
    return found


def entries(tree: bytes) -> tuple[Entry, ...]:
    """What `git ls-tree -z -l` lists; a record that was cut off is left out."""
    found = []
    for part in _parts(tree):
        meta, _, path = part.partition("\t")
        fields = meta.split()
        if len(fields) == 4:
            is_file = fields[0] in _FILE_MODES - {"120000"}
            found.append(Entry(path, is_file, _count(fields[3]), fields[2]))
    return tuple(found)


def _parts(output: bytes) -> Iterator[str]:
    """What stands before each NUL; after the last one there is nothing, or what was cut off."""
    return iter([part.decode("utf-8", errors="replace") for part in output.split(b"\0")[:-1]])


def _count(number: str) -> int:
    return int(number) if number.isdigit() else 0
