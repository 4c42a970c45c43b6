"""What a start would bring is looked at before it begins; what cannot be seen is never safe."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import GRACE
from world import Bot, Outside, a_start

from adapters.stores.memory import MemoryStore
from bot.core.assessment import Assessment
from bot.core.change import Change, ChangedFile, Commit, Seen, Unseen
from bot.core.commands import MarkAlarm
from bot.core.risk import DEFAULT_RULES, History, Policy, Tiers
from bot.engine import assessing, classifying
from bot.engine.assessing import Assessor
from bot.engine.classifying import Classifier
from bot.ports import ChangeSource, PortError, Wanted

POLICY = Policy(DEFAULT_RULES, Tiers(("safe", "unknown", "risky"), "risky", "unknown"))
HARMLESS = Change(
    "v1", "v2", (ChangedFile("src/pages.py", added=1),), (Commit("c"),), source="git"
)


@dataclass
class Source:
    """Sees what it is told to see."""

    seen: Seen = HARMLESS
    trouble: Exception | None = None
    hangs: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def compare(self, base: str, head: str, wanted: Wanted) -> Seen:
        self.asked.append((base, head))
        if self.hangs:
            await asyncio.sleep(3600)
        if self.trouble is not None:
            raise self.trouble
        return self.seen


@pytest.fixture
async def classifier() -> AsyncIterator[Classifier]:
    made = Classifier()
    yield made
    await made.close()


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def assessor(bot: Bot, store: MemoryStore, source: Source, classifier: Classifier) -> Assessor:
    return an_assessor(bot, store, classifier, source)


def an_assessor(
    bot: Bot, store: MemoryStore, classifier: Classifier, source: ChangeSource | None
) -> Assessor:
    sources = {} if source is None else {"shop": source}
    clock = bot.service._clock
    return Assessor(store, bot.loop.runner, sources, POLICY, clock, classifier.assess)


async def test_what_is_stable_is_compared_with_what_is_started(
    assessor: Assessor, source: Source
) -> None:
    found = await assessor.assess("shop", "v2")
    assert [("v1", "v2")] == source.asked
    assert (found.tier, found.seen) == ("safe", True)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (PortError("GitHub is away"), "GitHub is away"),
        (RuntimeError("a bug"), "the change source failed"),
    ],
)
async def test_a_source_in_trouble_is_blind_and_not_small(
    assessor: Assessor, source: Source, trouble: Exception, said: str
) -> None:
    source.trouble = trouble
    found = await assessor.assess("shop", "v2")
    assert (found.tier, found.seen) == ("unknown", False)
    assert said in found.reasons[0].text


async def test_a_source_that_hangs_is_not_waited_for(
    assessor: Assessor, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assessing, "PATIENCE", timedelta(milliseconds=50))
    source.hangs = True
    found = await assessor.assess("shop", "v2")
    assert (found.tier, found.seen) == ("unknown", False)


async def test_a_service_without_a_source_is_seen_by_what_is_sent_along(
    bot: Bot, store: MemoryStore, classifier: Classifier
) -> None:
    """Where it is the change from stable to this revision; without one nobody sees it."""
    assessor = an_assessor(bot, store, classifier, None)
    nothing = await assessor.assess("shop", "v2")
    assert (nothing.tier, nothing.seen) == ("unknown", False)
    sent = replace(HARMLESS, source="sent along")
    assert (await assessor.assess("shop", "v2", sent)).tier == "safe"
    for other in (
        replace(sent, base="v1.5"),
        replace(sent, head="v3"),
        replace(sent, base=""),
        replace(sent, base="v1".ljust(9, "0")),
    ):
        found = await assessor.assess("shop", "v2", other)
        assert (found.tier, found.seen) == ("unknown", False)
        assert "sent along" in found.reasons[0].text


async def test_a_commit_may_be_shortened(
    bot: Bot, store: MemoryStore, outside: Outside, classifier: Classifier
) -> None:
    """By seven characters at least, as git does."""
    commit = "0123456789abcdef" * 2 + "01234567"
    assessor = an_assessor(bot, store, classifier, None)
    sent = replace(HARMLESS, head=commit, source="sent along")
    assert (await assessor.assess("shop", commit[:7], sent)).seen
    assert not (await assessor.assess("shop", commit[:6], sent)).seen


async def test_a_source_is_believed_before_what_is_sent_along(
    assessor: Assessor, source: Source
) -> None:
    """Of it only the labels count; and nothing makes up for a source that cannot see."""
    source.seen = replace(HARMLESS, files=(ChangedFile("src/billing/prices.py", added=1),))
    sent = replace(HARMLESS, labels=("hotfix",), source="sent along")
    found = await assessor.assess("shop", "v2", sent)
    assert found.tier == "risky"
    assert {"billing", "labels"} <= {reason.rule for reason in found.reasons}
    source.seen = Unseen("there is no commit v2")
    assert not (await assessor.assess("shop", "v2", sent)).seen


async def test_two_arms_of_one_name_are_not_told_apart(assessor: Assessor, source: Source) -> None:
    """“latest” beside “latest” is no empty change."""
    found = await assessor.assess("shop", "v1")
    assert (found.tier, found.seen, source.asked) == ("unknown", False, [])


async def test_a_router_that_cannot_be_read_leaves_no_base(
    assessor: Assessor, outside: Outside
) -> None:
    outside.router_down = True
    assert not (await assessor.assess("shop", "v2")).seen


async def test_a_rollback_weighs_on_the_next_start_unless_it_was_a_false_alarm(
    bot: Bot, outside: Outside, assessor: Assessor
) -> None:
    outside.error_rate = 0.9
    await bot.service.start(a_start(window=timedelta(seconds=5)))
    await bot.until("shop-abc123", lambda canary: canary.is_finished)
    found = await assessor.assess("shop", "v2")
    assert found.tier == "risky"
    assert "after-rollback" in {reason.rule for reason in found.reasons}
    mark = MarkAlarm(GRACE, datetime.now(UTC), false=True)
    await bot.service.command("shop-abc123", mark)
    assert (await assessor.assess("shop", "v2")).tier == "safe"


async def test_a_reading_without_an_end_is_cut_off(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop turns meanwhile, the process is gone, and the next change is read by another."""
    history = History(datetime.now(UTC))
    first = await classifier.assess(HARMLESS, history, POLICY)
    assert first.tier == "safe"
    process = classifier._process
    assert process is not None
    monkeypatch.setattr(classifying, "PATIENCE", 0.2)
    process.send_signal(19)  # stopped, it answers nothing
    found = await classifier.assess(HARMLESS, history, POLICY)
    assert (found.tier, found.seen) == ("unknown", False)
    assert "took too long" in found.reasons[0].text
    assert process.returncode is not None
    monkeypatch.setattr(classifying, "PATIENCE", 20.0)
    assert (await classifier.assess(HARMLESS, history, POLICY)).tier == "safe"


