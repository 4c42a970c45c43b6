"""What stands between a replica and the outside: where calls are late, lost, or the last ones."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from simulation.scenario import Trouble
from simulation.virtual import Process

from bot.core.canary import Canary, Thread
from bot.core.effects import Note
from bot.core.plan import Split, Weight
from bot.core.reading import Reading
from bot.core.slo import Arms, LogCounts, NoData, Readiness
from bot.ports import Alarm, PortError, Turn

if TYPE_CHECKING:
    from simulation.rollout import Rollout

T = TypeVar("T")


ROUTINE = frozenset({"store.beat", "store.orphans"})
"""What every replica does every second; it takes time only while something is wrong."""


class Wire:
    """All calls of one replica."""

    def __init__(self, rollout: "Rollout", process: Process, index: int) -> None:
        self.rollout = rollout
        self.process = process
        self.index = index
        self.rng: random.Random = rollout.rng

    async def call(
        self, port: str, do: Callable[[], T], about: object = None, *, swift: bool = False
    ) -> T:
        """Carry out one call: asked, on its way, done, and its answer on its way back.

        A swift one is done at once when it is asked: what is in the network cannot be stopped.
        """
        rollout = self.rollout
        if port in ROUTINE and not (rollout.active or rollout.traps):
            return do()
        rollout.say(self.process.name, port, about)
        lost, slow = False, 0.0
        if rollout.traps and not swift:
            await self._trapped(port, after=False)
        if rollout.active:
            lost, slow = await self._troubled(port)
        if not swift:
            await asyncio.sleep(slow + self.rng.random() * 0.02)
            slow = 0.0
        rollout.outside.advance(rollout.loop.time())
        answer = do()
        if rollout.traps:
            await self._trapped(port, after=True)
        if slow:
            await asyncio.sleep(slow)
        if lost:
            await asyncio.sleep(self.rng.random() * 2)
            rollout.say(self.process.name, port, "answer lost")
            raise PortError("the answer was lost")
        if self.rng.random() < 0.2:
            await asyncio.sleep(self.rng.random() * 0.1)
        return answer

    async def _troubled(self, port: str) -> tuple[bool, float]:
        """Suffer what is wrong now; whether the answer will be lost, and how long it takes."""
        lost, slow = False, 0.0
        family = port.partition(".")[0].replace("board", "slack")
        for trouble in self.rollout.active:
            if trouble.replica not in {None, self.index}:
                continue
            hit, _, how = trouble.kind.partition("_")
            if hit != family or self.rng.random() >= trouble.rate:
                continue
            if how in {"error", "away", "down"}:
                self.rollout.count(trouble.kind)
                await asyncio.sleep(self.rng.random() * 0.05)
                raise PortError(f"the {family} does not answer")
            if how == "slow":
                self.rollout.count(trouble.kind)
                slow += self.rng.random() * trouble.size
            elif how == "lost":
                self.rollout.count(trouble.kind)
                lost = True
        return lost, slow

    async def _trapped(self, port: str, *, after: bool) -> None:
        """Stop or die here, if this is the call that was waited for."""
        now = self.rollout.loop.time()
        for trap in tuple(self.rollout.traps):
            if (
                trap in self.rollout.traps  # another call may have run into it meanwhile
                and trap.after is after
                and trap.replica == self.index
                and trap.start <= now
                and port.startswith(trap.port)
            ):
                self.rollout.traps.remove(trap)
                self.rollout.spring(self.index, trap)
                await asyncio.sleep(0)  # a stopped process comes back from here, a dead one never

    def trouble(self, kind: str) -> Trouble | None:
        """A trouble of this kind that hits the replica now."""
        for trouble in self.rollout.active:
            if trouble.kind == kind and trouble.replica in {None, self.index}:
                return trouble if self.rng.random() < trouble.rate else None
        return None


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine answers that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        answer: T = done.value
        return answer
    raise AssertionError("the memory store waits for nothing")


class WiredStore:
    """The one store, over a replica's wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        wire = self._wire
        oracle = wire.rollout.oracle
        port = f"store.{name}"

        async def call(*args: Any, **named: Any) -> Any:
            def do() -> Any:
                method = getattr(wire.rollout.store, name)
                if name in {"save", "create"}:
                    return oracle.write(wire.process, name, args, method)
                return at_once(method(*args, **named))

            answer = await wire.call(port, do)
            if name in {"save", "create"}:
                oracle.saved(wire.process, args[0] if name == "save" else answer)
            return answer

        return call


