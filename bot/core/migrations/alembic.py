"""Reads Alembic's migrations as syntax trees: what `upgrade()` does, and what it calls."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from bot.core.migrations.alembic_calls import CALLS, UNREAD
from bot.core.migrations.alembic_values import (
    HARMLESS,
    HARMLESS_METHODS,
    expression,
    is_pure,
    joined,
    strings,
)
from bot.core.migrations.sql_file import dialect_of, read_sql
from bot.core.migrations.steps import Kind, Step
from bot.core.migrations.syntax import (
    Source,
    UnreadableError,
    argument,
    dotted,
    last_name,
    parsed,
    shown,
    text_of,
)

_DEEPEST: Final = 8
_MOST_CALLS: Final = 300
"""Calls of a file's own functions that are followed."""
_MOST_STATEMENTS: Final = 10_000
"""Statements that are read, those of a function each time that it is called."""


def read_alembic(path: str, text: str) -> Iterator[Step]:
    """Tell what a migration's `upgrade()` does; never raises."""
    try:
        module = parsed(text)
    except UnreadableError as reason:
        yield Step(Kind.UNKNOWN, 1, text[:200], detail=str(reason))
        return
    reader = _Reader(path, text, module)
    upgrade = reader.functions.get("upgrade")
    if upgrade is None:
        if any(name.startswith("upgrade") for name in reader.functions):
            for name, function in reader.functions.items():
                if name.startswith(("upgrade", "_upgrade")):
                    yield from reader.block(function.body, _Scope())
            return
        yield Step(Kind.UNKNOWN, 1, text[:200], detail="it has no function named upgrade")
        return
    yield from _together(reader.block(upgrade.body, _Scope()))


def _together(steps: Iterator[Step]) -> Iterator[Step]:
    """Make one step of all the calls that may do anything: one is as unclear as ten."""
    told = False
    for step in steps:
        if step.kind is not Kind.CODE or not step.detail.startswith("it calls"):
            yield step
        elif not told:
            told = True
            yield step


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a statement stands: the names of `op`, the batch's table, the calls around it."""

    ops: frozenset[str] = frozenset({"op"})
    depth: int = 0
    table: str = ""


