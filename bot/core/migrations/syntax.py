"""Small readings of Python's syntax trees that Alembic's and Django's readers share."""

import ast
import re
import warnings
from itertools import islice
from typing import Final

_DEEPEST: Final = 400
_LONGEST_SHOWN: Final = 4000
"""Bytes of one line of a node's text."""
_MOST_NODES: Final = 1000
"""Parts of an expression that is written out."""
_OLD_LINE_END: Final = re.compile(r"\r(?!\n)")


class UnreadableError(ValueError):
    """The text cannot be parsed, or nests too deep to be read."""


def parsed(text: str) -> ast.Module:
    """Parse Python; never runs it.

    Raises:
        UnreadableError: with the reason, of any text that cannot be parsed.

    """
    if _OLD_LINE_END.search(text):
        raise UnreadableError("its lines end as no system of today ends them")
    deepest = depth = 0
    for char in text:
        if char in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in ")]}":
            depth -= 1
    if deepest > _DEEPEST:
        raise UnreadableError("its parentheses nest too deep")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError("it is not Python that can be parsed") from error


class Source:
    """The lines of a file, out of which a node's text is taken."""

    def __init__(self, text: str) -> None:
        self.lines = text.encode(errors="replace").split(b"\n")

    def of(self, node: ast.expr) -> str:
        """A node's text, of a long one its first lines."""
        start, end = node.col_offset, node.col_offset + _LONGEST_SHOWN
        if node.end_lineno == node.lineno and node.end_col_offset is not None:
            end = min(end, node.end_col_offset)
        last = min(node.end_lineno or node.lineno, node.lineno + 15)
        rest = [line[:_LONGEST_SHOWN] for line in self.lines[node.lineno : last]]
        lines = [self.lines[node.lineno - 1][start:end], *rest]
        return b"\n".join(lines).decode(errors="replace")


def dotted(node: ast.expr) -> str:
    """The name of what is called, such as `op.add_column`; empty of anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(names)])


def last_name(node: ast.expr) -> str:
    """The last part of the name of what is called."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def text_of(node: ast.expr | None) -> str:
    """A string literal's text; empty of anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Call) and last_name(node.func) in {
        "text",
        "dedent",
        "f",
        "convention",
    }:
        return text_of(node.args[0]) if node.args else ""
    return ""


def texts_of(node: ast.expr | None) -> tuple[str, ...]:
    """The string literals of a list; empty where one of its parts is anything else."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return ()
    found = tuple(text_of(one) for one in node.elts)
    return found if all(found) else ()


def argument(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """An argument by its name, else by its position."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is not None and position < len(call.args):
        return call.args[position]
    return None


def given(call: ast.Call, name: str) -> bool:
    """Whether an argument is there, and is not None or False."""
    node = argument(call, name)
    if isinstance(node, ast.Constant):
        return node.value is not None and node.value is not False
    return node is not None


def is_true(node: ast.expr | None) -> bool:
    """Whether a node is the literal True."""
    return isinstance(node, ast.Constant) and node.value is True


def is_false(node: ast.expr | None) -> bool:
    """Whether a node is the literal False."""
    return isinstance(node, ast.Constant) and node.value is False


def is_none(node: ast.expr | None) -> bool:
    """Whether a node is the literal None."""
    return isinstance(node, ast.Constant) and node.value is None


def shown(node: ast.AST) -> str:
    """A node as source text; empty where that cannot be written, or would be long."""
    if next(islice(ast.walk(node), _MOST_NODES, None), None) is not None:
        return ""
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return ""
