"""Using elements through the control API: what may be put in, and what the app then hears."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import (
    ADA,
    DEPLOYS,
    GRACE,
    Json,
    People,
    actions,
    connected,
    make_app,
    modal,
    plain,
    text_input,
)

from bot.workspace import RunningWorkspace


def option(value: str) -> Json:
    """Make an option."""
    return {"text": {**plain(value.title()), "emoji": True}, "value": value}


def asks(kind: str, action_id: str, **more: Any) -> Json:
    """Make an input block whose block_id is `b-` and the action_id."""
    element = {"type": kind, "action_id": action_id, **more}
    return {
        "type": "input",
        "block_id": f"b-{action_id}",
        "label": plain("x"),
        "element": element,
        "optional": True,
    }


TIERS = [option("low"), option("high")]
EVERYTHING = modal(
    asks("plain_text_input", "revision"),
    {**asks("static_select", "tier", options=TIERS), "dispatch_action": True},
    asks("multi_static_select", "regions", options=TIERS, max_selected_items=1),
    asks("radio_buttons", "mode", options=TIERS),
    asks("checkboxes", "checks", options=TIERS),
    asks("number_input", "percent", is_decimal_allowed=False),
    asks("users_select", "approver"),
    asks("multi_users_select", "watchers"),
    asks("channels_select", "channel"),
    asks("conversations_select", "place"),
    asks("datepicker", "day"),
    asks("timepicker", "hour"),
    asks("datetimepicker", "until"),
    asks("email_text_input", "mail"),
    asks("url_text_input", "link"),
    asks("external_select", "service", min_query_length=1),
    submit=plain("Start"),
    callback_id="start",
)
FILLED: dict[str, tuple[Any, Json]] = {
    "revision": ("v2", {"value": "v2"}),
    "tier": ("high", {"selected_option": option("high")}),
    "regions": (["low"], {"selected_options": [option("low")]}),
    "mode": ("low", {"selected_option": option("low")}),
    "checks": (["low", "high"], {"selected_options": TIERS}),
    "percent": (5, {"value": "5"}),
    "approver": ("grace", {"selected_user": GRACE}),
    "watchers": (["ada", GRACE], {"selected_users": [ADA, GRACE]}),
    "channel": ("deploys", {"selected_channel": DEPLOYS}),
    "place": (DEPLOYS, {"selected_conversation": DEPLOYS}),
    "day": ("2026-11-24", {"selected_date": "2026-11-24"}),
    "hour": ("14:30", {"selected_time": "14:30"}),
    "until": (1_795_600_000, {"selected_date_time": 1_795_600_000}),
    "mail": ("ada@shop.test", {"value": "ada@shop.test"}),
    "link": ("https://shop.test", {"value": "https://shop.test"}),
    "service": ("shop", {"selected_option": option("shop")}),
}


def app_with(client: AsyncWebClient, heard: list[Json]) -> AsyncApp:
    """Make an app that suggests services, and hears of clicks and submissions."""
    app = make_app(client)

    @app.options("service")
    async def services(ack: AsyncAck, payload: Json) -> None:
        heard.append(payload)
        known = [option(name) for name in ("shop", "shipping", "search")]
        found = [one for one in known if one["value"].startswith(payload["value"])]
        await ack(options=found)

    @app.action("tier")
    async def tier(ack: AsyncAck, body: Json) -> None:
        await ack()
        heard.append(body)

    @app.view("start")
    async def start(ack: AsyncAck, body: Json) -> None:
        await ack()
        heard.append(body)

    return app


async def open_view(workspace: RunningWorkspace, client: AsyncWebClient, view: Json) -> str:
    """Open a modal for Ada."""
    trigger = workspace.workspace.store.new_trigger(ADA)
    opened: str = (await client.views_open(trigger_id=trigger, view=view))["view"]["id"]
    return opened


async def test_every_kind_of_input_is_filled_in_and_submitted(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """Each kind of element arrives in the submission in Slack's own form."""
    heard: list[Json] = []
    async with connected(app_with(client, heard), workspace):
        view = await open_view(workspace, client, EVERYTHING)
        asked = await people.do(
            "options", user="ada", view_id=view, action_id="service", value="sh"
        )
        values = {name: value for name, (value, _) in FILLED.items()}
        answer = await people.do("submit", user="ada", view_id=view, values=values)
    assert [one["value"] for one in asked["options"]] == ["shop", "shipping"]
    assert answer == {"ok": True}
    state = heard[-1]["view"]["state"]["values"]
    got = {name: state[f"b-{name}"][name] for name in FILLED}
    kinds = {b["element"]["action_id"]: b["element"]["type"] for b in EVERYTHING["blocks"]}
    assert got == {name: {"type": kinds[name], **want} for name, (_, want) in FILLED.items()}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("tier", "medium", "there is: high, low"),
        ("regions", ["low", "high"], "takes at most 1, not 2"),
        ("approver", "bob", "there is: ada, grace, linus"),
        ("place", "prod", "there is: deploys, random, shop"),
        ("day", "2026-02-30", "a date as YYYY-MM-DD"),
        ("hour", "25:00", "a time as HH:mm"),
        ("until", "tomorrow", "a Unix time in seconds"),
        ("service", "shop", "ask /_/options first"),
        ("nothing", "x", "there is no input 'nothing'"),
    ],
)
async def test_what_no_person_could_put_in_is_refused(
    workspace: RunningWorkspace,
    client: AsyncWebClient,
    people: People,
    *,
    name: str,
    value: Any,
    words: str,
) -> None:
    """A value that the form cannot hold is refused in words, and the form stays as it was."""
    view = await open_view(workspace, client, EVERYTHING)
    values = {"revision": "v2", name: value}
    answer = await people.do("fill", user="ada", view_id=view, values=values)
    assert words in answer["error"]
    (shown,) = (await people.state())["views"]
    assert shown["state"]["values"]["b-revision"]["revision"]["value"] is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("percent", "five", "Please enter a valid number."),
        ("mail", "ada", "Please enter a valid email address."),
        ("link", "shop.test", "Please enter a valid URL."),
    ],
)
async def test_form_complains_before_it_is_sent(
    workspace: RunningWorkspace,
    client: AsyncWebClient,
    people: People,
    *,
    name: str,
    value: str,
    words: str,
) -> None:
    """A wrong number, address or URL is said at the field, and the app hears nothing."""
    view = await open_view(workspace, client, EVERYTHING)
    answer = await people.do("submit", user="ada", view_id=view, values={name: value})
    assert answer["errors"] == {f"b-{name}": words}
    assert (await people.state())["views"][0]["errors"] == {f"b-{name}": words}


