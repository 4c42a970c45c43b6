"""What lies between two commits of the repository here, as the API takes it along."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import httpx

from adapters.changes.blind import Blind
from adapters.changes.git import GitChanges, GitOptions
from adapters.changes.program import Git
from adapters.clock import SystemClock
from adapters.registry import Surroundings
from bot.client.talking import Exit, Failed
from bot.core.change import Change, ChangedFile, Commit, Seen, Unseen
from bot.core.risk import wanted

MOST_FILES: Final = 3000
MOST_COMMITS: Final = 1000
MOST_LABELS: Final = 100
LONGEST_PATH: Final = 1024
LONGEST_WORDS: Final = 200
"""Letters of an author and of a title."""

LONGEST_OWNERS: Final = 100_000
MOST_BYTES: Final = 900_000
"""Of the whole; the API takes a megabyte."""

FEWER: Final = 500
"""Files and commits of a change that is too big even without any text."""


class Unsent(Exception):  # noqa: N818 - no fault: a person is asked then
    """The change cannot be sent along; the text says why."""


def change(
    span: str,
    revision: str,
    stable: str | None,
    labels: Sequence[str] = (),
    folder: Path = Path(),
) -> dict[str, Any]:
    """The change from what is stable to what is to be started.

    It names its two ends as the bot does, by their revisions: a change that lies between others
    does not count there.

    Args:
        span: `BASE..HEAD`; without BASE it begins at what is stable, without HEAD it ends here.
        revision: what is to be started; HEAD is its commit.
        stable: the revision that the bot calls stable; None where it cannot tell.
        labels: of the change request.
        folder: where the repository is.

    Raises:
        Failed: that is no span, git cannot tell, or HEAD is not what is to be started.
        Unsent: what is stable is no commit here.

    """
    since, dots, until = span.partition("..")
    if not dots or since.startswith("-") or until.startswith(("-", ".")):
        raise Failed(
            f"--git {span}: write it as ..HEAD (from what is stable) or BASE..HEAD, such as "
            "v1.4..HEAD",
            Exit.UNUSABLE,
        )
    return asyncio.run(_change(_Repository(folder.resolve()), since, until, revision, stable)) | {
        "labels": list(labels)[:MOST_LABELS]
    }


async def _change(
    repository: "_Repository", since: str, until: str, revision: str, stable: str | None
) -> dict[str, Any]:
    head = await repository.commit(until or "HEAD")
    meant = await repository.find(revision)
    if meant is not None and meant != head:
        raise Failed(
            f"--git {since}..{until}: that ends at {head[:10]}, and {revision}, which is to be "
            f"started, is {meant[:10]} in this repository. Write --git {since}..{revision}, or "
            "start what is checked out.",
            Exit.UNUSABLE,
        )
    known = await repository.find(stable) if stable else None
    base = await repository.commit(since) if since else _base(known, stable)
    seen = await repository.compare(base, head)
    if isinstance(seen, Unseen):
        raise Failed(f"--git {since}..{until}: {seen.reason}", Exit.UNUSABLE)
    begins = stable if stable and known == base else base
    return {"base": begins, "head": revision, **_fitted(_sent(seen))}


def _base(known: str | None, stable: str | None) -> str:
    if known is not None:
        return known
    if stable is None:
        raise Unsent("the bot cannot tell which revision is stable, so there is no base")
    raise Unsent(
        f"stable runs {stable}, which is no commit of this repository (a shallow clone has only "
        "the newest ones: fetch with --unshallow, or with fetch-depth: 0 in the checkout)"
    )


def _sent(seen: Change) -> dict[str, Any]:
    """As the API takes it; what it has no room for is left out, and said to be."""
    files = [asdict(file) for file in seen.files if _is_sendable(file)][:MOST_FILES]
    commits = [_commit(commit) for commit in seen.commits[-MOST_COMMITS:]]
    # Of a folder all or none: a gap among migrations would hide what a column was before.
    fits = len(files) + len(seen.earlier) <= MOST_FILES and all(map(_is_sendable, seen.earlier))
    whole = (len(files), len(commits)) == (len(seen.files), len(seen.commits))
    return {
        "files": files,
        "commits": commits,
        "complete": seen.complete and whole,
        "owners": seen.owners if len(seen.owners) <= LONGEST_OWNERS else "",
        "earlier": [asdict(file) for file in seen.earlier] if fits else [],
    }


def _fitted(body: dict[str, Any]) -> dict[str, Any]:
    """The same with less, until it can be sent: what is missing makes nothing look safer."""
    for lighter in (_without_earlier, _without_texts, _with_fewer):
        if len(json.dumps(body)) <= MOST_BYTES:
            break
        body = lighter(body)
    return body


def _without_earlier(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"earlier": []}


def _without_texts(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"files": [file | {"before": None, "after": None} for file in body["files"]]}


def _with_fewer(body: dict[str, Any]) -> dict[str, Any]:
    fewer = {name: body[name][:FEWER] for name in ("files", "commits")}
    return body | fewer | {"complete": False, "owners": ""}


def _is_sendable(file: ChangedFile) -> bool:
    return max(len(file.path), len(file.previous_path)) <= LONGEST_PATH


def _commit(commit: Commit) -> dict[str, Any]:
    return {
        "id": commit.id,
        "author": commit.author[:LONGEST_WORDS],
        "title": commit.title[:LONGEST_WORDS],
        "at": commit.at.isoformat() if commit.at else None,
        "undone": commit.undone,
    }


class _Repository:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._git = Git(folder)

    async def find(self, name: str) -> str | None:
        """The commit of that name, or None."""
        try:
            told = await self._git.run(
                *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            )
        except Blind as error:
            raise Failed(f"--git: {error}", Exit.UNUSABLE) from error
        return told.out.decode("ascii", errors="replace").strip() if told.code == 0 else None

    async def commit(self, name: str) -> str:
        """The commit of that name; Failed where there is none."""
        found = await self.find(name)
        if found is not None:
            return found
        if (await self._git.run("rev-parse", "--git-dir")).code != 0:
            raise Failed(
                "--git: this folder is in no git repository (or in somebody else's, which git "
                "does not trust: see safe.directory). Check it out before, or leave --git out: "
                "then a person is asked.",
                Exit.UNUSABLE,
            )
        raise Failed(
            f"--git: there is no commit {name} in this repository. A shallow clone has only "
            "the newest ones: fetch with --unshallow, or with fetch-depth: 0 in the checkout.",
            Exit.UNUSABLE,
        )

    async def compare(self, base: str, head: str) -> Seen:
        """As the bot compares them where it has a clone of its own."""
        async with httpx.AsyncClient() as http:
            around = Surroundings("", SystemClock(), http, self._folder)
            return await GitChanges(GitOptions(repository="."), around).compare(base, head, wanted)
