"""An edge on a running workspace with a real engine behind it, for forms and the Home tab."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from unit.slack.connected import until
from unit.slack.fakes import FakeAssessor, FakeDesk
from unit.slack.support import Json, spoken
from unit.workspace.support import People
from world import Now, Outside

from adapters.stores.codec import encode_message
from adapters.stores.memory import MemoryStore
from bot.config.models import Settings
from bot.core.canary import Canary
from bot.core.commands import Command, Start
from bot.core.freezes import Freeze
from bot.core.machine import Refused
from bot.core.plan import Actor
from bot.core.undoing import UndoRequest
from bot.engine.effects import EffectRunner
from bot.engine.launching import Launcher
from bot.engine.loop import Loop
from bot.engine.service import CanaryService
from bot.engine.ticker import Ticker
from bot.ports import PortError, ServicePorts
from bot.slack.app import SlackEdge, make_client
from bot.slack.limiter import Limiter
from bot.slack.live_message import SlackBoard
from bot.workspace import RunningWorkspace

IDS = {"ada": "U0ADA0001", "grace": "U0GRACE01", "linus": "U0LINUS01"}
AWAY = PortError("The store cannot be reached: connection refused. Try again.")


def settings(**more: Any) -> Settings:
    """Two services with channels of their own, and three tiers."""
    parts = {"traffic": {"adapter": "x"}, "metrics": {"adapter": "x"}}
    return Settings.model_validate(
        {
            "slack": {"channel": "C0DEPLOYS"},
            "tick": "5s",
            "tiers": {
                "safe": {},
                "risky": {"promote": "approval", "approvers": ["S0APPROVE"], "window": "30m"},
                "grave": {
                    "start": "approval",
                    "promote": "approval",
                    "approvers": ["S0APPROVE"],
                    "steps": [
                        {"percent": 2, "window": "10m"},
                        {"percent": 25, "window": "15m"},
                    ],
                },
            },
            "services": {
                "payments": {"tier": "risky", **parts},
                "shop": {"tier": "safe", "channel": "C0SHOP001", **parts},
                **more,
            },
        }
    )


class Counter(FakeDesk):
    """The real engine at the counter, which can be away, and looks up what it is told to."""

    def __init__(self, service: CanaryService) -> None:
        super().__init__()
        self.service = service
        self.away: Exception | None = None
        self.known: tuple[str, ...] | None = None

    def _there(self) -> None:
        if self.away is not None:
            raise self.away

    async def start(self, start: Start) -> Canary | Refused:
        """Write it down, then begin it."""
        self.started.append(start)
        if self.hang is not None:
            await self.hang.wait()
        self._there()
        return await self.service.start(start)

    async def command(self, canary_id: str, command: Command) -> Canary | Refused:
        """Take a command."""
        self._there()
        self.commands.append((canary_id, command))
        return await self.service.command(canary_id, command)

    async def find(self, canary_id: str) -> Canary | None:
        """By id."""
        self._there()
        return await self.service.find(canary_id)

    async def live(self, service: str) -> Canary | None:
        """By service."""
        self._there()
        return await self.service.live(service)

    async def all_live(self) -> tuple[Canary, ...]:
        """All that have not ended."""
        self._there()
        return await self.service.all_live()

    async def recent(self, service: str | None, limit: int) -> tuple[Canary, ...]:
        """The last ones."""
        self._there()
        return await self.service.recent(service, limit)

    async def undo(self, request: UndoRequest) -> Canary | Refused:
        """Take a promotion back."""
        return await self.service.undo(request)

    async def freeze(self, freeze: Freeze) -> None:
        """Freeze."""
        await self.service.freeze(freeze)

    async def unfreeze(
        self, scope: str, by: Actor, since: datetime | None = None
    ) -> Freeze | None:
        """Lift."""
        self._there()
        return await self.service.unfreeze(scope, by, since)

    async def freezes(self) -> tuple[Freeze, ...]:
        """Those in force."""
        self._there()
        return await self.service.freezes()

    async def revisions(self, service: str) -> tuple[str, ...]:
        """What the idle backends run."""
        if self.known is not None:
            return self.known
        return await self.service.revisions(service)


@dataclass
class Lobby:
    """The edge, and the people in front of it."""

    edge: SlackEdge
    desk: Counter
    people: People
    workspace: RunningWorkspace
    outside: Outside
    assessor: FakeAssessor

    @contextmanager
    def store_away(self) -> Iterator[None]:
        """Let the store not answer for a while."""
        self.desk.away = AWAY
        yield
        self.desk.away = None

    async def freeze(self, scope: str = "all", reason: str = "sale on") -> Freeze:
        """Freeze for an hour, by grace."""
        now = Now().now()
        by = Actor(IDS["grace"], "grace")
        freeze = Freeze(scope, by, reason, now, now + timedelta(hours=1))
        await self.desk.freeze(freeze)
        return freeze

    def home(self, user: str = "ada") -> str:
        """A person's Home tab as text; empty while there is none."""
        found = self.workspace.workspace.store.homes.get(IDS[user])
        return shown(found.body) if found else ""

    async def open_home(self, user: str = "ada") -> str:
        """Open the Home tab and read it once it is there."""
        await self.people.do("home", user=user)
        await until(lambda: self.home(user))
        return self.home(user)

    async def press_home(self, action_id: str, user: str = "ada", **more: Any) -> Json:
        """Press a button of the Home tab."""
        view = self.workspace.workspace.store.homes[IDS[user]]
        return await self.people.do(
            "click", user=user, view_id=view.id, action_id=action_id, **more
        )

    def modal(self, user: str = "ada") -> Json | None:
        """The modal a person has open, on top."""
        stack = self.workspace.workspace.store.stacks[IDS[user]]
        return (
            {**stack[-1].body, "id": stack[-1].id, "values": stack[-1].values} if stack else None
        )

    def form(self, user: str = "ada") -> str:
        """That modal as text; empty where there is none."""
        return shown(self.modal(user) or {"blocks": []})

    async def open_form(self, user: str = "ada", channel: str = "deploys") -> str:
        """Open the form from the Home tab, and read it once it is informed."""
        await self.open_home(user)
        assert (await self.press_home("canary_home_start", user))["ok"]
        await until(lambda: "What will happen" in self.form(user))
        return self.form(user)

    def typed(self, user: str = "ada") -> dict[str, str]:
        """What stands in the form, by field."""
        modal = self.modal(user)
        assert modal is not None
        found = {}
        for block, elements in modal["values"].items():
            ((_, state),) = elements.items()
            value = state.get("value", (state.get("selected_option") or {}).get("value"))
            found[block.partition(".")[0]] = value or ""
        return found

    async def change(self, field: str, value: Any, user: str = "ada", **more: Any) -> Json:
        """Choose or type into a field that tells the app."""
        modal = self.modal(user)
        assert modal is not None
        return await self.people.do(
            "click",
            user=user,
            view_id=modal["id"],
            action_id=f"canary_start_{field}",
            value=value,
            values={f"canary_start_{key}": each for key, each in more.items()},
        )

    async def submit(self, user: str = "ada", **fields: str) -> Json:
        """Fill in and submit."""
        modal = self.modal(user)
        assert modal is not None
        values = {f"canary_start_{field}": value for field, value in fields.items()}
        return await self.people.do("submit", user=user, view_id=modal["id"], values=values)

    def private(self, user: str = "ada", channel: str = "") -> list[str]:
        """What only this person was told in a channel or in direct messages."""
        store = self.workspace.workspace.store
        found = [
            message
            for one in store.channels.values()
            for message in one.messages.values()
            if message.only_for == IDS[user] or one.im_with == IDS[user]
        ]
        return [spoken(message.blocks) for message in found]


