"""The texts of a change's files: only those that are wanted, not too many, not too big."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from adapters.changes.blind import at_once, both
from bot.core.change import ChangedFile
from bot.ports import Wanted

MOST_FILES: Final = 60
"""Files whose text is asked for."""
LARGEST: Final = 512 * 1024
"""Bytes of a file whose text is told."""

_SUBMODULE: Final = re.compile(r"(?m)^[-+ ]Subproject commit [0-9a-f]{40,64}(?:-dirty)?$")

Fetch = Callable[[str, str], Awaitable[str | None]]
"""The text at a commit and path; None where there is none, or it is too big or no text."""


def text(content: bytes) -> str | None:
    """A file's content as UTF-8, with what is not UTF-8 replaced; None of a binary one."""
    if b"\0" in content[:8000] or len(content) > LARGEST:
        return None
    return content.decode("utf-8", errors="replace")


def is_elsewhere(diff: str) -> bool:
    """Whether a file's diff is a submodule's: what changes in it is not seen here."""
    return _SUBMODULE.search(diff) is not None


def is_wanted(file: ChangedFile, wanted: Wanted) -> bool:
    """Whether the text of a file is wanted, by the path it has or had."""
    return wanted(file.path) or (bool(file.previous_path) and wanted(file.previous_path))


def chosen(files: Sequence[ChangedFile], wanted: Wanted) -> tuple[ChangedFile, ...]:
    """The files whose texts are asked for."""
    return tuple(file for file in files if is_wanted(file, wanted))[:MOST_FILES]


def sides(file: ChangedFile) -> tuple[str | None, str | None]:
    """Where a file's text stands before and after; None where it does not."""
    before = None if file.status == "added" else file.previous_path or file.path
    return before, None if file.status == "removed" else file.path


async def with_texts(
    files: Sequence[ChangedFile], wanted: Wanted, commits: tuple[str, str], fetch: Fetch
) -> tuple[ChangedFile, ...]:
    """The files, those that are wanted with their texts at both commits."""

    async def one(file: ChangedFile) -> ChangedFile:
        old, new = sides(file)
        before, after = await both(_at(commits[0], old, fetch), _at(commits[1], new, fetch))
        return replace(file, before=before, after=after)

    asked = chosen(files, wanted)
    told = dict(zip(asked, await at_once(*map(one, asked)), strict=True))
    return tuple(told.get(file, file) for file in files)


async def _at(commit: str, path: str | None, fetch: Fetch) -> str | None:
    return None if path is None else await fetch(commit, path)
