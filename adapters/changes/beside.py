"""The earlier migrations of the folders that a change adds to: all of a folder, or none of it.

They tell the types that columns had. One that is missing would make a former type look like the
last one, so a folder that cannot be read to its end is left out, and the change is judged without.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.changes.blind import Blind, left
from adapters.changes.texts import LARGEST
from bot.core.change import ChangedFile
from bot.core.migrations import home_of, needs_earlier
from bot.ports import Wanted

MOST_HOSTED: Final = 60
"""Migrations of a folder that are asked of a code host, one request each."""
MOST_FOLDERS: Final = 3
"""Folders of a change that are looked into."""
MOST_TEXT: Final = 16 * 1024 * 1024
"""Bytes of a folder's migrations."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands right inside a folder.

    Attributes:
        is_file: whether it is a file with a text of its own, and no link or folder.
        size: in bytes; 0 where it is not told.
        blob: its id.

    """

    path: str
    is_file: bool
    size: int = 0
    blob: str = ""


Inside = Callable[[str], Awaitable[Sequence[Entry] | None]]
"""What stands in a folder at the base; None where that is not told to its end."""
Texts = Callable[[Sequence[Entry]], Awaitable[Sequence[str | None]]]
"""Their texts at the base, in the same order."""


async def earlier(
    files: Sequence[ChangedFile], wanted: Wanted, inside: Inside, texts: Texts, most: int
) -> tuple[ChangedFile, ...]:
    """The migrations at the base beside those of a change that can be judged better by them.

    Args:
        files: the change's, with their texts.
        wanted: whether a migration's text is wanted.
        inside, texts: read the base.
        most: files of a folder; of a larger one none is told.

    """
    found: list[ChangedFile] = []
    for home in _homes(files, wanted)[:MOST_FOLDERS]:
        try:
            # It only makes the answer better, and must leave time to give it.
            async with asyncio.timeout(max(left(), 0) / 2):
                found += await _all_of(home, wanted, inside, texts, most)
        except (Blind, TimeoutError):
            continue
    return tuple(sorted(found, key=lambda file: file.path))


def allowed(files: Sequence[ChangedFile], wanted: Wanted) -> tuple[ChangedFile, ...]:
    """Those of folders all of whose files are wanted."""
    unwanted = {home_of(file.path) for file in files if not wanted(file.path)}
    return tuple(file for file in files if home_of(file.path) not in unwanted)


def _homes(files: Sequence[ChangedFile], wanted: Wanted) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            home_of(file.path)
            for file in files
            if file.after is not None
            and wanted(file.path)
            and needs_earlier(file.path, file.after)
        )
    )


async def _all_of(
    home: str, wanted: Wanted, inside: Inside, texts: Texts, most: int
) -> list[ChangedFile]:
    entries = await inside(home)
    if entries is None:
        return []
    chosen = [entry for entry in entries if _is_module(entry.path)]
    fit = all(entry.is_file and entry.size <= LARGEST and wanted(entry.path) for entry in chosen)
    if not fit or len(chosen) > most or sum(entry.size for entry in chosen) > MOST_TEXT:
        return []
    told = await texts(chosen)
    if sum(len(one or "") for one in told) > MOST_TEXT:
        return []
    files = [
        ChangedFile(entry.path, "added", after=one)
        for entry, one in zip(chosen, told, strict=True)
        if one is not None
    ]
    return files if len(files) == len(chosen) else []


def _is_module(path: str) -> bool:
    """Whether a tool would take it for a migration: both kinds that are asked for are Python's."""
    name = path.rpartition("/")[2]
    return name.endswith(".py") and not name.startswith(("_", "~", "."))
