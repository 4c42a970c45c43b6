"""What lies between two revisions, as GitLab tells it (gitlab.com and self-hosted)."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import ClassVar, Final
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, TypeAdapter, field_validator

from adapters.changes.asking import Asking, Host, Larger, Refused
from adapters.changes.beside import MOST_HOSTED, Entry, earlier
from adapters.changes.blind import Blind, at_once, both
from adapters.changes.caching import Cached
from adapters.changes.comparing import Status, undone
from adapters.changes.names import is_full, near, shown
from adapters.changes.options import ForgeOptions
from adapters.changes.texts import LARGEST, is_elsewhere, sides, text, with_texts
from adapters.registry import Surroundings
from bot.core.change import Change, ChangedFile, Commit, Seen
from bot.ports import Wanted

MOST_COMMITS: Final = 1000
"""Commits that are told; the newest ones."""
LABELLED: Final = 20
"""The newest commits whose merge requests are asked for."""
MOST_HIDDEN: Final = 20
"""Files without a diff whose lines are counted in their texts."""
_PAGE: Final = 100
_SUBMODULE: Final = "160000"
_OWNERS: Final = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")


class _Diff(BaseModel):
    old_path: str
    new_path: str
    diff: str = ""
    a_mode: str | None = None
    b_mode: str | None = None
    new_file: bool = False
    renamed_file: bool = False
    deleted_file: bool = False
    collapsed: bool | None = None
    too_large: bool | None = None


class _Commit(BaseModel):
    id: str
    title: str = ""
    author_email: str = ""
    created_at: AwareDatetime | None = None
    committed_date: AwareDatetime | None = None


class _Comparison(BaseModel):
    commits: list[_Commit]
    diffs: list[_Diff]
    compare_timeout: bool = False
    web_url: str = ""


class _Entry(BaseModel):
    path: str
    mode: str


class _MergeRequest(BaseModel):
    labels: list[str] = []


class _Tag(BaseModel):
    name: str


_ONE: Final = TypeAdapter(_Commit)
_COMMITS: Final = TypeAdapter(list[_Commit])
_COMPARISON: Final = TypeAdapter(_Comparison)
_REQUESTS: Final = TypeAdapter(list[_MergeRequest])
_ENTRIES: Final = TypeAdapter(list[_Entry])
_TAGS: Final = TypeAdapter(list[_Tag])


class GitLabOptions(ForgeOptions):
    """Which project, and how it is read.

    Attributes:
        url: of a self-hosted GitLab, `https://HOST/api/v4`.

    """

    url: str = "https://gitlab.com/api/v4"

    @field_validator("url")
    @classmethod
    def _is_the_api(cls, url: str) -> str:
        return url if url.rstrip("/").endswith("/api/v4") else f"{url.rstrip('/')}/api/v4"


class GitLabChanges:
    """A `ChangeSource` over GitLab's REST API.

    A token needs the scope `read_api`: `read_repository` does not reach the API.
    """

    Options: ClassVar[type[BaseModel]] = GitLabOptions

    def __init__(self, options: GitLabOptions, surroundings: Surroundings) -> None:
        self._cached = Cached(_GitLab(options, surroundings), options.patience)

    async def compare(self, base: str, head: str, wanted: Wanted) -> Seen:
        """See `ChangeSource.compare`."""
        return await self._cached.compare(base, head, wanted)


class _GitLab:
    who = "GitLab"

    def __init__(self, options: GitLabOptions, surroundings: Surroundings) -> None:
        self._options = options
        self._repo = f"projects/{quote(options.repository, safe='')}/repository"
        headers = {} if options.token is None else {"PRIVATE-TOKEN": options.token}
        host = Host("GitLab", options.url, options.repository, headers, options.token_env)
        self._asking = Asking(host, surroundings)

    async def resolve(self, revision: str) -> str:
        name = self._options.name_of(revision)
        try:
            commit = await self._asking.json(
                f"{self._repo}/commits/{quote(name, safe='')}", _ONE, {"stats": "false"}
            )
        except Refused as refused:
            if refused.status != 404 or "commit" not in refused.message.lower():
                raise
            raise Blind(
                f"GitLab does not know {shown(name)} in {self._options.repository}"
                f"{near(name, await self._tags())}; check the revision, and `ref`, which says how "
                "revisions are named there"
            ) from None
        if not is_full(commit.id):
            raise Blind("GitLab did not answer as its API does; check that `url` is its API's")
        return commit.id

    async def between(self, base: str, head: str, wanted: Wanted) -> Change:
        question = {"from": base, "to": head, "straight": "true"}
        there, lacked = await both(
            self._asking.json(f"{self._repo}/compare", _COMPARISON, question),
            self._only_in(base, head),
        )
        diffs = [d for d in there.diffs if self._options.counts(d.new_path, d.old_path)]
        files, owners = await both(
            with_texts([_file(diff) for diff in diffs], wanted, (base, head), self._text),
            self._owners(base),
        )
        hidden = {diff.new_path for diff in diffs if _is_hidden(diff)}
        counted = await self._counted(files, hidden, (base, head))
        return Change(
            base=base,
            head=head,
            files=counted or files,
            commits=(*undone(lacked[:MOST_COMMITS]), *_commits(there.commits[-MOST_COMMITS:])),
            complete=counted is not None
            and not there.compare_timeout
            and not any(map(_is_elsewhere, diffs))
            and max(len(lacked), len(there.commits)) <= MOST_COMMITS,
            owners=owners,
            url=there.web_url if there.web_url.startswith("https://") else "",
            source="gitlab",
            earlier=await earlier(
                files,
                wanted,
                lambda home: self._inside(base, home),
                lambda asked: at_once(*(self._text(base, entry.path) for entry in asked)),
                MOST_HOSTED,
            ),
        )

    async def labels(self, change: Change) -> tuple[str, ...]:
        if not self._options.labels:
            return ()
        newest = [commit.id for commit in change.commits[-LABELLED:]]
        found = await at_once(
            *(
                self._asking.json(f"{self._repo}/commits/{one}/merge_requests", _REQUESTS)
                for one in newest
            )
        )
        names = [label for requests in found for one in requests for label in one.labels]
        return tuple(dict.fromkeys(names))

    async def _only_in(self, base: str, head: str) -> list[Commit]:
        """What stable has and the new revision lacks, oldest first; one too many when it is more."""
        commits: list[_Commit] = []
        for page in range(1, MOST_COMMITS // _PAGE + 2):
            question = {
                "ref_name": f"{head}..{base}",
                "per_page": str(_PAGE),
                "page": str(page),
            }
            told = await self._asking.json(f"{self._repo}/commits", _COMMITS, question)
            commits += told
            if len(told) < _PAGE:
                break
        return list(_commits(commits[: MOST_COMMITS + 1][::-1]))

    async def _counted(
        self, files: Sequence[ChangedFile], hidden: AbstractSet[str], commits: tuple[str, str]
    ) -> tuple[ChangedFile, ...] | None:
        """The files, with the lines of those whose diff was left out; None when that is unknown."""
        if not hidden:
            return tuple(files)
        if len(hidden) > MOST_HIDDEN:
            return None
        texts = await with_texts(files, lambda path: path in hidden, commits, self._text)
        told = []
        for file, full in zip(files, texts, strict=True):
            if file.path not in hidden:
                told.append(file)
                continue
            before, after = sides(full)
            if (before and full.before is None) or (after and full.after is None):
                return None
            old, new = _lines(full.before), _lines(full.after)
            told.append(replace(file, added=(new - old).total(), removed=(old - new).total()))
        return tuple(told)

    async def _text(self, commit: str, path: str) -> str | None:
        try:
            content = await self._asking.raw(
                f"{self._repo}/files/{quote(path, safe='').replace('.', '%2E')}/raw",
                {"ref": commit},
                "*/*",
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
        question = {"ref": commit, "path": folder, "per_page": str(_PAGE)}
        told = await self._asking.json(f"{self._repo}/tree", _ENTRIES, question)
        if len(told) >= _PAGE:  # and more, which is more than would be read
            return None
        return [Entry(one.path, one.mode.startswith("100")) for one in told]

    async def _owners(self, commit: str) -> str:
        found = await at_once(*(self._text(commit, path) for path in _OWNERS))
        return next((one for one in found if one is not None), "")

    async def _tags(self) -> list[str]:
        try:
            found = await self._asking.json(f"{self._repo}/tags", _TAGS, {"per_page": "100"})
        except Blind:
            return []  # it would only have made the sentence better
        return [tag.name for tag in found]


def _file(diff: _Diff) -> ChangedFile:
    status: Status = (
        "added"
        if diff.new_file
        else "removed"
        if diff.deleted_file
        else "renamed"
        if diff.renamed_file
        else "modified"
    )
    inside = [line for hunk in _hunks(diff.diff) for line in hunk]
    return ChangedFile(
        path=diff.new_path,
        status=status,
        previous_path=diff.old_path if status == "renamed" else "",
        added=sum(line.startswith("+") for line in inside),
        removed=sum(line.startswith("-") for line in inside),
    )


def _hunks(diff: str) -> list[list[str]]:
    """The lines of each hunk, without what stands before the first one."""
    hunks: list[list[str]] = []
    for line in diff.split("\n"):
        if line.startswith("@@"):
            hunks.append([])
        elif hunks:
            hunks[-1].append(line)
    return hunks


def _is_hidden(diff: _Diff) -> bool:
    """Whether its lines were left out; an older GitLab says so by nothing but an empty diff."""
    if diff.collapsed or diff.too_large:
        return True
    return diff.collapsed is None and not diff.diff and not diff.renamed_file


def _is_elsewhere(diff: _Diff) -> bool:
    """Whether it is a submodule: its mode says so, or its diff where there is no mode."""
    return _SUBMODULE in {diff.a_mode, diff.b_mode} or is_elsewhere(diff.diff)


def _lines(content: str | None) -> Counter[str]:
    return Counter((content or "").splitlines())


def _commits(commits: Sequence[_Commit]) -> tuple[Commit, ...]:
    return tuple(
        Commit(one.id, one.author_email, one.title, one.committed_date or one.created_at)
        for one in commits
    )
