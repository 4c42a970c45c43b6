"""What is done to the pieces: drawn from a seed, inflicted, and made good again."""

import asyncio
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

from ordeal.nodes import NODES, Nodes
from ordeal.pieces import BOTS, Pieces

How = Literal["kill", "freeze", "leave"]
Whom = Literal["bot", "bots", "primary", "replica", "redis", "envoy", "workspace"]

WEIGHTS: Final[dict[tuple[How, Whom], int]] = {
    ("kill", "bot"): 5,
    ("freeze", "bot"): 5,
    ("leave", "bot"): 3,
    ("kill", "bots"): 1,
    ("freeze", "bots"): 1,
    ("kill", "primary"): 4,
    ("freeze", "primary"): 3,
    ("kill", "replica"): 2,
    ("freeze", "replica"): 1,
    ("kill", "redis"): 2,
    ("freeze", "redis"): 1,
    ("kill", "envoy"): 4,
    ("freeze", "envoy"): 3,
    ("kill", "workspace"): 3,
    ("freeze", "workspace"): 3,
}
AT_ONCE: Final = 4
SHORTEST, LONGEST = 0.5, 15.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        pause: seconds since the one before it.
        seconds: how long what is hit stays dead or stopped.
        pick: which of two bots or replicas.

    """

    how: How
    whom: Whom
    pause: float
    seconds: float
    pick: int

    @property
    def name(self) -> str:
        """What it is counted as."""
        return f"{self.how} {self.whom}"


def draw(dice: random.Random, pace: float) -> Fault:
    """The next fault; `pace` is the mean pause in seconds."""
    how, whom = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    pause = dice.uniform(0.3, 2 * pace - 0.3)
    # Most are short, as most are; a few are longer than any patience.
    frozen = SHORTEST * (LONGEST / SHORTEST) ** (dice.random() ** 2.5)
    dead = dice.choice((0.0, 0.0, 0.5, 2.5))
    return Fault(how, whom, pause, frozen if how == "freeze" else dead, dice.randrange(2))


@dataclass(slots=True)
class Mischief:
    """Inflicts faults, a few at once but never two on the same piece.

    Attributes:
        hits: when each began and ended, monotonic, and what it was.
        problems: what did not come back, or did not leave as it should.

    """

    pieces: Pieces
    nodes: Nodes
    dice: random.Random
    pace: float
    counts: Counter[str] = field(default_factory=Counter)
    hits: list[tuple[float, float, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _busy: set[str] = field(default_factory=set)

    async def run(self, seconds: float, at_least: int) -> None:
        """Go on for so long, and for so many, then see to it that all is well again."""
        until = time.monotonic() + seconds
        under_way: set[asyncio.Task[None]] = set()
        try:
            while time.monotonic() < until or len(self.hits) < at_least:
                fault = draw(self.dice, self.pace)
                await asyncio.sleep(fault.pause)
                targets = await self._free_targets(fault)
                under_way.add(asyncio.create_task(self._inflict(fault, targets)))
                under_way = {task for task in under_way if not task.done()}
                while len(under_way) >= AT_ONCE:
                    _, under_way = await asyncio.wait(
                        under_way, return_when=asyncio.FIRST_COMPLETED
                    )
            await asyncio.gather(*under_way)
        finally:
            for task in under_way:
                task.cancel()
            self.pieces.wake_all()

    def during(self, since: float, until: float) -> list[str]:
        """Which faults fell into this time, or hardly before it."""
        return [name for began, ended, name in self.hits if began < until and ended > since - 5]

    async def _free_targets(self, fault: Fault) -> tuple[str, ...]:
        """Its targets, as soon as nobody else has them in hand."""
        while True:
            targets = await asyncio.to_thread(self._targets, fault)
            if not self._busy & set(targets):
                self._busy |= set(targets)
                return targets
            await asyncio.sleep(0.1)

    def _targets(self, fault: Fault) -> tuple[str, ...]:
        match fault.whom:
            case "bot":
                return (BOTS[fault.pick],)
            case "bots":
                return BOTS
            case "redis":
                return NODES
            case "primary":
                return (self.nodes.primary(),)
            case "replica":
                primary = self.nodes.primary()
                return ([name for name in NODES if name != primary][fault.pick],)
            case "envoy" | "workspace" as name:
                return (name,)

    async def _inflict(self, fault: Fault, targets: tuple[str, ...]) -> None:
        began = time.monotonic()
        place = len(self.hits)
        self.hits.append((began, float("inf"), fault.name))
        self.counts[fault.name] += 1
        try:
            await self._hit(fault, targets)
        except (TimeoutError, AssertionError) as error:
            self.problems.append(f"{fault.name} ({', '.join(targets)}): {error!r}")
        finally:
            self.hits[place] = (began, time.monotonic(), fault.name)
            self._busy -= set(targets)

    async def _hit(self, fault: Fault, targets: tuple[str, ...]) -> None:
        if fault.how == "freeze":
            for name in targets:
                self.pieces.signal(name, signal.SIGSTOP)
            try:
                await asyncio.sleep(fault.seconds)
            finally:
                for name in targets:
                    self.pieces.signal(name, signal.SIGCONT)
            return
        if fault.how == "leave":
            for name in targets:
                code = await self.pieces.leave(name)
                assert code == 0, f"{name} left with exit code {code}"
        else:
            await asyncio.gather(*(self.pieces.kill(name) for name in targets))
        await asyncio.sleep(fault.seconds)
        for name in targets:
            self.pieces.start(name)
        for name in targets:
            await self.pieces.ready(name)
