"""What is remembered of changes, for how long, and how much of it."""

from datetime import timedelta

import pytest
from contracts.changes_benches import everything, nothing, seen, unseen

from adapters.changes.blind import Blind
from adapters.changes.caching import MOST, NAMES_HOLD, UNSEEN_HOLDS, Cached
from bot.core.change import Change, ChangedFile
from bot.ports import Wanted

FILES = (ChangedFile("a.sql", before="1", after="2"), ChangedFile("b.py", before="3", after="4"))


class Counting:
    """A source that counts what it is asked."""

    who = "the source"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.commits = {"main": "0" * 40, "v1": "1" * 40}
        self.risky = False
        self.trouble: Exception | None = None

    async def resolve(self, revision: str) -> str:
        self.asked.append("resolve")
        if self.trouble:
            raise self.trouble
        return self.commits.get(revision, revision)

    async def between(self, base: str, head: str, wanted: Wanted) -> Change:
        self.asked.append("between")
        files = tuple(file if wanted(file.path) else ChangedFile(file.path) for file in FILES)
        return Change(base, head, files, url=head)

    async def labels(self, change: Change) -> tuple[str, ...]:
        self.asked.append("labels")
        return ("risky",) if self.risky else ()


class Time:
    """A clock that is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def cached(source: Counting, time: Time) -> Cached:
    """The source, remembered."""
    return Cached(source, timedelta(seconds=5), time)


async def test_a_branch_is_looked_up_again_after_a_while() -> None:
    """Another commit of it is another change; the same one is not asked for again."""
    source, time = Counting(), Time()
    cache = cached(source, time)
    await cache.compare("v1", "main", nothing)
    source.commits["main"] = "2" * 40
    assert seen(await cache.compare("v1", "main", nothing)).url == "0" * 40
    time.now += NAMES_HOLD
    assert seen(await cache.compare("v1", "main", nothing)).url == "2" * 40
    time.now += NAMES_HOLD
    source.asked.clear()
    await cache.compare("v1", "main", nothing)
    assert source.asked == ["resolve", "resolve", "labels"]


async def test_labels_are_read_again_after_a_while() -> None:
    """Somebody may have put one on meanwhile."""
    source, time = Counting(), Time()
    cache = cached(source, time)
    assert seen(await cache.compare("v1", "main", nothing)).labels == ()
    source.risky = True
    time.now += NAMES_HOLD
    assert seen(await cache.compare("v1", "main", nothing)).labels == ("risky",)


async def test_texts_that_were_not_wanted_before_are_asked_for() -> None:
    """And those that were are still there."""
    source = Counting()
    cache = cached(source, Time())
    await cache.compare("v1", "main", lambda path: path == "a.sql")
    other = seen(await cache.compare("v1", "main", lambda path: path == "b.py"))
    assert [file.after for file in other.files] == [None, "4"]
    source.asked.clear()
    every = seen(await cache.compare("v1", "main", everything))
    assert every.files == FILES
    assert source.asked == []


async def test_trouble_is_remembered_briefly() -> None:
    """Whoever asks meanwhile gets the same reason, then it is tried again."""
    source, time = Counting(), Time()
    cache = cached(source, time)
    source.trouble = Blind("away")
    assert unseen(await cache.compare("v1", "main", nothing)) == "away"
    source.trouble = None
    assert unseen(await cache.compare("v1", "main", nothing)) == "away"
    time.now += UNSEEN_HOLDS
    assert seen(await cache.compare("v1", "main", nothing)).files


async def test_a_mistake_of_the_source_is_unseen_and_shows_no_value() -> None:
    """It never raises."""
    source = Counting()
    source.trouble = RuntimeError("header s3cret")
    reason = unseen(await cached(source, Time()).compare("v1", "main", nothing))
    assert "RuntimeError" in reason
    assert "s3cret" not in reason


async def test_no_more_than_a_few_changes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their number and by the size of their texts; the latest always is."""
    source = Counting()
    cache = cached(source, Time())
    for number in range(MOST + 5):
        await cache.compare("v1", f"{number:040x}", everything)
    assert len(cache._kept) == MOST
    monkeypatch.setattr("adapters.changes.caching.MOST_TEXT", 1)
    await cache.compare("v1", "f" * 40, everything)
    assert len(cache._kept) == 1
