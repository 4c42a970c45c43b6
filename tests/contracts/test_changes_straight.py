"""Two comparisons with a merge base say the same as one straight comparison would."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from adapters.changes.comparing import Side, Status, straight
from bot.core.change import ChangedFile

Tree = Mapping[str, str]

trees = st.dictionaries(st.sampled_from("abcde"), st.sampled_from("123"))


def compared(old: Tree, new: Tree) -> list[Side]:
    """What a host lists between two trees."""
    sides = []
    for path in sorted(old.keys() | new.keys()):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        status: Status = "added" if before is None else "removed" if after is None else "modified"
        file = ChangedFile(path, status, added=after is not None, removed=before is not None)
        sides.append(Side(file, after or ""))
    return sides


@given(common=trees, base=trees, head=trees)
def test_both_directions_make_the_straight_one(common: Tree, base: Tree, head: Tree) -> None:
    """The same files with the same fate; nothing that is the same in both."""
    told = straight(compared(common, head), compared(common, base))
    expected = {(side.file.path, side.file.status) for side in compared(base, head)}
    assert {(file.path, file.status) for file in told} == expected
    assert len(told) == len(expected)


def test_a_rename_of_what_the_other_side_touched_is_told_in_halves() -> None:
    """Stable has changed `a`; the new revision has it as `b`: both are told."""
    renamed = Side(ChangedFile("b", "renamed", "a", added=1), "1")
    changed = Side(ChangedFile("a", "modified", added=2), "2")
    told = {(file.path, file.status) for file in straight([renamed], [changed])}
    assert told == {("a", "removed"), ("b", "added")}
    told = {(file.path, file.status) for file in straight([changed], [renamed])}
    assert told == {("a", "added"), ("b", "removed")}
