"""Which files count: patterns as in a .gitignore, and what is harmless or nobody's writing."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from pathspec import GitIgnoreSpec

_HARMLESS_FOLDERS: Final = frozenset({
    "test", "tests", "__tests__", "testing", "spec", "specs", "e2e", "testdata", "test-data",
    "cypress", "playwright", "docs", "doc", "documentation", "stories", ".storybook",
    "fixtures", "__fixtures__", "mocks", "__mocks__", "__snapshots__", "examples",
    "example", "samples", "locales", "locale", "i18n", "translations", "lang", "images", "img",
    "icons", "fonts", "issue_template", ".changeset", "changelogs", "benchmarks",
})  # fmt: skip
_HARMLESS_ENDINGS: Final = frozenset({
    "md", "mdx", "rst", "adoc", "txt", "po", "pot", "mo", "snap", "png", "jpg", "jpeg", "gif",
    "svg", "ico", "webp", "avif", "woff", "woff2", "ttf", "eot", "mp4", "pdf", "css", "scss",
    "sass", "less", "xlf", "ipynb",
})  # fmt: skip
_HARMLESS_NAMES: Final = re.compile(
    r"^(?:test_.*|.*[._-](?:tests?|stories|story|mock|fixture)\.\w+|.*\.spec\.\w+|.*_spec\.rb|"
    r"conftest\.py|license|copying|notice|authors|codeowners|changelog|readme|"
    r"\.git(?:ignore|attributes))$"
)
_TESTS_BY_CAPITALS: Final = re.compile(
    r"(?:Test|Tests|TestCase)\.(?:java|kt|cs|scala|php|swift|groovy)$|Spec\.(?:scala|groovy)$"
)
_MADE: Final = GitIgnoreSpec.from_lines([
    "vendor/", "node_modules/", "third_party/", "dist/", "build/", "generated/", "__generated__/",
    "*.min.js", "*.min.css", "*.map", "*.lock", "*-lock.json", "*-lock.yaml", "go.sum",
    "npm-shrinkwrap.json", "*.pb.go", "*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*.pb.*",
    "*.generated.*", "*.gen.*", "*_generated.*", "*.g.dart", "*.designer.cs",
    "requirements*.lock", "gradle.lockfile", "schema.graphql", "openapi*.json", "structure.sql",
])  # fmt: skip


@lru_cache(maxsize=512)
def compiled(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    """Patterns as in a .gitignore, for paths in small letters.

    Raises:
        ValueError: one of them is none.

    """
    return GitIgnoreSpec.from_lines(pattern.lower() for pattern in patterns)


def matches(path: str, patterns: Sequence[str]) -> bool:
    """Whether one of these patterns names this file, upper and lower case alike."""
    return bool(patterns) and compiled(tuple(patterns)).match_file(path.lower())


@lru_cache(maxsize=8192)
def is_harmless(path: str) -> bool:
    """Whether it is a test, documentation, a picture, a translation, a style, or the like."""
    *folders, name = path.split("/")
    if not _HARMLESS_FOLDERS.isdisjoint(folder.lower() for folder in folders):
        return True
    if name.rpartition(".")[2].lower() in _HARMLESS_ENDINGS:
        return True
    return bool(_HARMLESS_NAMES.match(name.lower()) or _TESTS_BY_CAPITALS.search(name))


def is_made(path: str) -> bool:
    """Whether a tool wrote it, or somebody else: lock files, generated and vendored code."""
    return _MADE.match_file(path.lower())


def counts(path: str) -> bool:
    """Whether it counts for the size of a change."""
    return not (is_harmless(path) or is_made(path))
