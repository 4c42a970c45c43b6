"""A whole edge on a running workspace."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from builders import FIRST
from unit.slack.fakes import FakeAssessor, FakeCatalog, FakeDesk, Wall, a_launcher
from unit.slack.support import Json, spoken
from unit.workspace.support import People

from bot.core.canary import Canary
from bot.slack.app import SlackEdge, make_client
from bot.slack.http import HttpMode
from bot.slack.limiter import Limiter
from bot.slack.live_message import SlackBoard
from bot.workspace import RunningWorkspace


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something has become true."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@dataclass
class Office:
    """The edge, the workspace around it and the people in it."""

    edge: SlackEdge
    desk: FakeDesk
    people: People
    workspace: RunningWorkspace
    assessor: FakeAssessor

    async def posted(self, canary: Canary) -> Canary:
        """Post the canary's message and hand the canary to the desk."""
        canary = replace(canary, thread=await self.edge.board.open(canary, FIRST))
        self.desk.having(canary)
        return canary

    async def click(self, canary: Canary, action_id: str, user: str = "ada") -> Json:
        """Press a button of the canary's message."""
        assert canary.thread is not None
        return await self.people.click(canary.thread.ts, action_id, user=user)

    def private(self, user: str = "U0ADA0001") -> list[str]:
        """What only this person was told in #deploys, as text."""
        channel = self.workspace.workspace.store.channels["C0DEPLOYS"]
        found = [m for m in channel.messages.values() if m.only_for == user]
        return [spoken(message.blocks) for message in found]

    async def told(self, user: str = "U0ADA0001") -> str:
        """The next thing this person is told privately."""
        before = len(self.private(user))
        await until(lambda: len(self.private(user)) > before)
        return self.private(user)[-1]

    async def command(self, text: str, user: str = "ada") -> str:
        """Send a command and give the private answer to it."""
        ids = {"ada": "U0ADA0001", "grace": "U0GRACE01"}
        before = len(self.private(ids[user]))
        answer = await self.people.command(text, user)
        assert answer["ok"], answer
        await until(lambda: len(self.private(ids[user])) > before)
        return self.private(ids[user])[-1]


@asynccontextmanager
async def office(
    workspace: RunningWorkspace, people: People, desk: FakeDesk, http: HttpMode | None = None
) -> AsyncIterator[Office]:
    """Connect an edge, by Socket Mode unless told otherwise, and stop it at the end."""
    limiter, clock = Limiter(), Wall()
    client = make_client(workspace.bot_token, workspace.api_url, limiter)
    numbers = iter(range(1000))
    catalog, assessor = FakeCatalog(), FakeAssessor()

    def new_canary_id(service: str) -> str:
        return f"{service}-new{next(numbers)}"

    edge = SlackEdge(
        client=client,
        app_token=workspace.app_token,
        limiter=limiter,
        board=SlackBoard(client, limiter, clock),
        service=desk,
        launcher=a_launcher(desk, catalog, clock, new_canary_id, assessor),
        catalog=catalog,
        clock=clock,
        new_canary_id=new_canary_id,
        http=http,
    )
    await edge.start()
    try:
        await until(lambda: workspace.workspace.links.count == 2 or (http and edge.connected))
        yield Office(edge, desk, people, workspace, assessor)
    finally:
        await edge.stop()