async def test_change_tells_the_app_what_else_is_typed(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """An input with dispatch_action sends an action with the whole state of the view."""
    heard: list[Json] = []
    async with connected(app_with(client, heard), workspace):
        view = await open_view(workspace, client, EVERYTHING)
        answer = await people.do(
            "click",
            user="ada",
            view_id=view,
            action_id="tier",
            value="high",
            values={"revision": "v2"},
        )
    assert answer == {"ok": True}
    (body,) = heard
    assert body["actions"][0]["selected_option"] == option("high")
    state = body["view"]["state"]["values"]
    assert state["b-revision"]["revision"]["value"] == "v2"
    assert state["b-tier"]["tier"]["selected_option"] == option("high")


async def test_input_without_dispatch_action_sends_nothing(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """Changing an ordinary input is no action, and the refusal says what to do."""
    view = await open_view(workspace, client, EVERYTHING)
    answer = await people.do("click", user="ada", view_id=view, action_id="mode", value="low")
    assert "no dispatch_action; use /_/fill or /_/submit" in answer["error"]


async def test_typed_words_outlive_an_update_of_the_view(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """What is typed stays where block_id and action_id stay, and goes where one changes."""
    old = modal(text_input("v", "version"), text_input("w", "why"), submit=plain("Go"))
    new = modal(
        text_input("v", "version", initial_value="v9"),
        text_input("w2", "why"),
        submit=plain("Go"),
    )
    view = await open_view(workspace, client, old)
    await people.do("fill", user="ada", view_id=view, values={"version": "v2", "why": "because"})
    answer = await client.views_update(view_id=view, view=new)
    (shown,) = (await people.state())["views"]
    values = shown["state"]["values"]
    assert values["v"]["version"]["value"] == "v2"
    assert values["w2"]["why"]["value"] is None
    assert answer["view"]["state"] == {"values": {}}


async def test_options_are_asked_for_after_enough_characters(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """Fewer than three characters ask nothing unless the element says otherwise."""
    heard: list[Json] = []
    menu = {"type": "external_select", "action_id": "service"}
    async with connected(app_with(client, heard), workspace):
        posted = await client.chat_postMessage(channel=DEPLOYS, text="x", blocks=[actions(menu)])
        where = {"user": "ada", "channel": "deploys", "message_ts": posted["ts"]}
        few = await people.do("options", **where, action_id="service", value="sh")
        assert (few["options"], heard) == ([], [])
        enough = await people.do("options", **where, action_id="service", value="sho")
    assert enough["options"] == [option("shop")]
    assert heard[0]["container"]["message_ts"] == posted["ts"]
    assert heard[0]["type"] == "block_suggestion"


async def test_options_that_slack_would_not_show(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """A suggestion over a limit is shown to nobody and cannot be chosen."""
    app = make_app(client)

    @app.options("service")
    async def services(ack: AsyncAck) -> None:
        await ack(options=[{"text": plain("x" * 76), "value": "shop"}])

    async with connected(app, workspace):
        view = await open_view(workspace, client, EVERYTHING)
        where = {"user": "ada", "view_id": view}
        answer = await people.do("options", **where, action_id="service", value="s")
        assert (answer["ok"], answer["options"]) == (False, [])
        refused = await people.do("fill", **where, values={"service": "shop"})
    assert "there is: none" in refused["error"]


async def test_covered_modal_is_out_of_reach(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """Only the modal on top can be clicked in or filled in, and both are in the state."""
    store = workspace.workspace.store
    view = await open_view(workspace, client, EVERYTHING)
    await client.views_push(trigger_id=store.new_trigger(ADA, view), view=modal())
    answer = await people.do("fill", user="ada", view_id=view, values={"revision": "v2"})
    assert "lies under the modal" in answer["error"]
    assert len((await people.state())["views"]) == 2
    assert (await people.state("grace"))["views"] == []
