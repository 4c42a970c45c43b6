"""How long Slack waits for the acknowledgement of a command while many canaries are live."""

import asyncio
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

import httpx
from bench.engine import fleet
from bench.engine.bot import Orders
from bench.engine.carry import hold_all
from bench.engine.figures import Figure, milliseconds, quantile
from bench.engine.places import valkey
from bench.engine.replica import replica
from servers import LOOPBACK, free_port, running

RATE: Final = 50.0
GOAL: Final = 200.0
MIX: Final = {"status": 0.4, "list": 0.4, "start": 0.2}


async def acknowledged(live: int, seconds: float, profile: str = "") -> AsyncIterator[Figure]:
    """Type commands at an even rate, whatever becomes of those before."""
    spare = max(1, round(RATE * seconds * MIX["start"] * 1.5))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canary-bench-")))
        store = await stack.enter_async_context(valkey(folder))
        port = free_port()
        slack = f"http://{LOOPBACK}:{port}"
        argv = [sys.executable, "-m", "bot.workspace", "--port", str(port)]
        await stack.enter_async_context(
            running(argv, folder / "workspace.log", f"{slack}/healthz")
        )
        began_at = datetime.now(UTC)
        await fleet.seed(fleet.settings(store.url, live, spare=spare), live, began_at)
        orders = Orders(
            redis=store.url,
            live=live,
            spare=spare,
            began_at=began_at.isoformat(),
            slack=slack,
            profile=profile,
        )
        bot = await stack.enter_async_context(replica(folder, "bot", orders))
        await bot.ask("begin")
        assert await hold_all(bot, live), "the bot did not take all canaries"
        await asyncio.sleep(3)
        await bot.ask("mark")
        taken, failed = await _typed(slack, live, spare, seconds)
        await bot.ask("report")
    every = [each for kind in taken.values() for each in kind]
    of = f"/canary with {live:,} live canaries at {RATE:g} a second"
    yield Figure("ack", f"{of}: p50", milliseconds(quantile(every, 0.5)), "ms")
    worst = None if failed else milliseconds(quantile(every, 0.99))
    yield Figure("ack", f"{of}: p99", worst, "ms", GOAL)
    for kind, times in taken.items():
        yield Figure("ack", f"{of}: {kind} p99", milliseconds(quantile(times, 0.99)), "ms")
    yield Figure("ack", f"{of}: of {len(every)} not acknowledged", float(failed), "", 0.0)


async def _typed(
    slack: str, live: int, spare: int, seconds: float
) -> tuple[dict[str, list[float]], int]:
    """Seconds until each command was acknowledged by its kind, and how many never were."""
    chance, fresh = random.Random(4), count(live)
    taken: defaultdict[str, list[float]] = defaultdict(list)
    failed = 0

    def words(kind: str) -> str:
        if kind == "start":
            return f"start {fleet.service_name(min(next(fresh), live + spare - 1))} v2"
        return f"status {fleet.service_name(chance.randrange(live))}" if kind == "status" else kind

    async def type_one(http: httpx.AsyncClient, kind: str) -> None:
        nonlocal failed
        body = {"user": fleet.ADA.id, "channel": fleet.CHANNEL, "text": f"/canary {words(kind)}"}
        since = time.monotonic()
        try:
            answer = (await http.post(f"{slack}/_/command", json=body)).json()
            failed += not answer.get("ok")
        except httpx.HTTPError:
            failed += 1
        taken[kind].append(time.monotonic() - since)

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with (
        httpx.AsyncClient(trust_env=False, timeout=20, limits=limits) as http,
        asyncio.TaskGroup() as typing,
    ):
        begun = time.monotonic()
        for number in range(round(RATE * seconds)):
            await asyncio.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            kind = chance.choices(list(MIX), list(MIX.values()))[0]
            typing.create_task(type_one(http, kind))
    return taken, failed
