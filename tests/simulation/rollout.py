"""One rollout in virtual time: replicas, the world around them, and what its scenario does to it."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from simulation import ending
from simulation.listening import listen_to_logs
from simulation.oracle import Oracle
from simulation.outside import Outside
from simulation.people import People
from simulation.scenario import Scenario, Trouble, scenario
from simulation.timing import Current, SkewedClock, VirtualTicker
from simulation.troubles import begin
from simulation.virtual import Process, Stuck, VirtualLoop
from simulation.wire import Wire, WiredPorts, WiredStore

from adapters.stores import memory
from adapters.stores.codec import encode_message
from adapters.stores.memory import MemoryStore
from bot.bootstrap import engine as bootstrap
from bot.core.commands import Command
from bot.engine import orphans
from bot.ports import ServicePorts

SILENCE = timedelta(seconds=5)
SHOP = "shop"
GRACE = timedelta(seconds=25)
"""Instead of ten minutes for whoever may claim an orphan."""

CODEC_EVERY = 20
"""Every so many rollouts go through the store's codec, which has tests of its own; it is half the cost."""


@dataclass(slots=True)
class Result:
    """How a rollout went."""

    seed: int
    wrong: tuple[str, ...]
    fingerprint: str
    counts: Counter[str] = field(default_factory=Counter)
    trace: tuple[str, ...] = ()


@dataclass(slots=True)
class Replica:
    """A process and the engine in it; `booted` counts its lives."""

    index: int
    booted: int = 0
    process: Process = field(default_factory=lambda: Process(""))
    engine: Any = None


