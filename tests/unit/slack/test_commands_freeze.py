"""Freezing by command: said to everybody, for it concerns everybody."""

from datetime import timedelta

from builders import GRACE
from unit.slack.connected import Office, until
from unit.slack.support import NOW, in_phase, posted
from unit.slack.test_commands import HOUR, public

from bot.core.freezes import Freeze


async def in_public(here: Office, text: str) -> str:
    """Send a command and give the answer that everybody sees."""
    before = len(public(here))
    assert (await here.people.command(text))["ok"]
    await until(lambda: len(public(here)) > before)
    return public(here)[-1]


async def test_a_freeze_is_said_to_everybody(here: Office) -> None:
    """Who, what, until when and why, and that what is live goes on, with how to stop it."""
    here.desk.having(posted(in_phase("observing")))
    said = await in_public(here, "/canary freeze all until 18:00 the summer sale")
    assert "Everything is frozen* by *ada" in said
    assert "*Why: *the summer sale" in said
    assert "until 2026-03-02 18:00 UTC (2026-03-02 18:00 UTC; times that are typed" in said
    assert "1 live canary goes on, judged as before:" in said
    assert "`/canary abort shop-000001`" in said
    assert "`/canary unfreeze all`" in said
    freeze = here.desk.frozen["all"]
    assert (freeze.by.id, freeze.reason) == ("U0ADA0001", "the summer sale")
    assert freeze.since == NOW
    assert not here.private()


async def test_a_freeze_without_an_end_lasts_a_day(here: Office) -> None:
    """So that a forgotten one goes away."""
    await in_public(here, "/canary freeze shop")
    assert here.desk.frozen["shop"].until == NOW + timedelta(hours=24)


async def test_a_second_freeze_takes_the_place_of_the_first(here: Office) -> None:
    """And says so, for it may be shorter."""
    await in_public(here, "/canary freeze shop for 2h")
    said = await in_public(here, "/canary freeze shop for 1h")
    assert "takes the place of the freeze until 2026-03-02 14:05 UTC." in said


async def test_lifting_a_freeze_is_said_to_everybody(here: Office) -> None:
    """And what is still frozen."""
    here.desk.frozen = {
        "all": Freeze("all", GRACE, "sale", NOW, NOW + HOUR),
        "shop": Freeze("shop", GRACE, "audit", NOW, NOW + HOUR),
    }
    said = await in_public(here, "/canary unfreeze shop")
    assert "shop is not frozen any more*; lifted by *ada" in said
    assert "Still in force:\n*❄️ everything* is frozen until" in said
    assert "may be started again" not in said
    said = await in_public(here, "/canary unfreeze all")
    assert "Canaries of it may be started again." in said
    assert not here.desk.frozen


async def test_lifting_what_is_not_frozen_names_what_is(here: Office) -> None:
    """With the line that lifts that."""
    here.desk.frozen = {"all": Freeze("all", GRACE, "sale", NOW, NOW + HOUR)}
    said = await here.command("/canary unfreeze shop")
    assert "shop has no freeze of its own, so nothing changed. What is frozen:" in said
    assert "`/canary unfreeze all`" in said
    assert here.desk.frozen


async def test_a_guest_may_neither_freeze_nor_lift(here: Office) -> None:
    """Somebody of another workspace is told so, and nothing changes."""
    here.edge._home.teams = frozenset({"T0OTHER01"})
    for verb in ("freeze", "unfreeze"):
        assert "another workspace" in await here.command(f"/canary {verb} all")
    assert not here.desk.frozen


async def test_what_waits_for_approval_is_said_to_be_held_up(here: Office) -> None:
    """A freeze refuses its approval, so it does not just go on; what carries traffic does."""
    here.desk.having(
        posted(in_phase("observing"), 1),
        posted(in_phase("pending_approval", service="payments"), 2),
    )
    said = await in_public(here, "/canary freeze all for 2h")
    assert "1 live canary goes on, judged as before:" in said
    assert "1 start waits for approval, which is refused until the freeze is over:" in said
    assert (
        "payments v2 · never starts if nobody has approved it by 12:40 UTC · to drop it "
        "`/canary abort payments-000002`"
    ) in said
    assert "`/canary pause payments-000002`" not in said
