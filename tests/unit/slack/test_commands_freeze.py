"""Freezing by command: said to everybody, for it concerns everybody."""

from datetime import timedelta

from builders import GRACE
from unit.slack.connected import Office, until
from unit.slack.support import NOW, in_phase, posted
from unit.slack.test_commands import HOUR, public

from bot.core.freezes import Freeze
from bot.core.plan import Actor


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
    assert "Still in force:\n*❄️ everything* is frozen by" in said
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
    assert "1 start waits for approval, which is refused until this is over:" in said
    assert (
        "payments v2 · never starts if nobody has approved it by 12:40 UTC · to drop it "
        "`/canary abort payments-000002`"
    ) in said
    assert "`/canary pause payments-000002`" not in said


async def test_the_line_is_stopped_until_somebody_resumes_it(here: Office) -> None:
    """What is live is named, with the lines that take all of it back, and how to go on."""
    here.desk.having(
        posted(in_phase("observing"), 1),
        posted(in_phase("pending_approval", service="payments"), 2),
    )
    said = await in_public(here, "/canary stop the line nobody can pay")
    assert "🛑 The line is stopped* by *ada*." in said
    assert "*Why: *nobody can pay" in said
    assert "Nothing is started until somebody lifts it." in said
    assert "Still live: 1 canary, judged as before:" in said
    assert "shop v2 at 5 %" in said
    assert "To abort all of it, one line each: `/canary abort shop-000001`" in said
    assert "1 start waits for approval, which is refused until this is over:" in said
    assert "To go on: `/canary resume-the-line`" in said
    freeze = here.desk.frozen["all"]
    assert (freeze.until, freeze.reason, freeze.kind) == (None, "nobody can pay", "freeze")

    said = await in_public(here, "/canary resume-the-line")
    assert "🟢 Everything is not frozen any more*; lifted by *ada" in said
    assert not here.desk.frozen
    assert "Everything is not frozen as a whole" in await here.command("/canary resume-the-line")


async def test_an_emergency_stop_says_when_nothing_is_live(here: Office) -> None:
    """So that nobody looks for it at three in the morning."""
    said = await in_public(here, "/canary stop-the-line for 2h")
    assert "No canary is live." in said
    assert "Nothing is started until 2026-03-02 14:05 UTC (2026-03-02 14:05 UTC; times" in said


async def test_a_lock_is_said_to_everybody_and_taken_by_one(here: Office) -> None:
    """Somebody else is told privately whose it is; its holder may set it anew."""
    said = await in_public(here, "/canary lock shop my release")
    assert "🔒 shop is locked* by *ada*." in said
    assert "Nobody else starts it until somebody unlocks it." in said
    assert "To unlock it: `/canary unlock shop`" in said
    said = await in_public(here, "/canary lock shop for 1h")
    assert "This takes the place of the lock until somebody unlocks it." in said

    grace = Freeze("shop", GRACE, "hers", NOW, None, "lock")
    here.desk.frozen = {grace.key: grace}
    said = await here.command("/canary lock shop mine")
    assert "Not locked: somebody else has locked shop already, so nothing changed." in said
    assert "has it until somebody unlocks it: hers." in said
    assert "`/canary unlock shop`" in said
    assert here.desk.frozen == {grace.key: grace}


async def test_a_lock_and_a_freeze_of_a_service_are_lifted_one_by_one(here: Office) -> None:
    """And each says what still holds; whose lock it was is told."""
    grace = Freeze("shop", GRACE, "hers", NOW, None, "lock")
    here.desk.frozen = {grace.key: grace, "shop": Freeze("shop", GRACE, "", NOW, NOW + HOUR)}
    said = await in_public(here, "/canary unfreeze shop")
    assert (
        "Still in force:\n*🔒 shop* is locked by *grace* until somebody unlocks it: hers" in said
    )
    assert "may be started again" not in said
    said = await in_public(here, "/canary unlock shop")
    assert "shop is not locked any more*; lifted by *ada*.\nIt was locked by" in said
    assert "Canaries of it may be started again." in said
    assert "shop is not locked, so nothing changed." in await here.command("/canary unlock shop")


async def test_what_the_calendar_has_frozen_is_lifted_by_nobody(here: Office) -> None:
    """It says so, and what can be done instead."""
    by = Actor("calendar:weekend", "the calendar (weekend)")
    window = Freeze("all", by, "rest", NOW, NOW + HOUR, "calendar")
    here.desk.frozen = {window.key: window}
    for command in ("/canary unfreeze all", "/canary resume-the-line"):
        said = await here.command(command)
        assert "Everything is frozen by the calendar, which no command lifts, so nothing" in said
        assert "*📅 everything* is frozen by *the calendar" in said
        assert "It stands in the configuration. An approver may start all the same:" in said
        assert "`/canary start … --override REASON`" in said
    assert here.desk.frozen
