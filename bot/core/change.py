"""What is in a revision: the files, commits and labels between what is stable and what is new."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file between two commits.

    Attributes:
        previous_path: where it was before, of a renamed one.
        added, removed: lines.
        before, after: its text on either side, where that was asked for and could be had.

    """

    path: str
    status: Literal["added", "modified", "removed", "renamed"] = "modified"
    previous_path: str = ""
    added: int = 0
    removed: int = 0
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a change.

    Attributes:
        author: as the source knows people: a login, or an e-mail address.
        title: its message's first line.
        undone: whether `base` has it and `head` lacks it, so that a start takes it back.

    """

    id: str
    author: str = ""
    title: str = ""
    at: datetime | None = None
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Everything between two commits that a source could tell.

    Attributes:
        base, head: the commits, as they were asked for.
        complete: whether every file is among `files`; a source that cuts off says so.
        owners: the text of the CODEOWNERS file of `base`; empty where there is none.
        url: where a person can read it.
        source: who told: a kind of adapter, or "sent along".
        earlier: migrations of the same folders at `base`, by path, each with its text there as
            `after`; of a folder all that are wanted, or none. They tell the types that columns had.

    """

    base: str
    head: str
    files: tuple[ChangedFile, ...] = ()
    commits: tuple[Commit, ...] = ()
    labels: tuple[str, ...] = ()
    complete: bool = True
    owners: str = ""
    url: str = ""
    source: str = ""
    earlier: tuple[ChangedFile, ...] = ()

    @property
    def authors(self) -> tuple[str, ...]:
        """Who has written it, each once, in the order of their commits."""
        return tuple(dict.fromkeys(commit.author for commit in self.commits if commit.author))

    @property
    def lines(self) -> int:
        """Lines added and removed."""
        return sum(file.added + file.removed for file in self.files)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Why what is in a revision cannot be known; never taken for a small change."""

    reason: str


Seen = Change | Unseen
