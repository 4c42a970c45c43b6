"""Who owns a file, by the text of a CODEOWNERS file: the last pattern that matches wins."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bot.core.risk.globs import compiled

MOST_LINES: Final = 5000
"""Further lines are not read; GitHub takes 3 MB, no project has that many."""

EVERYONE: Final = "*"
"""The owner of every file where there is too much to look them all up, or to read it at all."""

_MOST_LOOKUPS: Final = 500_000
_LONGEST_TEXT: Final = 500_000
_LONGEST_PATTERN: Final = 500
_LONGEST_PATH: Final = 1000
_SECTION: Final = re.compile(r"^\^?\[[^\]]{1,200}\](?:\[\d+\])?(.*)$")
_FIELD: Final = re.compile(r"(?:\\.|[^\s\\])+")


@dataclass(frozen=True, slots=True)
class _Pattern:
    expression: re.Pattern[str]
    flat: bool
    depth: int
    owners: tuple[str, ...]

    def names(self, path: str) -> bool:
        if self.flat and path.count("/") != self.depth:
            return False
        return self.expression.match(path) is not None


@dataclass(slots=True)
class _Section:
    """GitLab's: each has an owner of its own; a file without sections is one."""

    defaults: tuple[str, ...] = ()
    patterns: list[_Pattern] = field(default_factory=list)

    def owners(self, path: str) -> tuple[str, ...]:
        found = next((one for one in reversed(self.patterns) if one.names(path)), None)
        return found.owners if found else ()


def owners(text: str, paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The owners of each path, in small letters; none where no pattern matches.

    Args:
        text: of a CODEOWNERS file, GitHub's or GitLab's; what is no rule in it is passed over.
        paths: from the repository's root.

    """
    wanted = list(paths)
    if len(text) > _LONGEST_TEXT or any(len(path) > _LONGEST_PATH for path in wanted):
        return dict.fromkeys(wanted, (EVERYONE,))
    sections = _sections(text)
    if len(wanted) * sum(len(section.patterns) for section in sections) > _MOST_LOOKUPS:
        return dict.fromkeys(wanted, (EVERYONE,))
    return {
        path: tuple(dict.fromkeys(owner for section in sections for owner in section.owners(path)))
        for path in wanted
    }


def _sections(text: str) -> list[_Section]:
    sections = [_Section()]
    for raw in text.splitlines()[:MOST_LINES]:
        line = re.split(r"(?:^|\s)#", raw[:2000], maxsplit=1)[0].strip()
        if not line:
            continue
        if head := _SECTION.match(line):
            sections.append(_Section(tuple(head[1].lower().split())))
            continue
        pattern = _pattern(line, sections[-1].defaults)
        if pattern is not None:
            sections[-1].patterns.append(pattern)
    return sections


def _pattern(line: str, defaults: tuple[str, ...]) -> _Pattern | None:
    written, *named = _FIELD.findall(line)
    if written.startswith("!"):
        return None  # CODEOWNERS knows no exceptions
    text = written.replace("\\#", "#")
    if len(text) > _LONGEST_PATTERN:
        return _Pattern(re.compile(""), flat=False, depth=0, owners=(EVERYONE,))
    expression = compiled(text)
    if expression is None:
        return None
    # Unlike in a .gitignore, `docs/*` owns no file of a folder below docs.
    flat = text.endswith("/*") and "**" not in text
    depth = text.strip("/").count("/")
    return _Pattern(expression, flat, depth, tuple(one.lower() for one in named) or defaults)
