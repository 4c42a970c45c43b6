"""The form that starts a canary, filled in by people in a running workspace."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from unit.slack.connected import until
from unit.slack.lobby import IDS, Lobby, lobby, settings
from unit.slack.support import an_assessment
from unit.workspace.support import People

from bot.core.assessment import Assessment, Reason
from bot.slack.permissions import Visit
from bot.slack.starting import open_start
from bot.slack.views.form import Draft
from bot.slack.views.kit import Message
from bot.workspace import RunningWorkspace


@pytest.fixture
async def here(workspace: RunningWorkspace, people: People) -> AsyncIterator[Lobby]:
    async with lobby(workspace, people) as opened:
        yield opened


async def opened(
    here: Lobby, user: str = "ada", channel: str = "", **named: str
) -> Message | None:
    """Open the form as a command does."""
    trigger = here.workspace.workspace.store.new_trigger(IDS[user])
    visit = Visit(IDS[user], user, "T0CANARY1", channel)
    return await open_start(here.edge._parts, visit, trigger, **named)


async def test_the_form_says_what_will_happen_before_anything_is_started(here: Lobby) -> None:
    """Who gets what for how long, what follows, who is asked, and where it is told."""
    said = await here.open_form()
    assert "5 % of payments's live traffic goes to the revision for 30 min" in said
    assert "*Healthy: *one of <!subteam^S0APPROVE> (not you) is asked to promote it" in said
    assert "*A breach at any moment: *all traffic back to stable at once." in said
    assert "Announced in <#C0DEPLOYS>." in said
    assert not here.desk.started


async def test_the_command_alone_opens_the_form(here: Lobby) -> None:
    """With the channel's own service, and without a word beside it."""
    assert (await here.people.command("/canary start", channel="shop"))["ok"]
    await until(lambda: "What will happen" in here.form())
    assert here.typed()["service"] == "shop"
    assert not here.private()


async def test_the_service_of_the_channel_is_chosen_already(here: Lobby) -> None:
    """With its own tier, percent and window."""
    assert await opened(here, channel="C0SHOP001") is None
    fields = here.typed()
    assert (fields["service"], fields["tier"]) == ("shop", "safe")
    assert (fields["percent"], fields["window"]) == ("5", "20m")
    assert "promoted to 100 % by itself" in here.form()


async def test_what_a_command_named_already_is_filled_in(here: Lobby) -> None:
    await opened(here, service="shop", revision="3f9c2ab")
    fields = here.typed()
    assert (fields["service"], fields["revision"]) == ("shop", "3f9c2ab")


async def test_the_form_opens_before_anything_is_looked_up(here: Lobby) -> None:
    """A trigger lives for three seconds, and a store may take longer."""
    never = asyncio.Event()

    async def slow(service: str) -> tuple[str, ...]:
        await never.wait()
        return ("v2",)

    here.desk.revisions = slow  # type: ignore[method-assign] # a router that takes its time
    opening = asyncio.create_task(opened(here))
    await until(here.form)
    assert "Ready on the idle backend" not in here.form()
    never.set()
    assert await opening is None
    assert "Ready on the idle backend: v2." in here.form()


async def test_the_ready_revision_is_one_press_away(here: Lobby) -> None:
    """Nobody types a hash on a phone; a reason that was typed before stays."""
    await here.open_form()
    await until(lambda: "[Use v2]" in here.form())
    modal = here.modal()
    assert modal is not None
    values = {"canary_start_reason": "a fix"}
    where = {"user": "ada", "view_id": modal["id"], "action_id": "canary_start_use.0"}
    assert (await here.people.do("click", **where, values=values))["ok"]
    await until(lambda: here.typed()["revision"] == "v2")
    assert here.typed()["reason"] == "a fix"


async def test_another_service_brings_its_own_plan_and_loses_nothing(here: Lobby) -> None:
    """What was typed stays; what the plan had filled in follows the service."""
    await here.open_form()
    await here.change("service", "shop", revision="v2", reason="a fix", percent="7")
    await until(lambda: "of shop's live traffic" in here.form())
    typed = here.typed()
    assert (typed["tier"], typed["window"]) == ("safe", "20m")
    assert (typed["revision"], typed["reason"], typed["percent"]) == ("v2", "a fix", "7")
    assert "7 % of shop's live traffic goes to v2 for 20 min" in here.form()


