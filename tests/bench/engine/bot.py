"""`python -m bench.engine.bot ORDERS.json`: a whole bot whose outside is ours, and which is asked.

It is `bot.bootstrap.serve` with the adapters that the orders name. A line on its standard input is
a question: `begin` starts it, `mark` begins to count anew, `held` and `report` are answered
with one line of JSON: how many canaries it works on, and all that was counted since the mark.
"""

import asyncio
import gc
import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import httpx
from bench.engine import fleet
from bench.engine.sampling import Sampler
from bench.engine.traffic import Breaking, Lags, Simulated, Timed, Trace
from pydantic import SecretStr
from redis.asyncio.connection import AbstractConnection

from adapters.clock import SystemClock
from bot import bootstrap, running
from bot.config import Secrets
from bot.logs import set_up_logging
from bot.ports import MetricSource, ServicePorts

PULSE: Final = 0.02
"""Seconds between two looks at how late the event loop is."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What this process shall be.

    Attributes:
        redis: the store's address.
        live, spare: services with a canary of `fleet.seed`, and more services.
        began_at: when the first look is due, as ISO 8601.
        tick: seconds between two looks.
        adapters: instead of those in memory, by port; of another metrics source the time is taken.
        slack: the base address of a Slack; empty for one that answers everything at once.
        breaks_at: when the metrics of each live service turn bad, as ISO 8601; empty for never.
        profile: where to write what the time went into; empty for no profile.

    """

    redis: str
    live: int
    began_at: str
    spare: int = 0
    tick: float = 10.0
    adapters: dict[str, dict[str, Any]] = field(default_factory=dict)
    slack: str = ""
    breaks_at: list[str] = field(default_factory=list)
    profile: str = ""


class SilentSlack:
    """Takes every post and edit at once."""

    def __init__(self) -> None:
        self.posts = 0
        self.edits = 0

    async def chat_postMessage(self, **message: Any) -> dict[str, Any]:  # noqa: N802 - the SDK's name
        """Post."""
        self.posts += 1
        return {"ok": True, "channel": message["channel"], "ts": f"1772459999.{self.posts:06d}"}

    async def chat_update(self, **_message: Any) -> dict[str, Any]:
        """Edit."""
        self.edits += 1
        return {"ok": True}

    def __getattr__(self, name: str) -> Any:
        """Any other call is answered as well."""

        async def answer(**_arguments: Any) -> dict[str, Any]:
            return {"ok": True, "messages": []}

        return answer


