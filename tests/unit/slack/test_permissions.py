import asyncio
from datetime import timedelta

import aiohttp
import pytest
from builders import a_plan
from unit.slack.fakes import FakeSlack, VirtualTime, slack_error
from unit.slack.support import risky_plan

from bot.core.canary import Thread
from bot.core.plan import ANYONE, Gate
from bot.slack.limiter import Limiter
from bot.slack.permissions import Groups, Home, Membership, Visit, groups_to_ask


class Stage:
    """Groups read from a fake Slack, in time that is owned."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.slack = FakeSlack(now=self.time.now, members={"S0APPROVE": ["U0GRACE01"]})
        limiter = Limiter(now=self.time.now, sleep=self.time.sleep)
        self.groups = Groups(self.slack, limiter, now=self.time.now)

    @property
    def reads(self) -> int:
        """How often Slack was asked."""
        return len(self.slack.made("usergroups.users.list"))


async def test_members_are_in_and_others_are_not() -> None:
    """The answer is Slack's, by id."""
    stage = Stage()
    assert await stage.groups.of("U0GRACE01", ["S0APPROVE"]) == Membership(("S0APPROVE",))
    assert await stage.groups.of("U0ADA0001", ["S0APPROVE"]) == Membership()


async def test_a_group_is_read_once_a_minute() -> None:
    """However many click, and again after a minute."""
    stage = Stage()
    for _ in range(20):
        await stage.groups.of("U0GRACE01", ["S0APPROVE"])
    assert stage.reads == 1
    stage.slack.members["S0APPROVE"] = []
    await stage.time.run_for(61)
    assert await stage.groups.of("U0GRACE01", ["S0APPROVE"]) == Membership()
    assert stage.reads == 2


async def test_many_clicks_share_one_reading() -> None:
    """One is in flight; the others wait for it."""
    stage = Stage()
    stage.slack.hold = asyncio.Event()
    asked = [asyncio.create_task(stage.groups.of("U0GRACE01", ["S0APPROVE"])) for _ in range(10)]
    await stage.time.settle()
    stage.slack.hold.set()
    assert await asyncio.gather(*asked) == [Membership(("S0APPROVE",))] * 10
    assert stage.reads == 1


@pytest.mark.parametrize(
    "error", [aiohttp.ClientConnectionError("refused"), slack_error("no_such_subteam")]
)
async def test_nobody_is_a_member_of_what_cannot_be_read(error: Exception) -> None:
    """Closed, and the reason is there to be told."""
    stage = Stage()
    stage.slack.fail = lambda _method, _arguments: error
    member = await stage.groups.of("U0GRACE01", ["S0APPROVE"])
    assert member.groups == ()
    assert "S0APPROVE could not be read" in member.unknown


async def test_an_old_list_is_believed_for_ten_minutes_only() -> None:
    """Slack may be away for a while, but not for ever."""
    stage = Stage()
    await stage.groups.of("U0GRACE01", ["S0APPROVE"])
    stage.slack.fail = lambda _method, _arguments: aiohttp.ClientConnectionError("refused")
    await stage.time.run_for(599)
    assert (await stage.groups.of("U0GRACE01", ["S0APPROVE"])).groups == ("S0APPROVE",)
    await stage.time.run_for(2)
    assert (await stage.groups.of("U0GRACE01", ["S0APPROVE"])).groups == ()


def test_groups_are_asked_only_where_they_decide() -> None:
    """Not for who is named by id in every gate, nor where anyone may."""
    plan = risky_plan()
    assert groups_to_ask(plan, "U0ADA0001") == ("S0APPROVE",)
    assert groups_to_ask(plan, "U0GRACE01") == ()
    anyone = a_plan(decision=Gate((ANYONE, "S0APPROVE"), timedelta(minutes=1)))
    assert groups_to_ask(anyone, "U0ADA0001") == ()


async def test_a_guest_may_not_approve() -> None:
    """Somebody of another workspace is refused with the reason, a member is not."""
    home = Home(FakeSlack())
    assert await home.refuse(Visit("U0GRACE01", team_id="T0CANARY1")) == ""
    assert "another workspace" in await home.refuse(Visit("U0EVE0001", team_id="T0OTHER01"))
    assert "another workspace" in await home.refuse(Visit("U0EVE0001"))


async def test_an_unknown_home_approves_nobody() -> None:
    """While the own workspace cannot be read, an approval is closed and says why."""
    slack = FakeSlack(fail=lambda _method, _arguments: slack_error("service_unavailable"))
    refused = await Home(slack).refuse(Visit("U0GRACE01", team_id="T0CANARY1"))
    assert "could not be read" in refused
    assert "Nothing changed" in refused


