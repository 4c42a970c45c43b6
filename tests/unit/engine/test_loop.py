"""From start to end through the engine, with everything outside able to fail."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import ADA, GRACE
from world import Bot, Now, Outside, a_start, a_store

from adapters.stores.memory import MemoryStore
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Observing,
    Promoted,
    Rejected,
    RolledBack,
    RollingBack,
)
from bot.core.commands import Abort, Approve
from bot.core.effects import Topic
from bot.core.machine import Refused
from bot.core.plan import FULL, ZERO, Gate, Weight
from bot.ports import PortError

ID = "shop-abc123"


def now() -> datetime:
    return datetime.now(UTC)


def without_trouble(outside: Outside) -> list[Topic]:
    """What was told but for the first sign, which a quick breach may come before."""
    return [topic for topic in outside.topics if topic is not Topic.TROUBLE]


def finished(canary: Canary) -> bool:
    return canary.is_finished


async def test_a_healthy_canary_is_promoted(bot: Bot, outside: Outside) -> None:
    """From 5 % to 100 % by the numbers alone, and the thread is told once."""
    await bot.service.start(a_start())

    canary = await bot.until(ID, finished)

    assert isinstance(canary.phase, Promoted)
    assert FULL == outside.weights["green"]
    assert [Weight.percent(5), FULL] == outside.flips
    assert [ID] == outside.posts
    assert [Topic.STARTED, Topic.PROMOTED] == outside.topics


async def test_a_breach_flips_back_and_then_tells(bot: Bot, outside: Outside) -> None:
    """Errors on the canary end in 0 %, read back, and an alert with log lines."""
    outside.error_rate = 0.5
    await bot.service.start(a_start(window=timedelta(minutes=1)))

    canary = await bot.until(ID, finished)

    assert isinstance(canary.phase, RolledBack)
    assert "breach" == canary.phase.cause.kind
    assert ZERO == outside.weights["green"]
    assert [Topic.STARTED, Topic.BREACH] == without_trouble(outside)
    assert ("DataError: no",) == outside.notes[-1].lines


async def test_a_breach_while_waiting_for_approval_flips_back(bot: Bot, outside: Outside) -> None:
    """A canary that waits for a person is still judged."""
    await bot.service.start(a_start(promote_gate=Gate(("S0APPROVE",), timedelta(minutes=1))))
    await bot.until(ID, lambda c: isinstance(c.phase, AwaitingDecision))

    outside.error_rate = 0.5
    canary = await bot.until(ID, finished)

    assert isinstance(canary.phase, RolledBack)
    assert "breach" == canary.phase.cause.kind


async def test_only_an_approver_opens_the_gate(bot: Bot, outside: Outside) -> None:
    """Ada is refused with the names of who may; grace promotes; her second click is too late."""
    await bot.service.start(a_start(promote_gate=Gate(("S0APPROVE",), timedelta(minutes=1))))
    await bot.until(ID, lambda c: isinstance(c.phase, AwaitingDecision))

    refused = await bot.service.command(ID, Approve(ADA, now(), "promote"))
    both = await asyncio.gather(
        bot.service.command(ID, Approve(GRACE, now(), "promote")),
        bot.service.command(ID, Approve(GRACE, now(), "promote")),
    )
    canary = await bot.until(ID, finished)

    assert isinstance(refused, Refused)
    assert "S0APPROVE" in refused.reason
    assert 1 == sum(isinstance(answer, Refused) for answer in both)
    assert isinstance(canary.phase, Promoted)
    assert GRACE == canary.phase.by


@pytest.mark.parametrize("broken", ["slack_down", "sources_down"])
async def test_nothing_delays_an_abort(bot: Bot, outside: Outside, broken: str) -> None:
    """Slack, metrics and logs may be away: the traffic is back all the same."""
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))
    setattr(outside, broken, True)

    await bot.service.command(ID, Abort(ADA, now()))
    await bot.until(ID, lambda c: isinstance(c.phase, RolledBack))

    assert ZERO == outside.weights["green"]


async def test_slack_catches_up_in_order(bot: Bot, outside: Outside) -> None:
    """What could not be posted is posted when Slack is back, the message before its thread."""
    outside.slack_down = True
    await bot.service.start(a_start())
    await bot.until(ID, lambda c: isinstance(c.phase, Promoted))
    assert [] == outside.posts

    outside.slack_down = False
    await bot.until(ID, finished)

    assert [ID] == outside.posts
    assert [Topic.STARTED, Topic.PROMOTED] == outside.topics


async def test_an_abort_overtakes_a_flip_that_hangs(bot: Bot, outside: Outside) -> None:
    """A router call that never returns does not hold up the way back."""
    outside.router_hangs = True
    await bot.service.start(a_start())
    await bot.until(ID, lambda c: outside.flips == [Weight.percent(5)])

    outside.router_hangs = False
    await bot.service.command(ID, Abort(ADA, now()))
    canary = await bot.until(ID, finished)

    assert isinstance(canary.phase, RolledBack)
    assert [Weight.percent(5), ZERO] == outside.flips


async def test_a_rollback_is_tried_until_the_router_reads_back_zero(
    bot: Bot, outside: Outside
) -> None:
    """A router that says yes and does nothing is not believed."""
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))
    outside.router_lies = True

    await bot.service.command(ID, Abort(ADA, now()))
    await bot.until(ID, lambda c: outside.flips.count(ZERO) >= 2)
    tried = await bot.service.find(ID)
    assert tried is not None
    assert isinstance(tried.phase, RollingBack)
    outside.router_lies = False
    canary = await bot.until(ID, finished)

    assert isinstance(canary.phase, RolledBack)
    assert ZERO == outside.weights["green"]


async def test_one_live_canary_a_service(bot: Bot) -> None:
    """Of two starts in the same moment one wins, and the other is told who it was."""
    first, second = await asyncio.gather(
        bot.service.start(a_start(window=timedelta(minutes=1))),
        bot.service.start(a_start(canary_id="shop-zzz999", window=timedelta(minutes=1))),
    )

    refused = [answer for answer in (first, second) if isinstance(answer, Refused)]
    assert 1 == len(refused)
    assert "One at a time" in refused[0].reason


async def test_a_revision_nobody_carries_is_rejected_before_traffic_moves(
    bot: Bot, outside: Outside
) -> None:
    """A mistyped revision names what there is."""
    await bot.service.start(a_start(revision="v3"))

    canary = await bot.until(ID, finished)

    assert isinstance(canary.phase, Rejected)
    assert "green carries v2" in canary.phase.reason
    assert [] == outside.flips


async def test_too_little_evidence_asks_and_silence_rolls_back(bot: Bot, outside: Outside) -> None:
    """Blind metrics extend the window, then ask, then roll back; they never promote."""
    await bot.service.start(a_start(decision=timedelta(milliseconds=200)))
    outside.sources_down = True

    canary = await bot.until(ID, finished)

    assert isinstance(canary.phase, RolledBack)
    assert "no_decision" == canary.phase.cause.kind
    assert [
        Topic.STARTED,
        Topic.EXTENDED,
        Topic.DECISION_NEEDED,
        Topic.ROLLED_BACK,
    ] == outside.topics


async def test_an_outside_hand_is_taken_down_again(bot: Bot, outside: Outside) -> None:
    """A weight above the plan is repaired, and reported once."""
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))

    outside.weights = {"green": Weight.percent(50), "blue": Weight.percent(50)}
    await bot.until(ID, lambda c: outside.weights["green"] == Weight.percent(5))
    await bot.until(ID, lambda c: Topic.DRIFT in outside.topics)

    assert 1 == outside.topics.count(Topic.DRIFT)


async def test_another_replica_finishes_what_a_dead_one_began(
    outside: Outside, store: MemoryStore
) -> None:
    """In the same message, with nothing told twice."""
    one = Bot(outside, store, "one")
    await one.ownership.beat()
    await one.service.start(a_start(window=timedelta(milliseconds=600)))
    await one.until(ID, lambda c: isinstance(c.phase, Observing) and c.thread is not None)
    await one.die()

    two = Bot(outside, store, "two")
    async with asyncio.timeout(5):
        while ID not in two.loop.held:
            await two.ownership.beat()
            await asyncio.sleep(0.05)
    canary = await two.until(ID, finished)
    await two.die()

    assert isinstance(canary.phase, Promoted)
    assert [ID] == outside.posts
    assert [Topic.STARTED, Topic.PROMOTED] == outside.topics


async def test_a_replica_that_lost_its_canary_writes_nothing(
    outside: Outside, store: MemoryStore
) -> None:
    """A click on another replica takes the canary over; the first one lets go."""
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await two.ownership.beat()
    await one.service.start(a_start(window=timedelta(minutes=1)))
    await one.until(ID, lambda c: isinstance(c.phase, Observing))

    await two.service.command(ID, Abort(ADA, now()))
    await two.until(ID, finished)
    async with asyncio.timeout(5):
        while ID in one.loop.held:
            await asyncio.sleep(0.01)
    canary = await one.service.find(ID)
    await one.die()
    await two.die()

    assert canary is not None
    assert isinstance(canary.phase, RolledBack)
    assert 1 == outside.topics.count(Topic.ROLLED_BACK)


async def test_a_click_and_the_heartbeat_take_a_canary_over_once(
    outside: Outside, store: MemoryStore
) -> None:
    """Both want the orphan in the same moment: one claim, and its intents are done once."""
    outside.slack_down = True
    one = Bot(outside, store, "one")
    await one.ownership.beat()
    await one.service.start(a_start(window=timedelta(minutes=1)))
    await one.until(ID, lambda c: isinstance(c.phase, Observing))
    await one.die()
    outside.slack_down = False

    two = Bot(outside, store, "two")
    await asyncio.gather(*(two.service.adopt(ID) for _ in range(5)))
    await two.until(ID, lambda c: c.thread is not None)
    record = await store.load(ID)
    await two.die()

    assert record is not None
    assert record.epoch == 2
    assert [ID] == outside.posts


async def test_a_replica_that_leaves_hands_its_canaries_over_at_once(
    outside: Outside, store: MemoryStore
) -> None:
    """The next heartbeat of another one takes them, without a wait for silence."""
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await one.service.start(a_start(window=timedelta(minutes=1)))
    await one.until(ID, lambda c: isinstance(c.phase, Observing))
    await one.die()
    await one.ownership.resign()

    await two.ownership.beat()

    assert ID in two.loop.held
    await two.die()


async def test_two_survivors_adopt_a_canary_once(outside: Outside, store: MemoryStore) -> None:
    """Its message is posted by the one that has it, and by nobody else."""
    outside.slack_down = True
    dead = Bot(outside, store, "dead")
    await dead.ownership.beat()
    await dead.service.start(a_start(window=timedelta(minutes=1)))
    await dead.until(ID, lambda c: isinstance(c.phase, Observing))
    await dead.die()
    outside.slack_down = False
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await asyncio.sleep(0.4)  # the dead one's heartbeat runs out

    await asyncio.gather(one.ownership.beat(), two.ownership.beat())
    await one.until(ID, lambda c: c.thread is not None)
    record = await store.load(ID)
    await one.die()
    await two.die()

    assert record is not None
    assert record.epoch == 2
    assert [ID] == outside.posts


async def test_a_slower_survivor_leaves_alone_what_is_adopted_by_now(
    bot: Bot, outside: Outside, store: MemoryStore
) -> None:
    """It saw an orphan a moment ago; the canary has a living owner since."""
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    two, three = Bot(outside, store, "two"), Bot(outside, store, "three")
    await two.service.adopt(ID, "one")

    assert await three.service.adopt(ID, "one") is None

    record = await store.load(ID)
    await two.die()
    await three.die()
    assert record is not None
    assert (record.owner, record.epoch) == ("two", 2)


class Away(MemoryStore):
    """A store that can be unreachable."""

    away = False

    async def save(self, *args: Any) -> Any:
        if self.away:
            raise PortError("Redis does not answer")
        return await super().save(*args)


async def test_a_breach_is_acted_on_while_the_store_is_away(outside: Outside) -> None:
    """Judged from memory, flipped at once, and written down when the store is back."""
    store = Away(Now())
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))

    store.away = True
    outside.error_rate = 0.5
    await bot.until(ID, lambda c: isinstance(c.phase, RolledBack))
    assert ZERO == outside.weights["green"]
    store.away = False
    async with asyncio.timeout(10):
        while True:
            record = await store.load(ID)
            if record is not None and record.canary.is_finished:
                break
            await asyncio.sleep(0.05)
    await bot.die()

    assert isinstance(record.canary.phase, RolledBack)


async def test_nothing_is_promoted_while_the_store_is_away(outside: Outside) -> None:
    """What cannot be written down is not done, unless it is the way back."""
    store = Away(Now())
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(milliseconds=400)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))

    store.away = True
    await asyncio.sleep(1)
    assert FULL not in outside.flips
    store.away = False
    canary = await bot.until(ID, finished)
    await bot.die()

    assert isinstance(canary.phase, Promoted)


async def test_everything_that_decided_is_kept(bot: Bot, store: MemoryStore) -> None:
    """The stream holds the start, every look and the flips that were read back."""
    await bot.service.start(a_start())
    await bot.until(ID, finished)

    kinds = [happening.kind for happening in await store.happenings(ID)]

    assert "start" == kinds[0]
    assert kinds.count("observed") >= 4
    assert 2 == kinds.count("weight_applied")


class LosesAnswers(MemoryStore):
    """A store that does what it is asked, and whose answer then is lost."""

    losing = 0

    async def save(self, *args: Any) -> Any:
        saved = await super().save(*args)
        if self.losing:
            self.losing -= 1
            raise PortError("the answer was lost")
        return saved

    async def claim(self, *args: Any) -> Any:
        claimed = await super().claim(*args)
        if self.losing:
            self.losing -= 1
            raise PortError("the answer was lost")
        return claimed


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_a_lost_answer_of_the_store_is_not_somebody_elses_write(
    outside: Outside, lost: int
) -> None:
    """A replica knows its own writes again, and brings the rollback to its end."""
    store = LosesAnswers(Now())
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))

    store.losing = lost
    await bot.service.command(ID, Abort(ADA, now()))
    canary = await bot.until(ID, finished)
    await bot.die()

    assert isinstance(canary.phase, RolledBack)
    assert ZERO == outside.weights["green"]


async def test_a_claim_whose_answer_was_lost_leaves_no_canary_to_nobody(outside: Outside) -> None:
    """The next heartbeat takes over what the store says is one's own."""
    store = LosesAnswers(Now(), silence=timedelta(milliseconds=200))
    one = Bot(outside, store, "one")
    await one.ownership.beat()
    await one.service.start(a_start(window=timedelta(minutes=1)))
    await one.until(ID, lambda c: isinstance(c.phase, Observing))
    await one.die()
    await asyncio.sleep(0.3)

    two = Bot(outside, store, "two")
    store.losing = 1
    await two.ownership.beat()
    assert ID not in two.loop.held
    await two.ownership.beat()
    outside.error_rate = 0.5
    canary = await two.until(ID, finished)
    await two.die()

    assert isinstance(canary.phase, RolledBack)


