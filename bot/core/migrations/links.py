"""What each migration of a folder comes after, as Django and Alembic write it down."""

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.change import ChangedFile
from bot.core.migrations.paths import tool_of
from bot.core.migrations.syntax import UnreadableError, parsed

Links = Mapping[str, tuple[str, ...]]
"""The paths that each path comes right after."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What a file says of its place: its name, what it follows and what it stands for."""

    path: str
    name: str
    after: tuple[tuple[str, str], ...]
    replaces: tuple[tuple[str, str], ...] = ()


def links_of(files: Sequence[ChangedFile]) -> Links | None:
    """The links between all migrations of one folder.

    Returns:
        None where a link leads out of the files or cannot be read: then one may be missing.

    """
    tools = {tool_of(file.path) for file in files}
    if tools == {"django"}:
        said = [_django(file) for file in files]
    elif tools == {"alembic"}:
        said = [_alembic(file) for file in files]
    else:
        return None
    known = [one for one in said if one is not None]
    if len(known) < len(files) or len({one.name for one in known}) < len(files):
        return None
    label = _label(known) if tools == {"django"} else ""
    found: dict[str, tuple[str, ...]] = {}
    named = _named(known)
    for one in known:
        parents = [named.get(name) for where, name in one.after if where == label]
        if None in parents:
            return None
        found[one.path] = tuple(path for path in parents if path is not None and path != one.path)
    return found


def _named(known: Sequence[_Said]) -> dict[str, str]:
    """The path of each migration by its name, or by the names of those squashed into it."""
    found: dict[str, str] = {}
    for one in reversed(known):  # the first to replace it wins
        found.update((replaced, one.path) for _, replaced in one.replaces)
    return found | {one.name: one.path for one in known}


def _label(known: Sequence[_Said]) -> str:
    """The app's label: the one under which the files name each other."""
    names = {one.name for one in known}
    counted = Counter(
        label
        for one in known
        for label in {where for where, name in one.after if name in names and name != one.name}
    )
    folder = known[0].path.split("/")[-3:-2]
    if not counted or (folder and counted[folder[0]] == max(counted.values())):
        return folder[0] if folder else ""
    return counted.most_common(1)[0][0]


def _django(file: ChangedFile) -> _Said | None:
    module = module_of(file)
    migration = class_of(module)
    if migration is None:
        return None
    after, replaces = _pairs(migration, "dependencies"), _pairs(migration, "replaces")
    if after is None or replaces is None:
        return None
    name = file.path.rpartition("/")[2].removesuffix(".py")
    return _Said(file.path, name, after, replaces)


def _pairs(migration: ast.ClassDef, name: str) -> tuple[tuple[str, str], ...] | None:
    """The app and name of each migration in a list; None where one cannot be read."""
    node = _value(migration.body, name)
    if node is None:
        return ()
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    found = []
    for one in node.elts:
        if isinstance(one, ast.Call):  # settings' model, which is never of this app alone
            continue
        try:
            where, what = ast.literal_eval(one)
        except (ValueError, TypeError, SyntaxError, RecursionError):
            return None
        found.append((str(where), str(what)))
    return tuple(found)


_MISSING: Final = object()


def _alembic(file: ChangedFile) -> _Said | None:
    module = module_of(file)
    if module is None:
        return None
    revision = _literal(module, "revision")
    down, needs = (_literal(module, name) for name in ("down_revision", "depends_on"))
    if not isinstance(revision, str) or down is _MISSING:
        return None
    after: list[tuple[str, str]] = []
    for value in (down, None if needs is _MISSING else needs):
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, str):
                after.append(("", one))
            elif one is not None:
                return None
    return _Said(file.path, revision, tuple(after))


def _literal(module: ast.Module, name: str) -> object:
    node = _value(module.body, name)
    if node is None:
        return _MISSING
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return ast  # neither a text nor nothing


def module_of(file: ChangedFile) -> ast.Module | None:
    """A file's syntax tree; None where it cannot be read."""
    try:
        return parsed(file.after or "")
    except UnreadableError:
        return None


def class_of(module: ast.Module | None) -> ast.ClassDef | None:
    """The class of Django's that holds the operations."""
    body = module.body if module is not None else []
    found = [one for one in body if isinstance(one, ast.ClassDef) and one.name == "Migration"]
    return found[0] if len(found) == 1 else None


def _value(body: Sequence[ast.stmt], name: str) -> ast.expr | None:
    """What a name is given, the last time."""
    found = None
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(one, ast.Name) and one.id == name for one in targets):
            found = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return found
