"""How long the canaries of a replica that was killed are without one."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.engine import fleet
from bench.engine.bot import Orders
from bench.engine.carry import hold_all
from bench.engine.figures import Figure
from bench.engine.places import valkey
from bench.engine.replica import replica

GOAL: Final = 5.0
PATIENCE: Final = 60.0


async def adopted(live: int) -> AsyncIterator[Figure]:
    """Kill one of two replicas, which has all canaries, and wait for the other."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canary-bench-")))
        store = await stack.enter_async_context(valkey(folder))
        began_at = datetime.now(UTC)
        await fleet.seed(fleet.settings(store.url, live), live, began_at)
        orders = Orders(redis=store.url, live=live, began_at=began_at.isoformat())
        first = await stack.enter_async_context(replica(folder, "first", orders))
        second = await stack.enter_async_context(replica(folder, "second", orders))
        await first.ask("begin")
        assert await hold_all(first, live), "the first replica did not take all canaries"
        await second.ask("begin")
        await asyncio.sleep(3)  # both are at their work
        first.kill()
        killed_at = time.monotonic()
        begun: float | None = None
        done: float | None = None
        while done is None and time.monotonic() - killed_at < PATIENCE:
            held = (await second.ask("held"))["held"]
            passed = time.monotonic() - killed_at
            begun = passed if begun is None and held else begun
            done = passed if held >= live else None
            await asyncio.sleep(0.02)
    of = f"kill -9 of the owner of {live:,} canaries"
    yield Figure("adopt", f"{of}: until the first one is adopted", begun, "s", GOAL)
    yield Figure("adopt", f"{of}: until all are", done, "s", GOAL)
