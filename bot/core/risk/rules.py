"""The shape of a rule: what must be true of a change for it to belong into a tier, and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.assessment import Impact

RISKIEST: Final = "riskiest"
"""In place of a tier's name: the last tier."""

ASKING: Final = "asking"
"""In place of a tier's name: the lowest tier that asks a person."""


class Step(StrEnum):
    """How far a dependency moves from one revision to the next."""

    ADDED = "added"
    REMOVED = "removed"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be true of a change; what is left out is not asked for.

    All of it must be true, and of several values in one attribute any will do. Those about files
    must be true of one and the same file; `paths` and `words` are two ways to name it.

    Attributes:
        paths: patterns as in a .gitignore, upper and lower case alike.
        but: patterns of files that do not count for this rule.
        words: words in the names of files and folders, as `words.py` reads them.
        but_harmless: whether tests, documentation, pictures and the like do not count either.
        owners: code owners of a file, as CODEOWNERS writes them.
        labels, authors, titles: globs (`*` and `?`), upper and lower case alike; titles are those
            of commits.
        files_over, lines_over: more than that many of what counts: no lock files, generated or
            vendored code, documentation, or tests.
        dependencies: how far any dependency moves.
        idle_over: the service's last promotion is longer ago; not true of one that never had one.
        rolled_back_within: the service was rolled back within this span.
        migrations: what the worst statement of any migration means for stable.
        complete: whether the source has told of every file.
        undoes: whether it takes back commits that stable has.

    """

    paths: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    but_harmless: bool = False
    owners: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    files_over: int | None = None
    lines_over: int | None = None
    dependencies: tuple[Step, ...] = ()
    idle_over: timedelta | None = None
    rolled_back_within: timedelta | None = None
    migrations: tuple[Impact, ...] = ()
    complete: bool | None = None
    undoes: bool | None = None

    @property
    def about_files(self) -> bool:
        """Whether it names files."""
        return bool(self.paths or self.words or self.owners)

    @property
    def about_change(self) -> bool:
        """Whether the change must be seen to tell."""
        asked = (
            self.about_files, self.labels, self.authors, self.titles, self.dependencies,
            self.migrations, self.files_over is not None, self.lines_over is not None,
            self.complete is not None, self.undoes is not None,
        )  # fmt: skip
        return any(asked)

    @property
    def about_history(self) -> bool:
        """Whether it asks about the service's past."""
        return self.idle_over is not None or self.rolled_back_within is not None

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing, and would be true of everything."""
        return not (self.about_change or self.about_history)


@dataclass(frozen=True, slots=True)
class Rule:
    """Puts a change into a tier.

    Attributes:
        tier: a tier's name, or `RISKIEST` or `ASKING`.
        why: the beginning of the sentence that people read; what was found follows it.

    """

    name: str
    tier: str
    why: str
    when: Condition


@dataclass(frozen=True, slots=True)
class History:
    """What is known of the service's past.

    Attributes:
        last_promoted_at, rolled_back_at: the latest ones; None where there was none.

    """

    now: datetime
    last_promoted_at: datetime | None = None
    rolled_back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tiers:
    """The tiers there are.

    Attributes:
        names: the safest first.
        asking: the lowest that asks a person; the last where none does.
        unknown: that of a change which cannot be seen.

    """

    names: tuple[str, ...]
    asking: str
    unknown: str

    def __post_init__(self) -> None:
        for name in (self.asking, self.unknown):
            if name not in self.names:
                raise ValueError(f"{name!r} is none of the tiers: {', '.join(self.names)}")

    @property
    def safest(self) -> str:
        """That of a change of which nothing risky is known."""
        return self.names[0]

    @property
    def riskiest(self) -> str:
        """The one that nothing is above."""
        return self.names[-1]

    def named(self, tier: str) -> str:
        """A tier's name for a name or a symbol; the riskiest for what is neither."""
        if tier in self.names:
            return tier
        return self.asking if tier == ASKING else self.riskiest

    def rank(self, name: str) -> int:
        """How risky it is; 0 is the safest."""
        return self.names.index(name)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that is configured about a service's risk.

    Attributes:
        migrations: patterns of further migration files.

    """

    rules: tuple[Rule, ...]
    tiers: Tiers
    migrations: tuple[str, ...] = ()
