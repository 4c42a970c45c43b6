"""What earlier migrations tell of columns: only what their links prove, else nothing.

A former type that is not the last one makes a narrowing look like a widening. So a folder counts
only where all its links lead to files that are there; a column, where every file that touched it
comes after the one before; and whatever may have been done unseen makes all before it forgotten.
"""

from collections.abc import Callable, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter

from bot.core.change import ChangedFile
from bot.core.migrations.certain import EVERYTHING, Scope, all_scopes, is_in_doubt, may_hide
from bot.core.migrations.known import ALL, Known
from bot.core.migrations.links import Links, links_of, module_of
from bot.core.migrations.order import in_order
from bot.core.migrations.paths import home_of, tool_of
from bot.core.migrations.steps import Step

Read = Callable[[str, str], tuple[str, list[Step]]]
"""Reads a file by its path and text: its language and its steps."""


def needs_earlier(path: str, text: str) -> bool:
    """Whether the earlier migrations of its folder may tell more of a migration.

    Only of tools whose files name what they come after: there a gap between them shows.
    """
    tool = tool_of(path)
    return (tool == "django" and "AlterField" in text) or (
        tool == "alembic" and "alter_column" in text
    )


def learnt(
    earlier: Iterable[ChangedFile], files: Iterable[ChangedFile], read: Read
) -> dict[str, Known]:
    """What is known for sure of each folder's columns before a change.

    Args:
        earlier: every migration of those folders that stable has run.
        files: the change's own.
        read: reads one of them.

    """
    homes: dict[str, list[ChangedFile]] = {}
    for file in earlier:
        if not _is_helper(file.path):
            homes.setdefault(home_of(file.path), []).append(file)
    new = [file for file in files if file.status == "added"]
    found = {}
    for home, old in homes.items():
        here = [file for file in new if home_of(file.path) == home]
        found[home] = _learnt(old, here, read)
        found[home].forget_news()
    return found


def _is_helper(path: str) -> bool:
    """Whether it is a module that Django's migrations may use, and that is none itself."""
    name = path.rpartition("/")[2]
    return tool_of(path) == "foreign" and name.startswith("_") and name.endswith(".py")


def _learnt(old: Sequence[ChangedFile], new: Sequence[ChangedFile], read: Read) -> Known:
    if any(file.after is None for file in old):
        return Known()
    if not {tool_of(file.path) for file in old} & {"django", "alembic"}:
        return _in_line(old, read)
    links = links_of([*old, *new])
    there = {file.path: file for file in old}
    if links is None or len(there) < len(old):
        return Known()
    if any(parent not in there for path in there for parent in links[path]):
        return Known()
    try:
        order = tuple(TopologicalSorter({path: links[path] for path in there}).static_order())
    except CycleError:
        return Known()
    return _along(order, links, there, read)


def _in_line(old: Sequence[ChangedFile], read: Read) -> Known:
    """Of tools whose files do not name each other: the order of their names is all there is."""
    known = Known()
    for file in in_order(list(old)):
        _, steps = read(file.path, file.after or "")
        for step in steps:
            known.note(step)
        if EVERYTHING in all_scopes(steps):
            known.forget(ALL, ALL)
    return known


def _along(order: Sequence[str], links: Links, there: dict[str, ChangedFile], read: Read) -> Known:
    """Learn in the order of the links; forget what two files touched in no certain order."""
    known, marks, doubtful = Known(), _Marks(), set[Scope]()
    before: dict[str, int] = {}  # of each file, those that surely ran before it, a bit each
    places = {path: at for at, path in enumerate(order)}
    for at, path in enumerate(order):
        before[path] = 0
        for parent in links[path]:
            before[path] |= before[parent] | 1 << places[parent]
        steps, touched, sure = _read(there[path], read)
        for scope in touched:
            if not marks.follow(scope, before[path]):
                doubtful.add(scope)
        if EVERYTHING in touched:
            known.forget(ALL, ALL)
        for step in steps:
            known.note(step)
        if not sure or EVERYTHING in touched:
            for scope in touched:
                known.forget(*scope)
        marks.leave(touched, at)
    for scope in doubtful:
        known.forget(*scope)
    return known


def _read(file: ChangedFile, read: Read) -> tuple[list[Step], frozenset[Scope], bool]:
    """A file's steps, what they touch, and whether they are what has come of it."""
    text, tool = file.after or "", tool_of(file.path)
    module = module_of(file)
    if module is None:
        return [], frozenset({EVERYTHING}), False
    _, steps = read(file.path, text)
    touched = all_scopes(steps)
    if may_hide(tool, module, text):
        touched |= {EVERYTHING}
    return steps, touched, not is_in_doubt(tool, module, text)


class _Marks:
    """Which file has touched what last."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, int]] = {}

    def follow(self, scope: Scope, before: int) -> bool:
        """Whether all that touched the same are among the files `before`, a bit each."""
        table, column = scope
        tables = self._last if table == ALL else {table, ALL} & self._last.keys()
        for one in tables:
            columns = self._last[one]
            touched = columns.keys() if ALL in {one, column} else {column, ALL} & columns.keys()
            if not all(before >> columns[other] & 1 for other in touched):
                return False
        return True

    def leave(self, touched: Iterable[Scope], at: int) -> None:
        """Remember what this file has touched."""
        for table, column in touched:
            self._last.setdefault(table, {})[column] = at
