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
