"""Reads ALTER TABLE: each of its actions is a step."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bot.core.migrations.cursor import Cursor, has, names_in, parts, written
from bot.core.migrations.sql_columns import column_of
from bot.core.migrations.sql_text import Sql, Token
from bot.core.migrations.steps import Kind, Step

_HARMLESS: Final = (
    ("set", "statistics"),
    ("cluster",),
    ("set", "without", "cluster"),
    ("set", "("),
    ("reset", "("),
    ("comment",),
    ("auto_increment",),
    ("engine",),
    ("row_format",),
    ("algorithm",),
    ("lock",),
    ("validate", "constraint"),
    ("alter", "constraint"),
    ("set", "logged"),
    ("set", "unlogged"),
    ("set", "tablespace"),
    ("replica", "identity"),
    ("default", "character"),
    ("default", "charset"),
    ("charset",),
    ("character", "set"),
    ("force",),
    ("order", "by"),
    ("check", "constraint"),
    ("with", "check", "check", "constraint"),
    ("collate",),
    ("rename", "index"),
    ("rename", "key"),
    ("rename", "constraint"),
    ("stats_persistent",),
    ("analyze",),
    ("rebuild",),
    ("attach", "partition"),
    ("add", "partition"),
    ("key_block_size",),
    ("nocheck", "constraint"),
    ("disable", "keys"),
    ("enable", "keys"),
    ("comment", "="),
    ("set", "access"),
    ("set", "compression"),
    ("add", "statistics"),
    ("no", "inherit"),
)
_ROWS: Final = (
    ("enable", "row"),
    ("disable", "row"),
    ("force", "row"),
    ("no", "force"),
)
_PARTED: Final = (
    ("detach", "partition"),
    ("drop", "partition"),
    ("truncate", "partition"),
    ("exchange", "partition"),
    ("reorganize", "partition"),
    ("switch",),
    ("partition", "by"),
    ("remove", "partitioning"),
    ("coalesce", "partition"),
)
_TRIGGERS: Final = frozenset({"trigger", "rule", "always", "replica"})


def read_alter_table(sql: Sql, cursor: Cursor) -> Iterator[Step]:
    """Read what follows ALTER TABLE.

    Args:
        sql: the statement.
        cursor: behind the word TABLE.

    """
    cursor.existence()
    cursor.accept("only")
    table = cursor.name()
    cursor.accept("*")
    cursor.accept("with", "nocheck") or (
        cursor.accept("with", "check") if not cursor.ahead("with", "check", "check") else None
    )
    adding = False
    actions = parts(cursor.rest())
    for action in actions:
        text = f"ALTER TABLE {table} {written(action)}" if len(actions) > 1 else sql.text
        base = Step(Kind.UNKNOWN, sql.line, text, what="table", table=table)
        if not adding or action[0].low in {"add", "drop", "alter", "modify", "change", "rename"}:
            adding = action[0].low == "add"
            yield from _action(base, Cursor(action))
        else:
            yield from _added(base, Cursor(action))
    if not actions:
        yield Step(Kind.UNKNOWN, sql.line, sql.text, table=table)


def _action(base: Step, cursor: Cursor) -> Iterator[Step]:
    if cursor.ahead("alter", "constraint") or any(cursor.ahead(*words) for words in _HARMLESS):
        yield replace(base, kind=Kind.NOTHING)
    elif any(cursor.ahead(*words) for words in _ROWS):
        yield replace(base, kind=Kind.POLICY)
    elif any(cursor.ahead(*words) for words in _PARTED):
        yield replace(base, kind=Kind.PARTITION)
    elif cursor.accept("add"):
        yield from _added(base, cursor)
    elif cursor.accept("drop"):
        yield from _dropped(base, cursor)
    elif cursor.accept("rename"):
        yield _renamed(base, cursor)
    elif cursor.accept("alter") or cursor.accept("modify", "column") or cursor.accept("modify"):
        yield from _altered(base, cursor)
    elif cursor.accept("change"):
        yield from _changed(base, cursor)
    elif cursor.accept_any("enable", "disable") and cursor.low in _TRIGGERS:
        yield replace(base, kind=Kind.TRIGGER)
    elif cursor.ahead("owner", "to"):
        yield replace(
            base, kind=Kind.UNKNOWN, detail="the owner changes: stable may need rights it gives"
        )
    elif cursor.ahead("set", "schema"):
        yield replace(base, kind=Kind.RENAME, name="one in another schema")
    elif cursor.ahead("inherit"):
        yield replace(base, kind=Kind.PARTITION)
    else:
        yield base


def _added(base: Step, cursor: Cursor) -> Iterator[Step]:
    named = ""
    if cursor.accept("constraint"):
        cursor.existence()
        if cursor.low not in {"unique", "primary", "foreign", "check", "exclude"}:
            named = cursor.name()
    constraint = _constraint(replace(base, name=named), cursor)
    if constraint is not None:
        yield constraint
        return
    cursor.accept("column")
    cursor.existence()
    if cursor.low == "(":
        for part in parts(cursor.bracket()):
            yield from _added(base, Cursor(part))
        return
    name = cursor.name()
    if not name or cursor.done:
        yield base
        return
    rest = cursor.rest()
    column = column_of(rest)
    yield replace(
        base,
        kind=Kind.ADD_COLUMN,
        columns=(name,),
        type=column.type,
        nullable=column.nullable,
        default=column.default,
        unique=column.unique and not column.key,
    )


def _constraint(base: Step, cursor: Cursor) -> Step | None:
    """Read a constraint or an index that is added; None where it is a column."""
    start = cursor.at
    if cursor.accept("primary", "key"):
        kind = Kind.PRIMARY_KEY
    elif cursor.accept("foreign", "key"):
        kind = Kind.FOREIGN_KEY
    elif cursor.accept("unique"):
        kind = Kind.UNIQUE
    elif cursor.low == "exclude":
        return replace(base, kind=Kind.UNIQUE)
    elif cursor.ahead("check", "(") or cursor.ahead("not", "null"):
        return replace(base, kind=Kind.CHECK)
    elif cursor.accept_any("index", "key", "fulltext", "spatial"):
        if cursor.done or any(token.low == "(" for token in cursor.rest()):
            return replace(base, kind=Kind.CREATE, what="index", name=base.name or cursor.name())
        cursor.at = start
        return None
    elif cursor.ahead("default"):
        return replace(base, kind=Kind.SET_DEFAULT)
    else:
        return None
    rest = cursor.rest()
    opening = next((at for at, token in enumerate(rest) if token.low == "("), len(rest))
    columns = names_in(Cursor(rest, opening).bracket())
    if has(rest, "nulls", "not", "distinct"):
        columns = ()
    return replace(base, kind=kind, columns=columns, what="constraint")


def _dropped(base: Step, cursor: Cursor) -> Iterator[Step]:
    if cursor.accept("constraint"):
        cursor.existence()
        name = cursor.name()
        key = name.lower().endswith(("_pkey", "_pk")) or name.lower().startswith(
            ("pk_", "primary")
        )
        yield replace(base, kind=Kind.DROP_PRIMARY_KEY if key else Kind.DROP_CONSTRAINT, name=name)
    elif cursor.accept("primary", "key"):
        yield replace(base, kind=Kind.DROP_PRIMARY_KEY)
    elif cursor.accept("foreign", "key") or cursor.accept("check"):
        yield replace(base, kind=Kind.DROP_CONSTRAINT)
    elif cursor.ahead("index") or cursor.ahead("key"):
        cursor.at += 1
        yield replace(base, kind=Kind.DROP, what="index", name=cursor.name())
    else:
        cursor.accept("column")
        cursor.existence()
        columns = names_in(cursor.bracket()) if cursor.low == "(" else (cursor.name(),)
        yield replace(base, kind=Kind.DROP_COLUMN, columns=tuple(filter(None, columns)))


def _renamed(base: Step, cursor: Cursor) -> Step:
    if cursor.accept_any("to", "as") or (cursor.low != "column" and len(cursor.rest()) == 1):
        return replace(base, kind=Kind.RENAME, name=cursor.name())
    cursor.accept("column")
    cursor.existence()
    old = cursor.name()
    cursor.accept("to")
    return replace(base, kind=Kind.RENAME_COLUMN, columns=(old,), name=cursor.name())


def _altered(base: Step, cursor: Cursor) -> Iterator[Step]:
    if cursor.accept_any("index", "constraint"):
        yield replace(base, kind=Kind.NOTHING)
        return
    cursor.accept("column")
    cursor.existence()
    step = replace(base, columns=(cursor.name(),))
    if cursor.accept("set", "not", "null"):
        yield replace(step, kind=Kind.SET_NOT_NULL)
    elif cursor.accept("drop", "not", "null") or cursor.accept("set", "null"):
        yield replace(step, kind=Kind.DROP_NOT_NULL)
    elif cursor.accept("drop", "default"):
        yield replace(step, kind=Kind.DROP_DEFAULT)
    elif cursor.accept("set", "default"):
        empty = cursor.low == "null"
        yield replace(step, kind=Kind.DROP_DEFAULT if empty else Kind.SET_DEFAULT)
    elif cursor.ahead("drop", "expression") or cursor.ahead("drop", "identity"):
        yield replace(step, kind=Kind.DROP_DEFAULT)
    elif cursor.ahead("add", "generated") or cursor.ahead("restart"):
        yield replace(step, kind=Kind.SET_DEFAULT)
    elif cursor.ahead("set", "statistics") or cursor.ahead("set", "storage"):
        yield replace(step, kind=Kind.NOTHING)
    elif cursor.accept("type") or cursor.accept("set", "data", "type"):
        yield _typed(step, cursor.rest())
    elif cursor.done or cursor.low in {"set", "drop", "add", "reset"}:
        yield step
    else:
        yield _typed(step, cursor.rest())


def _changed(base: Step, cursor: Cursor) -> Iterator[Step]:
    cursor.accept("column")
    cursor.existence()
    old, new = cursor.name(), cursor.name()
    if old.lower() != new.lower():
        yield replace(base, kind=Kind.RENAME_COLUMN, columns=(old,), name=new)
    yield _typed(replace(base, columns=(old,)), cursor.rest())


def _typed(step: Step, rest: tuple[Token, ...]) -> Step:
    column = column_of(rest)
    new = column.type if not has(rest, "using") else f"{column.type} by an expression"
    return replace(
        step, kind=Kind.CHANGE_TYPE, type=new, nullable=column.nullable, default=column.default
    )