async def test_links_lead_to_the_message() -> None:
    """In the form Slack's own links have."""
    home = Home(FakeSlack())
    assert home.link(Thread("C1", "17.5")) == ""
    await home.learn()
    assert home.link(Thread("C1", "17.5")) == "https://works.slack.com/archives/C1/p175"


def test_the_persons_own_team_counts() -> None:
    """A guest of Slack Connect clicks in our channel with a team of their own."""
    body = {
        "user": {"id": "U0EVE0001", "name": "eve", "team_id": "T0OTHER01"},
        "team": {"id": "T0CANARY1"},
        "container": {"channel_id": "C0DEPLOYS"},
    }
    visit = Visit.of(body)
    assert (visit.team_id, visit.channel, visit.user_name) == ("T0OTHER01", "C0DEPLOYS", "eve")
    assert Visit.of({"type": "event_callback", "event": {}}) == Visit("")


async def test_whoever_is_in_the_channel_is_in() -> None:
    """All pages of it are read, once a minute."""
    stage = Stage()
    stage.slack.members["C0APPROVE"] = ["U0AAA0001", "U0BBB0001", "U0CCC0001", "U0GRACE01"]
    for _ in range(3):
        member = await stage.groups.of("U0GRACE01", ["C0APPROVE"])
        assert member == Membership(("C0APPROVE",))
    assert await stage.groups.of("U0ADA0001", ["C0APPROVE"]) == Membership()
    read = stage.slack.made("conversations.members")
    assert [page.get("cursor") for page in read] == [None, "2"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("not_in_channel", "/invite @canary"),
        ("channel_not_found", "Check the channel id"),
        ("missing_scope", "lacks a scope"),
    ],
)
async def test_a_channel_that_cannot_be_read_admits_nobody(code: str, said: str) -> None:
    """Closed, with the reason and what to do about it."""
    stage = Stage()
    stage.slack.fail = lambda _method, _arguments: slack_error(code)
    member = await stage.groups.of("U0GRACE01", ["C0APPROVE"])
    assert member.groups == ()
    assert "The members of the channel C0APPROVE could not be read" in member.unknown
    assert said in member.unknown


async def test_half_a_channel_is_never_taken_for_all_of_it() -> None:
    """A page that fails leaves everybody out, those of the first page too."""
    stage = Stage()
    stage.slack.members["C0APPROVE"] = ["U0GRACE01", "U0BBB0001", "U0CCC0001"]
    stage.slack.fail = lambda _, asked: (
        slack_error("internal_error") if "cursor" in asked else None
    )
    assert (await stage.groups.of("U0GRACE01", ["C0APPROVE"])).groups == ()


async def test_a_channel_of_thousands_is_not_meant() -> None:
    """Nobody wants so many people to approve, and reading them would take too long."""
    stage = Stage()
    stage.slack.members["C0EVERYON"] = [f"U{number:08}" for number in range(100)]
    found: list[Membership] = []

    async def ask() -> None:
        found.append(await stage.groups.of("U00000001", ["C0EVERYON"]))

    stage.time.start(ask())
    await stage.time.run_for(60)
    (member,) = found
    assert member.groups == ()
    assert "Name a smaller one." in member.unknown


async def test_many_clicks_share_one_reading_of_a_channel() -> None:
    """One is in flight; the others wait for it."""
    stage = Stage()
    stage.slack.members["C0APPROVE"] = ["U0GRACE01"]
    stage.slack.hold = asyncio.Event()
    asked = [asyncio.create_task(stage.groups.of("U0GRACE01", ["C0APPROVE"])) for _ in range(10)]
    await stage.time.settle()
    stage.slack.hold.set()
    assert await asyncio.gather(*asked) == [Membership(("C0APPROVE",))] * 10
    assert len(stage.slack.made("conversations.members")) == 1


def test_channels_are_asked_beside_groups() -> None:
    """In the order of the gates, each once; people and other names are not asked for."""
    gate = Gate(("C0APPROVE", "S0APPROVE", "U0GRACE01", "G0PRIVATE", "ci"), timedelta(minutes=1))
    plan = a_plan(decision=gate, start_gate=gate)
    assert groups_to_ask(plan, "U0ADA0001") == ("C0APPROVE", "S0APPROVE", "G0PRIVATE")


def test_the_core_admits_whoever_is_in_a_channel() -> None:
    """A channel counts as a group does."""
    gate = Gate(("C0APPROVE",), timedelta(minutes=1))
    assert gate.admits(Visit("U0ADA0001").actor(("C0APPROVE",)))
    assert not gate.admits(Visit("U0ADA0001").actor())
