"""During a freeze nothing begins; what runs goes on, and can always be taken back."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import ADA, GRACE
from world import Bot, Outside, a_start

from adapters.stores.memory import MemoryStore
from bot.core.canary import Canary, Observing, PendingApproval, Promoted, Rejected
from bot.core.commands import Abort, Approve
from bot.core.freezes import ALL, Freeze
from bot.core.machine import Refused
from bot.core.plan import FULL, ZERO, Gate, Weight
from bot.core.undoing import UndoRequest
from bot.ports import PortError

ID = "shop-abc123"
GATE = Gate(("anyone",), timedelta(minutes=1), needed=2)


def now() -> datetime:
    return datetime.now(UTC)


def a_freeze(scope: str = "shop", lasts: timedelta = timedelta(hours=1)) -> Freeze:
    return Freeze(scope, GRACE, "stock-taking", now(), now() + lasts)


def finished(canary: Canary) -> bool:
    return canary.is_finished


@pytest.mark.parametrize("scope", ["shop", ALL])
async def test_nothing_is_started_during_a_freeze(
    bot: Bot, outside: Outside, store: MemoryStore, scope: str
) -> None:
    """It is said who froze it, why and until when; nothing is on record."""
    await bot.service.freeze(a_freeze(scope))
    answer = await bot.service.start(a_start())
    assert isinstance(answer, Refused)
    assert "frozen by grace until" in answer.reason
    assert "stock-taking" in answer.reason
    assert await store.load(ID) is None
    assert [] == outside.posts

    lifted = await bot.service.unfreeze(scope, ADA)
    assert lifted is not None
    assert isinstance(await bot.service.start(a_start()), Canary)


async def test_other_services_and_ended_freezes_do_not_hold(bot: Bot) -> None:
    """The list holds what holds now; lifting what has ended lifts nothing."""
    await bot.service.freeze(a_freeze("cart"))
    await bot.service.freeze(a_freeze("shop", timedelta(seconds=-1)))
    assert ["cart"] == [freeze.scope for freeze in await bot.service.freezes()]
    assert await bot.service.unfreeze("shop", ADA) is None
    assert await bot.service.unfreeze("nothing", ADA) is None
    assert isinstance(await bot.service.start(a_start()), Canary)


async def test_the_longest_freeze_is_named(bot: Bot) -> None:
    """Lifting the shorter one would not help."""
    await bot.service.freeze(a_freeze("shop"))
    await bot.service.freeze(a_freeze(ALL, timedelta(hours=9)))
    answer = await bot.service.start(a_start())
    assert isinstance(answer, Refused)
    assert "everything is frozen" in answer.reason
    assert "unfreeze all" in answer.reason


async def test_a_start_that_waits_is_not_approved_during_a_freeze(bot: Bot) -> None:
    """No approval is counted, it still waits, and may be aborted; afterwards it goes on."""
    await bot.service.start(a_start(start_gate=GATE))
    await bot.service.freeze(a_freeze())
    answer = await bot.service.command(ID, Approve(GRACE, now(), "start"))
    assert isinstance(answer, Refused)
    assert "frozen by grace" in answer.reason
    canary = await bot.service.find(ID)
    assert canary is not None
    assert isinstance(canary.phase, PendingApproval)
    assert () == canary.phase.approvals

    await bot.service.unfreeze("shop", GRACE)
    await bot.service.command(ID, Approve(GRACE, now(), "start"))
    await bot.service.command(ID, Approve(ADA, now(), "start"))
    assert isinstance((await bot.until(ID, finished)).phase, Promoted)


async def test_a_start_that_waits_can_be_aborted_during_a_freeze(bot: Bot) -> None:
    """An abort is always possible."""
    await bot.service.start(a_start(start_gate=GATE))
    await bot.service.freeze(a_freeze())
    await bot.service.command(ID, Abort(ADA, now()))
    assert isinstance((await bot.until(ID, finished)).phase, Rejected)


async def test_a_live_canary_goes_on_during_a_freeze_and_its_end_can_be_undone(
    bot: Bot, outside: Outside
) -> None:
    """Half a rollout is worse than a whole one, and going back is never forbidden."""
    await bot.service.start(a_start(promote_gate=GATE))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))
    await bot.service.freeze(a_freeze(ALL))
    await bot.until(ID, lambda c: c.phase.kind == "awaiting_decision")
    for who in (ADA, GRACE):
        assert isinstance(await bot.service.command(ID, Approve(who, now())), Canary)
    assert isinstance((await bot.until(ID, finished)).phase, Promoted)
    assert FULL == outside.weights["green"]

    assert isinstance(await bot.service.undo(UndoRequest("shop-undo", "shop", ADA)), Canary)
    await bot.until("shop-undo", finished)
    assert ZERO == outside.weights["green"]


async def test_a_live_canary_can_be_aborted_during_a_freeze(bot: Bot, outside: Outside) -> None:
    """And its traffic goes back."""
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))
    await bot.service.freeze(a_freeze())
    await bot.service.command(ID, Abort(ADA, now()))
    await bot.until(ID, finished)
    assert ZERO == outside.weights["green"]


async def test_a_freeze_and_a_start_at_once_leave_one_of_two_right_states(
    bot: Bot, outside: Outside
) -> None:
    """Started before it, or refused by it; nothing in between."""
    answer, _ = await asyncio.gather(bot.service.start(a_start()), bot.service.freeze(a_freeze()))
    if isinstance(answer, Canary):
        assert isinstance((await bot.until(ID, finished)).phase, Promoted)
    else:
        assert {"blue": FULL, "green": ZERO} == outside.weights


async def test_freezes_that_cannot_be_read_refuse_the_start(
    bot: Bot, outside: Outside, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To start what is frozen is worse than to start nothing."""

    async def unreadable(*_: Any) -> None:
        raise PortError("a freeze in Redis cannot be read")

    await bot.service.start(a_start(start_gate=GATE))
    monkeypatch.setattr(store, "freezes", unreadable)
    with pytest.raises(PortError):
        await bot.service.start(a_start(canary_id="shop-next"))
    with pytest.raises(PortError):
        await bot.service.command(ID, Approve(ADA, now(), "start"))
    assert isinstance(await bot.service.command(ID, Abort(ADA, now())), Canary)
    assert [] == outside.flips


