"""How many live canaries one process carries, and what each costs."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.engine import fleet
from bench.engine.bot import Orders
from bench.engine.figures import Figure, milliseconds, quantile
from bench.engine.places import Store, valkey
from bench.engine.replica import Replica, replica

TICK: Final = 10.0
PATIENCE: Final = 60.0
"""Seconds a bot has to take over all canaries before the measuring begins without them."""

LAG_GOAL: Final = 1000.0
CPU_GOAL: Final = 1.0
MEMORY_GOAL: Final = 50.0
COMMANDS_GOAL: Final = 1.05
"""One write a look; a new phase or a lost digest may cost another now and then."""

GOAL: Final = 5000
FEW: Final = 1000
"""With fewer canaries, most of the memory and CPU is what the process needs anyway."""

WRITES: Final = frozenset({"EVAL", "EVALSHA"})

Source = Callable[[Path, int, datetime], AbstractAsyncContextManager[fleet.Adapters]]
"""Starts what the metrics come from, for so many services."""


@asynccontextmanager
async def from_memory(
    _folder: Path, _live: int, _began_at: datetime
) -> AsyncIterator[fleet.Adapters]:
    """Nothing beside the bot."""
    yield {}


async def carried(
    part: str,
    sizes: Sequence[int],
    seconds: float,
    source: Source = from_memory,
    *,
    tick: float = TICK,
    profile: str = "",
) -> AsyncIterator[Figure]:
    """Measure with more and more canaries, until their looks are too late."""
    most, live = 0, 0
    for live in sizes:
        with tempfile.TemporaryDirectory(prefix="canary-bench-") as name:
            async with valkey(Path(name)) as store:
                report = await _measured(
                    Path(name),
                    store,
                    live,
                    seconds=seconds,
                    tick=tick,
                    source=source,
                    profile=profile,
                )
        figures = _figures(part, live, tick, report)
        for figure in figures:
            yield figure
        if figures[0].verdict == "OK":
            most = live
        elif live >= FEW:
            break  # more of them would only be later still
    what = f"live canaries one process carries at {tick:g} s ticks, of {live:,} tried"
    yield Figure(
        part, what, float(most), "canaries", GOAL if live >= GOAL else None, at_least=True
    )


async def _measured(
    folder: Path,
    store: Store,
    live: int,
    *,
    seconds: float,
    tick: float,
    source: Source,
    profile: str,
) -> dict[str, Any]:
    began_at = datetime.now(UTC)
    async with source(folder, live, began_at) as adapters:
        span = timedelta(seconds=tick)
        settings = fleet.settings(store.url, live, tick=span, adapters=adapters)
        await fleet.seed(settings, live, began_at)
        orders = Orders(
            redis=store.url,
            live=live,
            began_at=began_at.isoformat(),
            tick=tick,
            adapters={port: dict(options) for port, options in adapters.items()},
            profile=profile,
        )
        async with replica(folder, "bot", orders) as bot:
            await bot.ask("begin")
            await hold_all(bot, live)
            await asyncio.sleep(2 * tick)  # what was due meanwhile is looked at first
            await bot.ask("mark")
            await asyncio.sleep(seconds)
            report = await bot.ask("report")
            return report | {"empty": bot.empty}


async def hold_all(bot: Replica, live: int, patience: float = PATIENCE) -> bool:
    """Wait until a bot works on all canaries; whether it came to that."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if (await bot.ask("held"))["held"] >= live:
            return True
        await asyncio.sleep(0.2)
    return False


def _figures(part: str, live: int, tick: float, report: dict[str, Any]) -> list[Figure]:
    looks, wall = max(1, report["looks"]), report["wall"]
    commands: dict[str, int] = report["commands"]
    writes = sum(count for name, count in commands.items() if name in WRITES)
    others = sum(commands.values()) - writes
    each = 1000 * report["cpu"] / looks
    many = live >= FEW
    of = f"{live:,} canaries"
    due = live * wall / tick
    found = [
        Figure(part, f"{of}: tick lag p99", _p99(report["tick_lag"], report), "ms", LAG_GOAL),
        Figure(
            part,
            f"{of}: CPU a look, our own code",
            each * report["own"],
            "ms",
            CPU_GOAL if many else None,
        ),
        Figure(part, f"{of}: CPU a look, everything", each, "ms"),
        Figure(part, f"{of}: CPU of one core", 100 * report["cpu"] / wall, "%"),
        Figure(part, f"{of}: event loop lag p99", _p99(report["loop_lag"], report), "ms"),
        Figure(part, f"{of}: Redis commands a look", writes / looks, "", COMMANDS_GOAL),
        Figure(part, f"{of}: all other Redis commands a second", others / wall, ""),
        Figure(part, f"{of}: looks of those due", 100 * report["looks"] / due, "%"),
    ]
    if many:
        kilobytes = (report["rss"] - report["empty"]) / live / 1000
        found.append(Figure(part, f"{of}: memory a canary", kilobytes, "kB", MEMORY_GOAL))
    return found


def _p99(seconds: Sequence[float], report: dict[str, Any]) -> float | None:
    """A bot that works on nothing is never late, and that is no success."""
    return milliseconds(quantile(seconds, 0.99)) if report["held"] else None
