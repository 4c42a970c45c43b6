"""The page of the local workspace in a real browser."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from slack_bolt.async_app import AsyncAck, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import (
    ADA,
    DEPLOYS,
    Json,
    actions,
    button,
    connected,
    make_app,
    modal,
    mrkdwn,
    plain,
    text_input,
)

from bot.workspace import RunningWorkspace, Settings, running_workspace

pytestmark = [pytest.mark.e2e, pytest.mark.external_service]

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
CONFIRM = {
    "title": plain("Promote shop v2?"),
    "text": mrkdwn("All traffic goes to *v2*."),
    "confirm": plain("Promote"),
    "deny": plain("Wait"),
}


@pytest.fixture
async def workspace() -> AsyncIterator[RunningWorkspace]:
    """Run a workspace that waits 1 s for an acknowledgement."""
    async with running_workspace(Settings(ack_seconds=1.0, file_seconds=0.05)) as running:
        yield running


@pytest.fixture
def client(workspace: RunningWorkspace) -> AsyncWebClient:
    """Give Slack's own client."""
    return AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Start Debian's chromium; without it these tests fail."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=ARGUMENTS
        )
        yield started
        await started.close()


@pytest.fixture
async def page(browser: Browser, workspace: RunningWorkspace) -> AsyncIterator[Page]:
    """Open the page as Ada; any error on the page fails the test."""
    errors: list[str] = []
    opened = await browser.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    await opened.goto(f"{workspace.base_url}/?user={ADA}#{DEPLOYS}")
    await expect(opened.get_by_test_id("user-switch")).to_have_value(ADA)
    yield opened
    assert errors == []


async def test_command_click_and_confirmation(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """A typed command posts a button; its dialog can be left, and agreed to once."""
    app = make_app(client)
    clicks: list[Json] = []

    @app.command("/canary")
    async def canary(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack(f"on it: {body['text']}")
        blocks = [actions(button(confirm=CONFIRM, value="run-1"))]
        await client.chat_postMessage(channel=DEPLOYS, text="live", blocks=blocks)

    @app.action("go")
    async def go(ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        await ack()
        clicks.append(body)
        await respond(text="promoted", replace_original=True)

    async with connected(app, workspace):
        await page.get_by_test_id("composer").fill("/canary start shop v2")
        await page.get_by_test_id("composer").press("Enter")
        await expect(page.get_by_text("on it: start shop v2")).to_be_visible()
        await expect(page.get_by_text("Only visible to you")).to_be_visible()
        await page.locator("[data-action-id=go]").click()
        await page.get_by_test_id("confirm-cancel").click()
        await expect(page.get_by_test_id("confirm")).to_have_count(0)
        assert clicks == []
        await page.locator("[data-action-id=go]").click()
        await expect(page.get_by_test_id("confirm")).to_contain_text("All traffic goes to v2.")
        await page.get_by_test_id("confirm-ok").click()
        await expect(page.get_by_text("promoted")).to_be_visible()
        await expect(page.locator("[data-action-id=go]")).to_have_count(0)
    assert [click["actions"][0]["value"] for click in clicks] == ["run-1"]


async def test_unanswered_command_is_shown_as_slack_does(page: Page) -> None:
    """Without an app the person reads dispatch_failed in a toast and in the channel."""
    await page.get_by_test_id("composer").fill("/canary status")
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.get_by_test_id("toast")).to_contain_text(
        '/canary failed with the error "dispatch_failed"'
    )


async def test_outside_text_never_becomes_markup(page: Page, client: AsyncWebClient) -> None:
    """Markup in texts, blocks, tables, file names and links is shown, not run."""
    cell: Json = {"type": "raw_text", "text": EVIL}
    blocks: list[Json] = [
        {"type": "section", "text": mrkdwn(EVIL.replace("<", "&lt;").replace(">", "&gt;"))},
        {"type": "section", "text": mrkdwn(f"*{EVIL}* <javascript:window.hacked=1|press>")},
        {"type": "header", "text": plain(EVIL)},
        {"type": "table", "rows": [[cell], [cell]]},
        {"type": "markdown", "text": f"**{EVIL}** [press](javascript:window.hacked=1)"},
        actions({**button(), "text": plain(EVIL[:70])}),
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": EVIL},
                        {"type": "link", "url": "javascript:window.hacked=1", "text": "press"},
                    ],
                }
            ],
        },
    ]
    await client.chat_postMessage(channel=DEPLOYS, text=EVIL, blocks=blocks)
    await client.chat_postMessage(channel=DEPLOYS, text=EVIL)
    await client.files_upload_v2(channel=DEPLOYS, content=b"x", filename="x.png", title=EVIL)
    await expect(page.locator("[data-ts]")).to_have_count(3)
    assert await page.evaluate("window.hacked") is None
    assert await page.locator(".messages script, .messages [onerror]").count() == 0
    assert await page.locator('a[href^="javascript"]').count() == 0
    assert await page.get_by_text("onerror").count() >= 6


