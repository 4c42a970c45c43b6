"""Judges the migrations of a change together: what is new, edited, removed or squashed in it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from bot.core.assessment import Impact, Statement
from bot.core.change import ChangedFile
from bot.core.migrations.alembic import read_alembic
from bot.core.migrations.django import read_django
from bot.core.migrations.known import Known
from bot.core.migrations.order import in_order
from bot.core.migrations.past import learnt
from bot.core.migrations.paths import (
    home_of,
    is_repeatable,
    is_snapshot,
    is_undo,
    names_of,
    tool_of,
    undone_by,
)
from bot.core.migrations.rails import read_rails
from bot.core.migrations.rules import state
from bot.core.migrations.same import same
from bot.core.migrations.sections import only_up
from bot.core.migrations.sql_file import dialect_of, read_sql
from bot.core.migrations.steps import Kind, Migration, Step
from bot.core.migrations.warned import read_warnings
from bot.core.migrations.ways import EDITED, LOOK

LONGEST_FILE: Final = 600_000
"""Characters of a file; a longer one is not read."""
MOST_TEXT: Final = 4_000_000
"""Characters of all files of a change; those that come after are not read."""
MOST_STEPS: Final = 3000
"""Steps of a file; the others are unclear."""
SECOND_LOOKS: Final = 20
"""Statements of a file that a slow parser looks at where no reader here knows them."""

_UPGRADE: Final = re.compile(r"(?m)^def upgrade\b")


def read_migration(path: str, text: str) -> Migration:
    """Judge one file by itself; never raises.

    Args:
        path: tells the tool, and stands in every statement.
        text: the whole file.

    """
    dialect, steps = _read(path, text)
    known = Known()
    return Migration(path, dialect, tuple(state(path, step, known) for step in steps))


def judge(
    files: Iterable[ChangedFile], earlier: Iterable[ChangedFile] = ()
) -> tuple[Migration, ...]:
    """Judge all the migrations of a change; never raises.

    Args:
        files: those of the change that are migrations, with their texts on both sides.
        earlier: the migrations that stable has run already, each with its text as `after`, of
            folders that are at hand as a whole: they tell the types that columns had.

    Returns:
        In the order in which they run, as far as their names or links tell it; migrations that
        are only run to undo others of the change are left out.

    """
    given = list(files)
    done = {name for one in given if not is_undo(one.path) for name in names_of(one.path)}
    changed = _short([one for one in given if done.isdisjoint(undone_by(one.path))])
    known = learnt((file for file in earlier if not is_undo(file.path)), changed, _read)
    squashed = _squashed(changed)
    return tuple(
        _judged(file, known.setdefault(home_of(file.path), Known()), squashed)
        for file in in_order(changed)
    )


def unexplained(files: Iterable[ChangedFile]) -> tuple[Migration, ...]:
    """What is to be said of a change without a migration whose schema is another one."""
    why = "the whole schema is another one, and no migration says how the database gets there"
    return tuple(
        Migration(file.path, "", (_notice(file, why, LOOK),))
        for file in files
        if is_snapshot(file.path) or (file.previous_path and is_snapshot(file.previous_path))
    )


def _short(files: list[ChangedFile]) -> list[ChangedFile]:
    """Take the texts out of the files that come after too much text."""
    kept, left = [], MOST_TEXT
    for file in files:
        left -= len(file.before or "") + len(file.after or "")
        kept.append(file if left >= 0 else replace(file, before=None, after=None))
    return kept


def _judged(file: ChangedFile, known: Known, squashed: frozenset[str]) -> Migration:
    told = list(_notices(file, squashed))
    if file.status == "removed":
        return Migration(file.path, "", tuple(told))
    if file.after is None:
        told.append(
            _notice(file, "its text could not be read, so nobody knows what it does", LOOK)
        )
        return Migration(file.path, "", tuple(told))
    if file.status == "modified" and _is_same(file):
        return Migration(file.path, "", ())
    dialect, steps = _read(file.path, file.after)
    told += [state(file.path, one, known) for one in steps]
    squashes = any(one.kind is Kind.NOTICE for one in steps) or home_of(file.path) in squashed
    if file.status != "added" or squashes:
        known.forget_news()  # stable may have run it long ago: what it creates is not new
    return Migration(file.path, dialect, tuple(told))


def _notices(file: ChangedFile, squashed: frozenset[str]) -> Iterator[Statement]:
    if file.status == "removed":
        if home_of(file.path) in squashed:
            why = (
                "old migrations were squashed: databases that have run them must skip the new one"
            )
        else:
            why = "an old migration was removed: databases that have run it keep what it did"
        yield _notice(file, why, EDITED)
    elif file.status == "renamed":
        why = f"it was renamed from {file.previous_path}: the tool may take it for new and run it again"
        yield _notice(file, why, EDITED)
    elif file.status == "modified" and not is_repeatable(file.path):
        if _is_same(file):
            return
        yield _notice(
            file,
            "an old migration was edited: databases that have run it will not run it again, and so "
            "will lack what was changed",
            EDITED,
        )


def _notice(file: ChangedFile, why: str, way_out: str) -> Statement:
    name = file.path.rpartition("/")[2]
    return Statement(
        file.path, 1, f"{name} ({file.status})"[:160], Impact.UNCLEAR, why[:300], way_out
    )


def _squashed(files: list[ChangedFile]) -> frozenset[str]:
    removed = Counter(home_of(file.path) for file in files if file.status == "removed")
    added = {home_of(file.path) for file in files if file.status == "added"}
    return frozenset(home for home in added if removed[home] > 1)


def _is_same(file: ChangedFile) -> bool:
    """Whether its two texts differ in comments and white space only."""
    if file.before is None or file.after is None:
        return False
    return max(len(file.before), len(file.after)) <= LONGEST_FILE and same(
        file.path, file.before, file.after
    )


def _read(path: str, text: str) -> tuple[str, list[Step]]:
    if is_undo(path):
        detail = "it undoes another migration, which is not in this change"
        return "", [Step(Kind.UNKNOWN, 1, path, detail=detail)]
    if len(text) > LONGEST_FILE:
        return "", [Step(Kind.UNKNOWN, 1, path, detail="the file is too long to be read")]
    dialect, steps = _reader(path, text)
    found = list(islice(steps, MOST_STEPS))
    if (more := next(steps, None)) is not None:
        detail = f"only its first {MOST_STEPS:,} steps were read"
        found.append(Step(Kind.UNKNOWN, more.line, more.text, detail=detail))
    return dialect, found


def _reader(path: str, text: str) -> tuple[str, Iterator[Step]]:
    low = path.lower()
    tool = tool_of(path) or ("sql" if low.endswith(".sql") else "foreign")
    if tool == "sql":
        dialect = dialect_of(path, text)
        return dialect, _sql(path, text, dialect)
    if low.endswith(".py"):
        tool = _python_tool(tool, text)
    if tool == "rails" and "migrate" not in low and "::Migration" not in text:
        tool = "foreign"  # another tool's, in Ruby
    if tool == "alembic":
        return tool, read_alembic(path, text)
    if tool == "django":
        return tool, read_django(path, text)
    if tool == "rails":
        return tool, read_rails(path, text)
    name = path.rpartition("/")[2]
    detail = f"{name} is a migration of a tool that the bot does not read"
    return "", iter([Step(Kind.UNKNOWN, 1, name, detail=detail)])


def _sql(path: str, text: str, dialect: str) -> Iterator[Step]:
    yield from read_warnings(path, text)
    yield from read_sql(only_up(path, text), dialect, second_looks=SECOND_LOOKS)


def _python_tool(tool: str, text: str) -> str:
    """Tell Django's migrations from Alembic's, which may lie in folders of the same name."""
    classed, upgrades = "class Migration" in text, bool(_UPGRADE.search(text))
    if classed and upgrades:
        return "foreign"  # whichever runs it, the other half would go unread
    if classed:
        return "django"
    return "alembic" if upgrades else tool
