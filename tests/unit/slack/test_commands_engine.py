"""Commands with a real engine behind them: what is said is what was done."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from unit.slack.connected import until
from unit.slack.lobby import Lobby, lobby
from unit.slack.support import spoken
from unit.workspace.support import People

from bot.core.canary import Observing, Paused, RolledBack
from bot.workspace import RunningWorkspace


@pytest.fixture
async def here(workspace: RunningWorkspace, people: People) -> AsyncIterator[Lobby]:
    """An edge with a real engine."""
    async with lobby(workspace, people) as opened:
        yield opened


async def typed(here: Lobby, text: str, user: str = "ada") -> str:
    """Send a command in #deploys and give the private answer to it."""
    before = len(here.private(user))
    assert (await here.people.command(f"/canary {text}", user))["ok"]
    await until(lambda: len(here.private(user)) > before)
    return here.private(user)[-1]


async def until_it_is(here: Lobby, phase: type) -> Any:
    """Wait until the canary is in this phase, and give that."""
    async with asyncio.timeout(10):
        while True:
            found = await here.desk.find("shop-new0")
            if found is not None and isinstance(found.phase, phase):
                return found.phase
            await asyncio.sleep(0.005)


async def test_a_canary_is_steered_by_commands_alone(here: Lobby) -> None:
    """Started, extended, held, resumed, explained, aborted: each answer is true."""
    assert "Starting shop v2" in await typed(here, "start shop v2 5% 20m because of the login")
    first = await until_it_is(here, Observing)

    assert await typed(here, "extend shop 15m") == "Extended shop v2 by 15 min; still judged."
    later = await until_it_is(here, Observing)
    assert (later.until - first.until).total_seconds() == 15 * 60

    said = await typed(here, "promote shop")
    assert "Not promoted: shop v2 is not proven healthy yet" in said
    assert "`/canary extend shop-new0 10m`" in said
    assert "`/canary promote" not in said

    assert "It goes on by itself at" in await typed(here, "pause shop 30m")
    assert "Not now: shop v2 is paused at 5 %" in await typed(here, "pause shop")
    assert await until_it_is(here, Paused)
    assert await typed(here, "resume shop") == "Resumed shop v2."

    said = await typed(here, "show shop")
    assert "extended the window by 15 min · <@U0ADA0001>" in said
    assert "*Start: *at once, nobody is asked" in said
    assert "of the login" in said
    assert "*It goes on *if every SLO" in await typed(here, "why shop")

    assert "its traffic goes back to stable" in await typed(here, "abort shop carts", "grace")
    await until_it_is(here, RolledBack)
    said = await typed(here, "why shop")
    assert "*A person decided, not the numbers: *<@U0GRACE01>: carts." in said
    assert "aborted by grace: carts" in await typed(here, "history shop")


async def test_one_at_a_time_is_refused_with_what_is_in_the_way(here: Lobby) -> None:
    """And what can be done with that."""
    await typed(here, "start shop v2")
    said = await typed(here, "start shop v3")
    assert "shop has a live canary: v2" in said
    assert "`/canary abort shop-new0` all traffic back to stable, at once" in said


async def test_a_freeze_refuses_a_start_in_its_own_words(here: Lobby) -> None:
    """Until it is lifted, and then the same line works."""
    assert (await here.people.command("/canary freeze shop for 2h audit", "grace"))["ok"]
    channel = here.workspace.workspace.store.channels["C0DEPLOYS"]

    def said_to_all() -> list[str]:
        return [spoken(m.blocks) for m in channel.messages.values() if m.only_for is None]

    await until(said_to_all)
    said = await typed(here, "start shop v2")
    assert "Not started: shop is frozen by grace until" in said
    assert ": audit. To lift it: `/canary unfreeze shop`." in said
    assert "*❄️ shop* is frozen by" in await typed(here, "list")
    assert (await here.people.command("/canary unfreeze shop"))["ok"]
    await until(lambda: "not frozen any more" in said_to_all()[-1])
    assert "Starting shop v2" in await typed(here, "start shop v2")


async def test_an_undo_of_nothing_says_why(here: Lobby) -> None:
    """No rollout has moved traffic, so there is nothing to take back."""
    said = await typed(here, "undo shop")
    assert "Not undone: " in said
    assert "`/canary history shop` shows what was done last." in said


async def test_a_store_that_is_away_is_told_for_every_command(here: Lobby) -> None:
    """In one plain sentence, and nothing is done."""
    lines = (
        "list",
        "history",
        "status shop",
        "why shop",
        "abort shop",
        "undo shop",
        "unfreeze all",
    )
    with here.store_away():
        for line in lines:
            assert "The store cannot be reached" in await typed(here, line), line
