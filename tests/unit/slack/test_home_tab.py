"""The Home tab, looked at by people in a running workspace."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import a_canary
from unit.slack.connected import until
from unit.slack.lobby import AWAY, IDS, Lobby, lobby
from unit.slack.support import NOW, PHASES, in_phase, posted, risky_plan, spoken
from unit.workspace.support import People

from bot.core.canary import AwaitingDecision, Canary
from bot.core.commands import Start
from bot.core.freezes import Freeze
from bot.core.plan import Actor, Approval, Gate
from bot.slack.home import look_up, waits_for
from bot.slack.permissions import Visit
from bot.slack.views.home import Lift, Scene, home_page
from bot.workspace import RunningWorkspace
from bot.workspace.blocks import check_view

LINK = "https://works.slack.com/archives/C0DEPLOYS/p1"


@pytest.fixture
async def here(workspace: RunningWorkspace, people: People) -> AsyncIterator[Lobby]:
    async with lobby(workspace, people) as opened:
        yield opened


async def started(here: Lobby, service: str = "shop", tier: str | None = None) -> Canary:
    """Start v2 of a service as ada, and wait until its message is posted."""
    plan = here.edge._parts.catalog.plan_for(service, tier=tier, percent=None, window=None)
    channel, at = "C0DEPLOYS", here.edge._parts.clock.now()
    by = Actor(IDS["ada"], "ada")
    start = Start(f"{service}-1", service, "v2", plan, channel, by, at)
    assert isinstance(await here.desk.service.start(start), Canary)
    while True:
        found = await here.desk.service.find(start.canary_id)
        if found is not None and found.thread is not None:
            return found
        await asyncio.sleep(0.01)


async def test_a_quiet_home_says_so_and_starts_canaries(here: Lobby) -> None:
    said = await here.open_home()
    assert "No canary is live." in said
    assert "Nothing has been started yet." in said
    assert "Waiting for you" not in said
    assert "Frozen" not in said
    assert (await here.press_home("canary_home_start"))["ok"]
    await until(here.form)


async def test_a_live_canary_is_shown_with_the_buttons_of_its_message(here: Lobby) -> None:
    """State, how far it is, who started it, and a link."""
    await started(here)
    said = await here.open_home("grace")
    assert "shop v2" in said
    assert "Started by *ada*" in said
    assert "open (http" in said
    assert "[Abort]" in said


async def test_what_waits_for_me_is_first_and_only_for_me(here: Lobby) -> None:
    """The approver sees the question at the top; the author sees it among the live ones."""
    await started(here, tier="grave")
    grace, ada = await here.open_home("grace"), await here.open_home("ada")
    assert grace.index("Waiting for you") < grace.index("May shop v2 start?") < grace.index("Live")
    assert "[Approve start] [Abort]" in grace
    assert "Waiting for you" not in ada
    assert ada.index("# Live") < ada.index("May shop v2 start?")


async def test_approving_from_home_shows_what_came_of_it(here: Lobby) -> None:
    """At once, and again when the traffic has moved."""
    await started(here, tier="grave")
    await here.open_home("grace")
    assert (await here.press_home("canary_approve", "grace"))["ok"]
    await until(lambda: "Waiting for you" not in here.home("grace"))
    await until(lambda: "shop v2 at 2 %" in here.home("grace"))


async def test_a_refusal_is_shown_where_it_was_pressed(here: Lobby) -> None:
    """The author may not approve; the tab says who may, and nobody gets a message."""
    await started(here, tier="grave")
    await here.open_home("ada")
    await here.press_home("canary_approve", "ada")
    await until(lambda: "wants somebody else to approve it" in here.home())
    assert "<!subteam^S0APPROVE>" in here.home()
    assert not here.private()


async def test_aborting_from_home_ends_it_there_too(here: Lobby) -> None:
    """The last results hold it as soon as the traffic is back."""
    await started(here)
    await here.open_home()
    await here.press_home("canary_abort")
    await until(lambda: "No canary is live." in here.home())
    results = here.home().partition("Last results")[2]
    assert "shop v2 rolled back: aborted" in results or "shop v2 did not start" in results


async def test_a_freeze_is_shown_and_lifted(here: Lobby) -> None:
    """Who, until when and why."""
    await here.freeze(reason="sale on")
    said = await here.open_home()
    assert "*everything* until" in said
    assert "by *grace*: sale on. Nothing new is started" in said
    await here.press_home("canary_home_unfreeze")
    await until(lambda: "Every service can be started again" in here.home())
    assert "❄️ Frozen" not in here.home()
    assert not await here.desk.freezes()


async def test_a_click_on_an_old_freeze_lifts_no_later_one(here: Lobby) -> None:
    """The button carries what was seen."""
    await here.freeze(reason="sale on")
    await here.open_home()
    await here.freeze(reason="incident")
    await here.press_home("canary_home_unfreeze")
    await until(lambda: "was lifted or changed meanwhile" in here.home())
    assert "incident" in here.home()
    assert [freeze.reason for freeze in await here.desk.freezes()] == ["incident"]


async def test_a_store_that_is_away_is_said(here: Lobby) -> None:
    """On opening and on a click; the tab comes back with the store."""
    await started(here)
    with here.store_away():
        said = await here.open_home()
        assert "How things stand cannot be read now. The store cannot be reached" in said
        assert "[Start a canary]" in said
    await here.people.do("home", user="ada")
    await until(lambda: "[Abort]" in here.home())
    here.desk.away = AWAY
    await here.press_home("canary_abort")
    await until(lambda: "That could not be done now. The store cannot be reached" in here.home())


async def test_home_follows_while_somebody_looks(
    workspace: RunningWorkspace, people: People
) -> None:
    """It is published again when something has changed, and only then."""
    async with lobby(workspace, people, every=0.2) as here:
        await here.open_home()
        calls = workspace.workspace.counts.calls
        before = calls["views.publish"]
        await here.freeze("shop", "sale on")
        await until(lambda: "sale on" in here.home())
        assert calls["views.publish"] == before + 1
        await asyncio.sleep(0.5)
        assert calls["views.publish"] == before + 1


async def test_home_is_not_published_more_often_than_it_may(
    workspace: RunningWorkspace, people: People
) -> None:
    """Whatever changes meanwhile is shown together."""
    async with lobby(workspace, people, every=2.0) as here:
        await here.open_home()
        calls = workspace.workspace.counts.calls
        before = calls["views.publish"]
        for number in range(8):
            await here.freeze("shop", f"sale {number}")
            await asyncio.sleep(0.1)
        assert calls["views.publish"] == before
        await until(lambda: "sale 7" in here.home())
        assert calls["views.publish"] == before + 1


async def test_only_the_home_tab_is_published(here: Lobby) -> None:
    """Whoever reads the messages has not asked for it."""
    event = {"type": "app_home_opened", "user": IDS["ada"], "tab": "messages"}
    await here.edge._tab.opened(here.edge._parts, {"event": event, "team_id": "T0CANARY1"})
    assert not here.home()


@pytest.mark.parametrize(
    ("user", "gate", "approved", "waits"),
    [
        ("grace", Gate(("S0APPROVE",), timedelta(hours=1)), "", True),
        ("linus", Gate(("S0APPROVE",), timedelta(hours=1)), "", False),
        ("linus", Gate(("U0LINUS01",), timedelta(hours=1)), "", True),
        ("ada", Gate(("anyone",), timedelta(hours=1)), "", True),
        ("ada", Gate(("anyone",), timedelta(hours=1), author=False), "", False),
        ("grace", Gate(("anyone",), timedelta(hours=1), needed=2), "grace", False),
        ("linus", Gate(("anyone",), timedelta(hours=1), needed=2), "grace", True),
    ],
)
async def test_what_waits_for_whom(
    here: Lobby, user: str, gate: Gate, approved: str, waits: bool
) -> None:
    """Who may answer now: not the author where that is so, and nobody twice."""
    plan = risky_plan()
    plan = replace(plan, decision=gate, promote_gate=gate)
    given = (Approval(Actor(IDS[approved]), NOW),) if approved else ()
    phase = AwaitingDecision(0, "promote", NOW, NOW + timedelta(hours=1), given)
    canary = a_canary(plan=plan, phase=phase)
    visit = Visit(IDS[user], user, "T0CANARY1")
    assert await waits_for(here.edge._parts, visit, canary) is waits


@pytest.mark.parametrize("name", PHASES)
def test_slack_takes_home_in_every_phase(name: str) -> None:
    canary = in_phase(name)
    scene = Scene(waiting=[canary], live=[canary], ended=[canary], links={canary.id: LINK})
    check_view(home_page(scene, NOW).view, "home")


def test_many_canaries_fit_and_the_rest_is_counted() -> None:
    """Slack takes a hundred blocks; what waits for the reader goes first."""
    many = [posted(in_phase("awaiting_promote"), number) for number in range(22)]
    more = [posted(in_phase("observing"), number) for number in range(20)]
    freezes = [
        Freeze(f"s{n}", Actor("U0GRACE01", "grace"), "", NOW, NOW + timedelta(hours=1))
        for n in range(15)
    ]
    ended = [posted(in_phase("promoted"), number) for number in range(30)]
    view = home_page(Scene(many, more, freezes, ended), NOW).view
    check_view(view, "home")
    said = spoken(view["blocks"])
    assert said.count("[Promote]") == 22
    assert "and 12 more" in said
    assert "and 5 more" in said
    assert said.count("promoted · ") == 10


def test_the_time_of_rendering_alone_changes_nothing() -> None:
    """Or everybody's tab would be published all the time."""
    scene = Scene(ended=[in_phase("promoted")])
    first, second = home_page(scene, NOW), home_page(scene, NOW + timedelta(hours=1))
    assert first.same == second.same
    assert first.view != second.view


