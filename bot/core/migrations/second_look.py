"""Asks sqlglot about a statement that our own reader does not know."""

from dataclasses import replace
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot import parser as sqlglot_parser
from sqlglot.errors import SqlglotError

from bot.core.migrations.steps import Kind, Step

LONGEST: Final = 4000
"""Characters of a statement that is parsed; a longer one stays unclear."""
_READING: Final = (
    exp.Set,
    exp.Use,
    exp.Pragma,
    exp.Transaction,
    exp.Commit,
    exp.Describe,
    exp.Show,
)
_CHANGING: Final = (exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)
_DIALECTS: Final = ("postgres", "mysql", "sqlite", "tsql", "oracle", "snowflake")


def second_look(step: Step, text: str, dialect: str) -> Step:
    """Tell what sqlglot makes of a statement; the same step where it knows no more."""
    if step.kind is not Kind.UNKNOWN or len(text) > LONGEST or step.detail:
        return step
    for language in dict.fromkeys((dialect, *_DIALECTS)):
        tree = _parsed(text, language)
        if tree is None or isinstance(tree, exp.Command):
            continue
        if isinstance(tree, _READING):
            return replace(step, kind=Kind.NOTHING)
        if isinstance(tree, exp.Insert) and tree.find(*_CHANGING) is None:
            return replace(step, kind=Kind.INSERT)
        if tree.find(*_CHANGING) is not None:
            table = tree.find(exp.Table)
            return replace(step, kind=Kind.DATA, table=table.name if table else "")
        return step
    return step


def _parsed(text: str, dialect: str) -> exp.Expr | None:
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
