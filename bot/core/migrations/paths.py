"""Which files are migrations, and of which tool, by their paths alone."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from pathspec import GitIgnoreSpec

_DIRECTORIES: Final = frozenset({"migrations", "migration", "migrate", "evolutions"})
_UNDER_DATABASE: Final = frozenset({"changes", "changesets", "changelog", "upgrades"})
"""Names that mean migrations only below a folder of the database."""
_NAMED_SO: Final = re.compile(r"(?:^|[-_.])(?:migrations?|migrate)(?:[-_.]|$)")
_DATABASE: Final = re.compile(r"^(?:db|database|databases|sql|schema|liquibase|flyway|.*-db)$")
_FLYWAY: Final = re.compile(r"^(?:[VUB][\d._]+|R)__.+\.(?:sql|java|kt)$")
_FLYWAY_UNDO: Final = re.compile(r"^U([\d._]+)__.+\.sql$")
_FOREIGN: Final = frozenset({"js", "ts", "mjs", "cjs", "php", "cs", "java", "kt", "go", "exs"})
_DATA: Final = frozenset({"xml", "yaml", "yml", "json"})
_CODE: Final = _FOREIGN | {
    *("mts", "cts", "tsx", "jsx", "vb", "fs", "fsx", "kts", "scala", "groovy", "clj", "edn"),
    *("ex", "erl", "rs", "pl", "pm", "lua", "dart", "swift", "hs", "sh", "bash", "ps1", "bat"),
    *("cql", "hql", "surql", "edgeql", "cypher", "rb", "py"),
}
_SQL: Final = frozenset({"sql", "psql", "pgsql", "plsql", "ddl", "dml"})
_NUMBERED: Final = re.compile(r"^[vV]?\d{2,}|^\d+[_-]")
_STAMPED: Final = re.compile(r"^\d{8,}_\w+\.rb$")
_SNAPSHOT: Final = frozenset({"schema.sql", "structure.sql", "schema.rb", "schema.prisma"})
_TESTS: Final = frozenset({
    *("test", "tests", "__tests__", "testing", "spec", "specs", "e2e", "testdata", "fixtures"),
    *("__fixtures__", "mocks", "__mocks__", "examples", "example", "samples", "docs", "doc"),
})  # fmt: skip
_OF_TESTS: Final = re.compile(
    r"^(?:test_.*\.py|conftest\.py|.*_test\.go|.*_spec\.rb)$|\.(?:test|spec)\.\w+$"
)


def is_migration(path: str, extra: Sequence[str] = ()) -> bool:
    """Whether this path is a migration's, of any tool that is known.

    Args:
        path: from the repository's root, with `/`.
        extra: patterns as in a .gitignore; what they match is a migration too.

    """
    if tool_of(path):
        return True
    return bool(extra) and _spec(tuple(extra)).match_file(path)


@lru_cache(maxsize=64)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(patterns)


def is_snapshot(path: str) -> bool:
    """Whether a tool keeps the whole schema there, which changes with every migration."""
    *folders, name = path.lower().split("/")
    return name in _SNAPSHOT and not tool_of(path) and _TESTS.isdisjoint(folders)


@lru_cache(maxsize=8192)
def tool_of(path: str) -> str:
    """Name the reader for a path: sql, alembic, django, rails, foreign; "" for no migration.

    Code of any name in a folder of migrations is one: most tools run whatever lies there.
    """
    *folders, name = path.split("/")
    lowered = [folder.lower() for folder in folders]
    ending = name.rpartition(".")[2].lower()
    inside = any(folder in _DIRECTORIES or _NAMED_SO.search(folder) for folder in lowered)
    if ending in _SQL:
        return "sql" if _is_sql(lowered, name, inside=inside) else ""
    if _FLYWAY.match(name):
        return "foreign"
    if ending == "py" and (known := _python(lowered, name)):
        return known
    if ending == "rb" and (known := _ruby(lowered, name)):
        return known
    if ending in _FOREIGN | _DATA and not lowered[-1:] == ["meta"] and _NUMBERED.match(name):
        if inside or not _UNDER_DATABASE.isdisjoint(lowered):
            return "foreign"
    if ending in _DATA and _liquibase(lowered, name):
        return "foreign"
    return "foreign" if inside and _is_code(lowered, name, ending) else ""


def undoes(path: str, others: Collection[str]) -> bool:
    """Whether a migration is only run to undo one of these others, and so not on a deploy.

    Only files of SQL are so: the names of others say what they do, such as `0042_wind_down.py`.

    Args:
        path: of the migration.
        others: paths of the migrations that it may undo.

    """
    folder, _, name = path.rpartition("/")
    low = name.lower()
    if found := _FLYWAY_UNDO.match(name):
        start = f"{folder}/V{found.group(1)}__".removeprefix("/")
        return any(other.startswith(start) for other in others)
    if low == "down.sql":
        ups = ("up.sql", "migration.sql")
    elif low.endswith(".down.sql"):
        stem = name[: -len(".down.sql")]
        ups = (f"{stem}.up.sql", f"{stem}.sql")
    else:
        return False
    return any(f"{folder}/{up}".removeprefix("/") in others for up in ups)


def is_undo(path: str) -> bool:
    """Whether a migration's name says that it undoes another one."""
    name = path.rpartition("/")[2]
    low = name.lower()
    return bool(_FLYWAY_UNDO.match(name)) or low == "down.sql" or low.endswith(".down.sql")


