"""What people of another workspace may do here, who see our buttons by Slack Connect: abort."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from unit.slack.connected import Office
from unit.slack.support import in_phase, posted

from bot.core.canary import Canary
from bot.core.machine import Refused
from bot.slack import desk
from bot.slack.desk import Parts
from bot.slack.permissions import Visit

GUEST = Visit("U0EVE0001", "eve", "T0OTHER01", "C0DEPLOYS")
MEMBER = Visit("U0ADA0001", "ada", "T0CANARY1", "C0DEPLOYS")

Ask = Callable[[Parts, Visit, Canary], Awaitable[Canary | Refused]]

ASKS: dict[str, Ask] = {
    "approve": lambda parts, visit, canary: desk.approve(parts, visit, canary, "promote", 0),
    "promote": lambda parts, visit, canary: desk.promote(parts, visit, canary, 0),
    "pause": lambda parts, visit, canary: desk.pause(parts, visit, canary.id),
    "resume": lambda parts, visit, canary: desk.resume(parts, visit, canary.id),
    "extend": lambda parts, visit, canary: desk.extend(
        parts, visit, canary.id, timedelta(minutes=10)
    ),
}


@pytest.mark.parametrize("kind", ASKS)
async def test_a_guest_decides_nothing(here: Office, kind: str) -> None:
    """What is refused is said in words that are true of it, and a member is not refused."""
    canary = posted(in_phase("observing"))
    here.desk.having(canary)
    parts = here.edge._parts
    answer = await ASKS[kind](parts, GUEST, canary)
    assert isinstance(answer, Refused)
    assert "only members of this one may do that. Nothing changed" in answer.reason
    assert "Aborting a live canary is open to you." in answer.reason
    assert "approve" not in answer.reason
    assert not here.desk.commands
    await ASKS[kind](parts, MEMBER, canary)
    assert [command.kind for _, command in here.desk.commands] == [kind]


async def test_a_guest_may_abort(here: Office) -> None:
    """Safety is nobody's privilege."""
    canary = posted(in_phase("observing"))
    here.desk.having(canary)
    await desk.abort(here.edge._parts, GUEST, canary.id, "")
    assert [command.kind for _, command in here.desk.commands] == ["abort"]
