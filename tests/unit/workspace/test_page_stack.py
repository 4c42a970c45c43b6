"""Modals on top of each other, and apps that do not answer, in a real browser."""

from typing import Any

import pytest
from playwright.async_api import Page, expect
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import (
    ADA,
    DEPLOYS,
    Json,
    actions,
    connected,
    make_app,
    modal,
    plain,
    text_input,
    until,
)

from bot.workspace import RunningWorkspace

pytestmark = [pytest.mark.e2e, pytest.mark.external_service]


def step(title: str, **more: Any) -> Json:
    """Make a modal with one field."""
    field = text_input("v", "version", initial_value=title)
    return modal(
        field, title=plain(title), submit=plain("Next"), callback_id=title.lower(), **more
    )


async def test_modals_are_pushed_changed_left_and_cleared(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """A pushed modal covers the first, which keeps its words; clear closes them all."""
    app = make_app(client)

    @app.view("first")
    async def first(ack: AsyncAck) -> None:
        await ack(response_action="push", view=step("Second"))

    @app.view("second")
    async def second(ack: AsyncAck) -> None:
        await ack(response_action="update", view=step("Third"))

    @app.view("third")
    async def third(ack: AsyncAck) -> None:
        await ack(response_action="clear")

    form = page.get_by_test_id("modal")
    title = form.get_by_role("heading")
    async with connected(app, workspace):
        trigger = workspace.workspace.store.new_trigger(ADA)
        await client.views_open(trigger_id=trigger, view=step("First"))
        await form.get_by_label("Version").fill("typed")
        await form.get_by_test_id("modal-submit").click()
        await expect(title).to_have_text("Second")
        await expect(form.get_by_text("2 of 3")).to_be_visible()
        await form.get_by_test_id("modal-close").click()
        await expect(title).to_have_text("First")
        await expect(form.get_by_label("Version")).to_have_value("typed")
        await form.get_by_test_id("modal-submit").click()
        await expect(title).to_have_text("Second")
        await form.get_by_test_id("modal-submit").click()
        await expect(title).to_have_text("Third")
        await form.get_by_test_id("modal-submit").click()
        await expect(form).to_have_count(0)


async def test_cross_closes_the_whole_stack(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """The cross closes all modals, and the app hears that they were cleared."""
    app, heard = make_app(client), []

    @app.view_closed("first")
    @app.view_closed("second")
    async def closed(ack: AsyncAck, body: Json) -> None:
        await ack()
        heard.append((body["view"]["callback_id"], body["is_cleared"]))

    async with connected(app, workspace):
        store = workspace.workspace.store
        opened = await client.views_open(
            trigger_id=store.new_trigger(ADA), view=step("First", notify_on_close=True)
        )
        trigger = store.new_trigger(ADA, opened["view"]["id"])
        await client.views_push(trigger_id=trigger, view=step("Second", notify_on_close=True))
        await expect(page.get_by_role("heading", name="Second")).to_be_visible()
        await page.get_by_test_id("modal-x").click()
        await expect(page.get_by_test_id("modal")).to_have_count(0)
        await until(lambda: len(heard) == 2)
    assert sorted(heard) == [("first", True), ("second", True)]


async def test_form_that_nobody_answers_stays_and_says_so(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """Without an answer the modal stays with its words, and the trouble is told within it."""
    trigger = workspace.workspace.store.new_trigger(ADA)
    await client.views_open(trigger_id=trigger, view=step("First"))
    form = page.get_by_test_id("modal")
    await form.get_by_label("Version").fill("typed")
    await form.get_by_test_id("modal-submit").click()
    await expect(form.get_by_test_id("toast")).to_contain_text("We had some trouble connecting")
    await expect(form.get_by_label("Version")).to_have_value("typed")
    await form.get_by_role("button", name="Dismiss").click()
    await expect(form.get_by_test_id("toast")).to_have_count(0)


async def test_menu_that_was_not_confirmed_goes_back(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """Leaving the confirm dialog of a menu sends nothing and shows the old choice."""
    options = [{"text": plain(t), "value": t} for t in ("low", "high")]
    confirm = {
        "title": plain("Sure?"),
        "text": plain("It is high."),
        "confirm": plain("Yes"),
        "deny": plain("No"),
    }
    menu = {
        "type": "static_select",
        "action_id": "tier",
        "options": options,
        "initial_option": options[0],
        "confirm": confirm,
    }
    await client.chat_postMessage(channel=DEPLOYS, text="x", blocks=[actions(menu)])
    select = page.locator("[data-action-id=tier]")
    await select.select_option("high")
    await page.get_by_test_id("confirm-cancel").click()
    await expect(select).to_have_value("low")
    assert workspace.workspace.counts.delivered == {}
