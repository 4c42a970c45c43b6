"""A running workspace with deadlines short enough for tests."""

from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import ADA, DEPLOYS, People

from bot.workspace import RunningWorkspace, Settings, running_workspace


@pytest.fixture
async def workspace() -> AsyncIterator[RunningWorkspace]:
    """Run a workspace that waits 0.4 s for an acknowledgement instead of 3."""
    settings = Settings(ack_seconds=0.4, file_seconds=0.05, event_retry_seconds=(0.05, 0.05))
    async with running_workspace(settings) as running:
        yield running


@pytest.fixture
def client(workspace: RunningWorkspace) -> AsyncWebClient:
    """Give Slack's own client, unmodified."""
    return AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)


@pytest.fixture
async def people(workspace: RunningWorkspace) -> AsyncIterator[People]:
    """Give the people of the workspace."""
    async with httpx.AsyncClient(base_url=workspace.base_url, trust_env=False) as http:
        yield People(http)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Start Debian's chromium; without it these tests fail."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        await started.close()


@pytest.fixture
async def page(browser: Browser, workspace: RunningWorkspace) -> AsyncIterator[Page]:
    """Open the page as Ada; any error or refusal on the page fails the test."""
    errors: list[str] = []
    opened = await browser.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    await opened.goto(f"{workspace.base_url}/?user=ada#{DEPLOYS}")
    await expect(opened.get_by_test_id("user-switch")).to_have_value(ADA)
    yield opened
    assert errors == []
