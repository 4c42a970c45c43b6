"""What lies between two revisions, as GitHub tells it (github.com and GitHub Enterprise)."""

from collections.abc import Sequence
from typing import ClassVar, Final
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, TypeAdapter, field_validator

from adapters.changes.asking import Asking, Host, Larger, Refused
from adapters.changes.beside import MOST_HOSTED, Entry, earlier
from adapters.changes.blind import Blind, at_once, both
from adapters.changes.caching import Cached
from adapters.changes.comparing import Side, Status, straight, undone
from adapters.changes.names import is_full, near, shown
from adapters.changes.options import ForgeOptions
from adapters.changes.texts import LARGEST, is_elsewhere, text, with_texts
from adapters.registry import Surroundings
from bot.core.change import Change, ChangedFile, Commit, Seen
from bot.ports import Wanted

MOST_FILES: Final = 300
"""GitHub lists no more files of a comparison, and does not say so."""
MOST_COMMITS: Final = 1000
"""Commits that are read of a comparison."""
MOST_ENTRIES: Final = 1000
"""GitHub lists no more of a folder, and does not say so."""
LABELLED: Final = 20
"""The newest commits whose pull requests are asked for."""
_PAGE: Final = 100
_OWNERS: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
_STATUS: Final[dict[str, Status]] = {
    "added": "added",
    "copied": "added",
    "removed": "removed",
    "renamed": "renamed",
}


class _File(BaseModel):
    filename: str
    status: str
    sha: str | None = None
    additions: int = 0
    deletions: int = 0
    previous_filename: str = ""
    patch: str = ""


class _Person(BaseModel):
    login: str = ""


class _Signature(BaseModel):
    email: str | None = None
    date: AwareDatetime | None = None


class _Message(BaseModel):
    message: str = ""
    author: _Signature | None = None
    committer: _Signature | None = None


class _Commit(BaseModel):
    sha: str
    commit: _Message
    author: _Person | None = None


class _Comparison(BaseModel):
    status: str
    html_url: str = ""
    total_commits: int
    commits: list[_Commit]
    files: list[_File] = []


class _Entry(BaseModel):
    path: str
    type: str
    size: int = 0


class _Named(BaseModel):
    name: str


class _Pull(BaseModel):
    labels: list[_Named] = []


_COMPARISON: Final = TypeAdapter(_Comparison)
_PULLS: Final = TypeAdapter(list[_Pull])
_ENTRIES: Final = TypeAdapter(list[_Entry])
_TAGS: Final = TypeAdapter(list[_Named])


class GitHubOptions(ForgeOptions):
    """Which repository, and how it is read.

    Attributes:
        url: of GitHub Enterprise Server, `https://HOST/api/v3`.

    """

    url: str = "https://api.github.com"

    @field_validator("repository")
    @classmethod
    def _has_two_parts(cls, repository: str) -> str:
        if repository.count("/") != 1:
            raise ValueError(f"{repository!r} is no repository of GitHub; write it as owner/name")
        return repository


class GitHubChanges:
    """A `ChangeSource` over GitHub's REST API.

    A token needs to read the repository's contents and its pull requests, nothing more.
    """

    Options: ClassVar[type[BaseModel]] = GitHubOptions

    def __init__(self, options: GitHubOptions, surroundings: Surroundings) -> None:
        self._cached = Cached(_GitHub(options, surroundings), options.patience)

    async def compare(self, base: str, head: str, wanted: Wanted) -> Seen:
        """See `ChangeSource.compare`."""
        return await self._cached.compare(base, head, wanted)


