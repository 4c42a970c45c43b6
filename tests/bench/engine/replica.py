"""A bot in a process of its own, as the bench holds it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bench.engine.bot import Orders

PATIENCE: Final = 120.0
"""Seconds a bot may take to answer: with thousands of services it is slow to begin."""

LONGEST_LINE: Final = 64 * 1024 * 1024


class Replica:
    """One bot process that answers questions.

    Attributes:
        empty: bytes of memory before it held any canary.

    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self.empty = 0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ask(self, question: str) -> dict[str, Any]:
        """Ask and wait for the answer.

        Raises:
            AssertionError: it has ended, or does not answer; with the end of its log.

        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{question}\n".encode())
        return await self.hear(question)

    async def hear(self, question: str = "") -> dict[str, Any]:
        """Wait for an answer."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise AssertionError(f"the bot did not answer {question!r}; its log ends:\n{tail}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process.returncode is None:
            self._process.kill()

    async def end(self) -> None:
        """End it and wait until it is gone."""
        self.kill()
        await self._process.wait()


@asynccontextmanager
async def replica(folder: Path, name: str, orders: Orders) -> AsyncIterator[Replica]:
    """Start a bot that has read its configuration and waits for `begin`; kill it at the end."""
    path, log = folder / f"{name}.json", folder / f"{name}.log"
    path.write_text(json.dumps(asdict(orders)), encoding="utf-8")
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bench.engine.bot", str(path)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LONGEST_LINE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    made = Replica(process, log)
    try:
        made.empty = int((await made.hear())["rss"])
        yield made
    finally:
        await made.end()
