"""What lies between two commits of the repository here, as the API takes it along."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bot.client.talking import Exit, Failed

MOST_FILES: Final = 3000
MOST_COMMITS: Final = 200
MOST_LABELS: Final = 100
LONGEST_PATH: Final = 1024
LONGEST_TEXT: Final = 200_000
MOST_TEXT: Final = 600_000
"""Bytes of all texts together; the API takes a megabyte."""

PATIENCE: Final = 60
_STATUSES: Final = {"A": "added", "D": "removed", "R": "renamed", "M": "modified"}
_OWNERS: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_TREE: Final = ("diff-tree", "-r", "-z", "-M", "--no-ext-diff", "--no-textconv")
_COMMIT: Final = "%H%x00%ae%x00%s%x00%cI"


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
    repository = _Repository(folder)
    head = repository.commit(until or "HEAD")
    meant = repository.find(revision)
    if meant not in {None, head}:
        raise Failed(
            f"--git {span}: that ends at {head[:10]}, and {revision}, which is to be started, is "
            f"{meant[:10]} in this repository. Write --git {since}..{revision}, or start what is "
            "checked out.",
            Exit.UNUSABLE,
        )
    known = repository.find(stable) if stable else None
    base = repository.commit(since) if since else _base(known, stable)
    found = repository.files(base, head)
    files = [file for file in found if _is_sendable(file)][:MOST_FILES]
    repository.add_texts(files, base, head)
    return {
        "base": stable if stable and known == base else base,
        "head": revision,
        "files": files,
        "commits": repository.commits(base, head),
        "labels": list(labels)[:MOST_LABELS],
        "complete": len(files) == len(found),
        "owners": repository.owners(base),
    }


def _base(known: str | None, stable: str | None) -> str:
    if known is not None:
        return known
    if stable is None:
        raise Unsent("the bot cannot tell which revision is stable, so there is no base")
    raise Unsent(
        f"stable runs {stable}, which is no commit of this repository (a shallow clone has only "
        "the newest ones: fetch with --unshallow, or with fetch-depth: 0 in the checkout)"
    )


def _is_sendable(file: dict[str, Any]) -> bool:
    return max(len(file["path"]), len(file["previous_path"])) <= LONGEST_PATH


class _Repository:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str) -> str | None:
        """The commit of that name, or None."""
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        found = self._git(*words)
        return found.strip() if found is not None else None

    def commit(self, name: str) -> str:
        """The commit of that name; Failed where there is none."""
        if self._git("rev-parse", "--git-dir") is None:
            raise Failed(
                "--git: this folder is in no git repository (or belongs to somebody else, and git "
                "does not trust it: see safe.directory). Check it out before, or leave --git out: "
                "then a person is asked.",
                Exit.UNUSABLE,
            )
        found = self.find(name)
        if found is None:
            raise Failed(
                f"--git: there is no commit {name} in this repository. A shallow clone has only "
                "the newest ones: fetch with --unshallow, or with fetch-depth: 0 in the checkout.",
                Exit.UNUSABLE,
            )
        return found

    def files(self, base: str, head: str) -> list[dict[str, Any]]:
        names = (self._git(*_TREE, "--name-status", base, head, "--") or "").split("\0")
        found: dict[str, dict[str, Any]] = {}
        words = iter(names)
        for word in words:
            if not word:
                continue
            status, path, before = _STATUSES.get(word[0], "modified"), next(words), ""
            if status == "renamed":
                before, path = path, next(words)
            found[path] = {"path": path, "status": status, "previous_path": before}
        words = iter((self._git(*_TREE, "--numstat", base, head, "--") or "").split("\0"))
        for word in words:
            if not word:
                continue
            added, removed, path = word.split("\t", 2)
            if not path:  # renamed: both names follow
                _, path = next(words), next(words)
            numbers = {"added": added, "removed": removed}
            found[path] |= {name: int(n) if n.isdigit() else 0 for name, n in numbers.items()}
        return list(found.values())

    def add_texts(self, files: list[dict[str, Any]], base: str, head: str) -> None:
        """Of migrations and manifests, as long as there is room."""
        from bot.core.risk import wanted

        room = MOST_TEXT
        for file in files:
            if not wanted(file["path"]):
                continue
            if file["status"] != "added":
                room -= self._add(file, "before", base, file["previous_path"], room)
            if file["status"] != "removed":
                room -= self._add(file, "after", head, "", room)

    def _add(self, file: dict[str, Any], side: str, commit: str, other: str, room: int) -> int:
        text = self._text(commit, other or file["path"])
        size = len(text.encode()) if text is not None else 0
        if text is None or size > min(room, LONGEST_TEXT):
            return 0
        file[side] = text
        return size

    def owners(self, base: str) -> str:
        for path in _OWNERS:
            text = self._text(base, path)
            if text is not None and len(text) <= LONGEST_TEXT:
                return text
        return ""

    def commits(self, base: str, head: str) -> list[dict[str, str]]:
        told = self._git(
            "log",
            "-z",
            f"--max-count={MOST_COMMITS}",
            f"--format={_COMMIT}",
            f"{base}..{head}",
            "--",
        )
        words = (told or "").rstrip("\0").split("\0")
        fields = ("id", "author", "title", "at")
        rows = [words[i : i + 4] for i in range(0, len(words) - 3, 4)]
        return [{name: text[:200] for name, text in zip(fields, row, strict=True)} for row in rows]

    def _text(self, commit: str, path: str) -> str | None:
        return self._git("cat-file", "blob", f"{commit}:{path}")

    def _git(self, *words: str) -> str | None:
        """What git says; None where it says no."""
        try:
            done = subprocess.run(  # noqa: S603 - git, and names of commits that cannot be options
                ["git", "-C", str(self._folder), *words],  # noqa: S607 - the one on the path
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed(f"--git: git cannot be run: {error}", Exit.UNUSABLE) from error
        if done.returncode != 0:
            return None
        return done.stdout.decode("utf-8", errors="replace")
