"""Commands as people type them into a running workspace, and what they are answered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import GRACE, a_canary
from unit.slack.connected import Office, until
from unit.slack.support import BREACHED, NOW, in_phase, posted, risky_plan, spoken

from bot.core.canary import Paused, PendingApproval, Promoted, RolledBack
from bot.core.commands import Abort, Approve, Extend, Pause, Promote
from bot.core.freezes import Freeze
from bot.core.machine import Refused
from bot.core.plan import Approval

HOUR = timedelta(hours=1)
RULES = ("sequential", "signature")


def public(here: Office) -> list[str]:
    """What everybody sees in #deploys, but for the canaries' own messages."""
    channel = here.workspace.workspace.store.channels["C0DEPLOYS"]
    return [spoken(m.blocks) for m in channel.messages.values() if m.only_for is None]


async def test_a_start_carries_its_reason(here: Office) -> None:
    """In the words of whoever started it."""
    await here.command("/canary start shop v2 5% because it's the login fix")
    assert here.desk.started[0].reason == "it's the login fix"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/canary rollback shop", "`/canary abort shop` while it is live"),
        ("/canary rollback shop", "`/canary undo shop` after its promotion"),
        ("/canary stop", "Did you mean `abort`?"),
        ("/canary shop", "`/canary status shop`"),
        ("/canary extend 10", "`/canary extend 10m`"),
        ("/canary prom", "Did you mean `promote`?"),
        ("/canary start shop v2 --window 20", "20 what? Write 20m"),
        ("/canary start shop v2 --percent nan", "“nan” is not a percentage"),
        ("/canary start shop @channel", "does not begin with @"),
        ("/canary history", "No canary has ended yet. `/canary list`"),
        ("/canary history shop", "No canary of shop has ended yet."),
        ("/canary why", "No canary is live"),
        ("/canary show shop-zzzzzz", "There is no canary shop-zzzzzz"),
        ("/canary undo", "`/canary undo SERVICE`"),
        ("/canary undo shop-zzzzzz", "There is no canary shop-zzzzzz"),
        ("/canary freeze", "`/canary freeze all for 2h incident`"),
        ("/canary freeze all until friday", "at what time?"),
        ("/canary unfreeze shop", "shop has no freeze of its own, so nothing changed."),
    ],
)
async def test_what_cannot_be_done_is_answered_with_what_can(
    here: Office, text: str, said: str
) -> None:
    """Nothing is done, nobody else sees it, and there is a line to paste."""
    assert said in await here.command(text)
    assert not public(here)
    assert not here.desk.started
    assert not here.desk.commands
    assert not here.desk.undone
    assert not here.desk.frozen


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("promote shop", Promote(GRACE, NOW, 0)),
        ("extend shop", Extend(GRACE, NOW, timedelta(minutes=10))),
        ("extend 1h shop", Extend(GRACE, NOW, HOUR)),
        ("extend", Extend(GRACE, NOW, timedelta(minutes=10))),
        ("pause shop", Pause(GRACE, NOW)),
        ("pause shop 30m", Pause(GRACE, NOW, timedelta(minutes=30))),
        ("abort shop because of carts", Abort(GRACE, NOW, "of carts")),
    ],
)
async def test_each_order_reaches_the_engine_as_it_was_meant(
    here: Office, text: str, command: Any
) -> None:
    """With its span or its reason, by whoever typed it."""
    await here.posted(a_canary())
    await here.command(f"/canary {text}", user="grace")
    ((_, given),) = here.desk.commands
    assert replace(given, by=GRACE) == command
    assert given.by.id == GRACE.id


async def test_a_refusal_says_what_can_be_done_instead(here: Office) -> None:
    """As lines to paste, without the one that was refused just now."""
    await here.posted(in_phase("awaiting_promote", plan=risky_plan()))
    here.desk.answer = Refused("Nothing changed. Who may: S0APPROVE, C0SHOP001.")
    said = await here.command("/canary approve shop")
    assert "Who may: <!subteam^S0APPROVE>, C0SHOP001." in said  # that channel is no approver
    assert "`/canary abort shop-k3x9ab` all traffic back to stable, at once" in said
    assert "`/canary approve" not in said


