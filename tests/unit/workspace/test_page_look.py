"""Who one is, pictures and narrow screens, in a real browser."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Page, expect
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import ADA, DEPLOYS, GRACE, Json, actions, button, modal, mrkdwn, plain

from bot.workspace import RunningWorkspace

pytestmark = [pytest.mark.e2e, pytest.mark.external_service]

# One grey pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)
MENU: Json = {
    "type": "overflow",
    "action_id": "more",
    "options": [
        {"text": plain("Extend by ten minutes and say so in the channel"), "value": "extend"},
        {"text": plain("Show the evidence"), "value": "show"},
    ],
}


def wide_blocks() -> list[Json]:
    """Make what could be wider than a phone: a table, many buttons, a long word, a menu."""
    row = [{"type": "raw_text", "text": "a rather long cell"}] * 12
    buttons = [{**button(f"b{n}"), "text": plain("A button of some length")} for n in range(4)]
    return [
        {"type": "table", "rows": [row, row]},
        {"type": "section", "text": mrkdwn("x" * 300), "accessory": MENU},
        actions(*buttons),
    ]


async def test_person_is_switched_in_two_clicks_and_by_address(
    page: Page, browser: Browser, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """Who one is stands at the top; two windows can be two people, and stay so."""
    await client.chat_postEphemeral(channel=DEPLOYS, user=ADA, text="for ada only")
    await expect(page.get_by_test_id("who")).to_have_text("AL Ada ▾".replace(" ", ""))
    await expect(page.get_by_text("for ada only")).to_be_visible()
    other = await browser.new_page()
    await other.goto(f"{workspace.base_url}/?user=grace#{DEPLOYS}")
    await expect(other.get_by_test_id("who")).to_have_attribute("data-person", GRACE)
    await expect(other.get_by_text("for ada only")).to_have_count(0)
    await page.get_by_test_id("who").click()
    await expect(page.get_by_role("menuitemradio", name="Ada Lovelace")).to_be_focused()
    await page.get_by_test_id("who-linus").click()
    await expect(page.get_by_test_id("who")).to_have_attribute("data-person", "U0LINUS01")
    await expect(page.get_by_text("for ada only")).to_have_count(0)
    await other.reload()
    await expect(other.get_by_test_id("who")).to_have_attribute("data-person", GRACE)
    await other.close()


async def test_unknown_person_in_the_address_is_named(
    browser: Browser, workspace: RunningWorkspace
) -> None:
    """A mistyped person in the address is told with the known ones."""
    page = await browser.new_page()
    await page.goto(f"{workspace.base_url}/?user=bob")
    await expect(page.get_by_test_id("toast")).to_contain_text("known: ada, grace, linus")
    await expect(page.get_by_test_id("who")).to_have_attribute("data-person", ADA)
    await page.close()


async def test_modal_belongs_to_one_person(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """A modal is seen by who set it off, and comes back when one is them again."""
    trigger = workspace.workspace.store.new_trigger(ADA)
    await client.views_open(trigger_id=trigger, view=modal())
    await expect(page.get_by_test_id("modal")).to_contain_text("Ada Lovelace")
    await page.goto(f"{workspace.base_url}/?user=grace#{DEPLOYS}")
    await expect(page.get_by_test_id("who")).to_have_attribute("data-person", GRACE)
    await expect(page.get_by_test_id("modal")).to_have_count(0)


async def test_picture_in_a_thread_opens_large(page: Page, client: AsyncWebClient) -> None:
    """A picture has its words, opens large when clicked, and Escape closes it."""
    root = (await client.chat_postMessage(channel=DEPLOYS, text="root"))["ts"]
    await client.files_upload_v2(
        channel=DEPLOYS,
        thread_ts=root,
        content=PNG,
        filename="errors.png",
        title="Errors",
        alt_txt="Errors rise",
    )
    await page.get_by_test_id("replies").click()
    thread = page.get_by_test_id("thread-pane")
    await expect(thread.get_by_role("img", name="Errors rise")).to_have_js_property(
        "naturalWidth", 1
    )
    await expect(thread.locator("figcaption")).to_have_text("Errors")
    await thread.get_by_role("button", name="Enlarge: Errors rise").click()
    await expect(page.get_by_test_id("lightbox").get_by_role("img")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("lightbox")).to_have_count(0)
    await expect(thread.get_by_test_id("picture")).to_be_focused()


async def test_attached_file_is_shown_where_its_reply_is_broadcast(
    page: Page, workspace: RunningWorkspace, client: AsyncWebClient
) -> None:
    """An edit can attach an upload to a reply and show both in the channel."""
    root = (await client.chat_postMessage(channel=DEPLOYS, text="root"))["ts"]
    reply = (await client.chat_postMessage(channel=DEPLOYS, thread_ts=root, text="see"))["ts"]
    uploaded = await client.files_upload_v2(content=PNG, filename="errors.png", title="Errors")
    file_id = uploaded["files"][0]["id"]
    while not (await client.files_info(file=file_id))["file"]["mimetype"]:
        await asyncio.sleep(0.02)
    await client.chat_update(
        channel=DEPLOYS, ts=reply, text="see", file_ids=[file_id], reply_broadcast=True
    )
    shown = page.get_by_test_id("messages").locator(f'[data-ts="{reply}"]')
    await expect(shown.get_by_role("img", name="Errors")).to_be_visible()
    await expect(shown.get_by_text("replied to a thread")).to_be_visible()


@pytest.mark.parametrize(
    ("window", "query", "width"), [(390, "", 390), (320, "", 320), (1280, "&width=phone", 390)]
)
async def test_nothing_leaves_a_phone(
    browser: Browser,
    workspace: RunningWorkspace,
    client: AsyncWebClient,
    *,
    window: int,
    query: str,
    width: int,
) -> None:
    """On a phone, real or drawn, tables scroll, buttons wrap and menus open inside."""
    await client.chat_postMessage(channel=DEPLOYS, text="wide", blocks=wide_blocks())
    page = await browser.new_page(viewport={"width": window, "height": 800})
    await page.goto(f"{workspace.base_url}/?user=ada{query}#{DEPLOYS}")
    await expect(page.locator("table")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == window
    assert await page.evaluate("document.body.clientWidth") == width
    assert await page.evaluate("document.querySelector('#scroll').scrollWidth") <= width
    frame = await page.evaluate("document.body.getBoundingClientRect().toJSON()")
    await page.get_by_role("button", name="More actions").click()
    menu = await page.locator(".popup:popover-open").bounding_box()
    assert menu is not None
    assert menu["x"] >= frame["left"]
    assert menu["x"] + menu["width"] <= frame["right"]
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("app-home")).not_to_be_in_viewport()
    trigger = workspace.workspace.store.new_trigger(ADA)
    await client.views_open(trigger_id=trigger, view=modal())
    await expect(page.get_by_test_id("modal")).to_have_css("width", f"{width}px")
    await page.close()


async def test_sidebar_of_a_phone_is_behind_its_button(page: Page) -> None:
    """The toggle draws the page as a phone and back; the menu button shows the channels."""
    await page.get_by_test_id("width-toggle").click()
    await expect(page).to_have_url(re.compile("width=phone"))
    await expect(page.get_by_test_id("width-toggle")).to_be_hidden()
    await page.get_by_role("button", name="Show channels").click()
    await page.get_by_role("link", name="shop").click()
    await expect(page.get_by_role("heading", name="shop", level=1)).to_be_visible()
    await expect(page.get_by_role("link", name="shop")).to_be_hidden()
    await page.get_by_role("button", name="Show channels").click()
    await page.get_by_test_id("width-toggle").click()
    await expect(page.get_by_role("button", name="Show channels")).to_be_hidden()


async def test_theme_follows_the_system_and_the_button(
    browser: Browser, workspace: RunningWorkspace
) -> None:
    """Dark is what the system asks for until the button says otherwise, also after a reload."""
    page = await browser.new_page(color_scheme="dark")
    await page.goto(workspace.base_url)
    dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.get_by_test_id("theme-toggle").click()
    await page.reload()
    await expect(page.get_by_test_id("who")).to_be_visible()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    await page.close()
