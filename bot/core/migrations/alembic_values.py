"""What stands around the operations in an Alembic migration: values, texts, harmless calls."""

import ast
from dataclasses import replace
from typing import Final

from bot.core.migrations.steps import Kind, Step
from bot.core.migrations.syntax import last_name, text_of

HARMLESS: Final = frozenset(
    {
        "op.get_bind",
        "op.get_context",
        "op.f",
        "sa.inspect",
        "inspect",
        "print",
        "op.batch_alter_table",
        "len",
        "str",
        "int",
        "list",
        "set",
        "dict",
        "sorted",
        "isinstance",
        "context.is_offline_mode",
        "sa.table",
        "sa.column",
        "table",
        "column",
        "range",
        "enumerate",
        "zip",
        "any",
        "all",
        "op.inline_literal",
        "Inspector.from_engine",
        "sa.text",
        "text",
        "tuple",
        "getattr",
        "hasattr",
        "super",
        "min",
        "max",
    }
)
HARMLESS_METHODS: Final = frozenset(
    {
        "get_columns",
        "get_table_names",
        "get_indexes",
        "get_unique_constraints",
        "get_foreign_keys",
        "get_pk_constraint",
        "has_table",
        "autocommit_block",
        "info",
        "debug",
        "warning",
        "format",
        "join",
        "get_context",
        "get_bind",
        "has_column",
        "append",
        "add",
        "lower",
        "upper",
        "items",
        "keys",
        "values",
        "get",
        "startswith",
        "endswith",
        "strip",
        "fetchall",
        "fetchone",
        "scalar",
        "scalars",
        "first",
        "mappings",
        "get_check_constraints",
        "split",
        "replace",
        "get_view_names",
        "current_timestamp",
        "now",
        "with_variant",
        "extend",
        "label",
        "begin_nested",
        "error",
    }
)


def is_pure(call: ast.Call) -> bool:
    """Whether what is called only makes a value: a type, a table that is described, a literal."""
    name = last_name(call.func)
    return (name[:1].isupper() and name not in {"Session", "DDL"}) or name in {
        "sessionmaker",
        "desc",
    }


def expression(node: ast.expr | None, base: Step) -> Step:
    """What an expression of SQLAlchemy does, by the method that begins it."""
    while isinstance(node, ast.Call):
        name = last_name(node.func)
        if name in {"update", "delete", "insert", "select"}:
            kind = {"insert": Kind.INSERT, "select": Kind.NOTHING}.get(name, Kind.DATA)
            return replace(base, kind=kind)
        node = node.func.value if isinstance(node.func, ast.Attribute) else None
    return replace(
        base, kind=Kind.CODE, detail="it runs SQL that is only put together while it runs"
    )


def strings(body: list[ast.stmt]) -> dict[str, str]:
    """Names that are given a string literal."""
    found: dict[str, str] = {}
    for node in body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, text = node.targets[0], text_of(node.value) or joined(node.value)
            if isinstance(target, ast.Name) and text:
                found[target.id] = text
    return found


def joined(node: ast.expr | None) -> str:
    """An f-string as SQL, where only names stand in its braces; empty of anything else."""
    if isinstance(node, ast.Call) and last_name(node.func) == "text" and node.args:
        node = node.args[0]
    if not isinstance(node, ast.JoinedStr):
        return ""
    pieces: list[str] = []
    for value in node.values:
        if isinstance(value, ast.Constant):
            pieces.append(str(value.value))
        elif isinstance(value, ast.FormattedValue):
            pieces.append("${" + (last_name(value.value) or "value") + "}")
    text = "".join(pieces)
    return text if not text.lstrip().startswith("$") else ""
