"""What each operation of Alembic does."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from bot.core.migrations.steps import Field, Kind, Step
from bot.core.migrations.syntax import (
    argument,
    given,
    is_false,
    is_none,
    is_true,
    last_name,
    shown,
    text_of,
    texts_of,
)

UNREAD: Final = "nobody has taught the bot what op.{method} does"

_TYPES: Final = {
    "Text": "text",
    "UnicodeText": "text",
    "TEXT": "text",
    "Integer": "int",
    "INTEGER": "int",
    "BigInteger": "bigint",
    "BIGINT": "bigint",
    "SmallInteger": "smallint",
    "SMALLINT": "smallint",
    "String": "varchar",
    "VARCHAR": "varchar",
    "Unicode": "varchar",
    "Numeric": "numeric",
    "NUMERIC": "numeric",
    "LONGTEXT": "longtext",
    "MEDIUMTEXT": "mediumtext",
    "Boolean": "boolean",
    "BOOLEAN": "boolean",
    "Float": "float",
    "Double": "double",
}


def type_of(node: ast.expr | None) -> str:
    """A type of SQLAlchemy as SQL would write it."""
    if node is None:
        return ""
    call = node if isinstance(node, ast.Call) else None
    name = last_name(call.func if call else node)
    known = _TYPES.get(name)
    if known is None:
        return shown(node).lower()
    if call is None:
        return known
    sizes = [
        shown(one)
        for one in (
            *call.args,
            *(
                word.value
                for word in call.keywords
                if word.arg in {"length", "precision", "scale"}
            ),
        )
    ]
    sizes = [size for size in sizes if size != "None"]
    return f"{known}({','.join(sizes)})" if sizes and known in {"varchar", "numeric"} else known


def _fields(call: ast.Call) -> tuple[Field, ...]:
    """The columns that create_table lists."""
    return tuple(
        Field(
            text_of(one.args[0]),
            type_of(argument(one, "type_", 1)),
            not is_false(argument(one, "nullable")),
        )
        for one in call.args
        if isinstance(one, ast.Call) and last_name(one.func) == "Column" and one.args
    )


def _name(call: ast.Call, name: str, position: int) -> str:
    node = argument(call, name, position)
    text = text_of(node)
    if text or node is None or is_none(node):
        return text
    return "${" + shown(node)[:40] + "}"


def _table(call: ast.Call, table: str, position: int, name: str = "table_name") -> tuple[str, int]:
    """The table, and how many arguments stand before the others: none within a batch."""
    if table:
        return table, position
    schema = text_of(argument(call, "schema"))
    found = _name(call, name, position)
    return (f"{schema}.{found}" if schema else found), position + 1


def _add_column(call: ast.Call, base: Step, table: str) -> Iterator[Step]:
    table, at = _table(call, table, 0)
    column = argument(call, "column", at)
    if not isinstance(column, ast.Call):
        yield replace(
            base,
            kind=Kind.ADD_COLUMN,
            table=table,
            detail="the column is described somewhere else",
        )
        return
    name = _name(column, "name", 0)
    filled = given(column, "server_default") or any(
        isinstance(one, ast.Call) and last_name(one.func) in {"Identity", "Computed"}
        for one in column.args[1:]
    )
    nullable = argument(column, "nullable")
    required = is_false(nullable) or (given(column, "primary_key") and nullable is None)
    yield replace(
        base,
        kind=Kind.ADD_COLUMN,
        table=table,
        columns=(name,),
        default=filled,
        nullable=not required,
        unique=given(column, "unique"),
        type=type_of(argument(column, "type_", 1)),
        detail=""
        if nullable is None or isinstance(nullable, ast.Constant)
        else "whether the column takes NULL is only known while it runs",
    )


def _alter_column(call: ast.Call, base: Step, table: str) -> Iterator[Step]:
    table, at = _table(call, table, 0)
    step = replace(base, table=table, columns=(_name(call, "column_name", at),))
    found: list[Step] = []
    new_name = argument(call, "new_column_name")
    if new_name is not None:
        found.append(replace(step, kind=Kind.RENAME_COLUMN, name=text_of(new_name)))
    if argument(call, "type_") is not None:
        expression = any((word.arg or "").endswith("_using") for word in call.keywords)
        new = type_of(argument(call, "type_"))
        former = type_of(argument(call, "existing_type"))
        found.append(
            replace(
                step,
                kind=Kind.CHANGE_TYPE,
                former=former,
                type=f"{new} by an expression" if expression and former != new else new,
            )
        )
    nullable = argument(call, "nullable", at + 1)
    if nullable is not None:
        kind = Kind.DROP_NOT_NULL if is_true(nullable) else Kind.SET_NOT_NULL
        found.append(replace(step, kind=kind))
    default = argument(call, "server_default")
    if default is not None:
        gone = is_none(default) or is_false(default)
        found.append(replace(step, kind=Kind.DROP_DEFAULT if gone else Kind.SET_DEFAULT))
    yield from found or [replace(step, kind=Kind.NOTHING)]


def _create_table(call: ast.Call, base: Step, _: str) -> Iterator[Step]:
    name, __ = _table(call, "", 0)
    yield replace(
        base, kind=Kind.CREATE, what="table", name=name, table=name, fields=_fields(call)
    )


def _drop_table(call: ast.Call, base: Step, _: str) -> Iterator[Step]:
    name, __ = _table(call, "", 0)
    yield replace(base, kind=Kind.DROP, what="table", name=name, table=name)


def _rename_table(call: ast.Call, base: Step, _: str) -> Iterator[Step]:
    old = _name(call, "old_table_name", 0)
    new = _name(call, "new_table_name", 1)
    yield replace(base, kind=Kind.RENAME, what="table", table=old, name=new)


def _drop_column(call: ast.Call, base: Step, table: str) -> Iterator[Step]:
    table, at = _table(call, table, 0)
    yield replace(
        base, kind=Kind.DROP_COLUMN, table=table, columns=(_name(call, "column_name", at),)
    )


def _create_index(call: ast.Call, base: Step, table: str) -> Iterator[Step]:
    table, at = _table(call, table, 1)
    unique = argument(call, "unique", at + 1)
    sure = unique is None or is_false(unique)
    yield replace(
        base,
        kind=Kind.CREATE if sure else Kind.UNIQUE,
        what="index",
        table=table,
        name=_name(call, "index_name", 0),
        columns=texts_of(argument(call, "columns", at)),
    )


def _drop_index(call: ast.Call, base: Step, _: str) -> Iterator[Step]:
    yield replace(base, kind=Kind.DROP, what="index", name=_name(call, "index_name", 0))


def _constraint(kind: Kind, columns: str) -> Callable[[ast.Call, Step, str], Iterator[Step]]:
    def read(call: ast.Call, base: Step, table: str) -> Iterator[Step]:
        within = bool(table)
        name = "source_table" if kind is Kind.FOREIGN_KEY else "table_name"
        table, at = _table(call, table, 1, name)
        if kind is Kind.FOREIGN_KEY:
            at = 2 if within else 3
        names = texts_of(argument(call, columns, at)) if kind is not Kind.CHECK else ()
        yield replace(base, kind=kind, what="constraint", table=table, columns=names)

    return read


def _drop_constraint(call: ast.Call, base: Step, table: str) -> Iterator[Step]:
    table, at = _table(call, table, 1)
    name = _name(call, "constraint_name", 0)
    key = text_of(argument(call, "type_", at)) == "primary" or name.endswith("_pkey")
    yield replace(
        base, kind=Kind.DROP_PRIMARY_KEY if key else Kind.DROP_CONSTRAINT, table=table, name=name
    )


def _nothing(_: ast.Call, base: Step, __: str) -> Iterator[Step]:
    yield replace(base, kind=Kind.NOTHING)


CALLS: Final[dict[str, Callable[[ast.Call, Step, str], Iterator[Step]]]] = {
    "add_column": _add_column,
    "alter_column": _alter_column,
    "create_table": _create_table,
    "drop_table": _drop_table,
    "rename_table": _rename_table,
    "drop_column": _drop_column,
    "create_index": _create_index,
    "drop_index": _drop_index,
    "create_unique_constraint": _constraint(Kind.UNIQUE, "columns"),
    "create_check_constraint": _constraint(Kind.CHECK, "condition"),
    "create_foreign_key": _constraint(Kind.FOREIGN_KEY, "local_cols"),
    "create_primary_key": _constraint(Kind.PRIMARY_KEY, "columns"),
    "create_exclude_constraint": _constraint(Kind.UNIQUE, ""),
    "drop_constraint": _drop_constraint,
    "create_table_comment": _nothing,
    "drop_table_comment": _nothing,
}
