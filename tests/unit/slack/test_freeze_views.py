"""What holds a start is told apart wherever it is shown: a freeze, a lock, the calendar."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import GRACE
from unit.slack.support import NOW, spoken

from bot.core.freezes import ALL, Freeze, lock_of
from bot.core.plan import Actor
from bot.slack.views import kit
from bot.slack.views.freezes import in_the_way
from bot.slack.views.home import UNFREEZE, Lift, Scene, home_page
from bot.slack.views.listing import list_message
from bot.workspace.blocks import check_message, check_view

FREEZE = Freeze("shop", GRACE, "audit", NOW, NOW + timedelta(hours=1))
LOCK = replace(FREEZE, reason="my release", until=None, kind="lock")
STOPPED = replace(FREEZE, scope=ALL, reason="fire", until=None)
WINDOW = Freeze(
    ALL,
    Actor("calendar:weekend", "the calendar (weekend)"),
    "nobody is here",
    NOW,
    NOW + timedelta(days=2),
    "calendar",
)
LEAVE = "or an approver starts it with `--override REASON`."


@pytest.mark.parametrize(
    ("freeze", "said"),
    [
        (
            FREEZE,
            (
                "*❄️ Frozen: shop* by <@U0GRACE01> until 2026-03-02 13:05 UTC: audit. Nothing can be "
                f"started until then, unless it is lifted: `/canary unfreeze shop`, {LEAVE}"
            ),
        ),
        (
            STOPPED,
            (
                "*❄️ Frozen: everything* by <@U0GRACE01> until somebody lifts it: fire. Nothing can be "
                f"started, unless it is lifted: `/canary resume-the-line`, {LEAVE}"
            ),
        ),
        (
            LOCK,
            (
                "*🔒 Locked: shop* by <@U0GRACE01> until somebody unlocks it: my release. Nobody else "
                f"can start it, unless it is unlocked: `/canary unlock shop`, {LEAVE}"
            ),
        ),
        (
            WINDOW,
            (
                "*📅 Frozen: everything* by *the calendar (weekend)* until 2026-03-04 12:05 UTC: "
                f"nobody is here. Nothing can be started until then: no command lifts it, {LEAVE}"
            ),
        ),
    ],
)
def test_the_form_says_what_is_in_the_way_and_what_can_be_done(freeze: Freeze, said: str) -> None:
    """Who, until when and why, in one sentence each."""
    assert spoken([kit.rich(in_the_way(freeze))]) == said


def test_home_offers_to_lift_what_can_be_lifted() -> None:
    """A freeze and a lock have their own button; the calendar has none and says so."""
    view = home_page(Scene(freezes=[FREEZE, LOCK, WINDOW]), NOW).view
    check_view(view, "home")
    said = spoken(view["blocks"])
    assert "*shop* until 2026-03-02 13:05 UTC, by *grace*: audit. Nothing new is started" in said
    assert "*🔒 shop* until somebody unlocks it, by *grace*: my release. Nobody else" in said
    assert "*📅 everything* until 2026-03-04 12:05 UTC, by *the calendar (weekend)*" in said
    assert "Nothing new is started, and no command lifts it; what is live goes on." in said
    rows = [block["elements"] for block in view["blocks"] if block["type"] == "actions"]
    lifts = [Lift.read(b["value"]) for row in rows for b in row if b["action_id"] == UNFREEZE]
    assert [lift.key for lift in lifts] == ["shop", lock_of("shop")]
    assert "[Unfreeze]" in said
    assert "[Unlock]" in said


def test_the_list_names_each_by_its_kind() -> None:
    """With its end, or who ends it."""
    message = list_message([], [], [], [STOPPED, WINDOW, FREEZE, LOCK])
    check_message(message.blocks)
    said = spoken(message.blocks)
    assert "*❄️ everything* is frozen by *grace* until somebody lifts it: fire" in said
    assert "*📅 everything* is frozen by *the calendar" in said
    assert "*🔒 shop* is locked by *grace* until somebody unlocks it: my release" in said
