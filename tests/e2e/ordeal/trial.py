"""The whole: everything started, faults inflicted while services roll out, everything judged."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.stores.redis import RedisStore
from bot.demo.processes import Processes
from ordeal.faults import Mischief
from ordeal.layout import CHANNELS, Layout, lay_out, write_files
from ordeal.nodes import NODES, SENTINELS, Nodes
from ordeal.oracle import channel_problems
from ordeal.people import People
from ordeal.pieces import BOTS, Pieces
from ordeal.rollouts import Crew, Result
from ordeal.scripts import Script
from ordeal.watch import Watcher

SERVICES: Final = 4
CALM: Final = 1.5
"""Seconds after so much was started at once."""


@dataclass(slots=True)
class Summary:
    """What was done, and what came of it."""

    seed: str
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    late: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join(f"{name} {n}" for name, n in sorted(self.faults.items()))
        ends = ", ".join(f"{name} {n}" for name, n in sorted(self.ends.items()))
        lines = [
            f"seed {self.seed}",
            f"faults: {self.faults.total()} ({kinds})",
            f"rollouts: {self.ends.total()} ({ends})",
            f"flips of a stopped replica, taken back: {len(self.late)} ({'; '.join(self.late)})",
            f"wrong: {len(self.problems)}",
        ]
        return "\n".join([*lines, *(f"  - {each}" for each in self.problems)])


@dataclass(slots=True)
class Stage:
    """Everything running."""

    layout: Layout
    nodes: Nodes
    pieces: Pieces
    people: People
    watcher: Watcher
    store: RedisStore


@asynccontextmanager
async def on_stage(folder: Path, services: int = SERVICES) -> AsyncIterator[Stage]:
    """Start everything, and stop it all in the end."""
    layout, nodes = lay_out(folder, services), Nodes(folder)
    write_files(layout)
    people, watcher, store = People(layout.slack), Watcher(layout), RedisStore(nodes.url)
    with Processes(folder) as processes:
        pieces = Pieces(layout, nodes, processes)
        try:
            await _start(pieces, nodes)
            looking = asyncio.create_task(watcher.run())
            await asyncio.sleep(CALM)
            try:
                yield Stage(layout, nodes, pieces, people, watcher, store)
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
        finally:
            pieces.wake_all()
            await people.close()
            await store.aclose()


async def _start(pieces: Pieces, nodes: Nodes) -> None:
    """Start everything, each as soon as what it needs is there."""
    await _begin(pieces, "town", "envoy", "workspace", *NODES)
    await _until(nodes.follows)
    await _begin(pieces, *SENTINELS)
    await _begin(pieces, *BOTS)
    await _until(nodes.settled)


async def _begin(pieces: Pieces, *names: str) -> None:
    for name in names:
        pieces.start(name)
    for name in names:
        await pieces.ready(name)


async def _until(condition: Callable[[], bool], patience: float = 30.0) -> None:
    async with asyncio.timeout(patience):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.1)


async def run(
    folder: Path,
    seed: str,
    tell: Callable[[str], None],
    *,
    seconds: float,
    pace: float,
    at_least: int = 0,
) -> Summary:
    """Inflict faults for so long, and for so many, `pace` seconds apart on average.

    In the end, with all well again, one healthy rollout of every service must be promoted.
    """
    summary = Summary(seed)
    async with on_stage(folder) as stage:
        dice = random.Random(f"{seed} faults")
        mischief = Mischief(stage.pieces, stage.nodes, dice, pace)
        crews = [_crew(stage, mischief, seed, place, tell) for place in range(SERVICES)]
        hitting = asyncio.create_task(mischief.run(seconds, at_least))
        await asyncio.gather(hitting, *(crew.work(hitting.done) for crew in crews))
        await _all_well(stage)
        last = await asyncio.gather(*(crew.roll_out(Script("healthy")) for crew in crews))
        summary.faults = mischief.counts
        summary.problems += mischief.problems
        for crew in crews:
            summary.ends += Counter(result.end for result in crew.results)
            summary.problems += [each for result in crew.results for each in result.problems]
            summary.late += crew.watch.late
            summary.problems += crew.watch.wrong
        summary.problems += [*_not_promoted(last), *await _leftovers(stage)]
        if summary.problems:
            tell(stage.pieces.tails())
    return summary


async def _leftovers(stage: Stage) -> list[str]:
    """What is wrong with any canary there ever was, whoever started it."""
    found = [
        f"{canary.id}: nobody finished it, it is {canary.phase.kind}"
        for canary in await stage.store.recent(None, 10_000)
        if not canary.is_finished
    ]
    for channel in CHANNELS:
        said = await stage.people.all_said(channel)
        found += ["the workspace does not answer"] if said is None else channel_problems(said)
    return found


def _crew(
    stage: Stage, mischief: Mischief, seed: str, place: int, tell: Callable[[str], None]
) -> Crew:
    return Crew(
        shop=stage.layout.shops[place],
        store=stage.store,
        people=stage.people,
        watcher=stage.watcher,
        mischief=mischief,
        dice=random.Random(f"{seed} service {place}"),
        tell=lambda result: tell(str(result)),
    )


async def _all_well(stage: Stage) -> None:
    """Wait until the Redises have found together again; what they do meanwhile is not judged."""
    with suppress(TimeoutError):
        await _until(stage.nodes.settled)


def _not_promoted(last: list[Result]) -> list[str]:
    return [
        f"{result.canary_id}: healthy and undisturbed at the end, and yet {result.end}"
        for result in last
        if result.end != "promoted"
    ]
