"""`canary classify`: which tier a change of a local repository belongs into, and why."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from adapters.changes.blind import Blind
from adapters.changes.git import GitChanges, GitOptions
from adapters.changes.names import is_full, near, shown
from adapters.changes.program import Git
from adapters.clock import SystemClock
from adapters.registry import Surroundings
from bot.bootstrap import http_client
from bot.config import load
from bot.config.units import unknown
from bot.core.assessment import Assessment, Impact, Reason, Statement
from bot.core.change import Unseen
from bot.core.risk import (
    ASKING,
    DEFAULT_RULES,
    RISKIEST,
    History,
    Policy,
    Tiers,
    assess,
    wanted,
)
from bot.core.risk.words import clean

UNCONFIGURED: Final = Policy(DEFAULT_RULES, Tiers(("safe", "risky"), "risky", "risky"))
"""The tiers of a first configuration: one that promotes by itself, one that asks."""

_IMPACTS: Final = {Impact.NOT_ADDITIVE: "not additive", Impact.UNCLEAR: "unclear"}


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be classified.

    Attributes:
        span: the two revisions, as BASE..HEAD.
        repository: a folder of the repository.
        service: whose folders count, where the configuration names some; empty for all.
        config: the configuration; None for the rules and tiers that come with the bot.
        labels: labels that its pull request would have.

    """

    span: str
    repository: Path = Path()
    service: str = ""
    config: Path | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Classified:
    """A change and what was found of it."""

    question: Question
    base: str
    head: str
    tiers: Tiers
    assessment: Assessment

    def reaches(self, tier: str) -> bool:
        """Whether it is in this tier (or `riskiest`, `asking`) or above.

        Raises:
            ValueError: there is no such tier.

        """
        named = named_tier(self.tiers, tier)
        return self.tiers.rank(self.assessment.tier) >= self.tiers.rank(named)


def named_tier(tiers: Tiers, tier: str) -> str:
    """The tier of that name, or of that symbol.

    Raises:
        ValueError: there is none.

    """
    if tier not in {*tiers.names, RISKIEST, ASKING}:
        raise ValueError(unknown("tier", tier, (*tiers.names, RISKIEST, ASKING)))
    return tiers.named(tier)


async def classify(question: Question, limit: str = "") -> Classified:
    """Compare two revisions of a repository and classify what lies between.

    Args:
        question: what is asked.
        limit: the tier that the answer will be held against; checked before anything is read.

    Raises:
        ConfigError: the configuration cannot be used.
        ValueError: the revisions, the repository or a name are unknown; with what is known.

    """
    policy, folders = _configured(question)
    if limit:
        named_tier(policy.tiers, limit)
    base, head = _ends(question.span)
    repository = question.repository.resolve()
    git = Git(repository)
    async with http_client() as http:
        clock = SystemClock()
        around = Surroundings(question.service, clock, http, repository)
        source = GitChanges(GitOptions(repository=".", **folders), around)
        old, new = [await _commit(git, name, repository) for name in (base, head)]
        change = await source.compare(old, new, lambda path: wanted(path, policy.migrations))
    if isinstance(change, Unseen):
        raise ValueError(change.reason)  # noqa: TRY004 - what was typed is unusable, not a type
    labels = tuple(dict.fromkeys((*change.labels, *question.labels)))
    seen = replace(change, labels=labels)
    answer = assess(seen, History(clock.now()), policy)
    return Classified(question, change.base, change.head, policy.tiers, answer)


def _configured(question: Question) -> tuple[Policy, dict[str, Any]]:
    """The rules and tiers, and which folders are the service's."""
    if question.config is None:
        if question.service:
            raise ValueError(
                f"--service {question.service}: services stand in the configuration, and there is "
                "none here; name it with --config"
            )
        return UNCONFIGURED, {}
    settings, _ = load(question.config)
    if not question.service:
        return settings.policy, {}
    if question.service not in settings.services:
        raise ValueError(unknown("service", question.service, settings.services))
    changes = settings.services[question.service].changes
    options = changes.options if changes is not None else {}
    return settings.policy, {name: options[name] for name in ("path", "also") if name in options}


