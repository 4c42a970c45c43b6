"""Reads Django's migrations as syntax trees: the operations, never the models."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from bot.core.migrations.certain import is_plain
from bot.core.migrations.django_fields import field_step, fields_of
from bot.core.migrations.sql_file import read_sql
from bot.core.migrations.steps import Kind, Step
from bot.core.migrations.syntax import (
    Source,
    UnreadableError,
    argument,
    given,
    last_name,
    parsed,
    shown,
    text_of,
    texts_of,
)

_DEEPEST: Final = 8
_MOST_PARTS: Final = 10_000
"""Operations and lists of them that are read."""


def read_django(_: str, text: str) -> Iterator[Step]:
    """Tell what the operations of a migration do to the database; never raises."""
    try:
        module = parsed(text)
    except UnreadableError as reason:
        yield Step(Kind.UNKNOWN, 1, text[:200], detail=str(reason))
        return
    migration = next(
        (
            node
            for node in module.body
            if isinstance(node, ast.ClassDef) and node.name == "Migration"
        ),
        None,
    )
    if migration is None:
        yield Step(Kind.UNKNOWN, 1, text[:200], detail="it has no class named Migration")
        return
    names = {
        target.id: node.value
        for node in [*module.body, *migration.body]
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if (replaces := names.get("replaces")) and not (
        isinstance(replaces, ast.List) and not replaces.elts
    ):
        detail = "it squashes older migrations: databases that have run those skip it"
        yield Step(Kind.NOTICE, replaces.lineno, shown(replaces), detail=detail)
    if not is_plain(module, migration):
        detail = "its operations are not one plain list, so it may do more than is written there"
        yield Step(Kind.UNKNOWN, migration.lineno, "class Migration", detail=detail)
    reader = _Reader(text, names)
    yield from reader.operations(names.get("operations"), 0)
    for node in ast.walk(migration):
        if isinstance(node, ast.FunctionDef) and node.name in {"apply", "database_forwards"}:
            detail = f"its {node.name}() runs code of its own"
            yield Step(Kind.CODE, node.lineno, f"def {node.name}", detail=detail)


class _Reader:
    def __init__(self, text: str, names: dict[str, ast.expr]) -> None:
        self.source = Source(text)
        self.names = names
        self.left = _MOST_PARTS

    def operations(self, node: ast.expr | None, depth: int) -> Iterator[Step]:
        """Read a list of operations, or sums of lists."""
        self.left -= 1
        if node is None or self.left < -1:
            return
        if depth > _DEEPEST or self.left < 0:
            detail = "its operations are too many, or nest too deep"
            yield Step(Kind.UNKNOWN, node.lineno, shown(node), detail=detail)
        elif isinstance(node, ast.List | ast.Tuple):
            for one in node.elts:
                yield from self.operations(
                    one.value if isinstance(one, ast.Starred) else one, depth + 1
                )
        elif isinstance(node, ast.BinOp):
            yield from self.operations(node.left, depth + 1)
            yield from self.operations(node.right, depth + 1)
        elif isinstance(node, ast.Name) and node.id in self.names:
            yield from self.operations(self.names[node.id], depth + 1)
        elif isinstance(node, ast.ListComp):
            yield from self.operations(node.elt, depth + 1)
        elif isinstance(node, ast.Call):
            yield from self._operation(node, depth)
        else:
            detail = "its operations are put together while it runs"
            yield Step(Kind.UNKNOWN, node.lineno, shown(node), detail=detail)

    def _operation(self, call: ast.Call, depth: int) -> Iterator[Step]:
        name = last_name(call.func)
        source = self.source.of(call)
        base = Step(Kind.UNKNOWN, call.lineno, source.removeprefix("migrations."))
        if name == "SeparateDatabaseAndState":
            yield from self.operations(argument(call, "database_operations", 0), depth + 1)
        elif name == "RunSQL":
            yield from self._sql(argument(call, "sql", 0), base)
        elif name == "RunPython":
            code = argument(call, "code", 0)
            if code is not None and last_name(code) == "noop":
                yield replace(base, kind=Kind.NOTHING)
            else:
                called = last_name(code) if code is not None else ""
                detail = f"it runs {called or 'Python'}, which may change any data"
                yield replace(base, kind=Kind.CODE, detail=detail)
        elif name in _HARMLESS or name.endswith("Extension"):
            yield replace(base, kind=Kind.NOTHING)
        elif name in _OPERATIONS:
            yield from _OPERATIONS[name](call, base)
        else:
            yield replace(base, detail=f"nobody has taught the bot what {name or 'this'} does")

    def _sql(self, node: ast.expr | None, base: Step) -> Iterator[Step]:
        if isinstance(node, ast.Name) and node.id in self.names:
            node = self.names[node.id]
        if node is not None and last_name(node) == "noop":
            yield replace(base, kind=Kind.NOTHING)
            return
        pieces = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
        for piece in pieces:
            first = (
                piece.elts[0] if isinstance(piece, ast.Tuple | ast.List) and piece.elts else piece
            )
            text = text_of(first)
            if text or (isinstance(first, ast.Constant) and first.value in {"", None}):
                at = first.lineno if first is not None else base.line
                for step in read_sql(text, "postgres", at):
                    yield replace(step, line=base.line)
            else:
                detail = "it runs SQL that is only put together while it runs"
                yield replace(base, kind=Kind.CODE, detail=detail)


_HARMLESS: Final = frozenset(
    {
        "AlterModelOptions",
        "AlterModelManagers",
        "AlterModelTableComment",
        "AlterIndexTogether",
        "AddIndex",
        "AddIndexConcurrently",
        "RemoveIndex",
        "RemoveIndexConcurrently",
        "RenameIndex",
        "ValidateConstraint",
        "CreateCollation",
    }
)


def _model(call: ast.Call, name: str = "model_name") -> str:
    return text_of(argument(call, name, 0)).lower() or "a model"


def _create_model(call: ast.Call, base: Step) -> Iterator[Step]:
    name = _model(call, "name")
    yield replace(
        base,
        kind=Kind.CREATE,
        what="table",
        name=name,
        table=name,
        fields=fields_of(argument(call, "fields", 1)),
    )


def _delete_model(call: ast.Call, base: Step) -> Iterator[Step]:
    name = _model(call, "name")
    yield replace(base, kind=Kind.DROP, what="table", name=name, table=name)


def _rename_model(call: ast.Call, base: Step) -> Iterator[Step]:
    yield replace(
        base,
        kind=Kind.RENAME,
        what="table",
        table=_model(call, "old_name"),
        name=text_of(argument(call, "new_name", 1)).lower(),
    )


def _model_table(call: ast.Call, base: Step) -> Iterator[Step]:
    yield replace(
        base,
        kind=Kind.RENAME,
        what="table",
        table=_model(call, "name"),
        name=text_of(argument(call, "table", 1)),
    )


def _field(kind: Kind) -> Callable[[ast.Call, Step], Iterator[Step]]:
    def read(call: ast.Call, base: Step) -> Iterator[Step]:
        name = text_of(argument(call, "name", 1))
        step = replace(base, kind=kind, table=_model(call), columns=(name,))
        field = argument(call, "field", 2)
        yield field_step(step, field)

    return read


def _remove_field(call: ast.Call, base: Step) -> Iterator[Step]:
    name = text_of(argument(call, "name", 1))
    yield replace(base, kind=Kind.DROP_COLUMN, table=_model(call), columns=(name,))


def _rename_field(call: ast.Call, base: Step) -> Iterator[Step]:
    yield replace(
        base,
        kind=Kind.RENAME_COLUMN,
        table=_model(call),
        columns=(text_of(argument(call, "old_name", 1)),),
        name=text_of(argument(call, "new_name", 2)),
    )


def _unique_together(call: ast.Call, base: Step) -> Iterator[Step]:
    table = _model(call, "name")
    node = argument(call, "unique_together", 1)
    groups = _groups(node)
    if groups == []:
        yield replace(base, kind=Kind.DROP_CONSTRAINT, table=table)
        return
    for columns in groups if groups is not None else [()]:
        yield replace(base, kind=Kind.UNIQUE, table=table, columns=columns)


def _groups(node: ast.expr | None) -> list[tuple[str, ...]] | None:
    """The groups of columns that are unique together; None where they cannot be read."""
    if isinstance(node, ast.Call) and last_name(node.func) == "set":
        return [] if not node.args else _groups(node.args[0])
    if isinstance(node, ast.Constant) and node.value is None:
        return []
    if not isinstance(node, ast.Set | ast.List | ast.Tuple):
        return None
    flat = texts_of(node)
    if flat and not isinstance(node, ast.Set):
        return [flat]
    return [texts_of(one) for one in node.elts]


def _constraint(call: ast.Call, base: Step) -> Iterator[Step]:
    table = _model(call)
    made = argument(call, "constraint", 1)
    step = replace(base, table=table)
    if not isinstance(made, ast.Call):
        yield replace(step, detail="the constraint is described somewhere else")
    elif last_name(made.func) == "UniqueConstraint":
        loose = argument(made, "nulls_distinct") is None
        columns = texts_of(argument(made, "fields")) if loose else ()
        yield replace(step, kind=Kind.UNIQUE, columns=columns)
    elif last_name(made.func) == "ExclusionConstraint":
        yield replace(step, kind=Kind.UNIQUE)
    else:
        yield replace(step, kind=Kind.CHECK)


def _remove_constraint(call: ast.Call, base: Step) -> Iterator[Step]:
    yield replace(base, kind=Kind.DROP_CONSTRAINT, table=_model(call))


def _order(call: ast.Call, base: Step) -> Iterator[Step]:
    if given(call, "order_with_respect_to") or len(call.args) > 1:
        yield replace(
            base,
            kind=Kind.ADD_COLUMN,
            table=_model(call, "name"),
            columns=("_order",),
            nullable=False,
        )
    else:
        yield replace(base, kind=Kind.DROP_COLUMN, table=_model(call, "name"), columns=("_order",))


_OPERATIONS: Final[dict[str, Callable[[ast.Call, Step], Iterator[Step]]]] = {
    "CreateModel": _create_model,
    "DeleteModel": _delete_model,
    "RenameModel": _rename_model,
    "AlterModelTable": _model_table,
    "AddField": _field(Kind.ADD_COLUMN),
    "AlterField": _field(Kind.ALTER_FIELD),
    "RemoveField": _remove_field,
    "RenameField": _rename_field,
    "AlterUniqueTogether": _unique_together,
    "AddConstraint": _constraint,
    "AddConstraintNotValid": _constraint,
    "RemoveConstraint": _remove_constraint,
    "AlterOrderWithRespectTo": _order,
}