def test_a_freezes_button_carries_what_was_seen() -> None:
    freeze = Freeze("shop", Actor("U1"), "", NOW, NOW + timedelta(hours=1))
    assert Lift.read(Lift.of(freeze).dump()) == Lift.of(freeze)
    with pytest.raises(ValueError, match="does not carry a freeze"):
        Lift.read('{"scope": "shop"}')


async def test_a_guest_lifts_no_freeze_from_home(here: Lobby) -> None:
    """As by command: only members of the workspace, and nobody while it cannot be read."""
    freeze = await here.freeze(reason="sale on")
    parts = here.edge._parts
    body = {
        "user": {"id": IDS["ada"], "name": "ada", "team_id": "T0OTHER01"},
        "actions": [{"value": Lift.of(freeze).dump()}],
    }
    await here.edge._tab.unfreeze(parts, body)
    assert "You belong to another workspace" in here.home()
    assert await here.desk.freezes() == (freeze,)

    parts.home.teams = frozenset()
    await here.people.do("faults", method="auth.test", error="service_unavailable", times=5)
    await here.edge._tab.unfreeze(parts, body)
    assert "Lifting a freeze needs your workspace to be checked." in here.home()
    assert await here.desk.freezes() == (freeze,)


async def test_what_was_read_before_never_covers_what_is_shown(here: Lobby) -> None:
    """An older look for everybody comes late: the answer to a click stays."""
    await here.open_home()
    tab, parts = here.edge._tab, here.edge._parts
    looker = tab._lookers[IDS["ada"]]
    before = tab._now(), await look_up(parts)
    await here.freeze(reason="sale on")
    await tab._answer(parts, looker.visit, None)
    assert "sale on" in here.home()
    await tab._publish(parts, looker, before)
    assert "sale on" in here.home()


async def test_a_tab_is_read_within_its_turn(here: Lobby) -> None:
    """Whoever waits for the turn shows how things stand once it has it."""
    await here.open_home()
    tab, parts = here.edge._tab, here.edge._parts
    looker = tab._lookers[IDS["ada"]]
    async with looker.turn:
        answering = asyncio.create_task(tab._answer(parts, looker.visit, None))
        await asyncio.sleep(0.05)
        await here.freeze(reason="sale on")
    await answering
    assert "sale on" in here.home()