class Rollout:
    """Everything in one seed's world."""

    service = SHOP

    def __init__(self, chosen: Scenario, *, verbose: bool = False) -> None:
        self.scenario = chosen
        self.verbose = verbose
        self.rng = random.Random(f"{chosen.seed} as it goes")
        self.loop = VirtualLoop()
        self.outside = Outside(chosen)
        self.oracle = Oracle(self)
        self.store = self.a_store()
        self.replicas = [Replica(index) for index in range(chosen.replicas)]
        self.skews = [0.0] * chosen.replicas
        self.active: list[Trouble] = []
        self.traps: list[Trouble] = []
        self.people = People(self)
        self.counts: Counter[str] = Counter()
        self.trace: list[tuple[float, str, str, object]] = []
        self.over = False
        self.asking = False
        self._world = copy_context()
        self.outside.on_exposed = self._exposed

    # What others use.

    def say(self, who: str, what: str, about: object = None) -> None:
        """Write down what happens."""
        self.trace.append((self.loop.time(), who, what, about))

    def count(self, what: str) -> None:
        """Something occurred that the tests want to know of."""
        self.counts[what] += 1

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Let the world do something, whatever happens to who asked for it."""
        self.loop.call_later(seconds, do, context=self._world)

    def spring(self, index: int, trap: Trouble) -> None:
        """The call that was waited for has come."""
        if trap.kind == "crash_at_call":
            self.crash(self.replicas[index], trap)
        else:
            self.pause(self.replicas[index], trap)

    # The run.

    def run(self) -> Result:
        """Run it to its end."""
        asyncio._set_running_loop(self.loop)
        with ExitStack() as stack:
            stack.callback(asyncio._set_running_loop, None)
            stack.callback(self.loop.put_away)
            stack.enter_context(patch.object(bootstrap, "Ticker", VirtualTicker))
            stack.enter_context(patch.object(bootstrap, "new_canary_id", self._new_id))
            stack.enter_context(patch.object(bootstrap, "_seen", _something))
            stack.enter_context(patch.object(orphans, "GRACE", GRACE))
            if self.scenario.seed % CODEC_EVERY:
                stack.enter_context(patch.object(memory, "encode_canary", _same))
                stack.enter_context(patch.object(memory, "decode_canary", _same))
                stack.enter_context(patch.object(bootstrap, "encode_message", _clicks_only))
            stack.enter_context(listen_to_logs(self))
            self._set_up()
            try:
                while not (self.over or self.oracle.wrong):
                    self.loop.turn()
                    self.oracle.step()
            except Stuck:
                self.oracle.say("nothing will ever happen again")
            for fault in self.loop.faults:
                self.oracle.say(fault)
        return self._result()

    def _result(self) -> Result:
        digest = hashlib.sha256()
        lines = []
        for at, who, what, about in self.trace:
            line = f"{at:10.4f}  {who:<8}{what:<18}{'' if about is None else about}"
            digest.update(line.encode())
            if self.verbose:
                lines.append(line)
        wrong = tuple(self.oracle.wrong)
        return Result(self.scenario.seed, wrong, digest.hexdigest(), self.counts, tuple(lines))

    def _set_up(self) -> None:
        for replica in self.replicas:
            self._boot(replica)
        for trouble in self.scenario.troubles:
            self.later(trouble.start, lambda trouble=trouble: begin(self, trouble))  # type: ignore[misc]
        for click in self.scenario.clicks:
            self.later(click.at, lambda click=click: self.people.click(click))  # type: ignore[misc]
        self.later(self.scenario.calm_at, lambda: ending.calm(self))

    # Replicas.

    def _boot(self, replica: Replica) -> None:
        replica.booted += 1
        replica.process = Process(f"{'abc'[replica.index]}{replica.booted}")
        replica.process.context.run(self._connect, replica)
        self.say(replica.process.name, "boots")
        self.loop.create_task(replica.engine.start(), context=replica.process.context)

    def _connect(self, replica: Replica) -> None:
        wire = Wire(self, replica.process, replica.index)
        clock = SkewedClock(self, replica.index)
        Current.clock = clock
        ports: Any = WiredPorts(wire)
        settings = SimpleNamespace(
            plan_for=lambda _: self.scenario.plan,
            plan_for_unseen=lambda _: self.scenario.plan,
            channel_of=lambda _: "C0DEPLOYS",
            policy=None,
            freezes=(),
        )
        services = {SHOP: ServicePorts(ports, ports, ports, ports)}
        configuration: Any = SimpleNamespace(services=services, settings=settings, changes={})
        store: Any = WiredStore(wire)
        replica.engine = bootstrap.make_engine(
            configuration, store, ports, clock, owner=replica.process.name, pager=ports
        )

    def crash(self, replica: Replica, trouble: Trouble) -> None:
        if replica.process.dead:
            return
        self.count(trouble.kind)
        self.say(replica.process.name, "is killed")
        replica.process.dead = True
        self.later(trouble.size, lambda: self._boot(replica))

    def pause(self, replica: Replica, trouble: Trouble) -> None:
        process = replica.process
        if not process.runs:
            return
        self.count(trouble.kind)
        self.say(process.name, "is stopped")
        process.stopped = True

        def resume() -> None:
            if not process.dead:
                self.say(process.name, "goes on")
                self.loop.resume(process)

        self.later(trouble.size, resume)

    def restart(self, replica: Replica, trouble: Trouble) -> None:
        process = replica.process
        if not process.runs:
            return
        self.count(trouble.kind)
        self.say(process.name, "is asked to stop")

        async def stop() -> None:
            await replica.engine.stop()
            self.crash(replica, trouble)

        self.loop.create_task(stop(), context=process.context)

    def _exposed(self) -> None:
        if self.scenario.story == "breach":
            self.later(self.scenario.breach_after, self._break)

    def _break(self) -> None:
        self.outside.advance(self.loop.time())
        self.say("world", "canary breaks")
        self.outside.break_canary()

    def _new_id(self, service: str) -> str:
        self.count("orphan found")
        return f"{service}-found{self.rng.randrange(10**6)}"

    def a_store(self) -> MemoryStore:
        outside, loop = self.outside, self.loop

        class TrueClock:
            def now(self) -> Any:
                outside.advance(loop.time())
                return outside.wall()

        return MemoryStore(TrueClock(), silence=SILENCE)


def _same(canary: Any) -> Any:
    return canary


async def _something(store: Any, canary_id: str) -> Any:
    """What is drawn does not matter here, but that it is read over the wire."""
    return await store.happenings(canary_id)


def _clicks_only(message: Any) -> str:
    return encode_message(message) if isinstance(message, Command) else ""


def simulate(seed: int, *, verbose: bool = False) -> Result:
    """Run the rollout of a seed; whom its log was speaking of when it crashed stays in here."""
    return copy_context().run(Rollout(scenario(seed), verbose=verbose).run)