async def test_an_abort_decided_while_cut_off_reaches_the_new_owner(outside: Outside) -> None:
    """What a person ended at a replica without its store is not promoted by another."""
    store = a_store()
    cut = Away(Now())
    cut.__dict__.update({k: v for k, v in store.__dict__.items() if not k.startswith("away")})
    one, two = Bot(outside, cut, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await two.ownership.beat()
    await one.service.start(a_start(window=timedelta(seconds=4)))
    await one.until(ID, lambda c: isinstance(c.phase, Observing))

    cut.away = True
    await one.service.command(ID, Abort(ADA, now()))
    await one.until(ID, lambda c: isinstance(c.phase, RolledBack))
    await asyncio.sleep(0.4)
    await two.ownership.beat()
    assert ID in two.loop.held
    cut.away = False
    canary = await two.until(ID, finished)
    await one.die()
    await two.die()

    assert isinstance(canary.phase, RolledBack)
    assert ZERO == outside.weights["green"]


async def test_an_old_holding_does_not_hide_an_orphan(
    outside: Outside, store: MemoryStore
) -> None:
    """A replica that once had a canary takes it over again when its new owner dies."""
    gate = Gate(("S0APPROVE",), timedelta(hours=1))
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await two.ownership.beat()
    start = a_start(window=timedelta(minutes=1))
    await one.service.start(replace(start, plan=replace(start.plan, start_gate=gate)))
    await two.service.command(ID, Approve(GRACE, now(), "start"))
    await two.until(ID, lambda c: isinstance(c.phase, Observing))
    await two.die()
    await asyncio.sleep(0.4)

    outside.error_rate = 0.5
    await one.ownership.beat()
    canary = await one.until(ID, finished)
    await one.die()

    assert isinstance(canary.phase, RolledBack)


async def test_a_weight_taken_down_by_hand_is_not_promoted_over(
    bot: Bot, outside: Outside
) -> None:
    """An operator who sets 0 % is asked about it; silence keeps it there."""
    await bot.service.start(
        a_start(window=timedelta(milliseconds=600), decision=timedelta(milliseconds=300))
    )
    await bot.until(ID, lambda c: outside.requests >= 400)

    outside.weights = {"green": ZERO, "blue": FULL}
    canary = await bot.until(ID, finished)

    assert isinstance(canary.phase, RolledBack)
    assert FULL not in outside.flips
