"""Makes what lies straight between two commits out of what lies between each and their base.

A code host that compares only with the merge base says nothing of what is undone when the new
revision is an older one, or comes from another branch. So both directions are asked for: what the
new revision brings, and what stable has that the new one lacks, which is undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.core.change import ChangedFile, Commit

Status = Literal["added", "modified", "removed", "renamed"]


@dataclass(frozen=True, slots=True)
class Side:
    """A file between the merge base and one of the commits; `blob` is what it ends as."""

    file: ChangedFile
    blob: str


def straight(brought: Sequence[Side], lacked: Sequence[Side]) -> tuple[ChangedFile, ...]:
    """The files between stable and the new revision.

    Args:
        brought: from the merge base to the new revision.
        lacked: from the merge base to stable.

    """
    if not lacked:
        return tuple(side.file for side in brought)
    both = _paths(brought) & _paths(lacked)
    new, old = _by_path(brought, both), _by_path(lacked, both)
    files = []
    for path in dict.fromkeys((*new, *old)):
        if path not in old:
            files.append(new[path].file)
        elif path not in new:
            files.append(inverted(old[path].file))
        elif (merged := _merged(new[path], old[path])) is not None:
            files.append(merged)
    return tuple(files)


def inverted(file: ChangedFile) -> ChangedFile:
    """What undoing it is."""
    opposite: dict[Status, Status] = {"added": "removed", "removed": "added"}
    turned = replace(
        file,
        status=opposite.get(file.status, file.status),
        added=file.removed,
        removed=file.added,
    )
    if file.status == "renamed":
        return replace(turned, path=file.previous_path, previous_path=file.path)
    return turned


def undone(commits: Sequence[Commit]) -> tuple[Commit, ...]:
    """Commits that the new revision takes back, marked as such."""
    return tuple(replace(commit, undone=True) for commit in commits)


def _merged(new: Side, old: Side) -> ChangedFile | None:
    """A file that both have changed; None when it is the same, or gone, in both."""
    gone = (old.file.status == "removed", new.file.status == "removed")
    if gone == (True, True) or (gone == (False, False) and new.blob and new.blob == old.blob):
        return None
    status: Status = "added" if gone[0] else "removed" if gone[1] else "modified"
    return ChangedFile(
        path=new.file.path,
        status=status,
        added=new.file.added + old.file.removed,
        removed=new.file.removed + old.file.added,
    )


def _paths(sides: Sequence[Side]) -> set[str]:
    return {path for side in sides for path in (side.file.path, side.file.previous_path) if path}


def _by_path(sides: Sequence[Side], both: set[str]) -> dict[str, Side]:
    """By path; a rename of what the other side has touched is told as its two halves."""
    found: dict[str, Side] = {}
    for side in sides:
        file = side.file
        if file.status == "renamed" and both & {file.path, file.previous_path}:
            gone = ChangedFile(file.previous_path, "removed", removed=file.removed)
            found[gone.path] = Side(gone, "")
            found[file.path] = Side(replace(file, status="added", previous_path=""), side.blob)
        else:
            found[file.path] = side
    return found
