"""`python -m bot.demo.shop`: one revision of the demo service.

`/` places an order, `/health` tells component by component how it is. Log lines are JSON.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import uvicorn
from fastapi import FastAPI, Response

from bot.demo.behaviour import Behaviour, Fault, LogLine

POLL_SECONDS = (0.8, 1.2)
KEEP_ALIVE_SECONDS = 3600
"""Longer than any router's pool: a connection closed under a request would count as an error."""


class Log:
    """Writes JSON lines: `ts`, `level`, `message`, and `exception` where there is one."""

    def __init__(self, file: TextIO, revision: str) -> None:
        self._file = file
        self._revision = revision

    def write(self, line: LogLine) -> None:
        """Write one line and flush it."""
        entry = {
            "ts": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": line.level,
            "message": line.message,
            "revision": self._revision,
        }
        if line.exception is not None:
            entry["exception"] = line.exception
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()


def create_app(behaviour: Behaviour, revision: str, log: Log) -> FastAPI:
    """Make the service."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        log.write(LogLine("INFO", f"shop {revision} is up"))
        poller = asyncio.create_task(_poll(behaviour, log))
        yield
        poller.cancel()
        log.write(LogLine("INFO", f"shop {revision} is going down"))

    app = FastAPI(title="shop", lifespan=lifespan, docs_url=None, redoc_url=None)

    @app.get("/")
    async def order() -> Response:
        placed = behaviour.order(time.monotonic())
        await asyncio.sleep(placed.seconds)
        if placed.line is not None:
            log.write(placed.line)
        headers = {"X-Revision": revision}
        if placed.status != 200:
            return Response(b'{"error": "try again"}', placed.status, headers, "application/json")
        return Response(b'{"order": "placed"}', 200, headers, "application/json")

    @app.get("/health")
    async def health() -> dict[str, Any]:
        found = behaviour.components(time.monotonic())
        ready = all(component.ready for component in found.values())
        return {
            "status": "ok" if ready else "degraded",
            "revision": revision,
            "components": {
                name: {"status": "ok"}
                if component.ready
                else {"status": "down", "reason": component.reason}
                for name, component in found.items()
            },
        }

    return app


async def _poll(behaviour: Behaviour, log: Log) -> None:
    """Refresh the open orders again and again, whoever asks for them or not."""
    while True:
        await asyncio.sleep(random.uniform(*POLL_SECONDS))
        line = behaviour.poll(time.monotonic())
        if line is not None:
            log.write(line)


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m bot.demo.shop", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--revision", required=True)
    parser.add_argument("--log", type=Path, required=True, help="file for JSON log lines")
    parser.add_argument("--fault", type=Fault, choices=list(Fault), default=Fault.NONE)
    parser.add_argument("--onset", type=float, default=3.0, help="seconds of traffic before it")
    asked = parser.parse_args()
    with asked.log.open("a", encoding="utf-8") as file:
        behaviour = Behaviour(asked.fault, asked.onset)
        app = create_app(behaviour, asked.revision, Log(file, asked.revision))
        uvicorn.run(
            app,
            host="127.0.0.1",
            port=asked.port,
            log_level="warning",
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
