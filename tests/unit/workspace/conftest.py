"""A running workspace with deadlines short enough for tests."""

from collections.abc import AsyncIterator

import httpx
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import People

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
