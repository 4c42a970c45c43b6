"""One service with adapters that do as they are told, and an engine around them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from builders import ADA

from adapters.stores.codec import decode_message, encode_message
from adapters.stores.memory import MemoryStore
from bot.core.canary import Canary, Thread
from bot.core.commands import Start
from bot.core.effects import Note, Topic
from bot.core.events import Observed, Prepared
from bot.core.plan import FULL, ZERO, Escalation, Gate, Plan, Split, Step, Weight
from bot.core.reading import Counters, Reading
from bot.core.slo import Arms, Component, LogCounts, NoData, Objectives, Readiness
from bot.core.tuning import Tuning
from bot.engine.effects import EffectRunner
from bot.engine.loop import Loop
from bot.engine.ownership import Ownership
from bot.engine.service import CanaryService
from bot.engine.ticker import Ticker
from bot.ports import CanaryStore, Pager, PortError, ServicePorts, Subscriber, Turn

TICK = timedelta(milliseconds=50)
QUICK = Tuning(
    promote_extra=1.0,
    promote_slow=100.0,
    log_block=TICK,
    error_clumps=1000.0,
    latency_clumps=1000.0,
)
"""A window of seconds cannot show that a canary is no worse, nor a spell from what lasts."""


class Now:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Outside:
    """The router, the service and Slack, as one thing that can be broken."""

    weights: Split = field(default_factory=lambda: {"blue": FULL, "green": ZERO})
    router_down: bool = False
    router_lies: bool = False
    router_hangs: bool = False
    slack_down: bool = False
    sources_down: bool = False
    error_rate: float = 0.0
    requests: int = 0
    errors: int = 0
    flips: list[Weight] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    shown: list[Canary] = field(default_factory=list)
    retracted: list[Note | None] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)

    smallest = Weight(1)
    durable = True

    async def split(self) -> Split:
        if self.router_down:
            raise PortError("the router does not answer")
        return dict(self.weights)

    async def shift(self, arms: Arms[str], weight: Weight) -> None:
        self.flips.append(weight)
        if self.router_hangs:
            await asyncio.sleep(3600)
        if self.router_down:
            raise PortError("the router does not answer")
        if not self.router_lies:
            self.weights = {arms.canary: weight, arms.stable: Weight(1000 - weight.permille)}

    async def read(self, arms: Arms[str]) -> Reading | NoData:
        if self.sources_down:
            raise PortError("connection refused")
        if self.weights.get(arms.canary, ZERO) > ZERO:
            self.requests += 50
            self.errors += round(50 * self.error_rate)
        mine = Counters(self.requests, self.errors, ((0.1, self.requests),), self.requests)
        theirs = Counters(self.requests * 19 + 1000, 0, ((0.1, self.requests * 19 + 1000),), 10**6)
        return Reading(datetime.now(UTC), {"c": mine}, {"s": theirs})

    async def events(
        self, arms: Arms[str], since: datetime, until: datetime
    ) -> Arms[LogCounts] | NoData:
        if self.sources_down:
            raise RuntimeError("a bug in an adapter")
        return Arms({}, {})

    async def lines(self, *_: Any) -> tuple[str, ...]:
        return ("DataError: no",)

    async def check(self, backend: str) -> Readiness | NoData:
        revision = {"blue": "v1", "green": "v2"}[backend]
        return Readiness((Component("db", True),), revision)

    async def open(self, canary: Canary, turn: Turn) -> Thread:
        if self.slack_down:
            raise PortError("Slack does not answer")
        self.posts.append(canary.id)
        return Thread(canary.channel, "1.1")

    async def tell(self, canary: Canary, note: Note, turn: Turn) -> None:
        if self.slack_down:
            raise PortError("Slack does not answer")
        self.notes.append(note)

    async def retract(self, canary: Canary, note: Note | None) -> None:
        self.retracted.append(note)

    def show(self, canary: Canary) -> None:
        self.shown.append(canary)

    async def settle(self, canary: Canary, turn: Turn) -> None:
        if self.slack_down:
            raise PortError("Slack does not answer")
        self.shown.append(canary)

    async def picture(
        self, canary: Canary, seen: Sequence[Prepared | Observed], turn: Turn
    ) -> None:
        if self.slack_down:
            raise PortError("Slack does not answer")
        self.pictures.append(canary.id)

    @property
    def topics(self) -> list[Topic]:
        return [note.topic for note in self.notes]


class Bot:
    """One replica."""

    def __init__(
        self,
        outside: Outside,
        store: CanaryStore,
        owner: str,
        pager: Pager | None = None,
        subscribers: Mapping[str, Subscriber] | None = None,
    ) -> None:
        clock = Now()
        self.ticker = Ticker(clock)
        ports = ServicePorts(outside, outside, outside, outside)
        self._store = store
        runner = EffectRunner({"shop": ports}, outside, clock, pager, past=self._seen)
        self.loop = Loop(
            store=store,
            runner=runner,
            show=outside.show,
            ticker=self.ticker,
            clock=clock,
            encode=encode_message,
            subscribers=subscribers,
        )
        self.service = CanaryService(store, self.loop, clock, owner)
        self.ownership = Ownership(store, self.service, owner)
        self.ticker.start()

    async def die(self) -> None:
        """As kill -9 does: nothing is finished, nothing is said."""
        self.ticker.stop()
        await self.loop.stop(0)

    async def _seen(self, canary_id: str) -> list[Prepared | Observed]:
        told = [decode_message(each.data) for each in await self._store.happenings(canary_id)]
        return [each for each in told if isinstance(each, Prepared | Observed)]

    async def until(self, canary_id: str, is_so: Callable[[Canary], bool]) -> Canary:
        """Wait until the canary is as wanted, for ten seconds at most."""
        async with asyncio.timeout(10):
            while True:
                canary = await self.service.find(canary_id)
                if canary is not None and is_so(canary):
                    return canary
                await asyncio.sleep(0.01)


def a_start(**changes: Any) -> Start:
    """Start shop v2 with a window of a few quick looks."""
    plan = Plan(
        tier="safe",
        steps=(Step(Weight.percent(5), changes.pop("window", TICK * 6)),),
        tick=TICK,
        objectives=Objectives(min_requests=20, warm_up=timedelta(0), tuning=QUICK),
        decision=Gate(("anyone",), changes.pop("decision", timedelta(minutes=1))),
        start_gate=changes.pop("start_gate", None),
        promote_gate=changes.pop("promote_gate", None),
        extension=timedelta(seconds=1),
        escalation=changes.pop("escalation", Escalation()),
        subscribers=changes.pop("subscribers", ()),
    )
    fields = {
        "canary_id": "shop-abc123",
        "service": "shop",
        "revision": "v2",
        "plan": plan,
        "channel": "C0DEPLOYS",
        "by": ADA,
        "at": datetime.now(UTC),
    }
    return Start(**{**fields, **changes})


def a_store() -> MemoryStore:
    """A store whose replicas fall silent quickly."""
    return MemoryStore(Now(), silence=timedelta(milliseconds=300))
