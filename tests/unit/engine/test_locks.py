"""Locks, the calendar and overrides: who may start a canary all the same, and who may not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import ADA, GRACE
from world import Bot, a_start

from adapters.stores.memory import MemoryStore
from bot.core.calendar import Once, Window
from bot.core.canary import Canary, PendingApproval, Promoted
from bot.core.commands import Approve
from bot.core.freezes import ALL, Freeze, Override, lock_of
from bot.core.machine import Refused
from bot.core.plan import Actor, Gate

ID = "shop-abc123"
GATE = Gate(("anyone",), timedelta(minutes=1), needed=1)
HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def a_lock(until: datetime | None = None) -> Freeze:
    return Freeze("shop", GRACE, "her release", now(), until, "lock")


def a_window(begins: timedelta, ends: timedelta) -> Window:
    """In force from this long before now to this long after it."""
    wall = now().replace(tzinfo=None)
    return Window("weekend", "UTC", Once(wall - begins, wall + ends), reason="rest")


async def refused(bot: Bot, **changes: object) -> str:
    answer = await bot.service.start(replace(a_start(), **changes))  # type: ignore[arg-type] # each test names fields of its own
    assert isinstance(answer, Refused)
    return answer.reason


async def test_only_the_holder_of_a_lock_starts_the_service(bot: Bot) -> None:
    """Everybody else is told whose it is, why, and what can be done; the holder just starts."""
    await bot.service.freeze(a_lock())
    said = await refused(bot, by=ADA)
    assert "shop is locked by grace until somebody unlocks it: her release." in said
    assert "`/canary unlock shop`" in said
    assert "--override REASON" in said
    assert isinstance(await bot.service.start(replace(a_start(), by=GRACE)), Canary)


async def test_a_start_of_the_holder_is_approved_by_others_and_no_other_start_is(
    bot: Bot,
) -> None:
    """What counts is who starts it, not who says yes."""
    start = a_start(start_gate=GATE)
    await bot.service.start(replace(start, by=ADA))
    await bot.service.freeze(a_lock())
    answer = await bot.service.command(ID, Approve(GRACE, now(), "start"))
    assert isinstance(answer, Refused)
    assert "locked by grace" in answer.reason

    assert await bot.service.unfreeze(lock_of("shop"), ADA) is not None
    await bot.service.freeze(replace(a_lock(), by=ADA))
    await bot.service.command(ID, Approve(GRACE, now(), "start"))
    assert isinstance((await bot.until(ID, lambda c: c.is_finished)).phase, Promoted)


async def test_the_calendar_freezes_and_is_lifted_by_nobody(bot: Bot, store: MemoryStore) -> None:
    """It is listed with the others, and the store knows nothing of it."""
    bot.service._freezes.calendar = (a_window(HOUR, HOUR), a_window(-HOUR, 2 * HOUR))
    (listed,) = await bot.service.freezes()
    assert (listed.scope, listed.kind, listed.reason) == (ALL, "calendar", "rest")
    assert await bot.service.unfreeze(ALL, ADA) is None
    assert await bot.service.unfreeze(listed.key, ADA) is None
    assert await store.freezes() == ()
    said = await refused(bot)
    assert "everything is frozen by the calendar (weekend) until" in said
    assert "no command lifts it" in said


async def test_a_window_that_begins_holds_a_start_that_waits(bot: Bot) -> None:
    """It is approved once the window is over."""
    await bot.service.start(a_start(start_gate=GATE))
    bot.service._freezes.calendar = (a_window(HOUR, HOUR),)
    answer = await bot.service.command(ID, Approve(GRACE, now(), "start"))
    assert isinstance(answer, Refused)
    assert "the calendar (weekend)" in answer.reason
    bot.service._freezes.calendar = ()
    assert isinstance(await bot.service.command(ID, Approve(GRACE, now(), "start")), Canary)


async def test_an_override_starts_in_spite_of_everything_that_holds_then(bot: Bot) -> None:
    """It is on record with its reason, and what it overrode."""
    bot.service._freezes.calendar = (a_window(HOUR, HOUR),)
    await bot.service.freeze(a_lock())
    asked = Override(ADA, "nobody can pay", "everything that holds it up")
    canary = await bot.service.start(replace(a_start(), by=ADA, override=asked))
    assert isinstance(canary, Canary)
    assert canary.override is not None
    assert len(canary.override.freezes) == 2
    (said,) = (entry.text for entry in canary.timeline if "overrode" in entry.text)
    assert said == (
        "overrode the freeze of shop (locked by grace) and of everything "
        "(frozen by the calendar (weekend)): nobody can pay"
    )


async def test_an_override_lets_an_approval_pass_but_no_later_freeze(bot: Bot) -> None:
    """Whoever freezes it after that has a reason of their own."""
    await bot.service.freeze(Freeze(ALL, GRACE, "the sale", now(), None))
    asked = Override(ADA, "nobody can pay", "")
    await bot.service.start(replace(a_start(start_gate=GATE), by=ADA, override=asked))
    later = Freeze("shop", GRACE, "not this one", now(), None)
    await bot.service.freeze(later)
    answer = await bot.service.command(ID, Approve(GRACE, now(), "start"))
    assert isinstance(answer, Refused)
    assert "not this one" in answer.reason
    canary = await bot.service.find(ID)
    assert canary is not None
    assert isinstance(canary.phase, PendingApproval)

    await bot.service.unfreeze(later.key, GRACE)
    assert isinstance(await bot.service.command(ID, Approve(GRACE, now(), "start")), Canary)


@pytest.mark.parametrize("by", [ADA, GRACE])
async def test_an_override_of_nothing_leaves_no_record(bot: Bot, by: Actor) -> None:
    """Nobody is said to have overridden what did not hold them."""
    if by is GRACE:
        await bot.service.freeze(a_lock())
    asked = Override(GRACE, "just in case", "")
    canary = await bot.service.start(replace(a_start(), by=by, override=asked))
    assert isinstance(canary, Canary)
    assert canary.override is None
    assert not [entry for entry in canary.timeline if "overrode" in entry.text]


async def test_of_two_who_lock_a_service_the_first_has_it(bot: Bot) -> None:
    """Whose lock it is stands in the list."""
    await bot.service.freeze(a_lock())
    await bot.service.freeze(replace(a_lock(), by=ADA))
    assert [one.by for one in await bot.service.freezes()] == [GRACE]
