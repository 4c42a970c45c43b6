"""Whether two texts of one migration do the same: whether only what no tool runs is another one."""

import ast

from bot.core.migrations.sections import only_up
from bot.core.migrations.sql_file import dialect_of
from bot.core.migrations.sql_text import UnclosedError, tokens
from bot.core.migrations.syntax import UnreadableError, parsed


def same(path: str, before: str, after: str) -> bool:
    """Whether two texts differ in comments and white space only; never raises.

    What counts as a comment is the language's: `--` is none in Python, `/*! … */` none in MySQL,
    and one that says where a file is parted is none to its tool.
    """
    if before == after:
        return True
    low = path.lower()
    if low.endswith(".py"):
        return _same_python(before, after)
    if low.endswith(".rb"):
        return _lines(before) == _lines(after)
    if low.endswith("sql"):
        return _same_sql(path, before, after)
    return False


def _same_python(before: str, after: str) -> bool:
    try:
        return ast.dump(parsed(before)) == ast.dump(parsed(after))
    except (UnreadableError, RecursionError):
        return False


def _lines(text: str) -> list[str]:
    """The lines that are no comment; one behind code is not told from what stands in a text."""
    lines = (line.strip() for line in text.split("\n"))
    return [line for line in lines if line and not line.startswith("# ") and line != "#"]


def _same_sql(path: str, before: str, after: str) -> bool:
    dialect = dialect_of(path, before)
    if dialect != dialect_of(path, after):
        return False
    escapes = dialect == "mysql"
    found = []
    for text in (only_up(path, before), only_up(path, after)):
        try:
            found.append([(one.kind, one.text) for one in tokens(text, escapes=escapes)])
        except UnclosedError:
            return False
    return found[0] == found[1]