class _GitHub:
    who = "GitHub"

    def __init__(self, options: GitHubOptions, surroundings: Surroundings) -> None:
        self._options = options
        self._repo = f"repos/{options.repository}"
        headers = {"X-GitHub-Api-Version": "2022-11-28"}
        if options.token is not None:
            headers["Authorization"] = f"Bearer {options.token}"
        host = Host("GitHub", options.url, options.repository, headers, options.token_env)
        self._asking = Asking(host, surroundings)

    async def resolve(self, revision: str) -> str:
        name = self._options.name_of(revision)
        try:
            told = await self._asking.raw(
                f"{self._repo}/commits/{quote(name, safe='')}",
                accept="application/vnd.github.sha",
                largest=1000,
            )
        except Larger:
            told = b""
        except Refused as refused:
            if refused.status not in {409, 422}:  # 409: the repository is empty
                raise
            raise Blind(
                f"GitHub does not know {shown(name)} in {self._options.repository}"
                f"{near(name, await self._tags())}; check the revision, and `ref`, which says how "
                "revisions are named there"
            ) from None
        commit = told.decode("ascii", errors="replace").strip()
        if not is_full(commit):
            raise Blind("GitHub did not answer as its API does; check that `url` is its API's")
        return commit

    async def between(self, base: str, head: str, wanted: Wanted) -> Change:
        there = await self._comparison(base, head)
        back = None
        if there.status in {"behind", "diverged"}:
            back = await self._comparison(head, base)
        lacked = back.files if back else []
        files = tuple(
            file
            for file in straight(_sides(there.files), _sides(lacked))
            if self._options.counts(file.path, file.previous_path)
        )
        told, owners = await both(
            with_texts(files, wanted, (base, head), self._text), self._owners(base)
        )
        taken_back = undone(_commits(back.commits if back else []))
        return Change(
            base=base,
            head=head,
            files=told,
            commits=(*taken_back, *_commits(there.commits)),
            complete=all(map(_is_whole, (there, back) if back else (there,)))
            and not any(map(self._is_elsewhere, (*there.files, *lacked))),
            owners=owners,
            url=there.html_url if there.html_url.startswith("https://") else "",
            source="github",
            earlier=await earlier(
                told,
                wanted,
                lambda home: self._inside(base, home),
                lambda asked: at_once(*(self._text(base, entry.path) for entry in asked)),
                MOST_HOSTED,
            ),
        )

    def _is_elsewhere(self, file: _File) -> bool:
        counts = self._options.counts(file.filename, file.previous_filename)
        return counts and is_elsewhere(file.patch)

    async def labels(self, change: Change) -> tuple[str, ...]:
        if not self._options.labels:
            return ()
        newest = [commit.id for commit in change.commits[-LABELLED:]]
        try:
            pulls = await at_once(
                *(self._asking.json(f"{self._repo}/commits/{one}/pulls", _PULLS) for one in newest)
            )
        except Refused as refused:
            if refused.status != 403:
                raise
            raise Blind(
                f"{refused}; it is the labels of pull requests that it may not read, without them "
                "set `labels: false`"
            ) from None
        names = [label.name for found in pulls for pull in found for label in pull.labels]
        return tuple(dict.fromkeys(names))

    async def _comparison(self, base: str, head: str) -> _Comparison:
        """What the merge base and `head` have between them, with all commits if they are not too many.

        Unpaged it has the newest 250 commits; pages count from the oldest.
        """
        path = f"{self._repo}/compare/{base}...{head}"
        first = await self._asking.json(path, _COMPARISON)
        missing = min(first.total_commits, MOST_COMMITS) - len(first.commits)
        pages = range(1, -(-missing // _PAGE) + 1)
        older = await at_once(
            *(
                self._asking.json(path, _COMPARISON, {"per_page": str(_PAGE), "page": str(page)})
                for page in pages
            )
        )
        every = [commit for page in older for commit in page.commits] + first.commits
        return first.model_copy(update={"commits": list({one.sha: one for one in every}.values())})

    async def _text(self, commit: str, path: str) -> str | None:
        if any(part in {"", ".", ".."} for part in path.split("/")):
            return None  # git has no such path, and an address would read it as another one
        try:
            content = await self._asking.raw(
                f"{self._repo}/contents/{quote(path, safe='/')}",
                {"ref": commit},
                "application/vnd.github.raw+json",
                LARGEST,
            )
        except Larger:
            return None
        except Refused as refused:
            if refused.status == 404:  # a submodule, or a file of its side only
                return None
            raise
        return text(content)

    async def _inside(self, commit: str, folder: str) -> Sequence[Entry] | None:
        path = f"{self._repo}/contents/{quote(folder, safe='/')}"
        told = await self._asking.json(path, _ENTRIES, {"ref": commit})
        if len(told) >= MOST_ENTRIES:
            return None
        return [Entry(one.path, one.type == "file", one.size) for one in told]

    async def _owners(self, commit: str) -> str:
        found = await at_once(*(self._text(commit, path) for path in _OWNERS))
        return next((one for one in found if one is not None), "")

    async def _tags(self) -> list[str]:
        try:
            found = await self._asking.json(f"{self._repo}/tags", _TAGS, {"per_page": "100"})
        except Blind:
            return []  # it would only have made the sentence better
        return [tag.name for tag in found]


def _sides(files: Sequence[_File]) -> list[Side]:
    return [
        Side(
            ChangedFile(
                path=file.filename,
                status=_STATUS.get(file.status, "modified"),
                previous_path=file.previous_filename if file.status == "renamed" else "",
                added=file.additions,
                removed=file.deletions,
            ),
            file.sha or "",
        )
        for file in files
        if file.status != "unchanged"
    ]


def _commits(commits: Sequence[_Commit]) -> tuple[Commit, ...]:
    return tuple(_commit(one.sha, one.commit, one.author) for one in commits)


def _commit(sha: str, told: _Message, person: _Person | None) -> Commit:
    author = (person.login if person else "") or (told.author.email if told.author else "") or ""
    at = told.committer.date if told.committer else None
    return Commit(sha, author, told.message.split("\n", 1)[0], at)


def _is_whole(comparison: _Comparison) -> bool:
    """Whether nothing was cut off; at exactly the limit it cannot be known."""
    return (
        len(comparison.files) < MOST_FILES and len(comparison.commits) >= comparison.total_commits
    )
