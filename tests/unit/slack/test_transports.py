import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from builders import ADA, a_canary
from servers import LOOPBACK, free_port
from slack_bolt.response import BoltResponse
from structlog.testing import capture_logs
from unit.slack.connected import Office, office, until
from unit.slack.fakes import FakeDesk
from unit.slack.support import in_phase
from unit.workspace.support import People

from bot.slack import app, socket
from bot.slack.http import PATH, HttpMode
from bot.workspace import RunningWorkspace, Settings, running_workspace
from bot.workspace.settings import RequestUrls


async def test_who_is_cut_off_by_a_restart_is_told(
    workspace: RunningWorkspace, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was acknowledged and hangs is never silence; closing takes no longer than it may."""
    monkeypatch.setattr(app, "STOP_PATIENCE", 0.2)
    desk = FakeDesk(hang=asyncio.Event()).having(a_canary())
    assert desk.hang is not None
    async with office(workspace, people, desk) as here:
        assert (await people.command("/canary abort shop"))["ok"]
        await until(lambda: desk.commands)
        with capture_logs() as logs:
            await here.edge.close()
        assert "restarted in the middle of your request" in here.private()[-1]
        assert {e["by"] for e in logs if e["event"] == "slack.request.left_behind"} == {ADA.id}
        desk.hang.set()  # the process still lives, and the abort is finished after all
        await until(lambda: "its traffic goes back to stable" in here.private()[-1])


async def test_closing_fits_into_what_the_process_gives(
    workspace: RunningWorkspace, people: People
) -> None:
    """The patience with what hangs, with closing and with telling together stay below it."""
    waiting = app.STOP_PATIENCE + app.TELL_PATIENCE
    assert max(socket.ACK_PATIENCE + socket.CLOSE_PATIENCE, 0.5) < app.STOP_PATIENCE
    assert waiting < 3


async def test_a_fault_before_the_acknowledgement_is_told_or_left_to_slack(here: Office) -> None:
    """Acknowledged only if the person could be told; otherwise Slack shows its own error."""
    request = {"type": "shortcut", "user": {"id": ADA.id}, "channel": {"id": "C0DEPLOYS"}}
    fault, answer = KeyError("x"), BoltResponse(status=500)
    telling = asyncio.create_task(here.told())
    await here.edge._on_error(fault, request, answer)
    assert "Something went wrong inside the bot" in await telling
    assert answer.status == 200
    for body in (request, {"type": "event_callback", "user": {"id": ADA.id}}):
        await here.people.do("faults", method="*", error="internal_error", times=10)
        answer = BoltResponse(status=500)
        await here.edge._on_error(fault, body, answer)
        assert answer.status == 500


@pytest.fixture
async def called() -> AsyncIterator[Office]:
    """An edge that Slack calls, with a desk that does as it is told."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}{PATH}"
    urls = RequestUrls(commands=url, interactivity=url, events=url)
    mode = HttpMode(Settings().signing_secret, LOOPBACK, port)
    async with (
        running_workspace(Settings(request_urls=urls, event_retry_seconds=())) as workspace,
        httpx.AsyncClient(base_url=workspace.base_url, trust_env=False) as http,
        office(workspace, People(http), FakeDesk(), mode) as opened,
    ):
        yield opened


async def test_in_http_mode_commands_clicks_and_events_arrive_too(called: Office) -> None:
    """By the one request URL, each acknowledged, the answer private as ever."""
    canary = await called.posted(in_phase("observing"))
    assert (await called.click(canary, "canary_abort", user="grace"))["ok"]
    await until(lambda: called.desk.commands)
    assert called.desk.commands[0][1].by.id == "U0GRACE01"
    assert "start SERVICE REVISION" in await called.command("/canary")
    await called.people.do("home", user="ada")
    counts = called.workspace.workspace.counts
    await until(lambda: counts.delivered["events_api"])
    assert (counts.unacknowledged, counts.undelivered) == (0, 0)


async def test_in_http_mode_a_restart_tells_whom_it_cuts_off(
    called: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever comes later sees Slack's own error."""
    monkeypatch.setattr(app, "STOP_PATIENCE", 0.2)
    called.desk.hang = asyncio.Event()
    called.desk.having(a_canary())
    assert (await called.people.command("/canary abort shop"))["ok"]
    await until(lambda: called.desk.commands)
    await called.edge.close()
    assert "restarted in the middle of your request" in called.private()[-1]
    assert (await called.people.command("/canary list"))["error"] == "dispatch_failed"
    called.desk.hang.set()