class NoEdge:
    """Nobody types or clicks."""

    def __init__(self, **_parts: Any) -> None:
        self.connected = True

    async def start(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to close."""


@dataclass(slots=True)
class Counted:
    """What a report is made of."""

    lags: Lags = field(default_factory=Lags)
    commands: Counter[str] = field(default_factory=Counter)
    sampler: Sampler = field(default_factory=Sampler)
    loop: list[float] = field(default_factory=list)
    cpu: float = 0.0
    at: float = 0.0
    engine: Any = None
    sources: list[Timed] = field(default_factory=list)

    @property
    def held(self) -> int:
        """How many canaries this replica works on."""
        return len(self.engine.service.held) if self.engine is not None else 0

    def mark(self) -> None:
        """Begin to count anew."""
        self.lags.clear()
        self.commands.clear()
        self.loop.clear()
        self.sampler.start()
        self.cpu, self.at = time.process_time(), time.monotonic()

    def report(self) -> dict[str, Any]:
        """What was counted since the mark; seconds and bytes."""
        return {
            "wall": time.monotonic() - self.at,
            "cpu": time.process_time() - self.cpu,
            "rss": resident(),
            "looks": len(self.lags.seconds),
            "held": self.held,
            "own": self.sampler.own,
            "commands": dict(self.commands),
            "seen": sum(source.seen for source in self.sources),
            "tick_lag": list(self.lags.seconds),
            "loop_lag": list(self.loop),
        }


def resident() -> int:
    """Bytes of memory this process has now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def configuration(orders: Orders, http: httpx.AsyncClient, counted: Counted) -> Any:
    """What `bootstrap.configure` makes of our settings, with the metrics of the trace."""
    tick, clock = timedelta(seconds=orders.tick), SystemClock()
    found = fleet.settings(
        orders.redis, orders.live, spare=orders.spare, tick=tick, adapters=orders.adapters
    )
    with patch.object(bootstrap.configuration, "load", lambda _path: (found, None)):
        made = bootstrap.configure(Path("bench.yaml"), http, clock)
    began_at = datetime.fromisoformat(orders.began_at)
    trace = Trace(began_at)
    plan = found.plan_for(fleet.service_name(0))
    brink = fleet.brink(trace, plan, began_at).readings if orders.breaks_at else None

    def ports(number: int, given: ServicePorts) -> ServicePorts:
        assert given.metrics is not None, "every service is counted"
        own: MetricSource = Simulated(trace, number, clock.now)
        if brink is not None:
            own = Breaking(brink, orders.breaks_at[number], clock.now)
        source = given.metrics if "metrics" in orders.adapters else own
        due = fleet.due_at(began_at, number, max(1, orders.live), tick)
        timed = Timed(source, counted.lags, clock.now, due, tick)
        counted.sources.append(timed)
        return replace(given, metrics=timed)

    services = {
        name: ports(number, given)
        if number < orders.live
        else replace(given, metrics=Simulated(trace, number, clock.now))
        for number, (name, given) in enumerate(made.services.items())
    }
    return replace(made, services=services)


def counting(commands: Counter[str]) -> Any:
    """Count, by name, the commands that are sent to Redis."""
    pack = AbstractConnection.pack_command

    def counted(self: AbstractConnection, *words: Any) -> Any:
        commands[str(words[0]).upper()] += 1
        return pack(self, *words)

    return patch.object(AbstractConnection, "pack_command", counted)


async def pulse(counted: Counted) -> None:
    """Note for ever how late the event loop wakes whoever sleeps."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(PULSE)
        counted.loop.append(max(0.0, time.monotonic() - before - PULSE))


async def questions() -> AsyncIterator[str]:
    """What the bench asks, line by line."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        yield line.decode().strip()


def tell(answer: dict[str, Any]) -> None:
    """Answer the bench."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def run(orders: Orders) -> None:
    """Be the bot until standard input is closed."""
    counted, stop = Counted(), asyncio.Event()
    async with bootstrap.http_client() as http:
        made = configuration(orders, http, counted)
        make_engine = bootstrap.make_engine

        def watched(*parts: Any, **named: Any) -> Any:
            counted.engine = make_engine(*parts, **named)
            return counted.engine

        token = SecretStr("xoxb-local-workspace")
        secrets = Secrets(
            slack_bot_token=token,
            slack_app_token=SecretStr("xapp-local-workspace"),
            slack_api_url=f"{orders.slack}/api/",
            canary_redis_url=None,
        )
        serving: asyncio.Task[None] | None = None
        beating = asyncio.create_task(pulse(counted))
        with ExitStack() as outside:
            outside.enter_context(patch.object(bootstrap.bot, "configure", lambda *_a, **_n: made))
            outside.enter_context(patch.object(bootstrap.bot, "make_engine", watched))
            outside.enter_context(counting(counted.commands))
            if not orders.slack:
                client = SilentSlack()
                outside.enter_context(
                    patch.object(bootstrap.bot, "make_client", lambda *_a, **_n: client)
                )
                outside.enter_context(patch.object(bootstrap.bot, "SlackEdge", NoEdge))
            counted.mark()
            tell({"rss": resident(), "pid": os.getpid()})
            async for question in questions():
                match question:
                    case "begin":
                        serving = asyncio.create_task(
                            bootstrap.serve(Path("bench.yaml"), secrets, stop)
                        )
                        tell({})
                    case "held":
                        tell({"held": counted.held})
                    case "mark":
                        counted.mark()
                        tell({})
                    case _:
                        answer = counted.report()
                        if orders.profile:
                            counted.sampler.write(Path(orders.profile))
                        tell(answer)
                if serving is not None and serving.done():
                    break
        stop.set()
        if serving is not None:
            await serving
        beating.cancel()


def main() -> None:
    """Read the orders and be that bot."""
    set_up_logging()
    orders = Orders(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    running.run(run(orders))


if __name__ == "__main__":
    main()
