"""How far a migration that has run can be read for sure: what it may have done unseen."""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from bot.core.migrations.known import ALL, plain
from bot.core.migrations.links import class_of
from bot.core.migrations.steps import Kind, Step
from bot.core.migrations.syntax import argument, last_name, shown

Scope = tuple[str, str]
"""A table and a column whose type a step may have changed; `ALL` in place of any."""
EVERYTHING: Final[Scope] = (ALL, ALL)

_NAME: Final = re.compile(r"[\w$.-]+")
_DEFINES: Final = re.compile(
    r"(?i)\b(?:alter|rename|drop|create)\s+(?:\w+\s+){0,2}(?:table|domain)\b"
)
_ON_COLUMNS: Final = frozenset(
    {
        Kind.ADD_COLUMN,
        Kind.DROP_COLUMN,
        Kind.RENAME_COLUMN,
        Kind.CHANGE_TYPE,
        Kind.ALTER_FIELD,
        Kind.SET_NOT_NULL,
        Kind.DROP_NOT_NULL,
    }
)
_BRANCHES: Final = (
    *(ast.If, ast.For, ast.While, ast.Try, ast.IfExp, ast.Match, ast.Return),
    *(ast.ListComp, ast.GeneratorExp, ast.BoolOp),
)
_PLAIN: Final = (ast.Import, ast.ImportFrom, ast.Assign, ast.FunctionDef, ast.ClassDef)
_BELOW: Final = frozenset(
    {"execute", "executemany", "cursor", "connection", "connections", "call_command", "exec"}
)


def scopes(step: Step) -> Iterator[Scope]:
    """What a step may have changed of what is known of columns."""
    if step.kind in _ON_COLUMNS:
        yield from (_scope(step.table, column) for column in step.columns or ("",))
        if step.kind is Kind.RENAME_COLUMN:
            yield _scope(step.table, step.name)
    elif step.kind in {Kind.CREATE, Kind.DROP, Kind.RENAME}:
        if step.what == "table":
            yield _scope(step.name, ALL)
            if step.kind is Kind.RENAME:
                yield _scope(step.table, ALL)
        elif "table" in step.what or step.what in {"", "schema", "database", "domain"}:
            yield EVERYTHING
    elif step.kind is Kind.UNKNOWN or (
        step.kind is Kind.CODE and not step.text.startswith("RunPython(")
    ):
        yield EVERYTHING


def _scope(table: str, column: str) -> Scope:
    if not _NAME.fullmatch(table) or not (column == ALL or _NAME.fullmatch(column)):
        return EVERYTHING  # a variable's name, which may stand for any
    return plain(table), column if column == ALL else plain(column)


def may_hide(tool: str, module: ast.Module, text: str) -> bool:
    """Whether a file may have changed columns in a way that no step of it shows."""
    if tool == "alembic":
        return False
    migration = class_of(module)
    if migration is None or not is_plain(module, migration):
        return True
    if "SeparateDatabaseAndState" in text or ("RunSQL" in text and _DEFINES.search(text)):
        return True
    return "RunPython" in text and not _is_on_models(module)


def is_in_doubt(tool: str, module: ast.Module, text: str) -> bool:
    """Whether what a file's steps say of columns may not be what has come of them."""
    if tool == "django":
        return "db_default" in text  # whose loss would not show afterwards
    return any(
        isinstance(inner, _BRANCHES)
        for node in module.body
        if not (isinstance(node, ast.FunctionDef) and "downgrade" in node.name)
        for inner in ast.walk(node)
    )


def is_plain(module: ast.Module, migration: ast.ClassDef) -> bool:
    """Whether a migration's operations are one list that nothing adds to."""
    if [shown(one) for one in migration.bases] not in ([], ["migrations.Migration"]):
        return False
    if migration.keywords or migration.decorator_list:
        return False
    lists = 0
    for node in (*module.body, *migration.body):
        if isinstance(node, ast.Expr | ast.Pass):
            if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant):
                return False
            continue
        if isinstance(node, ast.ClassDef) and node is not migration:
            return False  # an operation of its own, maybe by the name of Django's
        if not isinstance(node, _PLAIN) or getattr(node, "name", "") in {"__init__", "apply"}:
            return False
        if isinstance(node, ast.Assign):
            if not all(isinstance(one, ast.Name) for one in node.targets):
                return False
            lists += any(
                isinstance(one, ast.Name) and one.id == "operations" for one in node.targets
            )
    return lists == 1


def _is_on_models(module: ast.Module) -> bool:
    """Whether the Python that is run works through models, and never on the database itself."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    names = {function.name for function in functions}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and last_name(node.func) == "RunPython":
            code = argument(node, "code", 0)
            named = isinstance(code, ast.Name) and code.id in names
            if not named and not (isinstance(code, ast.Attribute) and code.attr == "noop"):
                return False
    editors = {one.arg for function in functions for one in function.args.args[1:2]}
    return not any(_reaches_below(node, editors) for node in _without_alias(module))


def _reaches_below(node: ast.AST, editors: set[str]) -> bool:
    if isinstance(node, ast.alias):
        return node.name in _BELOW
    if isinstance(node, ast.Attribute):
        return node.attr in _BELOW
    return isinstance(node, ast.Name) and (node.id in _BELOW or node.id in editors)


def _without_alias(module: ast.Module) -> Iterator[ast.AST]:
    """Every node, but for `schema_editor.connection.alias`, which only names the database."""
    todo: list[ast.AST] = [module]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Attribute) and node.attr in {"alias", "vendor"}:
            inner = node.value
            if isinstance(inner, ast.Attribute) and inner.attr == "connection":
                continue
        yield node
        todo += ast.iter_child_nodes(node)


def all_scopes(steps: Sequence[Step]) -> frozenset[Scope]:
    """What the steps of one file may have changed."""
    return frozenset(scope for step in steps for scope in scopes(step))
