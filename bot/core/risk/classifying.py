"""Puts a change into a tier, with every reason for it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from bot.core.assessment import Assessment, Impact, Reason, Statement
from bot.core.change import Change, Seen, Unseen
from bot.core.migrations import Migration, is_migration, judge, unexplained
from bot.core.risk.dependencies import bumps, is_manifest
from bot.core.risk.matching import Facts, evidence
from bot.core.risk.owners import owners
from bot.core.risk.rules import History, Policy, Rule, Tiers
from bot.core.risk.words import clean, clean_path, listed, login

MOST_REASONS: Final = 12
LONGEST_REASON: Final = 300
SENT: Final = "sent along"
"""The source of a change that a pipeline told of itself."""

LONGEST_PATH: Final = 1000
DEEPEST_PATH: Final = 100
"""Characters and folders of a path that is read; a change with a longer one is not seen whole."""

MOST_STATEMENTS: Final = 50
"""A canary keeps its assessment; of more statements than these the worst are kept."""

_WORST_FIRST: Final = (Impact.NOT_ADDITIVE, Impact.UNCLEAR)


def wanted(path: str, migrations: Sequence[str] = ()) -> bool:
    """Whether a file's text is needed: those of manifests, lock files and migrations are."""
    return is_manifest(path) or is_migration(path, migrations)


def assess(change: Seen, history: History, policy: Policy) -> Assessment:
    """Classify a change by everything that is configured."""
    return classify(change, history, policy.rules, policy.tiers, migrations=policy.migrations)


def classify(
    change: Seen,
    history: History,
    rules: Sequence[Rule],
    tiers: Tiers,
    *,
    migrations: Sequence[str] = (),
) -> Assessment:
    """The tier of a change and why; the highest tier of everything that holds.

    Whatever the rules say, a migration that stable does not survive makes the change riskiest, one
    that nobody understands asks a person, and what cannot be seen is never taken for safe.

    Args:
        rules: in the order in which their reasons are told within a tier.
        migrations: patterns of further migration files.

    """
    if isinstance(change, Unseen):
        text = f"the change cannot be seen: {clean(change.reason, 240)}"
        reasons = [Reason(tiers.unknown, text), *_fired(rules, None, history, tiers)]
        ranked = _ranked(reasons, tiers)
        return Assessment(ranked[0].tier, ranked, seen=False)
    change = _readable(change)
    known = judged(change, migrations)
    facts = _facts(change, known, rules)
    reasons = [*_floors(change, known, tiers), *_fired(rules, facts, history, tiers)]
    if not reasons:
        reasons = [Reason(tiers.safest, f"nothing in it is known to be risky: {size(change)}")]
    ranked = _ranked(reasons, tiers)
    return Assessment(
        ranked[0].tier,
        ranked,
        statements=_worst(known),
        migrations=len(known),
        summary=summary(change),
        url=change.url,
    )


def judged(change: Change, extra: Sequence[str]) -> tuple[Migration, ...]:
    """Every migration of a change; one that was moved elsewhere counts as removed.

    Without any, what keeps the whole schema stands in for them: it changes with every migration.
    """
    found = []
    for file in change.files:
        if is_migration(file.path, extra):
            found.append(file)
        elif file.previous_path and is_migration(file.previous_path, extra):
            moved = replace(file, path=file.previous_path, previous_path="", status="removed")
            found.append(moved)
    return judge(found, change.earlier) if found else unexplained(change.files)


def _readable(change: Change) -> Change:
    """Leave out the files whose paths are longer than any file system takes them."""
    kept = tuple(file for file in change.files if _fits(file.path) and _fits(file.previous_path))
    if len(kept) == len(change.files):
        return change
    return replace(change, files=kept, complete=False)


def _fits(path: str) -> bool:
    return len(path) <= LONGEST_PATH and path.count("/") <= DEEPEST_PATH


def _floors(change: Change, known: Sequence[Migration], tiers: Tiers) -> list[Reason]:
    """What no configuration can take out of a tier."""
    found = []
    for impact, tier, said in (
        (
            Impact.NOT_ADDITIVE,
            tiers.riskiest,
            "stable does not survive its migrations, so a rollback is not safe",
        ),
        (Impact.UNCLEAR, tiers.asking, "nobody can tell whether stable survives its migrations"),
    ):
        hit = [one for migration in known for one in migration.statements if one.impact is impact]
        if hit:
            places = listed((f"{clean_path(one.path)}:{one.line}" for one in hit), "statement")
            found.append(Reason(tier, _cut(f"{said}: {places}")))
    if not change.complete:
        text = "not all of the change can be seen: its source left files out"
        found.append(Reason(tiers.unknown, text))
    elif not change.files and change.source in {"", SENT}:
        # A source that looked may say that nothing differs; a pipeline has just sent no files.
        text = "what was sent along about it names no file, so what it changes is unknown"
        found.append(Reason(max(tiers.asking, tiers.unknown, key=tiers.rank), text))
    elif not change.files and change.base != change.head:
        text = "its source says that nothing differs, and yet it is another revision"
        found.append(Reason(tiers.asking, text))
    return found


def _facts(change: Change, known: Sequence[Migration], rules: Sequence[Rule]) -> Facts:
    paths = tuple(
        dict.fromkeys(
            path for file in change.files for path in (file.path, file.previous_path) if path
        )
    )
    asked = any(rule.when.owners for rule in rules)
    return Facts(
        change,
        paths,
        bumps(change.files),
        tuple((migration.path, migration.worst) for migration in known),
        owners(change.owners, paths) if asked and change.owners else {},
    )


def _fired(
    rules: Iterable[Rule], facts: Facts | None, history: History, tiers: Tiers
) -> list[Reason]:
    found = []
    for rule in rules:
        hit = evidence(rule.when, facts, history)
        if hit is not None:
            detail = f": {'; '.join(hit)}" if hit else ""
            text = _cut(f"{clean(rule.why or rule.name, 200)}{detail}")
            found.append(Reason(tiers.named(rule.tier), text, rule.name))
    return found


def _ranked(reasons: Iterable[Reason], tiers: Tiers) -> tuple[Reason, ...]:
    """The highest tier's first, each sentence once in its highest tier."""
    ordered = sorted(reasons, key=lambda reason: -tiers.rank(reason.tier))
    once = {reason.text: reason for reason in reversed(ordered)}
    kept = tuple(reason for reason in ordered if once[reason.text] is reason)
    return kept[:MOST_REASONS]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1].rstrip()}…"


def _worst(known: Iterable[Migration]) -> tuple[Statement, ...]:
    statements = [
        one for migration in known for one in migration.statements if one.impact in _WORST_FIRST
    ]
    statements.sort(key=lambda one: _WORST_FIRST.index(one.impact))
    return tuple(statements[:MOST_STATEMENTS])


def size(change: Change) -> str:
    """How many files and lines: "3 files, +20 -4 lines"."""
    added = sum(file.added for file in change.files)
    removed = sum(file.removed for file in change.files)
    files = _counted(len(change.files), "file")
    more = "" if change.complete else " or more"
    return f"{files}{more}, +{added:,} \N{MINUS SIGN}{removed:,} lines"


def summary(change: Change) -> str:
    """A change in a few words: "12 files, +340 -20 lines, 3 commits by alice, bob"."""
    if not change.commits:
        return size(change)
    by = listed((clean(login(author), 40) for author in change.authors), "author")
    commits = _counted(len(change.commits), "commit")
    return f"{size(change)}, {commits}{f' by {by}' if by else ''}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
