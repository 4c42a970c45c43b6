"""Reads one SQL statement of any dialect into steps."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from bot.core.migrations.cursor import Cursor, has, lows, names_in, parts
from bot.core.migrations.sql_alter import read_alter_table
from bot.core.migrations.sql_columns import fields_of
from bot.core.migrations.sql_data import read_call, read_data, read_insert, read_select
from bot.core.migrations.sql_heads import lead, name_after, what_of
from bot.core.migrations.sql_text import Sql
from bot.core.migrations.steps import Kind, Step

_SILENT: Final = frozenset(
    {
        "set",
        "begin",
        "commit",
        "start",
        "use",
        "analyze",
        "vacuum",
        "pragma",
        "comment",
        "grant",
        "lock",
        "unlock",
        "reindex",
        "reset",
        "show",
        "print",
        "discard",
        "savepoint",
        "release",
        "end",
        "optimize",
        "notify",
        "go",
        "raise",
        "return",
        "null",
        "declare",
        "checkpoint",
        "deallocate",
        "cluster",
        "security",
        "flush",
        "explain",
        "validate",
    }
)


def read_statement(sql: Sql) -> Iterator[Step]:
    """Tell what a statement does; an unknown step where that is not understood."""
    cursor = Cursor(sql.tokens)
    base = Step(Kind.UNKNOWN, sql.line, sql.text)
    first = cursor.low
    reader = _READERS.get(first)
    if reader is not None:
        cursor.at += 1
        yield from reader(sql, cursor, base)
    elif first in _SILENT:
        yield replace(base, kind=Kind.NOTHING)
    else:
        yield base


def _create(sql: Sql, cursor: Cursor, base: Step) -> Iterator[Step]:
    said = lead(cursor)
    what = what_of(cursor)
    if not what:
        yield base
        return
    cursor.accept("concurrently")
    sure = not cursor.existence()
    if what == "index":
        yield _index(cursor, replace(base, what=what), unique="unique" in said)
        return
    name = cursor.name()
    step = replace(
        base, kind=Kind.CREATE, what=what, name=name, table=name if what == "table" else ""
    )
    if what == "table":
        step = replace(step, fields=fields_of(cursor.bracket()), if_missing=not sure)
    if what in {"trigger", "policy", "rule"}:
        table = name_after(sql.tokens, "to" if what == "rule" else "on")
        kind = Kind.POLICY if what == "policy" else Kind.CREATE
        step = replace(step, kind=kind, table=table, what="trigger" if what == "rule" else what)
    elif {"replace", "alter"} & said and what != "extension" and "temporary" not in said:
        step = replace(step, kind=Kind.REPLACE)
    elif what == "event" and "trigger" not in said and sure:
        step = replace(step, kind=Kind.UNKNOWN)
    yield step
    if what == "table" and has(sql.tokens, "partition", "of"):
        return


def _index(cursor: Cursor, step: Step, *, unique: bool) -> Step:
    name = "" if cursor.low == "on" else cursor.name()
    cursor.accept("on")
    cursor.accept("only")
    table = cursor.name()
    if cursor.accept("using"):
        cursor.name()
    columns = names_in(cursor.bracket())
    rest = cursor.rest()
    if not unique:
        return replace(step, kind=Kind.CREATE, name=name, table=table)
    if has(rest, "nulls", "not", "distinct"):
        columns = ()
    return replace(step, kind=Kind.UNIQUE, name=name, table=table, columns=columns)


def _drop(sql: Sql, cursor: Cursor, base: Step) -> Iterator[Step]:
    if cursor.accept("owned") or cursor.ahead("statistics"):
        yield replace(base, kind=Kind.UNKNOWN)
        return
    said = lead(cursor)
    what = what_of(cursor)
    if not what:
        yield base
        return
    if "temporary" in said:
        yield replace(base, kind=Kind.NOTHING)
        return
    cursor.accept("concurrently")
    cursor.existence()
    if what == "policy":
        yield replace(base, kind=Kind.POLICY, table=name_after(sql.tokens, "on"))
        return
    on = name_after(sql.tokens, "on") if what == "trigger" else ""
    for part in parts(cursor.rest()):
        if name := Cursor(part).name():
            table = name if what == "table" else on
            yield replace(base, kind=Kind.DROP, what=what, name=name, table=table)


def _alter(sql: Sql, cursor: Cursor, base: Step) -> Iterator[Step]:
    if (
        cursor.accept("foreign", "table")
        or cursor.accept("ignore", "table")
        or cursor.accept("table")
    ):
        yield from read_alter_table(sql, cursor)
        return
    if cursor.ahead("default", "privileges"):
        taken = has(sql.tokens, "revoke")
        yield replace(base, kind=Kind.REVOKE if taken else Kind.NOTHING)
        return
    if cursor.ahead("policy"):
        yield replace(base, kind=Kind.POLICY, table=name_after(sql.tokens, "on"))
        return
    lead(cursor)
    what = what_of(cursor)
    cursor.existence()
    name = cursor.name()
    step = replace(base, what=what, name=name)
    if what == "type" and name:
        yield _altered_type(cursor, step)
    elif what in {"index", "statistics", "publication", "extension"}:
        yield replace(step, kind=Kind.NOTHING)
    elif cursor.bracket() is not None and cursor.accept("rename", "to"):
        yield replace(step, kind=Kind.RENAME, table=name, name=cursor.name())
    elif what == "view" and cursor.low == "as":
        yield replace(step, kind=Kind.REPLACE)
    elif (
        what == "sequence" and not {"restart", "rename", "set", "cycle"} & set(lows(cursor.rest()))
    ) or (what in {"function", "procedure"} and cursor.accept("owner")):
        yield replace(step, kind=Kind.NOTHING)
    else:
        yield step


def _altered_type(cursor: Cursor, step: Step) -> Step:
    if cursor.ahead("add", "value") or cursor.ahead("owner"):
        return replace(
            step, kind=Kind.NOTHING, detail=f"stable does not write the new value of {step.name}"
        )
    if cursor.ahead("rename", "value") or cursor.ahead("rename", "attribute"):
        return replace(step, kind=Kind.CHANGE_VALUES)
    if cursor.accept("rename", "to"):
        return replace(step, kind=Kind.RENAME, table=step.name, name=cursor.name())
    return replace(step, kind=Kind.CHANGE_VALUES) if cursor.low == "drop" else step


def _rename(_: Sql, cursor: Cursor, base: Step) -> Iterator[Step]:
    if not cursor.accept("table"):
        yield base
        return
    for part in parts(cursor.rest()):
        pair = Cursor(part)
        old = pair.name()
        pair.accept("to")
        yield replace(base, kind=Kind.RENAME, what="table", table=old, name=pair.name())


def _truncate(_: Sql, cursor: Cursor, base: Step) -> Iterator[Step]:
    cursor.accept("table")
    for part in parts(cursor.rest()):
        inner = Cursor(part)
        inner.accept("only")
        yield replace(base, kind=Kind.EMPTY, table=inner.name())


def _revoke(_: Sql, __: Cursor, base: Step) -> Iterator[Step]:
    yield replace(base, kind=Kind.REVOKE)


_READERS: Final[dict[str, Callable[[Sql, Cursor, Step], Iterator[Step]]]] = {
    "create": _create,
    "drop": _drop,
    "alter": _alter,
    "rename": _rename,
    "truncate": _truncate,
    "revoke": _revoke,
    "insert": read_insert,
    "replace": read_insert,
    "update": read_data,
    "delete": read_data,
    "merge": read_data,
    "with": read_data,
    "copy": read_insert,
    "load": read_insert,
    "select": read_select,
    "values": read_select,
    "call": read_call,
    "exec": read_call,
    "execute": read_call,
    "sp_rename": read_call,
}
