"""Whether a rollback was right is said afterwards, by people, and moves nothing."""

import asyncio
from datetime import timedelta

from builders import ADA, GRACE
from world import Bot, Now, Outside, a_start

from adapters.stores.memory import MemoryStore
from bot.core.canary import Canary, RolledBack
from bot.core.commands import MarkAlarm
from bot.core.machine import Refused

ID = "shop-abc123"


def mark(false: bool = True) -> MarkAlarm:
    return MarkAlarm(GRACE, Now().now(), false, "the load test did it")


async def rolled_back(bot: Bot, outside: Outside) -> Canary:
    outside.error_rate = 0.9
    await bot.service.start(a_start(window=timedelta(seconds=5)))
    return await bot.until(ID, lambda canary: canary.is_finished)


async def test_a_finished_rollback_is_marked_and_stays_so(
    bot: Bot, outside: Outside, store: MemoryStore
) -> None:
    """The mark is on record and in the stream, and nothing is told or moved for it."""
    ended = await rolled_back(bot, outside)
    flips, notes = len(outside.flips), len(outside.notes)
    marked = await bot.service.command(ID, mark())
    assert isinstance(marked, Canary)
    assert marked.mark is not None
    assert (marked.mark.false, marked.mark.by) == (True, GRACE)
    assert marked.phase == ended.phase
    record = await store.load(ID)
    assert record is not None
    assert record.canary == marked
    assert (await store.happenings(ID))[-1].kind == "mark_alarm"
    assert (flips, notes) == (len(outside.flips), len(outside.notes))


async def test_a_mark_can_be_taken_back_and_is_not_made_twice(bot: Bot, outside: Outside) -> None:
    await rolled_back(bot, outside)
    await bot.service.command(ID, mark())
    again = await bot.service.command(ID, mark())
    assert isinstance(again, Refused)
    assert "marked so already by grace" in again.reason
    back = await bot.service.command(ID, mark(false=False))
    assert isinstance(back, Canary)
    assert back.mark is not None
    assert not back.mark.false


async def test_only_a_breach_can_be_a_false_alarm(bot: Bot) -> None:
    await bot.service.start(a_start())
    live = await bot.service.command(ID, mark())
    assert isinstance(live, Refused)
    assert "Only a rollback after a breach" in live.reason
    await bot.until(ID, lambda canary: canary.is_finished)
    assert isinstance(await bot.service.command(ID, mark()), Refused)
    assert isinstance(await bot.service.command("shop-nothing", mark()), Refused)


async def test_two_marks_in_one_moment_leave_one_record(bot: Bot, outside: Outside) -> None:
    """Both replicas may write; the later one builds on the earlier one or is refused."""
    await rolled_back(bot, outside)
    answers = await asyncio.gather(*(bot.service.command(ID, mark()) for _ in range(4)))
    assert 1 == sum(isinstance(answer, Canary) for answer in answers)


async def test_a_new_canary_of_the_service_lives_on_when_an_old_one_is_marked(
    bot: Bot, outside: Outside, store: MemoryStore
) -> None:
    await rolled_back(bot, outside)
    outside.error_rate = 0.0
    await bot.service.start(a_start(canary_id="shop-next12", by=ADA, window=timedelta(seconds=9)))
    await bot.service.command(ID, mark())
    live = await store.live("shop")
    assert live is not None
    assert live.canary.id == "shop-next12"
    assert not isinstance(live.canary.phase, RolledBack)
