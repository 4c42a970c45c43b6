import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from builders import ADA, a_canary
from slack_bolt.request.async_request import AsyncBoltRequest
from structlog.testing import capture_logs
from unit.slack.connected import Office, office, until
from unit.slack.fakes import FakeDesk, slack_error
from unit.slack.support import Json, in_phase, posted, risky_plan
from unit.workspace.support import People

from bot.core.commands import Abort, Approve
from bot.core.machine import Refused
from bot.ports import PortError
from bot.workspace import RunningWorkspace


async def test_start_starts_and_says_where(here: Office) -> None:
    """The command reaches the engine whole, and its sender is told where to look."""
    said = await here.command("/canary start shop v2 --percent 5 --tier risky")
    (start,) = here.desk.started
    assert (start.service, start.revision, start.by.id) == ("shop", "v2", ADA.id)
    assert (start.canary_id, start.channel, start.plan.tier) == ("shop-new0", "C0DEPLOYS", "risky")
    assert "Starting shop v2" in said
    assert "<#C0DEPLOYS>" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/canary", "start SERVICE REVISION"),
        ("/canary help", "Tiers: *safe, risky"),
        ("/canary strat shop v2", "Did you mean `start`?"),
        ("/canary start shpo v2", "Did you mean `shop`?"),
        ("/canary start shop v2 --percent 500", "500 % is more than all the traffic"),
        ("/canary list", "No canary is live."),
        ("/canary status", "No canary is live"),
        ("/canary abort", "nothing to abort"),
        ("/canary abort shop", "No canary of shop is live"),
        ("/canary status shop-zzzzzz", "There is no canary shop-zzzzzz"),
    ],
)
async def test_what_cannot_be_done_is_answered_privately(
    here: Office, text: str, said: str
) -> None:
    """Nobody else sees it, and it says what to do."""
    assert said in await here.command(text)
    public = [m for m in await here.people.messages() if m["ephemeral_for"] is None]
    assert not public


async def test_the_one_canary_of_a_channel_need_not_be_named(here: Office) -> None:
    """`abort` alone means the canary that is live here, with the rest as its reason."""
    canary = await here.posted(a_canary())
    said = await here.command("/canary abort latency looks bad")
    ((canary_id, command),) = here.desk.commands
    assert canary_id == canary.id
    assert isinstance(command, Abort)
    assert command.reason == "latency looks bad"
    assert "its traffic goes back to stable" in said


async def test_several_canaries_have_to_be_named(here: Office) -> None:
    """Nothing is guessed: each is listed with the command that means it."""
    here.desk.having(posted(a_canary(), 1), posted(a_canary(service="payments"), 2))
    said = await here.command("/canary abort")
    assert "`/canary abort shop-000001`" in said
    assert "`/canary abort payments-000002`" in said
    assert not here.desk.commands


async def test_canaries_of_other_channels_are_not_meant(here: Office) -> None:
    """They are named instead."""
    here.desk.having(replace(a_canary(), channel="C0SHOP001"))
    assert "`/canary pause shop-k3x9ab`" in await here.command("/canary pause")
    assert not here.desk.commands


async def test_status_shows_the_canary_without_buttons(here: Office) -> None:
    """A copy that is not kept up to date must not be clicked."""
    await here.posted(in_phase("observing"))
    said = await here.command("/canary status shop")
    assert "5 min of 20 min" in said
    assert "live message (" in said
    assert "[Abort]" not in said


@pytest.mark.parametrize(
    ("verb", "kind"), [("approve", "approve"), ("pause", "pause"), ("resume", "resume")]
)
async def test_orders_reach_the_engine(here: Office, verb: str, kind: str) -> None:
    """Each command becomes its own, by whoever typed it."""
    await here.posted(a_canary())
    await here.command(f"/canary {verb} shop", user="grace")
    ((_, command),) = here.desk.commands
    assert (command.kind, command.by.id, command.by.name) == (kind, "U0GRACE01", "grace")


async def test_a_click_is_answered_by_the_message_alone(here: Office) -> None:
    """After an abort the message shows the end, nothing is left to decide, and nobody is told."""
    canary = await here.posted(in_phase("observing"))
    assert (await here.click(canary, "canary_abort"))["ok"]
    assert canary.thread is not None
    store = here.workspace.workspace.store
    root = store.channels["C0DEPLOYS"].messages[canary.thread.ts]
    await until(lambda: "rolled back: aborted" in root.text)
    assert "canary_abort" not in str(root.blocks)
    assert not here.private()