async def test_a_classifier_that_dies_is_begun_anew(classifier: Classifier) -> None:
    history = History(datetime.now(UTC))
    await classifier.assess(HARMLESS, history, POLICY)
    process = classifier._process
    assert process is not None
    process.kill()
    found = [await classifier.assess(HARMLESS, history, POLICY) for _ in range(2)]
    assert found[-1].tier == "safe"


async def test_whoever_leaves_does_not_hear_anothers_answer(classifier: Classifier) -> None:
    """A question that was given up must not be answered to the next one."""
    history = History(datetime.now(UTC))
    await classifier.assess(HARMLESS, history, POLICY)
    big = replace(HARMLESS, files=tuple(ChangedFile(f"src/f{n}.py") for n in range(3000)))
    asking = asyncio.create_task(classifier.assess(big, history, POLICY))
    await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    found: Assessment = await classifier.assess(HARMLESS, history, POLICY)
    assert "1 file" in found.summary


async def test_more_text_than_can_be_read_is_unseen(classifier: Classifier) -> None:
    heavy = ChangedFile("db/migrations/1.sql", "added", after="x" * 5_000_000)
    found = await classifier.assess(
        replace(HARMLESS, files=(heavy,)), History(datetime.now(UTC)), POLICY
    )
    assert (found.tier, found.seen) == ("unknown", False)
    assert classifier._process is None
