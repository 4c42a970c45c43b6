"""A running workspace, and an edge connected to it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from unit.slack.connected import Office, office
from unit.slack.fakes import FakeDesk
from unit.slack.stage import Stage
from unit.workspace.support import People

from bot.workspace import RunningWorkspace, Settings, running_workspace


@pytest.fixture
async def workspace() -> AsyncIterator[RunningWorkspace]:
    """Slack's own deadlines, but events are not tried again for a minute."""
    async with running_workspace(Settings(event_retry_seconds=())) as running:
        yield running


@pytest.fixture
async def people(workspace: RunningWorkspace) -> AsyncIterator[People]:
    """The people of the workspace."""
    async with httpx.AsyncClient(base_url=workspace.base_url, trust_env=False) as http:
        yield People(http)


@pytest.fixture
async def here(workspace: RunningWorkspace, people: People) -> AsyncIterator[Office]:
    """An edge with a desk that does as it is told."""
    async with office(workspace, people, FakeDesk()) as opened:
        yield opened


@pytest.fixture
async def stage() -> Any:
    """A board whose worker is ended with the test."""
    made = Stage()
    yield made
    await made.board.stop(patience=0)
