"""Reads statements that change or ask for data, or that call what is stored in the database."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bot.core.migrations.cursor import Cursor, has, lows, outer, parts
from bot.core.migrations.sql_text import Sql
from bot.core.migrations.steps import Kind, Step

_PURE: Final = frozenset(
    {
        "set_config",
        "setval",
        "nextval",
        "currval",
        "count",
        "coalesce",
        "max",
        "min",
        "now",
        "pg_sleep",
        "current_setting",
        "concat",
        "if",
        "ifnull",
        "nullif",
        "to_regclass",
        "quote_ident",
        "database",
        "pg_get_serial_sequence",
        "lower",
        "upper",
        "sum",
        "length",
        "cast",
        "exists",
        "in",
        "values",
        "and",
        "or",
        "where",
        "from",
        "select",
        "as",
        "not",
        "on",
        "schema",
        "greatest",
        "version",
        "current_schema",
        "pg_advisory_lock",
        "pg_advisory_xact_lock",
        "pg_advisory_unlock",
        "md5",
        "any",
        "all",
        "over",
        "using",
        "join",
        "between",
        "like",
        "then",
        "else",
        "when",
        "case",
        "format",
        "quote_literal",
        "to_char",
        "object_id",
        "col_length",
        "avg",
        "round",
        "row_number",
    }
)


def read_insert(sql: Sql, cursor: Cursor, base: Step) -> Iterator[Step]:
    """Read INSERT, REPLACE, COPY and LOAD DATA; `cursor` is behind the first word."""
    cursor.accept_any("ignore", "overwrite")
    cursor.accept_any("into", "or")
    cursor.accept("ignore", "into") or cursor.accept("replace", "into")
    table = cursor.name()
    changes = (
        sql.opens("replace")
        or sql.opens("insert", "or", "replace")
        or has(sql.tokens, "do", "update")
        or has(sql.tokens, "on", "duplicate", "key", "update")
        or sql.opens("load")
        or (sql.opens("copy") and has(sql.tokens, "program"))
    )
    yield replace(base, kind=Kind.DATA if changes else Kind.INSERT, table=table)


def read_data(sql: Sql, cursor: Cursor, base: Step) -> Iterator[Step]:
    """Read UPDATE, DELETE, MERGE and what begins with WITH."""
    if sql.opens("delete"):
        cursor.accept("from")
        cursor.accept("only")
        table = cursor.name()
        some = {"where", "using", "join", "limit"} & set(lows(sql.tokens))
        yield replace(base, kind=Kind.DATA if some else Kind.EMPTY, table=table)
    elif sql.opens("update"):
        cursor.accept("only")
        table = cursor.name()
        yield replace(base, kind=Kind.DATA, table=table, columns=_set(cursor))
    elif sql.opens("with"):
        said = set(lows(sql.tokens))
        if not said & {"update", "delete", "insert", "merge"}:
            yield from read_select(sql, cursor, base)
        elif not said & {"update", "delete", "merge"}:
            yield replace(base, kind=Kind.INSERT, table=_inserted(sql))
        else:
            yield replace(base, kind=Kind.DATA)
    else:
        cursor.accept("into")
        yield replace(base, kind=Kind.DATA, table=cursor.name())


def _inserted(sql: Sql) -> str:
    low = lows(sql.tokens)
    at = next((at for at, one in enumerate(low) if low[at : at + 2] == ("insert", "into")), None)
    return "" if at is None else Cursor(sql.tokens, at + 2).name()


def _set(cursor: Cursor) -> tuple[str, ...]:
    """Tell the columns that an UPDATE sets, where all of them can be read."""
    rest = cursor.rest()
    low = lows(rest)
    if "set" not in low:
        return ()
    start = low.index("set") + 1
    clause = list(rest[start:])
    names: list[str] = []
    for part in parts(tuple(clause)):
        inner = Cursor(part)
        name = inner.name()
        if not name or inner.low != "=":
            return ()
        names.append(name.rpartition(".")[2])
        if {"where", "from"} & set(lows(outer(part))):
            break
    return tuple(names)


def read_select(sql: Sql, _: Cursor, base: Step) -> Iterator[Step]:
    """Read a question; one that calls functions of its own may do anything."""
    tokens = sql.tokens
    calls = {
        before.low
        for before, after in itertools.pairwise(tokens)
        if after.low == "(" and before.kind in {"word", "name"}
    }
    unknown = sorted(calls - _PURE)
    if has(tokens, "into") and sql.opens("select"):
        yield replace(base, detail="it makes a table or a variable of what it finds")
    elif unknown:
        called = unknown[0] or "a function"
        yield replace(base, kind=Kind.CODE, detail=f"it calls {called}, which may do anything")
    else:
        yield replace(base, kind=Kind.NOTHING)


def read_call(sql: Sql, cursor: Cursor, base: Step) -> Iterator[Step]:
    """Read a call of a procedure, or of SQL that is put together while it runs."""
    if sql.opens("sp_rename"):
        cursor.at = 0
    name = cursor.name()
    if name.lower().rpartition(".")[2] == "sp_rename":
        yield _sp_rename(cursor, base)
    elif not name:
        yield replace(
            base, kind=Kind.CODE, detail="it runs SQL that is only put together while it runs"
        )
    else:
        yield replace(base, kind=Kind.CODE, detail=f"it calls {name}, which may do anything")


def _sp_rename(cursor: Cursor, base: Step) -> Step:
    said = [token.text.lstrip("N").strip("'") for token in cursor.rest() if token.kind == "string"]
    if len(said) > 1 and said[-1].upper() == "COLUMN":
        table, _, column = said[0].rpartition(".")
        return replace(base, kind=Kind.RENAME_COLUMN, table=table, columns=(column,), name=said[1])
    if len(said) > 1 and said[-1].upper() in {"INDEX", "OBJECT"}:
        return replace(base, kind=Kind.RENAME, what="constraint", table=said[0], name=said[1])
    new = said[1] if len(said) > 1 else ""
    return replace(base, kind=Kind.RENAME, what="table", table=said[0] if said else "", name=new)
