"""Which files are migrations, and of which tool, by their paths alone."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from pathspec import GitIgnoreSpec

_DIRECTORIES: Final = frozenset({"migrations", "migration", "migrate", "evolutions"})
_UNDER_DATABASE: Final = frozenset({"changes", "changesets", "changelog", "upgrades"})
"""Names that mean migrations only below a folder of the database."""
_NAMED_SO: Final = re.compile(r"(?:^|[-_.])(?:migrations?|migrate)(?:[-_.]|$)")
_ENDS_SO: Final = re.compile(r"(?:^|[-_.])(?:migrations?|migrate)$")
"""A folder of code named `migration-service` is a service."""
_DATABASE: Final = re.compile(r"^(?:db|database|databases|sql|schema|liquibase|flyway|.*-db)$")
_FLYWAY: Final = re.compile(r"^(?:[VUB][\d._]+|R)__.+\.(?:sql|java|kt)$")
_FLYWAY_TURNS: Final = re.compile(r"^([VU])([\d._]+)__.+\.sql$")
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
    kept = name in _SNAPSHOT or name.endswith(".prisma")
    return kept and not tool_of(path) and _TESTS.isdisjoint(folders)


@lru_cache(maxsize=8192)
def tool_of(path: str) -> str:
    """Name the reader for a path: sql, alembic, django, rails, foreign; "" for no migration.

    Code of any name in a folder of migrations is one: most tools run whatever lies there.
    """
    *folders, name = path.split("/")
    lowered = [folder.lower() for folder in folders]
    ending = name.rpartition(".")[2].lower()
    if ending in _SQL:
        return "sql" if _is_sql(lowered, name) else ""
    if _FLYWAY.match(name):
        return "foreign"
    if ending == "py" and (known := _python(lowered, name)):
        return known
    if ending == "rb" and (known := _ruby(lowered, name)):
        return known
    return "foreign" if _is_foreign(lowered, name, ending) else ""


def _is_foreign(lowered: list[str], name: str, ending: str) -> bool:
    inside = any(folder in _DIRECTORIES or _ENDS_SO.search(folder) for folder in lowered)
    numbered = ending in _FOREIGN or (ending in _DATA and lowered[-1:] != ["meta"])
    if numbered and _NUMBERED.match(name) and (inside or not _UNDER_DATABASE.isdisjoint(lowered)):
        return True
    if ending in _DATA:
        return _liquibase(lowered, name)
    left_out = name in {"__init__.py", "__main__.py", "env.py"} or _is_of_tests(lowered, name)
    return inside and ending in _CODE and not left_out


def is_undo(path: str) -> bool:
    """Whether a migration's name says that it undoes another one, and so is not run on a deploy.

    Only files of SQL are named so: other names say what they do, such as `0042_wind_down.py`.
    """
    return bool(undone_by(path))


def undone_by(path: str) -> tuple[str, ...]:
    """The names, as `names_of` tells them, of which a migration undoes one; none of most."""
    folder, slash, name = path.rpartition("/")
    low = name.lower()
    turn = _FLYWAY_TURNS.match(name)
    ups: tuple[str, ...] = ()
    if turn and turn.group(1) == "U":
        ups = (f"V{turn.group(2)}__",)
    elif low == "down.sql":
        ups = ("up.sql", "migration.sql")
    elif low.endswith(".down.sql"):
        stem = name[: -len(".down.sql")]
        ups = (f"{stem}.up.sql", f"{stem}.sql")
    return tuple(f"{folder}{slash}{up}" for up in ups)


def names_of(path: str) -> tuple[str, ...]:
    """What a migration goes by where another one undoes it: its path, its version to Flyway."""
    folder, slash, name = path.rpartition("/")
    turn = _FLYWAY_TURNS.match(name)
    return (path, f"{folder}{slash}V{turn.group(2)}__") if turn else (path,)


def reads_whole_files(path: str) -> bool:
    """Whether a tool runs a file of SQL as a whole, whatever comments part it, as Prisma does."""
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


def _is_sql(lowered: list[str], name: str) -> bool:
    if _FLYWAY.match(name) or name.lower().endswith((".up.sql", ".down.sql")):
        return True
    if any(folder in _DIRECTORIES or _NAMED_SO.search(folder) for folder in lowered):
        return True
    below = not _UNDER_DATABASE.isdisjoint(lowered)
    return below and any(_DATABASE.match(folder) for folder in lowered)


def _python(lowered: list[str], name: str) -> str:
    if name.startswith("__") or name == "env.py":
        return ""
    last = lowered[-1] if lowered else ""
    if last == "versions" or ("versions" in lowered and {"alembic", "migrations"} & set(lowered)):
        return "alembic"
    # Django takes every module for a migration but those that begin so.
    if not last.endswith("migrations") or name.startswith(("_", "~")):
        return ""
    return "django" if _NUMBERED.match(name) or _TESTS.isdisjoint(lowered) else ""


def _ruby(lowered: list[str], name: str) -> str:
    if "migrate" in lowered or "post_migrate" in lowered:
        return "rails"
    kept = "db" in lowered and _STAMPED.match(name)
    numbered = _NUMBERED.match(name) and not _is_of_tests(lowered, name)
    return "rails" if kept or (numbered and "migrations" in lowered) else ""


def _is_of_tests(lowered: list[str], name: str) -> bool:
    return not _TESTS.isdisjoint(lowered) or bool(_OF_TESTS.search(name.lower()))


def _liquibase(lowered: list[str], name: str) -> bool:
    if "liquibase" in lowered or re.search(r"db\.changelog|changelog-?master", name.lower()):
        return True
    below = {"changelog", "changelogs", "changesets"} & set(lowered)
    return bool(below) and any(_DATABASE.match(folder) for folder in lowered)