def shown(view: Json) -> str:
    """A view as text: what a person reads on a phone, without what stands in the fields."""
    return "\n".join(_block(block) for block in view["blocks"])


def _block(block: Json) -> str:
    if block["type"] == "divider":
        return "---"
    if block["type"] != "input":
        return spoken(block)
    hint = f" ({block['hint']['text']})" if "hint" in block else ""
    return f"{block['label']['text']}{hint}"


@asynccontextmanager
async def lobby(
    workspace: RunningWorkspace,
    people: People,
    config: Settings | None = None,
    every: float = 30.0,
) -> AsyncIterator[Lobby]:
    """Connect an edge to a fresh engine, and stop both at the end."""
    config = config or settings()
    limiter, clock, outside = Limiter(), Now(), Outside()
    client = make_client(workspace.bot_token, workspace.api_url, limiter)
    board = SlackBoard(client, limiter, clock)
    ticker, store = Ticker(clock), MemoryStore(clock)
    ports = {
        name: ServicePorts(outside, outside, outside, outside) for name in config.service_names()
    }
    loop = Loop(
        store=store,
        runner=EffectRunner(ports, board, clock, None),
        show=board.show,
        ticker=ticker,
        clock=clock,
        encode=encode_message,
    )
    desk = Counter(CanaryService(store, loop, clock, "here"))
    numbers = iter(range(1000))

    def new_canary_id(service: str) -> str:
        return f"{service}-new{next(numbers)}"

    assessor = FakeAssessor()
    edge = SlackEdge(
        client=client,
        app_token=workspace.app_token,
        limiter=limiter,
        board=board,
        service=desk,
        launcher=Launcher(
            starter=desk,
            planner=config,
            assessor=assessor,
            clock=clock,
            new_canary_id=new_canary_id,
        ),
        catalog=config,
        clock=clock,
        new_canary_id=new_canary_id,
    )
    edge._tab._every, edge._tab._look = every, min(every / 10, 1.0)
    ticker.start()
    await edge.start()
    try:
        await until(lambda: workspace.workspace.links.count == 2)
        yield Lobby(edge, desk, people, workspace, outside, assessor)
    finally:
        await edge.stop()
        ticker.stop()
        await loop.stop(0)
