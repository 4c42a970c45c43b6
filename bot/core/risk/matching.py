"""Whether a rule's conditions are true of a change, and what of the change makes them so."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final

from bot.core.assessment import Impact
from bot.core.change import Change
from bot.core.risk.dependencies import Bump
from bot.core.risk.owners import EVERYONE
from bot.core.risk.paths import counts, is_harmless, matches
from bot.core.risk.rules import Condition, History
from bot.core.risk.words import clean, clean_path, holds, listed, login

_LONGEST: Final = 200
"""Characters of a label, an author or a title that are looked at."""

_JOINTS: Final = re.compile(r"[\s_/:.-]+")

Found = tuple[str, ...]
"""What makes a condition true, for people; None in its place says that it is not true."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A change, read once for all rules.

    Attributes:
        paths: of all files, a renamed one under both of its names.
        bumps: its dependencies that move.
        migrations: each migration's path and the impact of its worst statement.
        owners: the owners of each path; empty where no rule asks.

    """

    change: Change
    paths: tuple[str, ...]
    bumps: tuple[Bump, ...] = ()
    migrations: tuple[tuple[str, Impact], ...] = ()
    owners: Mapping[str, tuple[str, ...]] | None = None


def evidence(when: Condition, facts: Facts | None, history: History) -> Found | None:
    """What makes every condition true; None where one is not.

    Args:
        facts: of the change; None where it cannot be seen, which makes all about it untrue.

    """
    if when.is_empty or (facts is None and when.about_change):
        return None
    parts = [_idle(when, history), _rolled_back(when, history)]
    if facts is not None:
        parts += _of_change(when, facts)
    if any(part is None for part in parts):
        return None
    return tuple(text for part in parts if part for text in part)


def _of_change(when: Condition, facts: Facts) -> list[Found | None]:
    change = facts.change
    files = named_files(when, facts.paths, facts.owners or {}) if when.about_files else facts.paths
    return [
        _named(when, files),
        _label(when, change.labels),
        _author(when, change.authors),
        _title(when, [commit.title for commit in change.commits]),
        _size(when, facts, frozenset(files)),
        _bumped(when, facts.bumps),
        _migrated(when, facts.migrations),
        () if when.complete in {None, change.complete} else None,
        _undone(when, change),
    ]


def named_files(
    when: Condition, paths: Iterable[str], owners: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """The files that a condition about files names."""
    return tuple(path for path in paths if _names(when, path, owners))


def _names(when: Condition, path: str, owners: Mapping[str, tuple[str, ...]]) -> bool:
    if (when.but_harmless and is_harmless(path)) or matches(path, when.but):
        return False
    named = matches(path, when.paths) or (bool(when.words) and holds(path, when.words))
    if (when.paths or when.words) and not named:
        return False
    if not when.owners:
        return True
    wanted = {owner.lower() for owner in when.owners}
    return not wanted.isdisjoint(owners.get(path, ())) or EVERYONE in owners.get(path, ())


def _named(when: Condition, files: tuple[str, ...]) -> Found | None:
    if not when.about_files:
        return ()
    if not files:
        return None
    text = listed(clean_path(path) for path in files)
    owned = f", owned by {clean(', '.join(when.owners), 60)}" if when.owners else ""
    return (f"{text}{owned}",)


def _undone(when: Condition, change: Change) -> Found | None:
    if when.undoes is None:
        return ()
    count = sum(commit.undone for commit in change.commits)
    if when.undoes is not bool(count):
        return None
    return (f"{count:,} commit{'' if count == 1 else 's'} of what is stable",) if count else ()


def _label(when: Condition, labels: Sequence[str]) -> Found | None:
    """Labels are written in many styles: `Needs review`, `needs_review`, `risk::high`."""
    if not when.labels:
        return ()
    patterns = [_JOINTS.sub("-", pattern.lower()) for pattern in when.labels]
    hit = [one for one in labels if _like(_JOINTS.sub("-", one[:_LONGEST].lower()), patterns)]
    return (listed((clean(one, 40) for one in hit), "label"),) if hit else None


def _author(when: Condition, authors: Iterable[str]) -> Found | None:
    if not when.authors:
        return ()
    patterns = [pattern.lower() for pattern in when.authors]
    hit = [
        login(author)
        for author in authors
        if any(_like(name[:_LONGEST].lower(), patterns) for name in (author, login(author)))
    ]
    return (f"commits by {listed((clean(one, 60) for one in hit), 'author')}",) if hit else None


def _title(when: Condition, titles: Iterable[str]) -> Found | None:
    if not when.titles:
        return ()
    patterns = [pattern.lower() for pattern in when.titles]
    hit = [title for title in titles if _like(title[:_LONGEST].lower(), patterns)]
    return (
        (f"commits titled {listed((clean(one, 60) for one in hit), 'commit')}",) if hit else None
    )


def _like(text: str, patterns: Iterable[str]) -> bool:
    return any(globbed(pattern).fullmatch(text) for pattern in patterns)


@lru_cache(maxsize=512)
def globbed(pattern: str) -> re.Pattern[str]:
    """A glob as an expression: `*` and `?` are special, brackets are not: `*[bot]` means bots.

    Runs of stars match atomically, each as little as it can, so that no text takes long.
    """
    first, *rest = re.split(r"\*+", pattern)
    parts = [_literal(part) for part in rest]
    if not parts:
        return re.compile(_literal(first), re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in parts[:-1] if part)
    return re.compile(f"{_literal(first)}{middle}.*{parts[-1]}", re.DOTALL)


def _literal(part: str) -> str:
    return "".join("." if char == "?" else re.escape(char) for char in part)


def _size(when: Condition, facts: Facts, files: frozenset[str]) -> Found | None:
    if when.files_over is None and when.lines_over is None:
        return ()
    kept = [file for file in facts.change.files if file.path in files and counts(file.path)]
    lines = sum(file.added + file.removed for file in kept)
    if when.files_over is not None and len(kept) <= when.files_over:
        return None
    if when.lines_over is not None and lines <= when.lines_over:
        return None
    found = []
    if when.files_over is not None:
        found.append(f"{len(kept):,} files of code, more than {when.files_over:,}")
    if when.lines_over is not None:
        found.append(f"{lines:,} lines of code, more than {when.lines_over:,}")
    return tuple(found)


def _bumped(when: Condition, bumps: tuple[Bump, ...]) -> Found | None:
    if not when.dependencies:
        return ()
    hit = [bump for bump in bumps if bump.step in when.dependencies]
    return (listed((clean(str(bump), 80) for bump in hit), "of them"),) if hit else None


def _migrated(when: Condition, migrations: tuple[tuple[str, Impact], ...]) -> Found | None:
    if not when.migrations:
        return ()
    hit = [path for path, worst in migrations if worst in when.migrations]
    return (listed((clean_path(path) for path in hit), "migration"),) if hit else None


def _idle(when: Condition, history: History) -> Found | None:
    if when.idle_over is None:
        return ()
    if history.last_promoted_at is None:
        return None
    since = history.now - history.last_promoted_at
    return (f"the last promotion is {spoken(since)} ago",) if since > when.idle_over else None


def _rolled_back(when: Condition, history: History) -> Found | None:
    if when.rolled_back_within is None:
        return ()
    if history.rolled_back_at is None:
        return None
    since = max(history.now - history.rolled_back_at, timedelta(0))
    return (f"{spoken(since)} ago",) if since <= when.rolled_back_within else None


def spoken(span: timedelta) -> str:
    """A span in its largest unit: 3 h, 16 days."""
    seconds = int(span.total_seconds())
    if seconds >= 2 * 86400:
        return f"{seconds // 86400} days"
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{seconds // 60} min"
