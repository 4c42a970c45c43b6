"""Changes in this process: a test or a demo says what a revision holds."""

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from adapters.changes.beside import allowed
from adapters.changes.names import near, shown
from adapters.changes.texts import is_wanted
from adapters.registry import Surroundings
from bot.core.change import Change, ChangedFile, Commit, Seen, Unseen
from bot.ports import Wanted


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SaidFile(_Strict):
    """One file; see `ChangedFile`."""

    path: str
    status: Literal["added", "modified", "removed", "renamed"] = "modified"
    previous_path: str = ""
    added: int = Field(default=0, ge=0)
    removed: int = Field(default=0, ge=0)
    before: str | None = None
    after: str | None = None


class SaidCommit(_Strict):
    """One commit; see `Commit`."""

    id: str
    author: str = ""
    title: str = ""
    at: AwareDatetime | None = None
    undone: bool = False


class SaidChange(_Strict):
    """What a revision holds over whatever is stable; see `Change`."""

    files: tuple[SaidFile, ...] = ()
    commits: tuple[SaidCommit, ...] = ()
    labels: tuple[str, ...] = ()
    complete: bool = True
    owners: str = ""
    url: str = ""
    earlier: tuple[SaidFile, ...] = ()


class MemoryChangesOptions(_Strict):
    """Nothing that must be configured.

    Attributes:
        changes: by revision, what it changes.

    """

    changes: dict[str, SaidChange] = {}


class MemoryChanges:
    """A `ChangeSource` whose answers are set, by the new revision; the base may be any.

    Attributes:
        changes: what is told by revision.
        down: why nothing can be told; empty when it can.

    """

    Options: ClassVar[type[BaseModel]] = MemoryChangesOptions

    def __init__(
        self,
        options: MemoryChangesOptions | None = None,
        surroundings: Surroundings | None = None,  # noqa: ARG002 - every adapter is given them
    ) -> None:
        said = options.changes if options else {}
        self.changes = {revision: _change(revision, one) for revision, one in said.items()}
        self.down = ""

    def say(self, change: Change) -> None:
        """Let a revision, the change's head, hold this from now on."""
        self.changes[change.head] = change

    async def compare(self, base: str, head: str, wanted: Wanted) -> Seen:
        """See `ChangeSource.compare`."""
        if self.down:
            return Unseen(self.down)
        change = self.changes.get(head)
        if change is None:
            return Unseen(
                f"nothing was said about {shown(head)}{near(head, tuple(self.changes))}; add it "
                "to `changes`"
            )
        return _told(change, base, wanted)


def _change(revision: str, said: SaidChange) -> Change:
    return Change(
        base="",
        head=revision,
        files=tuple(ChangedFile(**file.model_dump()) for file in said.files),
        commits=tuple(Commit(**commit.model_dump()) for commit in said.commits),
        labels=said.labels,
        complete=said.complete,
        owners=said.owners,
        url=said.url,
        source="memory",
        earlier=tuple(ChangedFile(**file.model_dump()) for file in said.earlier),
    )


def _told(change: Change, base: str, wanted: Wanted) -> Change:
    files = tuple(
        file if is_wanted(file, wanted) else replace(file, before=None, after=None)
        for file in change.files
    )
    return replace(change, base=base, files=files, earlier=allowed(change.earlier, wanted))