def reads_whole_files(path: str) -> bool:
    """Whether a tool runs a file of SQL as a whole, whatever comments part it: Prisma, Flyway …"""
    *folders, name = path.split("/")
    return (
        name == "migration.sql"
        or bool(_FLYWAY.match(name))
        or not {"prisma", "supabase", "flyway"}.isdisjoint(folder.lower() for folder in folders)
    )


def is_repeatable(path: str) -> bool:
    """Whether its tool runs it again whenever it was edited (Flyway's `R__`)."""
    return path.rpartition("/")[2].startswith("R__")


def home_of(path: str) -> str:
    """Name the folder whose migrations belong to one and the same database."""
    folders = path.split("/")[:-1]
    if path.endswith("/migration.sql"):
        folders = folders[:-1]
    return "/".join(folders)


def _is_sql(lowered: list[str], name: str, *, inside: bool) -> bool:
    if inside or _FLYWAY.match(name) or name.lower().endswith((".up.sql", ".down.sql")):
        return True
    below = not _UNDER_DATABASE.isdisjoint(lowered)
    return below and any(_DATABASE.match(folder) for folder in lowered)


def _python(lowered: list[str], name: str) -> str:
    if name.startswith("__"):
        return ""
    last = lowered[-1] if lowered else ""
    if last == "versions" and name != "env.py":
        return "alembic"
    if "versions" in lowered and {"alembic", "migrations"} & set(lowered):
        return "alembic"
    # Django takes every module for a migration but those that begin so.
    loaded = not name.startswith(("_", "~")) and name != "env.py"
    if not last.endswith("migrations") or not loaded:
        return ""
    return "django" if _NUMBERED.match(name) or not _is_of_tests(lowered, name) else ""


def _ruby(lowered: list[str], name: str) -> str:
    if "migrate" in lowered or "post_migrate" in lowered:
        return "rails"
    kept = "db" in lowered and _STAMPED.match(name)
    return "rails" if kept or (_NUMBERED.match(name) and "migrations" in lowered) else ""


def _is_code(lowered: list[str], name: str, ending: str) -> bool:
    if name in {"__init__.py", "__main__.py", "env.py"} or _is_of_tests(lowered, name):
        return False
    return "." in name and ending in _CODE


def _is_of_tests(lowered: list[str], name: str) -> bool:
    return not _TESTS.isdisjoint(lowered) or bool(_OF_TESTS.search(name.lower()))


def _liquibase(lowered: list[str], name: str) -> bool:
    if "liquibase" in lowered or re.search(r"db\.changelog|changelog-?master", name.lower()):
        return True
    below = {"changelog", "changelogs", "changesets"} & set(lowered)
    return bool(below) and any(_DATABASE.match(folder) for folder in lowered)
