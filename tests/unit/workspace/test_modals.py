"""Modals and the home tab."""

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
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
    modal,
    mrkdwn,
    plain,
    text_input,
    until,
)

from bot.workspace import RunningWorkspace

FORM = modal(
    text_input("v", "version"),
    submit=plain("Start"),
    callback_id="start",
    private_metadata="kept",
    notify_on_close=True,
)
HOME = {"type": "home", "blocks": [actions(button("refresh"))]}


def opening(client: AsyncWebClient, view: Json, seen: list[Any]) -> AsyncApp:
    """Make an app whose command opens a modal."""
    app = make_app(client)

    @app.command("/canary")
    async def canary(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        seen.append(body["trigger_id"])
        seen.append(await client.views_open(trigger_id=body["trigger_id"], view=view))

    return app


async def opened(people: People, user: str = "ada") -> Json:
    """Open the modal and give it as the person sees it."""
    await people.command("/canary form", user)
    async with asyncio.timeout(5):
        while not (views := (await people.state(user))["views"]):
            await asyncio.sleep(0.005)
    view: Json = views[-1]
    return view


async def test_submission_carries_what_was_typed(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """A submission has the state of every input, and an empty answer closes the modal."""
    seen: list[Json] = []
    app = opening(client, FORM, [])

    @app.view("start")
    async def start(ack: AsyncAck, body: Json) -> None:
        await ack()
        seen.append(body["view"])

    async with connected(app, workspace):
        view = await opened(people)
        refused = await people.do("submit", user="ada", view_id=view["id"], values={})
        assert refused["errors"] == {"v": "Please complete this required field."}
        answer = await people.do(
            "submit", user="ada", view_id=view["id"], values={"version": "v2"}
        )
    assert answer == {"ok": True}
    value = seen[0]["state"]["values"]["v"]["version"]
    assert value == {"type": "plain_text_input", "value": "v2"}
    assert seen[0]["private_metadata"] == "kept"
    assert (await people.state())["views"] == []


@pytest.mark.parametrize(
    ("acknowledgement", "error", "titles"),
    [
        ({"response_action": "errors", "errors": {"v": "no such version"}}, "refused", ["Canary"]),
        (
            {"response_action": "update", "view": modal(title=plain("Updated"))},
            None,
            ["Updated"],
        ),
        (
            {"response_action": "push", "view": modal(title=plain("Second"))},
            None,
            ["Canary", "Second"],
        ),
        ({"response_action": "clear"}, None, []),
        ({"response_action": "update", "view": {"type": "modal"}}, "invalid", ["Canary"]),
    ],
)
async def test_response_actions_are_followed(
    workspace: RunningWorkspace,
    client: AsyncWebClient,
    people: People,
    *,
    acknowledgement: dict[str, Any],
    error: str | None,
    titles: list[str],
) -> None:
    """An acknowledgement may show errors, change, push or clear; an invalid one leaves all."""
    app = opening(client, FORM, [])

    @app.view("start")
    async def start(ack: AsyncAck) -> None:
        await ack(**acknowledgement)

    async with connected(app, workspace):
        view = await opened(people)
        values = {"v": {"version": "v2"}}
        answer = await people.do("submit", user="ada", view_id=view["id"], values=values)
    assert answer["ok"] is (error is None)
    assert answer.get("error", "").startswith(error or "")
    assert [v["title"]["text"] for v in (await people.state())["views"]] == titles


async def test_trigger_is_used_once(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """The second modal from one trigger is refused as exchanged."""
    seen: list[Any] = []
    async with connected(opening(client, FORM, seen), workspace):
        await opened(people)
        with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
            await client.views_open(trigger_id=seen[0], view=FORM)
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await client.views_open(trigger_id="nonsense", view=FORM)


async def test_trigger_expires(workspace: RunningWorkspace, client: AsyncWebClient) -> None:
    """A trigger id is of no use after its time."""
    trigger = workspace.workspace.store.new_trigger(ADA)
    workspace.workspace.store.triggers[trigger].expires_at -= 3.0
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=trigger, view=FORM)


async def test_update_with_an_old_hash_is_refused(
    workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """Who updates a view from a state that has passed gets hash_conflict."""
    trigger = workspace.workspace.store.new_trigger(ADA)
    view = (await client.views_open(trigger_id=trigger, view=FORM))["view"]
    fresh = await client.views_update(view_id=view["id"], hash=view["hash"], view=modal())
    assert fresh["view"]["hash"] != view["hash"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view["id"], hash=view["hash"], view=modal())


async def test_fourth_modal_is_one_too_many(
    workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """Three modals may lie on each other."""
    store = workspace.workspace.store
    first = (await client.views_open(trigger_id=store.new_trigger(ADA), view=FORM))["view"]
    for _ in range(2):
        await client.views_push(trigger_id=store.new_trigger(ADA, first["id"]), view=modal())
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=store.new_trigger(ADA, first["id"]), view=modal())


async def test_closing_tells_the_app_that_asked_for_it(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """With notify_on_close the app hears of a modal that was given up."""
    seen: list[str] = []
    app = opening(client, FORM, [])

    @app.view_closed("start")
    async def closed(ack: AsyncAck, body: Json) -> None:
        await ack()
        seen.append(body["view"]["id"])

    async with connected(app, workspace):
        view = await opened(people)
        await people.do("close_view", user="ada", view_id=view["id"])
        await until(lambda: seen)
    assert seen == [view["id"]]
    assert (await people.state())["views"] == []


async def test_home_is_published_per_person_and_clickable(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """Opening the home tab tells the app, which publishes a view of that person's own."""
    app, clicks = make_app(client), []

    @app.event("app_home_opened")
    async def home(event: Json, client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view=HOME)

    @app.action("refresh")
    async def refresh(ack: AsyncAck, body: Json) -> None:
        await ack()
        clicks.append(body)

    homes = workspace.workspace.store.homes
    async with connected(app, workspace):
        await people.do("home", user="ada")
        await until(lambda: ADA in homes)
        view_id = homes[ADA].id
        answer = await people.do("click", user="ada", view_id=view_id, action_id="refresh")
        await until(lambda: clicks)
    assert answer == {"ok": True}
    assert clicks[0]["container"] == {"type": "view", "view_id": view_id}
    assert "channel" not in clicks[0]
    assert (await people.state("grace"))["home"] is None


@pytest.mark.parametrize(
    ("view", "error"),
    [
        (modal(title=plain("x" * 25)), "invalid_arguments"),
        (modal(text_input("v", "version")), "invalid_arguments"),
        (modal(private_metadata="x" * 3001), "invalid_arguments"),
        (modal({"type": "markdown", "text": "x"}), "invalid_arguments"),
        (modal({"type": "section", "text": mrkdwn("x" * 260_000)}), "view_too_large"),
        ({"type": "home", "blocks": []}, "invalid_arguments"),
    ],
)
async def test_wrong_views_are_refused(
    workspace: RunningWorkspace, client: AsyncWebClient, view: dict[str, Any], error: str
) -> None:
    """A modal over a limit, or no modal at all, is not opened and uses no trigger."""
    trigger = workspace.workspace.store.new_trigger(ADA)
    with pytest.raises(SlackApiError, match=error):
        await client.views_open(trigger_id=trigger, view=view)
    assert (await client.views_open(trigger_id=trigger, view=FORM))["ok"]


async def test_button_with_a_modal_gets_a_trigger(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """A click's trigger opens a modal for who clicked, not for who posted."""
    app = make_app(client)

    @app.action("go")
    async def go(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    async with connected(app, workspace):
        posted = await client.chat_postMessage(
            channel=DEPLOYS, text="x", blocks=[actions(button())]
        )
        await people.click(posted["ts"], user="grace")
        await until(lambda: workspace.workspace.store.stacks["U0GRACE01"])
    assert (await people.state("ada"))["views"] == []