class WiredPorts:
    """Router, metrics, logs, readiness and Slack, over a replica's wire."""

    smallest = Weight(1)
    durable = False

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._rollout = wire.rollout
        self._outside = wire.rollout.outside

    async def split(self) -> Split:
        split = await self._wire.call("router.split", self._outside.split)
        self._rollout.oracle.read_back(self._wire.process, split)
        return split

    async def shift(self, arms: Arms[str], weight: Weight) -> None:
        wire, rollout, outside = self._wire, self._rollout, self._outside
        rollout.oracle.flip_asked(wire.process, arms, weight)
        if trouble := wire.trouble("router_late"):
            rollout.count("router_late")

            def land() -> None:
                outside.advance(rollout.loop.time())
                rollout.say("router", "landed late", weight)
                rollout.oracle.landed_at = rollout.loop.time()
                outside.weigh(arms.canary, weight)

            rollout.later(trouble.size, land)
            raise PortError("no answer from the router")

        def do() -> None:
            if wire.trouble("router_lies"):
                rollout.count("router_lies")
            else:
                outside.weigh(arms.canary, weight)

        await wire.call("router.shift", do, weight)

    async def read(self, arms: Arms[str]) -> Reading | NoData:
        def do() -> Reading | NoData:
            if self._wire.trouble("metrics_none"):
                self._rollout.count("metrics_none")
                return NoData("nothing was scraped")
            return self._outside.read(arms)

        answer = await self._wire.call("metrics.read", do)
        self._rollout.oracle.metrics_read(self._wire.process, answer)
        return answer

    async def events(
        self, arms: Arms[str], since: datetime, until: datetime
    ) -> Arms[LogCounts] | NoData:
        return await self._wire.call("logs.events", lambda: Arms({}, {}))

    async def lines(self, *_: Any) -> tuple[str, ...]:
        return await self._wire.call("logs.lines", lambda: ("DataError: no",))

    async def check(self, backend: str) -> Readiness | NoData:
        return await self._wire.call("readiness.check", lambda: self._outside.check(backend))

    async def open(self, canary: Canary, turn: Turn, *_: Any, **__: Any) -> Thread:
        wire, channel = self._wire, self._outside.channel
        if turn.again:
            stands = await wire.call("board.look", lambda: channel.threads.get(canary.id))
            if stands is not None:
                return stands
        await turn.confirm()
        return await wire.call("board.open", lambda: channel.open(canary), canary.id, swift=True)

    async def tell(self, canary: Canary, note: Note, turn: Turn, *_: Any, **__: Any) -> None:
        wire, channel, oracle = self._wire, self._outside.channel, self._rollout.oracle
        about = (note.number, note.topic.value)
        if turn.again and await wire.call(
            "board.look", lambda: channel.stands(canary, note), about
        ):
            oracle.found_told(canary, note)
            return
        await turn.confirm()
        await wire.call("board.tell", lambda: oracle.told(canary, note), about, swift=True)

    async def settle(self, canary: Canary, *_: Any, **__: Any) -> None:
        shown = self._outside.channel.shown
        kind = canary.phase.kind
        await self._wire.call("board.settle", lambda: shown.update({canary.id: kind}), kind)

    async def picture(self, canary: Canary, seen: Any, turn: Turn) -> None:
        pictures = self._outside.channel.pictures
        if turn.again and await self._wire.call("board.look", lambda: canary.id in pictures):
            return
        await turn.confirm()
        await self._wire.call("board.picture", lambda: pictures.update([canary.id]), swift=True)

    async def retract(self, canary: Canary, note: Note | None) -> None:
        # Nothing stands twice here: posts cannot be stopped on their way.
        number = 0 if note is None else note.number
        await self._wire.call("board.retract", lambda: None, (canary.id, number))

    async def page(self, alarm: Alarm) -> None:
        await self._wire.call("pager.page", lambda: self._rollout.count("paged"), alarm.key)

    def show(self, canary: Canary, *_: Any, **__: Any) -> None:
        self._rollout.oracle.shown(self._wire.process, canary)