async def test_a_tier_may_be_raised_and_lowered_by_leave(here: Lobby) -> None:
    """Every tier is offered; who wants a lower one is told first that an approver must agree."""
    await opened(here, channel="C0SHOP001")
    assert _options(here, "tier") == ["safe", "unknown", "risky", "grave"]
    await here.change("tier", "grave")
    await until(lambda: "may approve the start" in here.form())
    assert "2 % of shop's live traffic goes to the revision for 10 min, then 25 %" in here.form()
    modal = here.modal()
    assert modal is not None
    assert modal["submit"]["text"] == "Ask for approval"
    await here.change("service", "payments")
    await until(lambda: here.typed()["tier"] == "risky")
    await here.change("tier", "safe")
    await until(lambda: "Treated as safe instead of risky" in here.form())
    assert "may approve the start" in here.form()


async def test_percent_and_window_are_explained_as_they_are_typed(here: Lobby) -> None:
    """Also what is wrong with them, before the button; an emptied field stays empty."""
    await opened(here, channel="C0SHOP001")
    await here.change("percent", "12", revision="v2")
    await until(lambda: "12 % of shop's live traffic goes to v2" in here.form())
    await here.change("window", "1h")
    await until(lambda: "for 60 min" in here.form())
    await here.change("percent", "90")
    await until(lambda: "This cannot be started: *90 % is no canary" in here.form())
    await here.change("percent", "")
    await until(lambda: "5 % of shop's live traffic" in here.form())
    assert here.typed()["percent"] == ""


async def test_a_burst_of_characters_is_one_update(here: Lobby) -> None:
    """Slack sends each of them, and a minute holds a hundred updates for everybody."""
    await opened(here, channel="C0SHOP001")
    counts = here.workspace.workspace.counts
    before = counts.calls["views.update"]
    await asyncio.gather(*(here.change("percent", "1234567"[: n + 1]) for n in range(7)))
    await until(lambda: counts.calls["views.update"] > before)
    await asyncio.sleep(0.5)
    assert counts.calls["views.update"] - before <= 3


async def test_each_mistake_is_told_at_its_field(here: Lobby) -> None:
    """In the words of a command's refusal, and the form stays open with all that was typed."""
    await opened(here, channel="C0SHOP001")
    answer = await here.submit(revision="v 2", percent="90", window="20")
    errors = {block.partition(".")[0]: text for block, text in answer["errors"].items()}
    assert "without spaces" in errors["revision"]
    assert "choose more than 0 % and at most 50 %" in errors["percent"]
    assert "write for example 20m" in errors["window"]
    assert here.typed()["revision"] == "v 2"
    assert not here.desk.started


async def test_a_lower_tier_waits_for_an_approver_before_anything_moves(here: Lobby) -> None:
    """Who started it does not count; it is on record what it should have been."""
    await opened(here, channel="C0SHOP001")
    await here.change("service", "payments")
    await until(lambda: here.typed()["tier"] == "risky")
    await here.submit(revision="v2", tier="safe", reason="a typo in a text")
    await until(lambda: here.desk.started)
    plan = here.desk.started[0].plan
    assert (plan.tier, plan.lowered_from) == ("safe", "risky")
    assert plan.start_gate is not None
    assert plan.promote_gate is None


async def test_what_the_revision_changes_is_shown_as_it_is_typed(here: Lobby) -> None:
    """Its tier, why, the statements that stable does not survive, and how else to do it."""
    here.assessor.found = an_assessment()
    await opened(here, channel="C0SHOP001")
    await here.change("revision", "v2")
    await until(lambda: "A rollback is not safe" in here.form())
    said = here.form()
    assert "db/migrate/20260302_no_notes.sql:2" in said
    assert "Release 1: stop reading and writing the column." in said
    assert "it touches billing: src/billing/prices.py" in said
    assert here.typed()["tier"] == "risky"
    here.assessor.found = Assessment("safe", (Reason("safe", "it is small"),))
    await here.change("revision", "v3")
    await until(lambda: "A rollback is not safe" not in here.form())
    assert here.typed()["tier"] == "safe"


