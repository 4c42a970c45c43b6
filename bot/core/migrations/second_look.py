"""Asks sqlglot about a statement that our own reader does not know."""

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from bot.core.migrations.steps import Kind, Step

if TYPE_CHECKING:  # it takes a third of a second to import, and most statements do not need it
    from sqlglot import exp

LONGEST: Final = 4000
"""Characters of a statement that is parsed; a longer one stays unclear."""
_READING: Final = ("Set", "Use", "Pragma", "Transaction", "Commit", "Describe", "Show")
_CHANGING: Final = ("Update", "Delete", "Merge", "TruncateTable")
_DIALECTS: Final = ("postgres", "mysql", "sqlite", "tsql", "oracle", "snowflake")


@cache
def _kinds(*names: str) -> tuple[Any, ...]:
    """Sqlglot's expressions of these names."""
    from sqlglot import exp

    return tuple(getattr(exp, name) for name in names)


def second_look(step: Step, text: str, dialect: str) -> Step:
    """Tell what sqlglot makes of a statement; the same step where it knows no more."""
    if step.kind is not Kind.UNKNOWN or len(text) > LONGEST or step.detail:
        return step
    from sqlglot import exp

    changing = _kinds(*_CHANGING)
    for language in dict.fromkeys((dialect, *_DIALECTS)):
        tree = _parsed(text, language)
        if tree is None or isinstance(tree, exp.Command):
            continue
        if isinstance(tree, _kinds(*_READING)):
            return replace(step, kind=Kind.NOTHING)
        if isinstance(tree, exp.Insert) and tree.find(*changing) is None:
            return replace(step, kind=Kind.INSERT)
        if tree.find(*changing) is not None:
            table = tree.find(exp.Table)
            return replace(step, kind=Kind.DATA, table=table.name if table else "")
        return step
    return step


def _parsed(text: str, dialect: str) -> "exp.Expr | None":
    import sqlglot
    from sqlglot import parser as sqlglot_parser
    from sqlglot.errors import SqlglotError

    quiet, sqlglot_parser.logger.disabled = sqlglot_parser.logger.disabled, True
    try:
        return sqlglot.parse_one(text, read=dialect)
    except (
        SqlglotError,
        RecursionError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
    ):
        return None
    finally:
        sqlglot_parser.logger.disabled = quiet