async def test_an_approval_carries_groups_and_question(here: Office) -> None:
    """The groups are Slack's at the click; the question is what the person saw."""
    canary = await here.posted(in_phase("awaiting_thin", plan=risky_plan()))
    await here.click(canary, "canary_approve", user="grace")
    await here.click(canary, "canary_approve", user="ada")
    await until(lambda: len(here.desk.commands) == 2)
    grace, ada = (command for _, command in here.desk.commands)
    assert isinstance(grace, Approve)
    assert isinstance(ada, Approve)
    assert grace.question == ada.question == "thin"
    assert ada.by.groups == ()
    assert grace.by.id == "U0GRACE01"


async def test_membership_in_a_group_is_looked_up(here: Office) -> None:
    """Who is not named by id is admitted by a group."""
    plan = risky_plan()
    gate = replace(plan.decision, approvers=("S0APPROVE",))
    plan = replace(plan, decision=gate, start_gate=gate, promote_gate=gate)
    canary = await here.posted(in_phase("awaiting_promote", plan=plan))
    await here.click(canary, "canary_approve", user="grace")
    await until(lambda: here.desk.commands)
    assert here.desk.commands[0][1].by.groups == ("S0APPROVE",)


async def test_a_refusal_is_told_privately_with_mentions(here: Office) -> None:
    """Who may is shown by name, and the message stays as it is."""
    canary = await here.posted(in_phase("awaiting_promote", plan=risky_plan()))
    here.desk.answer = Refused("You may not approve shop v2. Who may: S0APPROVE, U0GRACE01.")
    telling = asyncio.create_task(here.told())
    await here.click(canary, "canary_approve")
    assert "Who may: <!subteam^S0APPROVE>, <@U0GRACE01>." in await telling


async def test_a_button_of_a_forgotten_canary_is_explained(here: Office) -> None:
    """The store has lost it, or it was another's: nothing changes."""
    canary = await here.posted(in_phase("observing"))
    here.desk.canaries.clear()
    telling = asyncio.create_task(here.told())
    await here.click(canary, "canary_abort")
    assert "There is no canary shop-k3x9ab any more" in await telling


async def test_a_store_that_is_down_is_told_in_plain_words(here: Office) -> None:
    """The port's own sentence, and no traceback."""
    here.desk.having(a_canary())
    here.desk.answer = PortError("The store cannot be reached: connection refused. Try again.")
    with capture_logs() as logs:
        said = await here.command("/canary abort shop-k3x9ab")
    assert "could not be done now. The store cannot be reached" in said
    assert "slack.request.not_done" in {entry["event"] for entry in logs}


async def test_a_fault_is_told_without_its_traceback(here: Office) -> None:
    """The person gets a reference, the log gets everything."""
    here.desk.answer = KeyError("secret detail")
    with capture_logs() as logs:
        said = await here.command("/canary list")
    (entry,) = [entry for entry in logs if entry["event"] == "slack.request.failed"]
    assert entry["reference"] in said
    assert "secret detail" not in said
    assert isinstance(entry["exc_info"], KeyError)


async def test_everything_is_acknowledged_before_any_work(
    workspace: RunningWorkspace, people: People
) -> None:
    """With an engine that hangs for ever, commands and clicks are acknowledged all the same."""
    desk = FakeDesk(hang=asyncio.Event())
    async with office(workspace, people, desk) as here:
        canary = await here.posted(in_phase("observing"))
        assert (await people.command("/canary start shop v2"))["ok"]
        assert (await here.click(canary, "canary_abort"))["ok"]
        assert desk.hang is not None
        desk.hang.set()
    assert workspace.workspace.counts.unacknowledged == 0


async def test_everything_is_acknowledged_while_the_web_api_is_down(
    workspace: RunningWorkspace, people: People
) -> None:
    """Nothing is asked of Slack before the acknowledgement, not even who the bot is."""
    async with office(workspace, people, FakeDesk()) as here:
        await people.do("faults", method="*", error="internal_error", times=1000)
        assert (await people.command("/canary start shop v2"))["ok"]
        await until(lambda: here.desk.started)


async def test_a_message_outlives_a_response_url(here: Office) -> None:
    """Where the response_url is used up, the answer comes as an ephemeral message."""
    canary = await here.posted(in_phase("observing"))
    here.desk.answer = Refused("Nothing changed.")
    settings = here.workspace.workspace.settings
    object.__setattr__(settings, "response_url_seconds", -1.0)
    telling = asyncio.create_task(here.told())
    with capture_logs() as logs:
        await here.click(canary, "canary_pause")
        assert "Nothing changed." in await telling
    assert {e["by"] for e in logs if e["event"] == "slack.reply.failed"} == {"response_url"}


async def test_events_are_acknowledged_and_answered_by_nothing(here: Office) -> None:
    """An event is nobody's request."""
    await here.people.do("home", user="ada")
    counts = here.workspace.workspace.counts
    await until(lambda: counts.delivered["events_api"])
    said = await here.command("/canary help")
    assert said
    assert counts.unacknowledged == 0
    assert len(here.private()) == 1


