"""Judges the migrations of a change together: what is new, edited, removed or squashed in it."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from bot.core.assessment import Impact, Statement
from bot.core.change import ChangedFile
from bot.core.migrations.alembic import read_alembic
from bot.core.migrations.django import read_django
from bot.core.migrations.known import Known
from bot.core.migrations.order import in_order
from bot.core.migrations.past import learnt
from bot.core.migrations.paths import home_of, is_repeatable, is_undo, tool_of
from bot.core.migrations.rails import read_rails
from bot.core.migrations.rules import state
from bot.core.migrations.sql_file import dialect_of, read_sql
from bot.core.migrations.steps import Kind, Migration, Step
from bot.core.migrations.warned import read_warnings
from bot.core.migrations.ways import EDITED, LOOK

LONGEST_FILE: Final = 1_000_000
"""Characters of a file; a longer one is not read."""

_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/|(?<!\S)#[^\n]*", re.DOTALL)


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
        are only run to undo others are left out.

    """
    changed = [file for file in files if not is_undo(file.path)]
    known = learnt((file for file in earlier if not is_undo(file.path)), changed, _read)
    squashed = _squashed(changed)
    return tuple(
        _judged(file, known.setdefault(home_of(file.path), Known()), squashed)
        for file in in_order(changed)
    )


def _judged(file: ChangedFile, known: Known, squashed: frozenset[str]) -> Migration:
    told = list(_notices(file, squashed))
    if file.status == "removed":
        return Migration(file.path, "", tuple(told))
    if file.after is None:
        told.append(
            _notice(file, "its text could not be read, so nobody knows what it does", LOOK)
        )
        return Migration(file.path, "", tuple(told))
    if file.status == "modified" and file.before is not None and _same(file.before, file.after):
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
        if file.before is not None and file.after is not None and _same(file.before, file.after):
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
    removed = [home_of(file.path) for file in files if file.status == "removed"]
    added = {home_of(file.path) for file in files if file.status == "added"}
    return frozenset(home for home in added if removed.count(home) > 1)


def _same(before: str, after: str) -> bool:
    """Whether two texts differ in comments and white space only."""
    return "".join(_COMMENT.sub(" ", before).split()) == "".join(_COMMENT.sub(" ", after).split())


def _read(path: str, text: str) -> tuple[str, list[Step]]:
    tool = tool_of(path) or ("sql" if path.endswith(".sql") else "")
    if is_undo(path):
        return tool, []
    if len(text) > LONGEST_FILE:
        return "", [Step(Kind.UNKNOWN, 1, path, detail="the file is too long to be read")]
    if tool == "sql":
        dialect = dialect_of(path, text)
        return dialect, [*read_warnings(path, text), *read_sql(text, dialect)]
    if tool == "alembic" or (path.endswith(".py") and "def upgrade" in text):
        return "alembic", list(read_alembic(path, text))
    if tool == "django":
        return "django", list(read_django(path, text))
    if tool == "rails":
        return "rails", list(read_rails(path, text))
    name = path.rpartition("/")[2]
    detail = f"{name} is a migration of a tool that the bot does not read"
    return "", [Step(Kind.UNKNOWN, 1, name, detail=detail)]