async def test_a_start_by_the_form_has_the_tier_of_its_change(here: Lobby) -> None:
    """Also where the form was sent before anybody had looked."""
    here.assessor.found = an_assessment()
    await opened(here, channel="C0SHOP001")
    await here.submit(revision="v2")
    await until(lambda: here.desk.started)
    plan = here.desk.started[0].plan
    assert (plan.tier, plan.lowered_from) == ("risky", "")
    assert plan.assessment == an_assessment()


async def test_submitting_starts_and_leads_to_the_message(here: Lobby) -> None:
    """As a command does, with the reason, and the form says what comes next."""
    await opened(here, channel="C0SHOP001")
    assert (await here.submit(revision="v2", percent="10", reason="a fix\nfor all"))["ok"]
    await until(lambda: "open it" in here.form())
    (start,) = here.desk.started
    assert (start.service, start.revision, start.reason) == ("shop", "v2", "a fix for all")
    assert (start.by.id, start.channel) == (IDS["ada"], "C0SHOP001")
    assert str(start.plan.steps[0].weight) == "10 %"
    assert "Its message is in <#C0SHOP001>: `shop-new0`" in here.form()
    assert "*What happens next*" in here.form()
    assert not here.private()


async def test_a_plan_of_several_steps_stays_one_unless_it_is_changed(here: Lobby) -> None:
    """What the form has filled in is not taken for the person's own wish."""
    await opened(here, service="shop")
    await here.change("tier", "grave")
    await until(lambda: here.typed()["percent"] == "2")
    assert "a change makes it one" in here.form()
    assert (await here.submit(revision="v2"))["ok"]
    await until(lambda: here.desk.started)
    assert len(here.desk.started[0].plan.steps) == 2


async def test_a_live_canary_is_named_before_and_refused_after(here: Lobby) -> None:
    """With the way back to what was typed."""
    await opened(here, "grace", service="shop")
    await here.submit("grace", revision="v2")
    await until(lambda: "What happens next" in here.form("grace"))
    await opened(here, service="shop")
    assert "*⚠️ One at a time: *" in here.form()
    await here.submit(revision="v3", percent="9", reason="mine")
    await until(lambda: "shop v3 was not started" in here.form())
    assert "shop has a live canary: v2" in here.form()
    await _back(here)
    typed = here.typed()
    assert (typed["revision"], typed["percent"], typed["reason"]) == ("v3", "9", "mine")
    assert len(await here.desk.all_live()) == 1


async def test_a_freeze_is_named_before_and_refused_after(here: Lobby) -> None:
    """Who, until when and why, and how it is lifted; after that the same form starts."""
    await here.freeze()
    await opened(here, service="shop")
    assert "*❄️ Frozen: everything* by" in here.form()
    assert "sale on" in here.form()
    await here.submit(revision="v2")
    await until(lambda: "everything is frozen by grace" in here.form())
    assert "`/canary unfreeze all`" in here.form()
    await here.desk.unfreeze("all", (await here.desk.freezes())[0].by)
    await _back(here)
    await here.submit()
    await until(lambda: "What happens next" in here.form())


async def test_of_two_who_submit_at_once_one_starts(here: Lobby) -> None:
    """The other is told whose it is, and keeps what was typed."""
    await asyncio.gather(
        opened(here, "ada", service="shop"), opened(here, "grace", service="shop")
    )
    await asyncio.gather(here.submit("ada", revision="v2"), here.submit("grace", revision="v3"))
    await until(lambda: all(_is_told(here.form(user)) for user in ("ada", "grace")))
    told = [_started(here.form(user)) for user in ("ada", "grace")]
    assert sorted(told) == [False, True]
    assert len(await here.desk.all_live()) == 1


async def test_a_form_that_is_sent_twice_starts_once(here: Lobby) -> None:
    """Both times the answer is the one canary that was started."""
    await opened(here, service="shop")
    await asyncio.gather(here.submit(revision="v2"), here.submit(revision="v2"))
    await until(lambda: len(here.desk.started) == 2)
    await until(lambda: "open it" in here.form())
    assert "was not started" not in here.form()
    assert len(await here.desk.all_live()) == 1


