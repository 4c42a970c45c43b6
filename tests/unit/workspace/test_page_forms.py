"""Modals, menus and the home tab as a person meets them, in a real browser."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import (
    ADA,
    GRACE,
    Json,
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

pytestmark = [pytest.mark.e2e, pytest.mark.external_service]


def option(value: str) -> Json:
    """Make an option."""
    return {"text": plain(value), "value": value}


def asks(kind: str, action_id: str, **more: Any) -> Json:
    """Make an optional input block with one id for block and action."""
    element = {"type": kind, "action_id": action_id, **more}
    return {
        "type": "input",
        "block_id": action_id,
        "label": plain(action_id),
        "element": element,
        "optional": True,
    }


TIERS = [
    {"label": plain("Usual"), "options": [option("low")]},
    {"label": plain("Risky"), "options": [option("high")]},
]
TIER = {**asks("static_select", "tier", option_groups=TIERS), "dispatch_action": True}
FORM = modal(
    text_input("revision", "revision", max_length=40),
    TIER,
    asks("external_select", "service", min_query_length=1),
    asks("users_select", "approver"),
    asks("radio_buttons", "mode", options=[option("now"), option("later")]),
    asks("checkboxes", "checks", options=[option("tell"), option("logs")]),
    asks("multi_static_select", "regions", options=[option("eu"), option("us")]),
    asks("datepicker", "day"),
    asks("timepicker", "hour"),
    asks("plain_text_input", "why", multiline=True),
    submit=plain("Start"),
    callback_id="start",
    notify_on_close=True,
)


def form_app(client: AsyncWebClient, heard: list[Json]) -> AsyncApp:
    """Make an app with a form; its tier changes a note and its revision's label."""
    app = make_app(client)

    @app.command("/canary")
    async def canary(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    @app.options("service")
    async def services(ack: AsyncAck, payload: Json) -> None:
        known = ["shop", "shipping", "search"]
        await ack(options=[option(s) for s in known if s.startswith(payload["value"])])

    @app.action("tier")
    async def tier(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        view = body["view"]
        typed = view["state"]["values"]["revision"]["revision"]["value"]
        note = {"type": "context", "block_id": "note", "elements": [mrkdwn(f"*{typed}* asks")]}
        await client.views_update(
            view_id=view["id"], hash=view["hash"], view={**FORM, "blocks": [*FORM["blocks"], note]}
        )

    @app.view("start")
    async def start(ack: AsyncAck, body: Json) -> None:
        heard.append(body["view"]["state"]["values"])
        await ack()

    @app.view_closed("start")
    async def closed(ack: AsyncAck, body: Json) -> None:
        heard.append({"closed": body["is_cleared"]})
        await ack()

    return app


async def open_form(page: Page) -> Locator:
    """Open the form by its command."""
    await page.get_by_test_id("composer").fill("/canary")
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.get_by_test_id("modal")).to_be_visible()
    return page.get_by_test_id("modal")


async def test_every_kind_of_field_can_be_filled_in(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """What is typed, chosen, searched and ticked reaches the app."""
    heard: list[Json] = []
    async with connected(form_app(client, heard), workspace):
        form = await open_form(page)
        await form.get_by_label("Version").fill("v2")
        await form.get_by_role("combobox", name="service").fill("sh")
        await form.get_by_role("option", name="shipping").click()
        await form.get_by_label("approver").select_option(label="Grace Hopper (@grace)")
        await form.get_by_label("later").check()
        await form.get_by_label("logs").check()
        await form.get_by_label("us", exact=True).check()
        await form.get_by_label("day").fill("2026-11-24")
        await form.get_by_label("hour").fill("14:30")
        await form.get_by_label("why").fill("one\ntwo")
        await form.get_by_test_id("modal-submit").click()
        await expect(form).to_have_count(0)
    state = {name: values[name] for name, values in heard[0].items()}
    assert state["revision"]["value"] == "v2"
    assert state["service"]["selected_option"]["value"] == "shipping"
    assert state["approver"]["selected_user"] == GRACE
    assert state["mode"]["selected_option"]["value"] == "later"
    assert [one["value"] for one in state["checks"]["selected_options"]] == ["logs"]
    assert [one["value"] for one in state["regions"]["selected_options"]] == ["us"]
    assert state["day"]["selected_date"] == "2026-11-24"
    assert state["hour"]["selected_time"] == "14:30"
    assert state["why"]["value"] == "one\ntwo"


async def test_update_of_an_open_form_keeps_words_focus_and_caret(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """The app may redraw the form under a person who types, who goes on where they were."""
    async with connected(form_app(client, []), workspace):
        form = await open_form(page)
        revision = form.get_by_label("Version")
        await revision.fill("v2")
        await form.get_by_label("tier").focus()
        await form.get_by_label("tier").select_option("high")
        await expect(form.get_by_text("v2 asks")).to_be_visible()
        await expect(form.get_by_label("tier")).to_be_focused()
        await revision.fill("v2.14")
        await revision.evaluate("(box) => box.setSelectionRange(2, 2)")
        view = workspace.workspace.store.stacks[ADA][-1]
        label = {**FORM["blocks"][0], "label": plain("Revision")}
        changed = {**FORM, "blocks": [label, *FORM["blocks"][1:]]}
        await client.views_update(view_id=view.id, view=changed)
        await expect(form.get_by_label("Revision")).to_be_focused()
        await page.keyboard.type(".0")
        await expect(form.get_by_label("Revision")).to_have_value("v2.0.14")
        await expect(form.get_by_label("tier")).to_have_value("high")


async def test_form_is_used_with_the_keyboard_alone(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """The focus goes to the first field, Tab stays inside, and Enter submits one line."""
    heard: list[Json] = []
    async with connected(form_app(client, heard), workspace):
        form = await open_form(page)
        await expect(form.get_by_label("Version")).to_be_focused()
        for _ in range(30):
            await page.keyboard.press("Tab")
            assert await form.evaluate("(box) => box.contains(document.activeElement)")
        await form.get_by_label("Version").focus()
        await page.keyboard.type("v3")
        await page.keyboard.press("Enter")
        await expect(form).to_have_count(0)
        await expect(page.get_by_test_id("composer")).to_be_focused()
    assert heard[0]["revision"]["revision"]["value"] == "v3"


async def test_escape_gives_the_form_up(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """Escape closes the form, and an app that asked for it is told."""
    heard: list[Json] = []
    async with connected(form_app(client, heard), workspace):
        form = await open_form(page)
        await page.keyboard.press("Escape")
        await expect(form).to_have_count(0)
        await until(lambda: heard)
    assert heard == [{"closed": False}]


async def test_submit_button_shows_that_it_waits(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """Until the app answers the button is busy, and its refusal stands at the field."""
    app, answer, sent = make_app(client), asyncio.Event(), 0

    @app.view("start")
    async def start(ack: AsyncAck) -> None:
        nonlocal sent
        sent += 1
        await answer.wait()
        await ack(response_action="errors", errors={"revision": "v1 is stable already"})

    workspace.workspace.delivery._settings = workspace.workspace.settings.model_copy(
        update={"ack_seconds": 5.0}
    )
    async with connected(app, workspace):
        trigger = workspace.workspace.store.new_trigger(ADA)
        await client.views_open(trigger_id=trigger, view=FORM)
        form = page.get_by_test_id("modal")
        await form.get_by_label("Version").fill("v1")
        await form.get_by_test_id("modal-submit").click()
        await expect(form.get_by_test_id("modal-submit")).to_have_attribute("aria-busy", "true")
        await form.get_by_label("Version").press("Enter")
        answer.set()
        await expect(form.get_by_role("alert")).to_have_text("v1 is stable already")
        await expect(form.get_by_label("Version")).to_be_focused()
        await expect(form.get_by_label("Version")).to_have_attribute("aria-invalid", "true")
        await expect(form.get_by_test_id("modal-submit")).not_to_have_attribute(
            "aria-busy", "true"
        )
    assert sent == 1


async def test_typing_is_sent_as_the_element_says(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """With on_character_entered the app hears each pause, with on_enter_pressed each Enter."""
    app, heard = make_app(client), []
    each = {"trigger_actions_on": ["on_character_entered"]}

    @app.action("live")
    @app.action("enter")
    async def typed(ack: AsyncAck, action: Json) -> None:
        await ack()
        heard.append((action["action_id"], action["value"]))

    view = modal(
        {
            **asks("plain_text_input", "live", dispatch_action_config=each),
            "dispatch_action": True,
        },
        {**asks("plain_text_input", "enter"), "dispatch_action": True},
        submit=plain("Go"),
    )
    async with connected(app, workspace):
        trigger = workspace.workspace.store.new_trigger(ADA)
        await client.views_open(trigger_id=trigger, view=view)
        form = page.get_by_test_id("modal")
        await form.get_by_label("live").press_sequentially("v2")
        await until(lambda: ("live", "v2") in heard)
        await form.get_by_label("enter").fill("v3")
        await form.get_by_label("enter").press("Enter")
        await until(lambda: ("enter", "v3") in heard)
        await expect(form).to_be_visible()


async def test_home_is_told_of_its_visitor_and_used(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """Opening the home tab asks the app for it; its overflow menu acts as who one is."""
    app, heard = make_app(client), []
    menu = {"type": "overflow", "action_id": "more", "options": [option("pause"), option("why")]}
    row: Json = {"type": "section", "text": mrkdwn("*shop v2*"), "accessory": menu}

    @app.event("app_home_opened")
    async def opened(event: Json, client: AsyncWebClient) -> None:
        heard.append(event)
        home = {"type": "home", "blocks": [row, actions(button())]}
        await client.views_publish(user_id=event["user"], view=home)

    @app.action("more")
    async def more(ack: AsyncAck, body: Json, action: Json) -> None:
        await ack()
        heard.append({"who": body["user"]["id"], "what": action["selected_option"]["value"]})

    async with connected(app, workspace):
        await page.get_by_test_id("app-home").click()
        home = page.get_by_test_id("home")
        await home.get_by_role("button", name="More actions").click()
        await home.get_by_role("menuitem", name="why").click()
        await until(lambda: len(heard) == 2)
        await page.get_by_test_id("who").click()
        await page.get_by_test_id("who-grace").click()
        await until(lambda: len(heard) == 3)
        await expect(home.get_by_text("shop v2")).to_be_visible()
    assert (heard[0]["tab"], heard[0]["user"], "view" in heard[0]) == ("home", ADA, False)
    assert heard[1] == {"who": ADA, "what": "why"}
    assert heard[2]["user"] == GRACE