@pytest.mark.parametrize(
    ("verb", "phase", "question", "step"),
    [
        ("approve", "pending_approval", "start", None),
        ("approve", "awaiting_promote", "promote", 0),
        ("approve", "awaiting_thin", "thin", 0),
        ("promote", "awaiting_thin", "thin", 0),
        ("approve", "observing", None, None),
    ],
)
async def test_a_typed_yes_is_to_the_question_that_stood(
    here: Office, verb: str, phase: str, question: str | None, step: int | None
) -> None:
    """Groups are looked up meanwhile, which takes seconds: it must not answer another one."""
    await here.posted(in_phase(phase))
    await here.command(f"/canary {verb} shop")
    ((_, command),) = here.desk.commands
    assert isinstance(command, Approve)
    assert (command.question, command.step) == (question, step)


async def test_a_channel_of_approvers_is_shown_as_one(here: Office) -> None:
    """Whoever is refused sees who may: everybody in that channel."""
    gate = replace(risky_plan().decision, approvers=("C0SHOP001",))
    plan = replace(risky_plan(), decision=gate, start_gate=gate, promote_gate=gate)
    await here.posted(in_phase("awaiting_promote", plan=plan))
    here.desk.answer = Refused("You may not approve shop v2. Who may: C0SHOP001.")
    said = await here.command("/canary approve shop")
    assert "Who may: whoever is in <#C0SHOP001>." in said
    assert here.desk.commands[0][1].by.groups == ("C0SHOP001",)


async def test_an_approval_says_how_many_are_missing(here: Office) -> None:
    """Where one yes is not enough."""
    gate = replace(risky_plan().decision, needed=2)
    canary = in_phase("pending_approval", plan=replace(risky_plan(), start_gate=gate))
    assert isinstance(canary.phase, PendingApproval)
    await here.posted(canary)
    assert await here.command("/canary approve shop") == "Approved shop v2."
    phase = replace(canary.phase, approvals=(Approval(GRACE, NOW),))
    here.desk.having(replace(canary, phase=phase))
    said = await here.command("/canary approve shop")
    assert said == "Approved shop v2. It still waits for one more person."


async def test_a_pause_says_when_it_ends(here: Office) -> None:
    """It goes on by itself, and until then it is judged."""
    canary = in_phase("paused")
    assert isinstance(canary.phase, Paused)
    await here.posted(replace(canary, phase=replace(canary.phase, until=NOW + HOUR)))
    said = await here.command("/canary pause shop 1h")
    assert "still judged and still rolled back. It goes on by itself at 13:05 UTC." in said


async def test_aborting_what_was_promoted_gives_the_line_that_undoes_it(here: Office) -> None:
    """At three in the morning nobody should have to look for the other word."""
    here.desk.having(posted(in_phase("promoted")))
    for text in ("abort shop", "abort"):
        said = await here.command(f"/canary {text}")
        assert "nothing changed. Its promotion can be undone:\n`/canary undo shop`" in said
    assert not here.desk.commands


async def test_an_undo_names_what_it_takes_back(here: Office) -> None:
    """By service or by the canary that was looked at, with a reason."""
    here.desk.having(posted(in_phase("promoted")))
    said = await here.command("/canary undo shop because carts are empty", user="grace")
    assert "Undoing shop v2: all traffic goes back to v1." in said
    await here.command("/canary undo shop-000001")
    first, second = here.desk.undone
    assert (first.service, first.reason, first.promoted) == ("shop", "carts are empty", "")
    assert (first.by.id, first.canary_id) == ("U0GRACE01", "shop-new0")
    assert (second.service, second.promoted) == ("shop", "shop-000001")


async def test_an_undo_without_a_service_is_given_as_a_line(here: Office) -> None:
    """The promotion of this channel is named, and nothing is done."""
    elsewhere = replace(in_phase("promoted", service="payments"), channel="C0RANDOM1")
    here.desk.having(posted(in_phase("promoted")), posted(elsewhere, 2))
    said = await here.command("/canary undo")
    assert "`/canary undo shop` takes shop v2 back" in said
    assert "payments" not in said
    assert not here.desk.undone


