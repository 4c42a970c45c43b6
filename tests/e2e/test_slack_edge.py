"""The Slack edge on the real engine and a real local workspace: a canary's life as people see it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
from unit.slack.connected import until
from unit.slack.fakes import FakeCatalog, a_launcher
from unit.slack.support import spoken
from unit.workspace.support import People
from world import TICK, Now, Outside, a_start, a_store

from adapters.stores.codec import encode_message
from bot.core.assessment import Assessment
from bot.core.plan import Gate, Plan
from bot.engine.effects import EffectRunner
from bot.engine.loop import Loop
from bot.engine.service import CanaryService
from bot.engine.ticker import Ticker
from bot.ports import ServicePorts
from bot.slack.app import SlackEdge, make_client
from bot.slack.limiter import Limiter
from bot.slack.live_message import SlackBoard
from bot.workspace import RunningWorkspace, Settings, running_workspace
from bot.workspace.store import Message

pytestmark = pytest.mark.e2e
GATE = Gate(("S0APPROVE",), timedelta(minutes=1))


class Catalog(FakeCatalog):
    """Short windows; the risky tier asks the approvers before it promotes."""

    def __init__(self, window: timedelta) -> None:
        self.window = window

    def plan_for(
        self,
        service: str,
        *,
        tier: str | None,
        percent: str | None,
        window: str | None,
        assessment: Assessment | None = None,
    ) -> Plan:
        """The plan of this tier."""
        plan = a_start(window=self.window).plan
        return replace(plan, promote_gate=GATE, tier="risky") if tier == "risky" else plan


@dataclass
class Town:
    """Everything together."""

    outside: Outside
    edge: SlackEdge
    people: People
    workspace: RunningWorkspace

    @property
    def messages(self) -> list[Message]:
        """What everybody sees in #deploys."""
        channel = self.workspace.workspace.store.channels["C0DEPLOYS"]
        return [m for m in channel.messages.values() if m.only_for is None]

    @property
    def root(self) -> Message:
        """The canary's message."""
        return self.messages[0]

    def private(self, user: str) -> str:
        """The last thing only this person was told."""
        channel = self.workspace.workspace.store.channels["C0DEPLOYS"]
        mine = [m for m in channel.messages.values() if m.only_for == user]
        return spoken(mine[-1].blocks) if mine else ""

    async def reads(self, words: str) -> None:
        """Wait until the canary's message says this."""
        await until(lambda: self.messages and words in self.root.text, 15)

    async def thread(self, words: str) -> Message:
        """Wait for a reply that says this."""
        await until(lambda: any(words in m.text for m in self.messages[1:]), 15)
        return next(m for m in self.messages[1:] if words in m.text)


@contextlib.asynccontextmanager
async def town(window: timedelta) -> AsyncIterator[Town]:
    """A workspace, an engine on adapters that can be broken, and the edge between them."""
    outside, clock, limiter = Outside(), Now(), Limiter()
    ticker = Ticker(clock)
    store = a_store()
    async with running_workspace(Settings()) as workspace:
        client = make_client(workspace.bot_token, workspace.api_url, limiter)
        board = SlackBoard(client, limiter, clock)
        ports = ServicePorts(outside, outside, outside, outside)
        loop = Loop(
            store=store,
            runner=EffectRunner({"shop": ports}, board, clock),
            show=board.show,
            ticker=ticker,
            clock=clock,
            encode=encode_message,
        )
        service, catalog = CanaryService(store, loop, clock, "one"), Catalog(window)

        def new_canary_id(service: str) -> str:
            return f"{service}-abc123"

        edge = SlackEdge(
            client=client,
            app_token=workspace.app_token,
            limiter=limiter,
            board=board,
            service=service,
            launcher=a_launcher(service, catalog, clock, new_canary_id),
            catalog=catalog,
            clock=clock,
            new_canary_id=new_canary_id,
        )
        ticker.start()
        await edge.start()
        try:
            await until(lambda: workspace.workspace.links.count == 2)
            async with httpx.AsyncClient(base_url=workspace.base_url, trust_env=False) as http:
                yield Town(outside, edge, People(http), workspace)
        finally:
            ticker.stop()
            await loop.stop(0)
            await edge.stop()
    assert workspace.workspace.counts.unacknowledged == 0
    assert not workspace.workspace.counts.errors