async def test_thread_opens_by_click_and_by_address(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """The thread pane opens from the reply count and from a deep link, and takes replies."""
    root = await client.chat_postMessage(channel=DEPLOYS, text="root")
    await client.chat_postMessage(channel=DEPLOYS, text="*breach* seen", thread_ts=root["ts"])
    await page.get_by_test_id("replies").click()
    pane = page.get_by_test_id("thread-pane")
    await expect(pane.locator("strong", has_text="breach")).to_be_visible()
    await pane.get_by_test_id("thread-composer").fill("thanks")
    await pane.get_by_test_id("thread-composer").press("Enter")
    await expect(pane.get_by_text("thanks")).to_be_visible()
    await expect(page.get_by_test_id("replies")).to_contain_text("2 replies")
    await page.get_by_test_id("thread-close").click()
    await expect(pane).to_be_hidden()
    await page.goto(f"{workspace.base_url}/?user={ADA}#{DEPLOYS}/thread/{root['ts']}")
    await expect(pane).to_be_visible()


async def test_update_changes_the_same_message_in_place(
    page: Page, client: AsyncWebClient
) -> None:
    """An edit shows without a reload, in the message that was there."""
    posted = await client.chat_postMessage(channel=DEPLOYS, text="5 %")
    message = page.locator(f'[data-ts="{posted["ts"]}"]')
    await expect(message).to_contain_text("5 %")
    await client.chat_update(channel=DEPLOYS, ts=posted["ts"], text="25 %")
    await expect(message).to_contain_text("25 %")
    await expect(page.locator("[data-ts]")).to_have_count(1)


async def test_modal_is_filled_in_and_submitted(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """A modal shows what is missing and what the app refuses, and keeps what was typed."""
    app = make_app(client)
    view = modal(text_input("v", "version"), submit=plain("Start"), callback_id="start")
    values: list[str] = []

    @app.command("/canary")
    async def canary(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("start")
    async def start(ack: AsyncAck, body: Json) -> None:
        value: Any = body["view"]["state"]["values"]["v"]["version"]["value"]
        values.append(value)
        if value == "v1":
            await ack(response_action="errors", errors={"v": "v1 is stable already"})
        else:
            await ack()

    async with connected(app, workspace):
        await page.get_by_test_id("composer").fill("/canary")
        await page.get_by_test_id("composer").press("Enter")
        await page.get_by_test_id("modal-submit").click()
        await expect(page.get_by_text("Please complete this required field.")).to_be_visible()
        await page.locator("[data-action-id=version]").fill("v1")
        await page.get_by_test_id("modal-submit").click()
        await expect(page.get_by_text("v1 is stable already")).to_be_visible()
        await expect(page.locator("[data-action-id=version]")).to_have_value("v1")
        await page.locator("[data-action-id=version]").fill("v2")
        await page.get_by_test_id("modal-submit").click()
        await expect(page.get_by_test_id("modal")).to_have_count(0)
    assert values == ["v1", "v2"]


async def test_another_person_sees_their_own_ephemerals(
    page: Page, client: AsyncWebClient
) -> None:
    """Switching the user changes what is seen and who writes."""
    await client.chat_postEphemeral(channel=DEPLOYS, user=ADA, text="for ada only")
    await expect(page.get_by_text("for ada only")).to_be_visible()
    await page.get_by_test_id("user-switch").select_option(label="Grace Hopper · Release approver")
    await expect(page.get_by_text("for ada only")).to_have_count(0)
    await page.get_by_test_id("composer").fill("hello from grace")
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.locator("[data-user=U0GRACE01]")).to_contain_text("hello from grace")


async def test_composer_remembers_and_completes(page: Page) -> None:
    """Tab completes the command and arrow-up brings back what was sent."""
    composer = page.get_by_test_id("composer")
    await composer.fill("hello there")
    await composer.press("Enter")
    await expect(composer).to_have_value("")
    await composer.press("ArrowUp")
    await expect(composer).to_have_value("hello there")
    await composer.fill("/can")
    await composer.press("Tab")
    await expect(composer).to_have_value("/canary ")


async def test_page_comes_back_after_a_restart_of_the_server(browser: Browser) -> None:
    """The page reconnects to a server that was away."""
    async with running_workspace() as first:
        port = int(first.base_url.rpartition(":")[2])
        page = await browser.new_page()
        await page.goto(first.base_url)
        await expect(page.locator("#connection")).to_have_text("app not connected")
    await expect(page.locator("#connection")).to_have_text("reconnecting …")
    async with running_workspace(port=port) as second:
        await expect(page.locator("#connection")).to_have_text("app not connected")
        client = AsyncWebClient(token=second.bot_token, base_url=second.api_url)
        await client.chat_postMessage(channel=DEPLOYS, text="still here")
        await expect(page.get_by_text("still here")).to_be_visible()
        await page.close()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
async def test_nothing_is_wider_than_the_screen(
    browser: Browser, workspace: RunningWorkspace, client: AsyncWebClient, width: int, height: int
) -> None:
    """A wide table and a long word scroll or wrap inside the page, on a phone as well."""
    row = [{"type": "raw_text", "text": "a rather long cell"}] * 12
    blocks: list[Json] = [
        {"type": "table", "rows": [row, row]},
        {"type": "section", "text": mrkdwn("x" * 400)},
    ]
    await client.chat_postMessage(channel=DEPLOYS, text="wide", blocks=blocks)
    page = await browser.new_page(viewport={"width": width, "height": height})
    await page.goto(f"{workspace.base_url}/#{DEPLOYS}")
    await expect(page.locator("table")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    inner = await page.evaluate("document.querySelector('#scroll').scrollWidth")
    assert inner <= width
    await page.close()
