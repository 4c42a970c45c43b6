"""Live canaries on real boards: all change every second, some end, and buttons are pressed."""

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import httpx
from bench.slack.table import Found
from builders import a_canary
from servers import LOOPBACK, free_port, running, wait_until
from slack_sdk.web.async_client import AsyncWebClient
from unit.slack.support import PHASES

from adapters.clock import SystemClock
from bot.core.canary import Canary
from bot.ports import Turn
from bot.slack.app import make_client
from bot.slack.limiter import Limiter
from bot.slack.live_message import SlackBoard
from bot.workspace.settings import ChannelSpec, Settings

CHANNELS = 40
"""So many that posting the messages is not what takes long: one a second goes into each."""

AT_ONCE = 5
"""Ends that come in one moment."""

SPREAD = 5
"""Ends, and as many clicks, that come alone."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many live canaries on so many boards, each board with a limiter of its own."""

    live: int
    replicas: int = 1


class Edits:
    """When Slack showed which words of which message."""

    def __init__(self) -> None:
        self.shown: dict[str, list[tuple[float, str]]] = defaultdict(list)

    def watch(self, client: AsyncWebClient) -> None:
        """Write down every edit of this client's once Slack has taken it."""
        update = client.chat_update

        async def watched(**arguments: Any) -> Any:
            answer = await update(**arguments)
            said = f"{arguments['text']} {arguments['blocks']}"
            self.shown[arguments["ts"]].append((time.monotonic(), said))
            return answer

        client.chat_update = watched  # type: ignore[method-assign] # it is watched, not changed

    def first(self, canary: Canary, words: str, since: float) -> float | None:
        """Seconds until these words were shown; None where they were not."""
        assert canary.thread is not None
        shown = self.shown[canary.thread.ts]
        return next((at - since for at, said in shown if at >= since and words in said), None)

    def gaps(self, live: list[Canary]) -> list[float]:
        """Seconds between the edits of each message, and what is longer and not over yet."""
        gaps = [b - a for each in self.shown.values() for (a, _), (b, _) in pairwise(each)]
        stamps = (canary.thread.ts for canary in live if canary.thread)
        longest, now = max(gaps, default=0.0), time.monotonic()
        return gaps + [now - self.shown[ts][-1][0] for ts in stamps if self.over(ts, longest)]

    def over(self, ts: str, seconds: float) -> bool:
        """Whether a message was last edited longer ago than that."""
        return bool(self.shown[ts]) and time.monotonic() - self.shown[ts][-1][0] > seconds

    def between(self, start: float, end: float) -> int:
        """How many edits there were."""
        return sum(start <= at < end for each in self.shown.values() for at, _ in each)


class Rollouts:
    """The live canaries; one that ends is followed by another."""

    def __init__(self, plan: Plan, boards: list[SlackBoard], edits: Edits) -> None:
        self._boards = boards
        self._edits = edits
        self._numbers = count()
        self._size = plan.live
        self.live: list[Canary] = []
        self.waits: dict[str, list[float]] = defaultdict(list)

    async def begin(self) -> None:
        """Post all messages, as quickly as Slack takes them."""
        self.live = [await self._new(place) for place in range(self._size)]

    def board(self, place: int) -> SlackBoard:
        """The board of the replica that has this canary."""
        return self._boards[place % len(self._boards)]

    async def _new(self, place: int) -> Canary:
        number = next(self._numbers)
        canary = a_canary(
            id=f"shop-{number:06}", thread=None, channel=f"C0BENCH{number % CHANNELS:02}"
        )
        return replace(canary, thread=await self.board(place).open(canary, Turn(False, _agreed)))

    async def change(self) -> None:
        """Let all canaries change every second, for ever."""
        for second in count():
            for place, canary in enumerate(self.live):
                if not canary.is_ended:
                    drift = f"{canary.drift} as of second {second}"
                    self.board(place).show(replace(canary, drift=drift))
            await asyncio.sleep(1)

    async def end(self, place: int, kind: str) -> None:
        """End a canary, wait until that is shown, and begin another."""
        canary, since = self.live[place], time.monotonic()
        ended = replace(canary, phase=PHASES["rolled_back_breach"])
        self.live[place] = ended
        self.board(place).show(ended)
        await self._until(ended, "rolled back", since, kind)
        self.live[place] = await self._new(place)

    async def click(self, place: int) -> None:
        """Show what a click has done, and wait until it is shown."""
        since = time.monotonic()
        words = f"clicked at {since:.3f}"
        canary = replace(self.live[place], drift=words)
        self.live[place] = canary
        self.board(place).show(canary, urgent=True)
        await self._until(canary, words, since, "click")

    async def _until(self, canary: Canary, words: str, since: float, kind: str) -> None:
        await wait_until(
            lambda: self._edits.first(canary, words, since) is not None, f"{words} is shown", 60
        )
        seconds = self._edits.first(canary, words, since)
        assert seconds is not None
        self.waits[kind].append(seconds)


