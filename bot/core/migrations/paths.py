"""Which files are migrations, and of which tool, by their paths alone."""

import re
from collections.abc import Sequence
from typing import Final

from pathspec import GitIgnoreSpec

_DIRECTORIES: Final = frozenset(
    {"migrations", "migration", "migrate", "changes", "changesets", "changelog", "upgrades"}
)
_SQL_ONLY_UNDER: Final = frozenset({"changes", "changesets", "changelog", "upgrades"})
"""Names that mean migrations only below a folder of the database."""
_DATABASE: Final = re.compile(r"^(db|database|databases|sql|schema|liquibase|flyway|.*-db)$")
_FLYWAY: Final = re.compile(r"^(?:[VUB][\d._]+|R)__.+\.(?:sql|java|kt)$")
_UNDO: Final = re.compile(r"^U[\d._]+__|(?i:[._-]down\.\w+$|[._-]rollback\.\w+$|^down\.sql$)")
_FOREIGN: Final = frozenset(
    {
        "js",
        "ts",
        "mjs",
        "cjs",
        "php",
        "cs",
        "java",
        "kt",
        "go",
        "exs",
        "xml",
        "yaml",
        "yml",
        "json",
    }
)
_NUMBERED: Final = re.compile(r"^[vV]?\d{2,}|^\d+[_-]")
_SNAPSHOT: Final = frozenset({"schema.sql", "structure.sql", "schema.rb", "migration_lock.toml"})


def is_migration(path: str, extra: Sequence[str] = ()) -> bool:
    """Whether this path is a migration's, of any tool that is known.

    Args:
        path: from the repository's root, with `/`.
        extra: patterns as in a .gitignore; what they match is a migration too.

    """
    if tool_of(path):
        return True
    return bool(extra) and GitIgnoreSpec.from_lines(extra).match_file(path)


def tool_of(path: str) -> str:
    """Name the reader for a path: sql, alembic, django, rails, foreign; "" for no migration."""
    *folders, name = path.split("/")
    lowered = [folder.lower() for folder in folders]
    ending = name.rpartition(".")[2].lower()
    inside = not _DIRECTORIES.isdisjoint(lowered)
    if name in _SNAPSHOT:
        return ""
    if ending == "sql":
        return "sql" if _FLYWAY.match(name) or _sql_folder(lowered) or _directed(name) else ""
    if _FLYWAY.match(name):
        return "foreign"
    if ending == "py" and not name.startswith("__"):
        return _python(lowered, name)
    if ending == "rb":
        return "rails" if "migrate" in lowered or "post_migrate" in lowered else ""
    if ending in _FOREIGN and inside and _NUMBERED.match(name):
        return "foreign"
    if ending in {"xml", "yaml", "yml", "json"} and _liquibase(lowered, name):
        return "foreign"
    return ""


def is_undo(path: str) -> bool:
    """Whether a migration is only run to undo another one, and so not on a deploy."""
    return bool(_UNDO.search(path.rpartition("/")[2]))


def is_repeatable(path: str) -> bool:
    """Whether its tool runs it again whenever it was edited (Flyway's `R__`)."""
    return path.rpartition("/")[2].startswith("R__")


def home_of(path: str) -> str:
    """Name the folder whose migrations belong to one and the same database."""
    folders = path.split("/")[:-1]
    if path.endswith("/migration.sql"):
        folders = folders[:-1]
    return "/".join(folders)


def _sql_folder(lowered: list[str]) -> bool:
    named = [folder for folder in lowered if folder in _DIRECTORIES]
    if any(folder not in _SQL_ONLY_UNDER for folder in named):
        return True
    if any(re.search(r"(^|[-_.])migrations?([-_.]|$)", folder) for folder in lowered):
        return True
    return bool(named) and any(_DATABASE.match(folder) for folder in lowered)


def _directed(name: str) -> bool:
    return name.lower().endswith((".up.sql", ".down.sql"))


def _python(lowered: list[str], name: str) -> str:
    if lowered[-1:] == ["versions"] or name == "env.py":
        return "" if name == "env.py" else "alembic"
    if "versions" in lowered and {"alembic", "migrations"} & set(lowered):
        return "alembic"
    last = lowered[-1:] or [""]
    return "django" if last[0].endswith("migrations") and _NUMBERED.match(name) else ""


def _liquibase(lowered: list[str], name: str) -> bool:
    if "liquibase" in lowered or re.search(r"db\.changelog|changelog-?master", name.lower()):
        return True
    below = {"changelog", "changelogs", "changesets"} & set(lowered)
    return bool(below) and any(_DATABASE.match(folder) for folder in lowered)
