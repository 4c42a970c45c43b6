"""A form that changes while it is typed into, and one that was sent already."""

import asyncio
from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any

import pytest
from unit.slack.connected import until
from unit.slack.lobby import IDS, Lobby, lobby
from unit.slack.test_start_modal import opened
from unit.workspace.support import People

from bot.slack import drafting, starting
from bot.slack.views.form import Facts
from bot.workspace import RunningWorkspace, render


@pytest.fixture
async def here(workspace: RunningWorkspace, people: People) -> AsyncIterator[Lobby]:
    async with lobby(workspace, people) as lobby_:
        yield lobby_


def typed_into(here: Lobby, field: str, value: str) -> dict[str, Any]:
    """What Slack sends when this is typed into the form as it stands now."""
    workspace = here.workspace.workspace
    view = deepcopy(render.view(workspace.store.stacks[IDS["ada"]][-1], workspace.settings))
    for elements in view["state"]["values"].values():
        for action_id, state in elements.items():
            if action_id == f"canary_start_{field}":
                state["value"] = value
    action = {"action_id": f"canary_start_{field}", "action_ts": "1.0", "value": value}
    return {"user": {"id": IDS["ada"]}, "view": view, "actions": [action]}


async def test_a_form_that_was_sent_is_not_drawn_over(here: Lobby) -> None:
    """What was typed a moment before the button comes late, and what came of it stays."""
    here.desk.hang = asyncio.Event()
    await opened(here, channel="C0SHOP001")
    late = typed_into(here, "percent", "12")
    await here.submit(revision="v2")
    assert "Starting *shop v2* …" in here.form()
    await starting.change(here.edge._parts, late)
    assert "Starting *shop v2* …" in here.form()
    here.desk.hang.set()
    await until(lambda: "What happens next" in here.form())


async def test_what_is_typed_while_the_form_is_informed_is_explained(here: Lobby) -> None:
    """The bot's own addition to the form overtakes nobody."""
    await opened(here, channel="C0SHOP001")
    typed = typed_into(here, "percent", "12")
    parts, view = here.edge._parts, typed["view"]
    drawn = starting._drawn(parts, drafting.read(view), Facts(revisions=("v9",)))
    await parts.views.update(view["id"], drawn, view["hash"])
    assert "v9" in here.form()
    await starting.change(parts, typed)
    assert "12 % of shop's live traffic" in here.form()