async def test_a_healthy_canary_is_promoted_in_one_message() -> None:
    """From the command to the end: one message, edited in place, and its thread."""
    async with town(TICK * 10) as here:
        assert (await here.people.command("/canary start shop v2"))["ok"]
        await here.reads("✅ shop v2 promoted")
        await here.thread("promoted")
        roots = [m for m in here.messages if m.thread_ts is None]
        assert len(roots) == 1
        assert "[Abort]" not in spoken(here.root.blocks)
        assert here.root.metadata == {
            "event_type": "canary",
            "event_payload": {"canary_id": "shop-abc123"},
        }


async def test_a_breach_is_told_in_the_channel_with_its_evidence() -> None:
    """The alert is broadcast, shows the log, and the message says that users are safe."""
    async with town(timedelta(minutes=5)) as here:
        here.outside.error_rate = 0.5
        await here.people.command("/canary start shop v2")
        alert = await here.thread("breach.")
        assert alert.broadcast
        assert "DataError: no" in spoken(alert.blocks)
        await here.reads("rolled back: errors")
        assert "✅ All traffic is back on stable" in spoken(here.root.blocks)


async def test_only_an_approver_promotes_and_a_second_click_changes_nothing() -> None:
    """A stranger is refused privately, grace's click promotes, the one after it is too late."""
    async with town(TICK * 10) as here:
        await here.people.command("/canary start shop v2 --tier risky")
        await here.reads("✋ Promote shop v2?")
        assert "<!subteam^S0APPROVE>" in spoken((await here.thread("decision is needed")).blocks)
        ts = here.root.ts
        await here.people.click(ts, "canary_approve", user="ada")
        await until(lambda: "Who may: <!subteam^S0APPROVE>" in here.private("U0ADA0001"))
        assert "canary_approve" in str(here.root.blocks)
        grace, again = await asyncio.gather(
            here.people.click(ts, "canary_approve", user="grace"),
            here.people.click(ts, "canary_approve", user="grace"),
        )
        assert grace["ok"]
        assert again["ok"] or "there is no" in str(again)  # the button had gone already
        await here.reads("✅ shop v2 promoted")
        assert "approved by <@U0GRACE01>" in spoken(here.root.blocks)


async def test_an_abort_by_click_brings_the_traffic_back() -> None:
    """Anybody may; the message tells who."""
    async with town(timedelta(minutes=5)) as here:
        await here.people.command("/canary start shop v2")
        await here.reads("👀 shop v2 at 5 %")
        await here.people.click(here.root.ts, "canary_abort", user="linus")
        await here.reads("rolled back: aborted")
        assert "*Aborted* by <@U0LINUS01>" in spoken(here.root.blocks)
        assert here.outside.weights["green"].permille == 0


async def test_slack_being_down_delays_no_rollback() -> None:
    """The traffic goes back while no message can be edited; the message catches up later."""
    async with town(timedelta(minutes=5)) as here:
        await here.people.command("/canary start shop v2")
        await here.reads("👀 shop v2 at 5 %")
        faults = here.workspace.workspace.faults
        await here.people.do("faults", method="*", status=503, times=10_000)
        here.outside.error_rate = 0.5
        await until(lambda: here.outside.weights["green"].permille == 0, 40)
        await until(lambda: 10_000 - faults.pending()[0].times > 2, 40)
        assert "rolled back" not in here.root.text
        faults.clear()
        await until(lambda: "rolled back: errors" in here.root.text, 60)
        here.workspace.workspace.counts.errors.clear()
