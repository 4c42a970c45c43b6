"""Which dependencies a change moves, and how far, by its manifests and lock files."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.core.change import ChangedFile
from bot.core.risk import locks, manifests
from bot.core.risk.manifests import Reader, Versions
from bot.core.risk.paths import is_harmless, matches
from bot.core.risk.rules import Step
from bot.core.risk.versions import ORDER, step

LONGEST_TEXT: Final = 5_000_000
"""Characters of a file that are read; of a longer one it is unknown what it changes."""

_MANIFESTS: Final[dict[str, Reader]] = {
    "package.json": manifests.package_json,
    "pyproject.toml": manifests.pyproject,
    "pipfile": manifests.pipfile,
    "cargo.toml": manifests.cargo,
    "go.mod": manifests.go_mod,
    "gemfile": manifests.gemfile,
    "composer.json": manifests.composer,
    "pom.xml": manifests.maven,
    "build.gradle": manifests.gradle,
    "build.gradle.kts": manifests.gradle,
    "libs.versions.toml": manifests.gradle_catalog,
}
_LOCKS: Final[dict[str, Reader]] = {
    "package-lock.json": locks.package_lock,
    "npm-shrinkwrap.json": locks.package_lock,
    "yarn.lock": locks.yarn_lock,
    "pnpm-lock.yaml": locks.pnpm_lock,
    "poetry.lock": locks.toml_lock,
    "uv.lock": locks.toml_lock,
    "pdm.lock": locks.toml_lock,
    "cargo.lock": locks.toml_lock,
    "pipfile.lock": locks.pipfile_lock,
    "gemfile.lock": locks.gem_lock,
    "composer.lock": locks.composer_lock,
}
_REQUIREMENTS: Final = re.compile(r"^(?:requirements|constraints)[\w.-]*\.(?:txt|in|lock)$")
_DEVELOPERS: Final = re.compile(
    r"(?:^|[._-])(?:dev|develop|development|test|tests|testing|lint|docs|doc|ci|typing)(?:[._-]|$)"
)
_TOOLS: Final = re.compile(
    r"^(?:@types/|types-|@typescript-eslint/|eslint|@eslint/|prettier|jest|@jest/|ts-jest|babel-jest|"
    r"vitest|@vitest/|cypress|playwright|@playwright/|pytest|@testing-library/|husky|lint-staged|"
    r"storybook|@storybook/|nyc$|mocha|chai$|sinon|stylelint|commitlint|@commitlint/|nodemon|knip|"
    r"@biomejs/|@changesets/|mypy|ruff$|black$|flake8|isort$|pylint|bandit$|pre-commit|coverage|"
    r"tox$|nox$|mkdocs|sphinx|rubocop|rspec|super_diff|simplecov|faker$|factory.bot|golangci|"
    r"phpunit/|phpstan/)"
)
"""What checks and tests, and is not part of what runs."""
_ELSEWHERE: Final = ("node_modules/", "vendor/", "examples/", "example/", "samples/")


@dataclass(frozen=True, slots=True)
class Bump:
    """A dependency that a change moves.

    Attributes:
        path: the file that says so.
        name: the dependency; empty where the file could not be read.
        before, after: its version; empty where there was none, or where nothing is said of it.

    """

    path: str
    name: str
    step: Step
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        match self.step:
            case Step.ADDED:
                return f"{self.name} is new"
            case Step.REMOVED:
                return f"{self.name} goes away"
            case _ if not self.name:
                return f"{self.path} could not be read"
            case _:
                before, after = self.before.removeprefix("=="), self.after.removeprefix("==")
                return f"{self.name} {before or 'any'} → {after or 'any'}"


def is_manifest(path: str) -> bool:
    """Whether a file says what a project depends on; those of tests and examples do not count."""
    return _reader(path) is not None


def bumps(files: Iterable[ChangedFile]) -> tuple[Bump, ...]:
    """Everything that moves, what matters most first; no text makes it raise.

    A lock file tells how far versions move. What comes or goes only there, below what the project
    names itself, is left out; so is one that could not be read where its manifest could.
    """
    found: list[Bump] = []
    read: set[str] = set()
    pending: list[Bump] = []
    for file in files:
        path = file.path if _reader(file.path) else file.previous_path
        reader = _reader(path)
        if reader is None:
            continue
        moved = _moved(file, reader, lock=_is_lock(path))
        if moved is None:
            (pending if _is_lock(path) else found).append(Bump(file.path, "", Step.UNKNOWN))
        else:
            found += moved
            if not _is_lock(path):
                read.add(path.rpartition("/")[0])
    found += [one for one in pending if one.path.rpartition("/")[0] not in read]
    return tuple(sorted(_once(found), key=lambda one: -ORDER.index(one.step)))


def _once(found: Iterable[Bump]) -> Iterator[Bump]:
    """The manifest and the lock file say the same of a dependency: it is told once."""
    seen: set[tuple[str, Step]] = set()
    for one in found:
        key = (one.name or one.path, one.step)
        if key not in seen:
            seen.add(key)
            yield one


def _name(path: str) -> str:
    return path.rpartition("/")[2].lower()


def _is_lock(path: str) -> bool:
    return _name(path) in _LOCKS


def _reader(path: str) -> Reader | None:
    if not path or matches(path, _ELSEWHERE) or _in_tests(path):
        return None
    name = _name(path)
    if name in _MANIFESTS:
        return _MANIFESTS[name]
    if name in _LOCKS:
        return _LOCKS[name]
    folder = path.rpartition("/")[0].rpartition("/")[2].lower()
    listed = folder == "requirements" and name.endswith((".txt", ".in"))
    if (_REQUIREMENTS.match(name) or listed) and not _DEVELOPERS.search(name):
        return manifests.requirements
    return None


def _in_tests(path: str) -> bool:
    """Whether it lies in a folder of tests or documentation."""
    return is_harmless(f"{path.rpartition('/')[0]}/x")


def _moved(file: ChangedFile, reader: Reader, *, lock: bool) -> list[Bump] | None:
    before = _versions(file.before, reader, empty=file.status == "added")
    after = _versions(file.after, reader, empty=file.status == "removed")
    if before is None or after is None:
        return None
    if lock and not (before and after):
        return []
    found = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old != new and not _TOOLS.match(name):
            found += _bump(file.path, name, old, new, lock=lock)
    return found


def _versions(text: str | None, reader: Reader, *, empty: bool) -> Versions | None:
    if empty:
        return {}
    if text is None or len(text) > LONGEST_TEXT:
        return None
    try:
        return reader(text)
    except (
        ValueError,
        RecursionError,
        AttributeError,
        TypeError,
    ):  # nested too deep, or no such format
        return None


def _bump(
    path: str, name: str, old: frozenset[str] | None, new: frozenset[str] | None, *, lock: bool
) -> list[Bump]:
    if old is None or new is None:
        if lock:
            return []
        how = Step.ADDED if old is None else Step.REMOVED
        return [Bump(path, name, how, _newest(old or ()), _newest(new or ()))]
    gone, come = old - new, new - old
    if lock and not (gone and come):
        return []  # one of several versions beside each other came or went
    before, after = _newest(gone or old), _newest(come or new)
    return [Bump(path, name, step(before, after), before, after)]


def _newest(versions: Iterable[str]) -> str:
    def numbers(text: str) -> tuple[list[int], str]:
        return [int(part[:9]) for part in re.findall(r"\d+", text[:100])], text

    return max(versions, key=numbers, default="")