class _Reader:
    """One file: its functions, its constants, and the names its operations go by."""

    def __init__(self, path: str, text: str, module: ast.Module) -> None:
        self.path = path
        self.dialect = dialect_of(path, "")
        self.functions = {
            node.name: node for node in module.body if isinstance(node, ast.FunctionDef)
        }
        self.constants = strings(module.body)
        self.source = Source(text)
        self.calling: list[str] = []
        self.called = 0
        self.left = _MOST_STATEMENTS

    def block(self, body: list[ast.stmt], scope: _Scope) -> Iterator[Step]:
        """Read statements; those within if, for, with and try too."""
        self.constants.update(strings(body))
        for node in body:
            self.left -= 1
            if self.left < 0:
                if self.left == -1:
                    detail = f"only its first {_MOST_STATEMENTS:,} statements were read"
                    yield Step(Kind.UNKNOWN, node.lineno, "upgrade()", detail=detail)
                return
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                if isinstance(node, ast.FunctionDef):
                    self.functions[node.name] = node
                continue
            if isinstance(node, ast.With):
                yield from self._with(node, scope)
                continue
            inner: list[ast.stmt] = []
            for name in ("body", "orelse", "finalbody"):
                inner += getattr(node, name, [])
            for handler in getattr(node, "handlers", []):
                inner += handler.body
            if inner:
                yield from self._calls(_head(node), scope)
                yield from self.block(inner, scope)
            else:
                yield from self._calls(node, scope)

    def _with(self, node: ast.With, scope: _Scope) -> Iterator[Step]:
        inner = scope
        for item in node.items:
            call = item.context_expr
            named = item.optional_vars
            if isinstance(call, ast.Call) and last_name(call.func) == "batch_alter_table":
                table = argument(call, "table_name", 0)
                name = text_of(table) or "${" + shown(table or call)[:40] + "}"
                names = {named.id} if isinstance(named, ast.Name) else set()
                inner = replace(inner, table=name, ops=inner.ops | names)
            else:
                yield from self._calls(call, scope)
        yield from self.block(node.body, inner)

    def _calls(self, node: ast.AST, scope: _Scope) -> Iterator[Step]:
        """Read the calls of one statement, the outer ones only."""
        todo: list[ast.AST] = [node]
        while todo:
            one = todo.pop()
            if isinstance(one, ast.Call):
                steps = list(self._call(one, scope))
                yield from steps
                if steps:
                    continue
            if isinstance(one, ast.Lambda):
                continue
            todo += reversed(list(ast.iter_child_nodes(one)))

    def _call(self, call: ast.Call, scope: _Scope) -> Iterator[Step]:
        name = dotted(call.func)
        owner, _, method = name.rpartition(".")
        base = Step(Kind.UNKNOWN, call.lineno, self.source.of(call))
        if owner in scope.ops or owner.rpartition(".")[2] == "op":
            yield from self._operation(method, call, base, scope.table if owner != "op" else "")
        elif name in self.functions:
            yield from self._function(name, call, base, scope)
        elif name in HARMLESS or owner in {
            "sa",
            "postgresql",
            "mysql",
            "sqlite",
            "sqlalchemy",
            "sqlalchemy_utils",
        }:
            return
        elif last_name(call.func) in {
            "execute",
            "exec_driver_sql",
            "create",
            "drop",
            "commit",
            "query",
        }:
            yield from self._other(call, base)
        elif last_name(call.func) in HARMLESS_METHODS or is_pure(call):
            return
        elif name or isinstance(call.func, ast.Attribute):
            called = name or last_name(call.func)
            yield replace(base, kind=Kind.CODE, detail=f"it calls {called}, which may do anything")

    def _function(self, name: str, call: ast.Call, base: Step, scope: _Scope) -> Iterator[Step]:
        self.called += 1
        if scope.depth >= _DEEPEST or name in self.calling or self.called > _MOST_CALLS:
            yield replace(
                base, kind=Kind.CODE, detail=f"too many calls, or too deep ones, of {name}"
            )
            return
        self.calling.append(name)
        before = dict(self.constants)
        function = self.functions[name]
        for parameter, value in zip(function.args.args, call.args, strict=False):
            if text := text_of(value):
                self.constants[parameter.arg] = text
        found = list(self.block(function.body, replace(scope, depth=scope.depth + 1)))
        self.constants = before
        self.calling.pop()
        yield from found or [replace(base, kind=Kind.NOTHING)]

    def _operation(self, method: str, call: ast.Call, base: Step, table: str) -> Iterator[Step]:
        if method in {
            "f",
            "get_bind",
            "get_context",
            "inline_literal",
            "batch_alter_table",
            "bulk_insert",
        }:
            if method == "bulk_insert":
                yield replace(base, kind=Kind.INSERT)
            return
        if method == "execute":
            yield from self._execute(argument(call, "sqltext", 0), base)
            return
        reader = CALLS.get(method)
        if reader is None:
            yield replace(base, detail=UNREAD.format(method=method))
            return
        yield from reader(_named(call, self.constants), base, table)

    def _execute(self, node: ast.expr | None, base: Step) -> Iterator[Step]:
        text = text_of(node) or joined(node)
        if not text and isinstance(node, ast.Name):
            text = self.constants.get(node.id, "")
        if (
            not text
            and isinstance(node, ast.Call)
            and node.args
            and isinstance(node.args[0], ast.Name)
        ):
            text = self.constants.get(node.args[0].id, "")
        if text:
            for step in read_sql(text, self.dialect, base.line):
                yield replace(step, line=base.line)
            return
        yield expression(node, base)

    def _other(self, call: ast.Call, base: Step) -> Iterator[Step]:
        method = last_name(call.func)
        if method == "commit":
            yield replace(base, kind=Kind.NOTHING)
        elif method == "create":
            yield replace(base, kind=Kind.CREATE, what="type", name=shown(call.func)[:40])
        elif method == "drop":
            yield replace(base, kind=Kind.DROP, what="type or table", name=shown(call.func)[:40])
        elif method == "query":
            yield replace(
                base, kind=Kind.CODE, detail="it reads and writes through a session of its own"
            )
        else:
            yield from self._execute(call.args[0] if call.args else None, base)


def _head(node: ast.stmt) -> ast.AST:
    for name in ("test", "iter"):
        found = getattr(node, name, None)
        if isinstance(found, ast.AST):
            return found
    return ast.Pass()


def _named(call: ast.Call, constants: dict[str, str]) -> ast.Call:
    """Put constants in the place of their names."""

    def known(node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Name) and node.id in constants:
            return ast.copy_location(ast.Constant(constants[node.id]), node)
        return node

    keywords = [ast.keyword(one.arg, known(one.value)) for one in call.keywords]
    made = ast.Call(call.func, [known(one) for one in call.args], keywords)
    return ast.copy_location(made, call)
