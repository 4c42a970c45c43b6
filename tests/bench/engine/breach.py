"""How long a breach that is visible in the metrics goes on: until Envoy itself shows weight 0."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from bench.engine import fleet
from bench.engine.bot import Orders
from bench.engine.carry import hold_all
from bench.engine.figures import Figure, milliseconds, quantile
from bench.engine.places import Store, valkey
from bench.engine.replica import replica
from servers import Envoy, envoy, free_port

TICK: Final = 1.0
AT_ONCE: Final = 20
"""Services of one Envoy, each of which breaks once."""

GOAL: Final = 100.0
APART: Final = 0.4
"""Seconds between two breaches, give or take."""

BEGIN_WITHIN: Final = timedelta(seconds=12)
"""How long a bot may take to be up and at its work."""

PATIENCE: Final = 15.0
KEYS: Final = ("green", "blue")


async def breached(rounds: int, services: int = AT_ONCE) -> AsyncIterator[Figure]:
    """Break services one after the other, at any moment of their ticks."""
    seconds: list[float] = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="canary-bench-") as name:
            folder = Path(name)
            clusters = {"blue": free_port(), "green": free_port()}
            async with (
                valkey(folder) as store,
                envoy(folder, clusters, first=_weights(services)) as router,
            ):
                seconds += await _round(folder, store, router, services, number)
    lost = rounds * services - len(seconds)
    beyond = [passed - TICK for passed in seconds]
    of = f"{rounds * services} breaches at {TICK:g} s ticks"
    for q in (0.5, 0.99):
        value = None if lost else milliseconds(quantile(beyond, q))
        goal = GOAL if q > 0.9 else None
        yield Figure(
            "breach",
            f"{of}: visible to read back 0, beyond the tick, p{100 * q:g}",
            value,
            "ms",
            goal,
        )
    yield Figure(
        "breach",
        f"{of}: the same from the breach on, p99",
        milliseconds(quantile(seconds, 0.99)),
        "ms",
    )
    yield Figure("breach", f"{of}: never flipped", float(lost), "", 0.0)


def _weights(services: int) -> str:
    layer = {
        f"canary.{fleet.service_name(number)}.{cluster}": weight
        for number in range(services)
        for cluster, weight in (("green", 500), ("blue", 9500))
    }
    kind = "type.googleapis.com/envoy.service.runtime.v3.Runtime"
    return yaml.safe_dump({"resources": [{"@type": kind, "name": "rt", "layer": layer}]})


async def _round(
    folder: Path, store: Store, router: Envoy, services: int, number: int
) -> Sequence[float]:
    began_at = datetime.now(UTC)
    tick = timedelta(seconds=TICK)
    await fleet.seed(
        fleet.settings(store.url, services, tick=tick), services, began_at, on_the_brink=True
    )
    chance = random.Random(number)
    first = began_at + BEGIN_WITHIN
    breaks_at = [
        first + timedelta(seconds=APART * (each + chance.random())) for each in range(services)
    ]
    orders = Orders(
        redis=store.url,
        live=services,
        began_at=began_at.isoformat(),
        tick=TICK,
        breaks_at=[at.isoformat() for at in breaks_at],
        adapters={"traffic": _traffic(router)},
    )
    async with replica(folder, "bot", orders) as bot:
        await bot.ask("begin")
        assert await hold_all(bot, services), "the bot did not take all canaries"
        assert datetime.now(UTC) < breaks_at[0], "the bot was not up before the first breach"
        return await _watch(router, breaks_at)


def _traffic(router: Envoy) -> dict[str, Any]:
    return {
        "adapter": "envoy",
        "runtime_file": str(router.runtime),
        "admin": router.admin,
        "key": "canary.{service}",
        "backends": {"blue": "blue", "green": "green"},
    }


async def _watch(router: Envoy, breaks_at: Sequence[datetime]) -> Sequence[float]:
    """Ask Envoy again and again; seconds from each breach to the first answer with weight 0."""
    waiting = dict(enumerate(breaks_at))
    found: list[float] = []
    end = time.monotonic() + (breaks_at[-1] - datetime.now(UTC)).total_seconds() + PATIENCE
    async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
        while waiting and time.monotonic() < end:
            entries = (await http.get(f"{router.admin}/runtime")).json()["entries"]
            now = datetime.now(UTC)
            for number, since in tuple(waiting.items()):
                key = f"canary.{fleet.service_name(number)}.green"
                if entries[key]["final_value"] == "0":
                    found.append((now - since).total_seconds())
                    del waiting[number]
            await asyncio.sleep(0.01)
    return found
