"""The order in which migrations run, as far as their names or the links between them tell it."""

import re
from typing import Final

from bot.core.change import ChangedFile

_REVISION: Final = re.compile(r"(?m)^revision\s*(?::[^=\n]*)?=\s*[\"'](\w+)[\"']")
_DOWN: Final = re.compile(r"(?m)^down_revision\s*(?::[^=\n]*)?=\s*(.*)$")


def in_order(files: list[ChangedFile]) -> list[ChangedFile]:
    """Sort by name, numbers as numbers; Alembic's by what each one comes after."""
    by_name = sorted(files, key=lambda file: (_natural(file.path), file.path))
    revisions = {
        found.group(1): file for file in by_name if (found := _REVISION.search(file.after or ""))
    }
    if not revisions:
        return by_name
    ordered: dict[str, ChangedFile] = {}
    for file in by_name:
        _place(file, revisions, ordered)
    return list(ordered.values())


def _place(
    file: ChangedFile, revisions: dict[str, ChangedFile], ordered: dict[str, ChangedFile]
) -> None:
    waiting = [file]
    seen: set[str] = set()
    while waiting:
        one = waiting[-1]
        before = [
            revisions[name]
            for name in _parents(one)
            if name in revisions
            and revisions[name].path not in ordered
            and revisions[name].path not in seen
        ]
        seen.add(one.path)
        if before:
            waiting += before
        else:
            ordered.setdefault(one.path, one)
            waiting.pop()


def _parents(file: ChangedFile) -> list[str]:
    found = _DOWN.search(file.after or "")
    return re.findall(r"\w+", found.group(1)) if found else []


def _natural(path: str) -> list[tuple[int, int, str]]:
    return [
        (0, int(part[:30]), "") if part.isdigit() and part.isascii() else (1, 0, part)
        for part in re.split(r"(\d+)", path)
    ]