def _ends(span: str) -> tuple[str, str]:
    if "..." in span:
        base, _, head = span.partition("...")
        raise ValueError(
            f"{span}: what was deployed is compared with what will be, so write two dots: "
            f"{base}..{head}"
        )
    base, dots, head = span.partition("..")
    if not dots:
        raise ValueError(f"{span}: write it as BASE..HEAD, for example v1.4.0..HEAD")
    return base or "HEAD", head or "HEAD"


async def _commit(git: Git, name: str, folder: Path) -> str:
    """The commit of an expression such as `HEAD~3`.

    Raises:
        ValueError: there is none, or no repository, or no git; with what to do.

    """
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    try:
        if "\0" in name:
            raise ValueError(f"{shown(name)} is no revision: it holds a NUL")
        about = await git.run("rev-parse", "--is-shallow-repository")
        told = await git.run(*asked)
        names = await git.run(
            "for-each-ref", "--format=%(refname:short)", "refs/tags", "refs/heads"
        )
    except Blind as error:
        raise ValueError(str(error)) from None
    if about.code != 0:
        raise ValueError(f"there is no git repository at {folder}: name another with --repo")
    commit = told.out.decode("ascii", errors="replace").strip()
    if told.code == 0 and is_full(commit):
        return commit
    known = names.out.decode("utf-8", errors="replace").splitlines()[:2000]
    more = (
        "the clone is shallow and may lack it: git fetch --unshallow --tags"
        if about.out.strip() == b"true"
        else "check how it is written, or fetch it first"
    )
    raise ValueError(f"git does not know {shown(name)} in {folder}{near(name, known)}; {more}")


def as_json(found: Classified) -> dict[str, Any]:
    """Everything that was found, for programs."""
    return {
        "base": found.base,
        "head": found.head,
        "rollback_is_safe": found.assessment.rollback_is_safe,
        **asdict(found.assessment),
    }


def as_text(found: Classified) -> Group:
    """The tier, the reasons by tier, the migrations, and the summary; reads without colour too."""
    assessment, tiers = found.assessment, found.tiers
    safe = assessment.tier == tiers.safest
    head = Text.assemble(("tier: ", ""), (assessment.tier, "bold green" if safe else "bold red"))
    parts: list[RenderableType] = [head]
    if assessment.summary:
        parts.append(Text(f"{found.base[:12]}..{found.head[:12]}: {assessment.summary}"))
    for tier in reversed(tiers.names):
        parts += _reasons(tier, [one for one in assessment.reasons if one.tier == tier])
    if assessment.migrations:
        parts += _migrations(assessment)
    return Group(*parts)


def _reasons(tier: str, reasons: Sequence[Reason]) -> list[RenderableType]:
    if not reasons:
        return []
    parts: list[RenderableType] = [Text(f"\n{tier}, because", "bold")]
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(overflow="fold")
    for reason in reasons:
        rule = f" [{reason.rule}]" if reason.rule else ""
        table.add_row(" -", Text.assemble(reason.text, (rule, "dim")))
    return [*parts, table]


def _migrations(assessment: Assessment) -> list[RenderableType]:
    count = assessment.migrations
    word = "migration" if count == 1 else "migrations"
    if not assessment.statements:
        told = f"\n{count} {word}, additive: stable works on against the new schema"
        return [Text(told, "green")]
    told = (
        "some of it may be more than stable survives"
        if assessment.rollback_is_safe
        else "a rollback is not safe"
    )
    parts: list[RenderableType] = [Text(f"\n{count} {word}, {told}", "bold")]
    for statement in assessment.statements:
        parts += _statement(statement)
    return parts


def _statement(statement: Statement) -> list[RenderableType]:
    style = "bold red" if statement.impact is Impact.NOT_ADDITIVE else "yellow"
    place = clean(statement.path, 300)
    head = Text.assemble(f"{place}:{statement.line} ", (_IMPACTS.get(statement.impact, ""), style))
    lines = [clean(statement.text, 200), f"why: {clean(statement.why, 300)}"]
    if statement.way_out:
        lines.append(f"way out: {clean(statement.way_out, 300)}")
    return [Padding(head, (0, 0, 0, 2)), *(Padding(Text(line), (0, 0, 0, 6)) for line in lines)]
