"""A real bolt app over a real WebSocket."""

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import (
    ADA,
    DEPLOYS,
    Json,
    People,
    actions,
    button,
    connected,
    make_app,
    plain,
    until,
)
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bot.workspace import RunningWorkspace


async def test_command_reaches_the_app_with_names_turned_into_ids(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """A command arrives with every field of Slack's and mentions are escaped."""
    app, seen = make_app(client), []

    @app.command("/canary")
    async def canary(ack: AsyncAck, body: Json) -> None:
        await ack(f"starting {body['text']}")
        seen.append(body)

    async with connected(app, workspace):
        answer = await people.command("/canary approve @grace in #shop <now>")
        await until(lambda: seen)
    assert answer["ok"]
    body = seen[0]
    assert body["text"] == "approve <@U0GRACE01|grace> in <#C0SHOP001|shop> &lt;now&gt;"
    assert (body["user_id"], body["user_name"]) == (ADA, "ada")
    assert (body["channel_id"], body["channel_name"]) == (DEPLOYS, "deploys")
    assert {"token", "team_id", "team_domain", "api_app_id", "trigger_id", "response_url"} <= set(
        body
    )
    last = (await people.messages())[-1]
    assert last["text"].startswith("starting approve")
    assert last["ephemeral_for"] == ADA


async def test_in_channel_answer_is_seen_by_everybody(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """An acknowledgement with response_type in_channel is no ephemeral."""
    app = make_app(client)

    @app.command("/canary")
    async def canary(ack: AsyncAck) -> None:
        await ack(text="hello all", response_type="in_channel")

    async with connected(app, workspace):
        await people.command("/canary hi")
    last = (await people.messages())[-1]
    assert (last["text"], last["ephemeral_for"]) == ("hello all", None)


async def test_command_without_acknowledgement_shows_operation_timeout(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """Who gets no acknowledgement reads the words Slack uses."""
    app = make_app(client)

    @app.command("/canary")
    async def canary(ack: AsyncAck) -> None:
        del ack

    async with connected(app, workspace):
        answer = await people.command("/canary hi")
    shown = '/canary failed with the error "operation_timeout"'
    assert answer == {"ok": False, "error": "operation_timeout", "shown": shown}
    state = await people.state()
    assert state["counters"]["unacknowledged"] == 1
    assert [m["text"] for m in await people.messages()] == [shown]
    assert state["notices"][0]["text"] == shown


async def test_command_without_any_connection_shows_dispatch_failed(people: People) -> None:
    """Without a connected app a command fails at once."""
    answer = await people.command("/canary hi")
    assert answer["error"] == "dispatch_failed"


async def test_click_sends_what_is_drawn_and_the_message_keeps_its_ts(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """A click carries the button's own value and the whole message, which is then edited."""
    app, seen = make_app(client), []

    @app.action("go")
    async def go(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        message = body["message"]
        await client.chat_update(channel=DEPLOYS, ts=message["ts"], text="done")
        seen.append(body)

    blocks = [actions(button(value="42", style="primary"), block_id="row")]
    async with connected(app, workspace):
        posted = await client.chat_postMessage(channel=DEPLOYS, text="live", blocks=blocks)
        assert await people.click(posted["ts"]) == {"ok": True}
        await until(lambda: seen)
    body = seen[0]
    assert body["type"] == "block_actions"
    assert body["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": DEPLOYS,
        "is_ephemeral": False,
    }
    assert body["message"]["blocks"][0]["block_id"] == "row"
    action = body["actions"][0]
    assert (action["value"], action["block_id"], action["style"]) == ("42", "row", "primary")
    assert float(action["action_ts"]) > float(posted["ts"])
    (message,) = await people.messages()
    assert (message["ts"], message["text"], message["edits"]) == (posted["ts"], "done", 1)
    assert message["first_text"] == "live"
    assert "blocks" not in message


async def test_unanswered_click_tells_the_person(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """A click nobody acknowledges ends in a notice to who clicked, and to nobody else."""
    async with connected(make_app(client), workspace):
        posted = await client.chat_postMessage(
            channel=DEPLOYS, text="live", blocks=[actions(button())]
        )
        answer = await people.click(posted["ts"])
    assert answer["error"] == "operation_timeout"
    assert (await people.state("ada"))["notices"][0]["text"] == answer["shown"]
    assert (await people.state("grace"))["notices"] == []


async def test_select_sends_the_chosen_option_and_refuses_others(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """A menu sends the option as drawn; a value which is no option is refused by name."""
    app, seen, states = make_app(client), [], []

    @app.action("tier")
    async def tier(ack: AsyncAck, action: Json, body: Json) -> None:
        await ack()
        states.append(body["state"]["values"])
        seen.append(action)

    options = [{"text": plain(v), "value": v} for v in ("low", "high")]
    menu = {"type": "static_select", "action_id": "tier", "options": options}
    async with connected(app, workspace):
        posted = await client.chat_postMessage(
            channel=DEPLOYS, text="menu", blocks=[actions(menu)]
        )
        assert (await people.click(posted["ts"], "tier", value="high"))["ok"]
        await until(lambda: seen)
        refused = await people.click(posted["ts"], "tier", value="middle")
    assert seen[0]["selected_option"]["value"] == "high"
    (state,) = states[0].values()
    assert state["tier"]["selected_option"]["value"] == "high"
    assert "high, low" in refused["error"]


async def test_response_url_works_five_times(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """The sixth use of a response_url is refused."""
    app = make_app(client)
    answers: list[tuple[int, str]] = []

    @app.command("/canary")
    async def canary(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        for number in range(6):
            answer = await respond(f"answer {number}")
            answers.append((answer.status_code, answer.body))

    async with connected(app, workspace):
        await people.command("/canary hi")
        await until(lambda: len(answers) == 6)
    assert [status for status, _ in answers] == [200] * 5 + [404]
    assert "used_url" in answers[-1][1]
    assert len(await people.messages()) == 5


async def test_ephemeral_message_is_changed_by_its_response_url_only(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """An ephemeral's click has no message; replace_original edits it, chat.update cannot."""
    app, seen = make_app(client), []

    @app.action("go")
    async def go(ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        await ack()
        await respond(text="replaced", replace_original=True)
        seen.append(body)

    async with connected(app, workspace):
        posted = await client.chat_postEphemeral(
            channel=DEPLOYS, user=ADA, text="only you", blocks=[actions(button())]
        )
        with pytest.raises(SlackApiError, match="message_not_found"):
            await client.chat_update(channel=DEPLOYS, ts=posted["message_ts"], text="no")
        refused = await people.click(posted["message_ts"], user="grace")
        assert "no message" in refused["error"]
        await people.click(posted["message_ts"])
        await until(lambda: seen)
    assert seen[0]["container"]["is_ephemeral"] is True
    assert "message" not in seen[0]
    (message,) = await people.messages()
    assert (message["text"], message["ephemeral_for"]) == ("replaced", ADA)


async def test_two_connections_lose_nothing_while_one_is_refreshed(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """With two connections every command is acknowledged through refreshes of one after one."""
    app = make_app(client)

    @app.command("/canary")
    async def canary(ack: AsyncAck) -> None:
        await ack()

    async with connected(app, workspace, handlers=2):
        answers: list[Any] = []
        for number in range(30):
            if number in (5, 15):
                ended = await people.do("disconnect", how="refresh", most=1)
                assert ended["connections"] == 1
            answers.append(await people.command(f"/canary {number}"))
            if number == 10:
                await until(lambda: workspace.workspace.links.count == 2)
        await until(lambda: workspace.workspace.links.count == 2)
    assert [a for a in answers if not a["ok"]] == []


@pytest.mark.parametrize("how", ["drop", "cut"])
async def test_lost_connection_comes_back(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People, how: str
) -> None:
    """A closed or torn connection is noticed by the app, which connects again."""
    app = make_app(client)
    async with connected(app, workspace):
        await people.do("disconnect", how=how)
        await until(lambda: workspace.workspace.links.count == 0)
        await until(lambda: workspace.workspace.links.count == 1)
    assert (await people.state())["counters"]["calls"]["apps.connections.open"] == 2


async def test_ticket_is_good_for_one_handshake(
    workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """A second handshake with the same URL is refused."""
    opened = await client.apps_connections_open(app_token=workspace.app_token)
    async with connect(opened["url"], proxy=None) as socket:
        assert '"type": "hello"' in str(await socket.recv())
    with pytest.raises(InvalidStatus):
        await connect(opened["url"], proxy=None)


async def test_eleventh_connection_is_sent_away(
    workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """Ten connections may live; the next is told too_many_websockets."""
    sockets, first = [], ""
    for _ in range(11):
        opened = await client.apps_connections_open(app_token=workspace.app_token)
        sockets.append(await connect(opened["url"], proxy=None))
        first = str(await sockets[-1].recv())
    assert "too_many_websockets" in first
    assert workspace.workspace.links.count == 10
    await asyncio.gather(*(socket.close() for socket in sockets))


async def test_unacknowledged_event_is_sent_again(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """app_home_opened comes again with its attempt and reason until it is acknowledged."""
    opened = await client.apps_connections_open(app_token=workspace.app_token)
    async with connect(opened["url"], proxy=None) as socket:
        await socket.recv()
        await people.do("home", user="ada")
        first, second = str(await socket.recv()), str(await socket.recv())
    assert '"app_home_opened"' in first
    assert '"retry_attempt": 0' in first
    assert '"retry_attempt": 1, "retry_reason": "http_timeout"' in second
