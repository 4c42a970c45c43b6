"""What lies between two revisions, as a git repository on this machine has it."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, Field

from adapters.changes.beside import Entry, earlier
from adapters.changes.blind import Blind, at_once, both
from adapters.changes.caching import Cached
from adapters.changes.comparing import undone
from adapters.changes.listing import (
    COMMIT_FORMAT,
    Listed,
    blobs,
    commits,
    entries,
    lines,
    listed,
    sizes,
)
from adapters.changes.names import is_full, near, shown
from adapters.changes.options import SourceOptions
from adapters.changes.program import Git, Output
from adapters.changes.texts import LARGEST, chosen, text
from adapters.registry import Surroundings
from bot.core.change import Change, ChangedFile, Commit, Seen
from bot.ports import Wanted

MOST_FILES: Final = 10_000
MOST_EARLIER: Final = 2000
"""Migrations of a folder that are read beside those of a change."""
MOST_COMMITS: Final = 1000
"""Commits that are told in each direction; the newest ones."""
FETCHED_HOLDS: Final = 10.0
"""Seconds a repository that was just updated is not updated again."""
_OWNERS: Final = (
    *(".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    ".gitlab/CODEOWNERS",
)
_USER: Final = re.compile(r"//[^/@\s]*@")
_TREE: Final = ("-r", "-z", "-M", "--no-ext-diff", "--no-textconv")


class GitOptions(SourceOptions):
    """Which repository, and how it is kept up to date.

    Attributes:
        repository: its folder, or one inside it; a relative one starts at the configuration file.
        fetch: the remote it is updated from before it is asked for a name; none where something
            else keeps it up to date.

    """

    repository: str = "."
    fetch: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] | None = None


class GitChanges:
    """A `ChangeSource` over a repository on disk; it reads only, but for `fetch`."""

    Options: ClassVar[type[BaseModel]] = GitOptions

    def __init__(self, options: GitOptions, surroundings: Surroundings) -> None:
        self._cached = Cached(_Repository(options, surroundings), options.patience)

    async def compare(self, base: str, head: str, wanted: Wanted) -> Seen:
        """See `ChangeSource.compare`."""
        return await self._cached.compare(base, head, wanted)


class _Repository:
    who = "git"

    def __init__(self, options: GitOptions, surroundings: Surroundings) -> None:
        self._options = options
        self._place = surroundings.folder / options.repository
        self._git = Git(self._place)
        self._updating = asyncio.Lock()
        self._updated: float | None = None

    async def resolve(self, revision: str) -> str:
        name = self._options.name_of(revision)
        if is_full(name) and (found := await self._commit(name)):
            return found
        await self._update()
        # A tag means one thing; of branches the remote's is the one that is up to date.
        remote = self._options.fetch
        places = (
            (f"refs/tags/{name}", f"refs/remotes/{remote}/{name}", name) if remote else (name,)
        )
        for place in places:
            if found := await self._commit(place):
                return found
        tags = await self._git.run("tag", "--list", "--sort=-creatordate")
        known = tags.out.decode("utf-8", errors="replace").splitlines()[:1000]
        raise Blind(
            f"git does not know {shown(name)} in {self._options.repository}{near(name, known)}; "
            "check the revision, `ref`, which says how revisions are named there, and that the "
            "repository is up to date (`fetch`)"
        )

    async def between(self, base: str, head: str, wanted: Wanted) -> Change:
        (raw, counts), (brought, taken_back) = await both(
            both(self._tree("--raw", base, head), self._tree("--numstat", base, head)),
            both(self._log(base, head), self._log(head, base)),
        )
        files = tuple(
            one
            for one in listed(raw.out, lines(counts.out))
            if self._options.counts(one.file.path, one.file.previous_path)
        )
        told, owners = await both(self._with_texts(files[:MOST_FILES], wanted), self._owners(base))
        return Change(
            base=base,
            head=head,
            files=told,
            commits=(*undone(taken_back[-MOST_COMMITS:]), *brought[-MOST_COMMITS:]),
            complete=raw.whole
            and counts.whole
            and len(files) <= MOST_FILES
            and not any(one.elsewhere for one in files)
            and max(len(brought), len(taken_back)) <= MOST_COMMITS,
            owners=owners,
            source="git",
            earlier=await earlier(
                told, wanted, lambda home: self._inside(base, home), self._contents, MOST_EARLIER
            ),
        )

    async def labels(self, change: Change) -> tuple[str, ...]:  # noqa: ARG002 - git has none
        return ()

    async def _commit(self, name: str) -> str | None:
        """The commit of a name; None when there is none."""
        told = await self._git.run(
            *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        )
        commit = told.out.decode("ascii", errors="replace").strip()
        if told.code == 0 and is_full(commit):
            return commit
        if told.code not in {0, 1}:
            raise self._trouble("be read", told)
        return None

    async def _update(self) -> None:
        if self._options.fetch is None:
            return
        async with self._updating:
            now = time.monotonic()
            if self._updated is not None and now - self._updated < FETCHED_HOLDS:
                return
            told = await self._git.run(
                *(
                    "fetch",
                    "--quiet",
                    "--tags",
                    "--no-recurse-submodules",
                    "--no-write-fetch-head",
                ),
                *("--no-auto-maintenance", "--end-of-options", self._options.fetch),
            )
            if told.code != 0:
                raise self._trouble(f"be updated from {self._options.fetch}", told)
            self._updated = time.monotonic()

    async def _tree(self, form: str, base: str, head: str) -> Output:
        told = await self._git.run("diff-tree", *_TREE, form, "--end-of-options", base, head, "--")
        if told.code != 0:
            raise self._trouble("be compared", told)
        return told

    async def _log(self, base: str, head: str) -> tuple[Commit, ...]:
        """The commits of `head` that `base` lacks, oldest first; one too many when it is more."""
        told = await self._git.run(
            *("log", "-z", f"--max-count={MOST_COMMITS + 1}", COMMIT_FORMAT, "--encoding=UTF-8"),
            *("--no-show-signature", "--no-notes", "--end-of-options", f"{base}..{head}", "--"),
            *self._options.folders,
        )
        if told.code != 0:
            raise self._trouble("tell its commits", told)
        return commits(told.out)[::-1]

    async def _with_texts(
        self, files: Sequence[Listed], wanted: Wanted
    ) -> tuple[ChangedFile, ...]:
        asked = set(chosen([one.file for one in files], wanted))
        texts = await self._texts(
            [
                blob
                for one in files
                if one.file in asked
                for blob in (one.before, one.after)
                if blob
            ]
        )
        return tuple(
            replace(one.file, before=texts.get(one.before), after=texts.get(one.after))
            if one.file in asked
            else one.file
            for one in files
        )

    async def _texts(self, ids: Sequence[str]) -> dict[str, str | None]:
        """The texts of blobs by id; not of those that are too big or no text."""
        asked = "".join(f"{one}\n" for one in dict.fromkeys(ids)).encode()
        if not asked:
            return {}
        known = sizes((await self._git.run("cat-file", "--batch-check", given=asked)).out)
        small = "".join(f"{one}\n" for one, size in known.items() if size <= LARGEST).encode()
        most = 2 * sum(size + 200 for size in known.values() if size <= LARGEST)
        told = await self._git.run("cat-file", "--batch", given=small, most=most)
        return {one: text(content) for one, content in blobs(told.out).items()}

    async def _inside(self, commit: str, folder: str) -> Sequence[Entry] | None:
        told = await self._git.run(
            *("ls-tree", "-z", "-l", "--full-tree", "--end-of-options", commit, f"{folder}/")
        )
        return entries(told.out) if told.code == 0 and told.whole else None

    async def _contents(self, asked: Sequence[Entry]) -> Sequence[str | None]:
        found = await self._texts([entry.blob for entry in asked])
        return [found.get(entry.blob) for entry in asked]

    async def _owners(self, commit: str) -> str:
        found = await at_once(*(self._owners_at(commit, path) for path in _OWNERS))
        return next((one for one in found if one), "")

    async def _owners_at(self, commit: str, path: str) -> str:
        told = await self._git.run(
            *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}:{path}")
        )
        blob = told.out.decode("ascii", errors="replace").strip()
        if told.code != 0 or not is_full(blob):
            return ""
        return (await self._texts([blob])).get(blob) or ""

    def _trouble(self, what: str, told: Output) -> Blind:
        """What git said, which is shown; it names paths and remotes, whose passwords are not."""
        said = _USER.sub("//", " ".join(told.trouble.split()))[:300]
        said = said or f"it ended with {told.code}"
        return Blind(
            f"the repository {self._options.repository} cannot {what}: {said}; check that it is a "
            "git repository and that the bot may read it"
        )