def interaction(kind: str, **more: Any) -> Json:
    """An interaction of ada's in #deploys, as Slack sends it."""
    return {
        "type": kind,
        "team": {"id": "T0CANARY1"},
        "user": {"id": "U0ADA0001", "name": "ada", "team_id": "T0CANARY1"},
        "channel": {"id": "C0DEPLOYS"},
        "trigger_id": "1.2.3",
        "callback_id": "unknown",
        **more,
    }


ACTION: Json = {"type": "button", "block_id": "b", "action_id": "unknown", "value": "x"}


@pytest.mark.parametrize(
    "body",
    [
        interaction("block_actions", actions=[ACTION]),
        interaction("block_actions", actions=[ACTION | {"action_id": "canary_abort"}]),
        interaction("view_submission", view={"type": "modal", "callback_id": "unknown"}),
        interaction("shortcut"),
        interaction("message_action", message={"ts": "1.2"}, message_ts="1.2"),
    ],
    ids=lambda body: str(body["type"]),
)
async def test_what_nobody_listens_to_is_acknowledged_and_explained(
    here: Office, body: Json
) -> None:
    """No button, view or shortcut ever ends in Slack's own error."""
    telling = asyncio.create_task(here.told())
    answer = await here.edge.app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    assert answer.status == 200
    assert "nothing changed" in await telling


async def test_menus_and_closed_views_are_acknowledged(here: Office) -> None:
    """They ask for no words."""
    menu = interaction("block_suggestion", block_id="b", action_id="a", value="x")
    menu |= {"container": {"type": "view"}, "view": {}}
    closed = interaction("view_closed", view={"type": "modal", "callback_id": "unknown"})
    for body in (menu, closed):
        request = AsyncBoltRequest(body=body, mode="socket_mode")
        answer = await here.edge.app.async_dispatch(request)
        assert answer.status == 200
    assert not here.private()


async def test_a_guest_of_another_workspace_may_abort_and_not_approve(here: Office) -> None:
    """Slack Connect shows our buttons to others too."""
    canary = await here.posted(in_phase("awaiting_promote"))
    value = json.dumps({"id": canary.id, "question": "promote"})
    guest = {"id": "U0ADA0001", "name": "ada", "team_id": "T0OTHER01"}

    async def press(action_id: str) -> None:
        action = ACTION | {"action_id": action_id, "value": value}
        body = interaction("block_actions", actions=[action]) | {"user": guest}
        await here.edge.app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))

    telling = asyncio.create_task(here.told())
    await press("canary_approve")
    assert "another workspace" in await telling
    assert not here.desk.commands
    await press("canary_abort")
    await until(lambda: here.desk.commands)
    assert here.desk.commands[0][1].kind == "abort"


async def test_approving_is_closed_while_groups_cannot_be_read(here: Office) -> None:
    """The refusal of the core is told together with why the groups are unknown."""
    canary = await here.posted(in_phase("awaiting_promote", plan=risky_plan()))
    here.desk.answer = Refused("You may not approve shop v2.")
    await here.people.do(
        "faults", method="usergroups.users.list", error="plan_upgrade_required", times=5
    )
    telling = asyncio.create_task(here.told())
    await here.click(canary, "canary_approve")
    said = await telling
    assert "You may not approve shop v2." in said
    assert "Name approvers by user id" in said


async def test_stopping_lets_running_work_end(workspace: RunningWorkspace, people: People) -> None:
    """What was acknowledged is finished, and no more is taken."""
    desk = FakeDesk(hang=asyncio.Event()).having(a_canary())
    assert desk.hang is not None
    async with office(workspace, people, desk) as here:
        await people.command("/canary abort shop")
        await until(lambda: desk.commands)
        stopping = asyncio.create_task(here.edge.stop())
        await until(lambda: workspace.workspace.links.count == 0)
        assert not here.edge.connected
        desk.hang.set()
        await stopping
        assert "its traffic goes back to stable" in here.private()[-1]


async def test_hostile_names_travel_whole(here: Office) -> None:
    """A revision named like a mention is shown as its name, by real messages."""
    canary = await here.posted(a_canary(revision="<!channel>", stable_revision="`<@U0ADA0001>`"))
    assert canary.thread is not None
    root = here.workspace.workspace.store.channels["C0DEPLOYS"].messages[canary.thread.ts]
    assert "&lt;!channel&gt;" in root.text
    assert "<!channel>" not in root.text
    await here.command("/canary start shop <!channel>")
    assert here.desk.started[0].revision == "<!channel>"


def test_errors_keep_their_code() -> None:
    """The fake's errors look like the SDK's."""
    assert slack_error("ratelimited", 3).response["error"] == "ratelimited"