async def test_a_form_closed_meanwhile_is_answered_privately(here: Lobby) -> None:
    """In the channel the command was typed in."""
    here.desk.hang = asyncio.Event()
    await opened(here, service="shop", channel="C0DEPLOYS")
    await here.submit(revision="v2")
    assert "Starting *shop v2* …" in here.form()
    modal = here.modal()
    assert modal is not None
    await here.people.do("close_view", user="ada", view_id=modal["id"])
    here.desk.hang.set()
    await until(here.private)
    assert "Starting shop v2. How it goes stands in its channel: `shop-new0`." in here.private()[0]


async def test_a_trigger_that_is_over_is_said_in_words(here: Lobby) -> None:
    """What happened, that nothing was started, and what to do instead."""
    visit = Visit(IDS["ada"], "ada")
    told = await open_start(here.edge._parts, visit, "1.2.3")
    assert told is not None
    assert "three seconds" in told.text
    assert "/canary start SERVICE REVISION" in told.text
    assert not here.form()


async def test_a_store_that_is_away_is_said_in_the_form(here: Lobby) -> None:
    """Before the button, and after it with the way back."""
    with here.store_away():
        await opened(here, service="shop")
        assert "is not known now. The store cannot be reached" in here.form()
        await here.submit(revision="v2")
        await until(lambda: "could not be started now. The store cannot be reached" in here.form())
    await _back(here)
    await here.submit()
    await until(lambda: "What happens next" in here.form())


async def test_a_fault_inside_is_told_privately_and_in_the_form(here: Lobby) -> None:
    """With a reference, and nothing that was typed is lost."""
    await opened(here, service="shop", channel="C0DEPLOYS")
    here.desk.away = RuntimeError("a bug")
    await here.submit(revision="v2")
    await until(lambda: "Something went wrong inside the bot" in here.form())
    await until(here.private)
    assert "reference to its log" in here.private()[0]
    here.desk.away = None
    await _back(here)
    assert here.typed()["revision"] == "v2"


async def test_many_services_are_searched(workspace: RunningWorkspace, people: People) -> None:
    """A select holds a hundred; beyond that Slack asks for those that hold what is typed."""
    more: dict[str, Any] = {
        f"api-{number}": {
            "tier": "safe",
            "traffic": {"adapter": "x"},
            "metrics": {"adapter": "x"},
        }
        for number in range(120)
    }
    async with lobby(workspace, people, settings(**more)) as here:
        await opened(here, channel="C0SHOP001")
        modal = here.modal()
        assert modal is not None
        where = {"user": "ada", "view_id": modal["id"], "action_id": "canary_start_service"}
        answer = await people.do("options", **where, value="i-11")
        assert [o["value"] for o in answer["options"]][:2] == ["api-11", "api-110"]
        answer = await people.do("options", **where, value="SHOP")
        assert [o["value"] for o in answer["options"]] == ["shop"]
        await here.change("service", "shop")


def _is_told(form: str) -> bool:
    return "What happens next" in form or "was not started" in form


def _started(form: str) -> bool:
    return "What happens next" in form


def _options(here: Lobby, field: str) -> list[str]:
    modal = here.modal()
    assert modal is not None
    inputs = (block for block in modal["blocks"] if block["type"] == "input")
    (found,) = (b["element"] for b in inputs if b["block_id"].startswith(f"{field}."))
    return [option["value"] for option in found["options"]]


async def _back(here: Lobby, user: str = "ada") -> None:
    modal = here.modal(user)
    assert modal is not None
    where = {"user": user, "view_id": modal["id"], "action_id": "canary_start_back"}
    assert (await here.people.do("click", **where))["ok"]
    await until(lambda: "What will happen" in here.form(user))


def _submission(draft: Draft) -> dict[str, Any]:
    fields = ("service", "revision", "tier", "percent", "window", "reason")
    blocks = [{"type": "input", "block_id": draft.block_id(field)} for field in fields]
    view = {"id": "V1", "private_metadata": draft.dump(), "blocks": blocks}
    return {"type": "view_submission", "user": {"id": IDS["ada"]}, "view": view}