async def test_the_list_shows_what_is_live_ended_and_frozen(here: Office) -> None:
    """With times, people and links."""
    here.desk.having(posted(in_phase("observing")), posted(in_phase("rolled_back_breach"), 2))
    here.desk.frozen = {"shop": Freeze("shop", GRACE, "audit", NOW, NOW + HOUR)}
    said = await here.command("/canary list")
    assert "*❄️ shop* is frozen by *grace* until 2026-03-02 13:05 UTC: audit" in said
    assert "shop v2 at 5 % · started 2026-03-02 12:00 UTC by <@U0ADA0001> · `shop-000001`" in said
    assert "· open (http" in said
    assert "↩️ shop `v2`* rolled back *2026-03-02 12:05 UTC after 5 min" in said


async def test_the_history_says_how_each_ended(here: Office) -> None:
    """Result, revision, when, how long, by whom, why, id and a link; what is live is left out."""
    undone = in_phase("rolled_back_undo", undoes="shop-000001")
    here.desk.having(
        posted(in_phase("observing"), 9),
        posted(in_phase("promoted_by_person"), 1),
        posted(in_phase("rolled_back_breach"), 2),
        posted(undone, 3),
        posted(in_phase("rejected", service="payments"), 4),
    )
    said = await here.command("/canary history shop")
    assert "The last 3 canaries of shop, newest first" in said
    assert "✅ shop `v2`* promoted *2026-03-02 12:20 UTC after 20 min" in said
    assert "· approved by grace · `shop-000001` · open (http" in said
    assert "started by <@U0ADA0001> · errors, log errors breached · `shop-000002`" in said
    assert "↩️ shop `v2`* undone *2026-03-02 12:05 UTC  · undone by grace" in said
    assert "shop-000009" not in said
    assert "payments" not in said


@pytest.mark.parametrize("verb", ["why", "show"])
async def test_the_last_one_is_meant_where_none_is_live(here: Office, verb: str) -> None:
    """`why` alone explains what this channel saw last."""
    here.desk.having(replace(posted(in_phase("rolled_back_breach")), channel="C0RANDOM1"))
    assert "No canary is live" in await here.command(f"/canary {verb}")
    here.desk.having(posted(in_phase("rolled_back_breach"), 2))
    for target in ("", " shop-000002"):
        assert "`shop-000002`" in await here.command(f"/canary {verb}{target}")


async def test_of_several_live_ones_none_is_explained_for_the_other(here: Office) -> None:
    """The lines to paste are given instead."""
    here.desk.having(posted(a_canary(), 1), posted(a_canary(service="payments"), 2))
    said = await here.command("/canary why")
    assert "`/canary why shop-000001`" in said
    assert "`/canary why payments-000002`" in said


async def test_a_breach_is_explained_to_whoever_was_woken(here: Office) -> None:
    """What was decided, on which numbers, how sure that is, and what to do next."""
    breach = tuple(replace(f, rule=r) for f, r in zip(BREACHED.findings, RULES, strict=True))
    phase = RolledBack(replace(BREACHED, findings=breach), NOW, timedelta(seconds=0.4))
    here.desk.having(posted(in_phase("rolled_back_breach", phase=phase)))
    said = await here.command("/canary why shop-000001")
    assert "All traffic is back on stable* (`v1`)" in said
    assert "The numbers decided, by themselves." in said
    assert "5.20 % on the canary, 0.48 % on stable" in said
    assert "(rule: sequential)" in said
    assert "(rule: signature)" in said
    assert "“*at most 1 in 4,200 by chance*” means" in said
    assert "The other SLOs" in said
    assert "Nothing to do at once: the users are on stable." in said
    assert "`/canary start shop`" in said


async def test_the_form_opens_where_the_revision_is_not_named(here: Office) -> None:
    """Nothing is said besides, and the service that was named stands in it."""
    stacks = here.workspace.workspace.store.stacks
    for text in ("start", "start payments"):
        stacks["U0ADA0001"].clear()
        assert (await here.people.command(f"/canary {text}"))["ok"]
        await until(lambda: stacks["U0ADA0001"])
    assert "payments" in str(stacks["U0ADA0001"][-1].body)
    assert not here.private()
    assert not here.desk.started


async def test_a_promotion_still_names_who_let_it_pass(here: Office) -> None:
    """By a person, where the numbers alone would not have promoted it."""
    canary = in_phase("awaiting_thin")
    here.desk.having(posted(replace(canary, phase=Promoted(NOW, GRACE))))
    said = await here.command("/canary why shop")
    assert "*A person decided: *<@U0GRACE01> approved it." in said
    assert "The numbers alone would not have promoted it." in said
    assert "35 of about 50 requests" in said