async def _agreed() -> None:
    """It is always this replica's turn."""


async def measured(plan: Plan, seconds: float, folder: Path, times: int = SPREAD) -> Found:
    """Run so many live canaries on a strict local Slack, for so long once all were edited."""
    async with _workspace(folder) as base, _boards(plan, base) as (boards, edits):
        rollouts = Rollouts(plan, boards, edits)
        await rollouts.begin()
        async with asyncio.TaskGroup() as group:
            changing = group.create_task(rollouts.change())
            await wait_until(
                lambda: len(edits.shown) >= plan.live, "all are edited once", 30 + 2 * plan.live
            )
            start = time.monotonic()
            await _happenings(rollouts, plan, times, seconds / (2 * times + 1))
            end = time.monotonic()
            changing.cancel()
        async with httpx.AsyncClient(base_url=base, timeout=30, trust_env=False) as http:
            counters = (await http.get("/_/state")).json()["counters"]
    return Found(
        live=plan.live,
        replicas=plan.replicas,
        edits=edits.between(start, end) * 60 / (end - start),
        refused=sum(counters["rate_limited"].values()),
        gaps=edits.gaps(rollouts.live),
        ends=rollouts.waits["end"],
        together=rollouts.waits["ends at once"],
        clicks=rollouts.waits["click"],
    )


async def _happenings(rollouts: Rollouts, plan: Plan, times: int, pause: float) -> None:
    """Click and end by turns, with a pause after each; then end several in one moment."""
    for number in range(times):
        clicked, ended = 2 * number % plan.live, (2 * number + 1) % plan.live
        await asyncio.gather(rollouts.click(clicked), asyncio.sleep(pause))
        await asyncio.gather(rollouts.end(ended, "end"), asyncio.sleep(pause))
    ends = (rollouts.end(place, "ends at once") for place in range(min(AT_ONCE, plan.live)))
    await asyncio.gather(*ends, asyncio.sleep(pause))


@asynccontextmanager
async def _workspace(folder: Path) -> AsyncIterator[str]:
    """A local Slack, a process of its own, as strict as it is by default; its address."""
    channels = tuple(ChannelSpec(id=f"C0BENCH{n:02}", name=f"bench-{n}") for n in range(CHANNELS))
    config, port = folder / "workspace.json", free_port()
    config.write_text(Settings(channels=channels).model_dump_json(include={"channels"}))
    argv = [sys.executable, "-m", "bot.workspace", "--port", f"{port}", "--config", f"{config}"]
    base = f"http://{LOOPBACK}:{port}"
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:

        async def answers() -> bool:
            return (await http.get("/_/state")).is_success

        async with running(argv, folder / "workspace.log", answers):
            yield base


@asynccontextmanager
async def _boards(plan: Plan, base: str) -> AsyncIterator[tuple[list[SlackBoard], Edits]]:
    """A board a replica, each with a client and a limiter of its own."""
    edits, boards = Edits(), list[SlackBoard]()
    for _ in range(plan.replicas):
        limiter = Limiter()
        limiter.share(plan.replicas)
        client = make_client(Settings().bot_token, f"{base}/api/", limiter)
        edits.watch(client)
        boards.append(SlackBoard(client, limiter, SystemClock()))
    try:
        yield boards, edits
    finally:
        for board in boards:
            await board.stop(0)