async def test_two_who_approve_at_once_are_both_counted(
    outside: Outside, store: MemoryStore
) -> None:
    """On two replicas: a gate of two opens, or one is told truthfully that it was too late."""
    one, two = Bot(outside, store, "one"), Bot(outside, store, "two")
    await one.ownership.beat()
    await two.ownership.beat()
    await one.service.start(a_start(start_gate=GATE))

    answers = await asyncio.gather(
        one.service.command(ID, Approve(ADA, now(), "start")),
        two.service.command(ID, Approve(GRACE, now(), "start")),
    )
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    if not refused:
        canary = await two.until(ID, finished)
        assert isinstance(canary.phase, Promoted)
        assert {ADA, GRACE} <= {entry.by for entry in canary.timeline}
    else:
        canary = await two.until(ID, lambda c: isinstance(c.phase, PendingApproval))
        assert isinstance(canary.phase, PendingApproval)
        assert 1 == len(canary.phase.approvals)
    await one.die()
    await two.die()


async def test_two_who_approve_at_once_on_one_replica_are_both_counted(bot: Bot) -> None:
    """A double click of one of them is refused and counts once."""
    await bot.service.start(a_start(start_gate=GATE))
    answers = await asyncio.gather(
        *(bot.service.command(ID, Approve(who, now(), "start")) for who in (ADA, ADA, GRACE))
    )
    assert [False, True, False] == [isinstance(answer, Refused) for answer in answers]
    assert isinstance((await bot.until(ID, finished)).phase, Promoted)


async def test_the_revisions_that_could_be_started_are_those_of_idle_backends(
    bot: Bot, outside: Outside
) -> None:
    """A router that does not answer, or a service that nobody knows, offers nothing."""
    assert ("v2",) == await bot.service.revisions("shop")
    outside.weights = {"green": FULL, "blue": Weight(0)}
    assert ("v1",) == await bot.service.revisions("shop")
    assert () == await bot.service.revisions("cart")
    outside.router_down = True
    assert () == await bot.service.revisions("shop")
