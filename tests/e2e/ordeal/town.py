"""`python -m ordeal.town`: every backend of every service and the people who use them.

It is the demo's shop in its behaviour, but one process instead of nine: on two cores the faults
need the time. Nothing ever happens to it.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from bot.demo.behaviour import Behaviour, Fault
from bot.demo.load import Load, Tally
from bot.demo.shop import Log

LOOPBACK = "127.0.0.1"
Json = dict[str, Any]
Answer = tuple[int, bytes]


FAILING: Final = 0.6
"""What share of a bad revision's requests fails: a few seconds of it have to be enough."""


class Backend:
    """One backend: it runs a revision that may have a fault, and is told so at `/deploy`."""

    def __init__(self, log: Path) -> None:
        self._file = log.open("a", encoding="utf-8")
        self.deploy("none", Fault.NONE, 0.0)

    def deploy(self, revision: str, fault: Fault, onset: float) -> None:
        """Run another revision from now on."""
        self._revision = revision
        self._behaviour = Behaviour(fault, onset, errors=FAILING)
        self._log = Log(self._file, revision)

    async def answer(self, target: str) -> Answer:
        """Answer a request."""
        parts = urlsplit(target)
        match parts.path:
            case "/deploy":
                asked = dict(parse_qsl(parts.query))
                self.deploy(asked["revision"], Fault(asked["fault"]), float(asked["onset"]))
                return 200, b"{}"
            case "/health":
                return 200, json.dumps(self._health()).encode()
            case _:
                return await self._order()

    async def _order(self) -> Answer:
        placed = self._behaviour.order(time.monotonic())
        await asyncio.sleep(placed.seconds)
        if placed.line is not None:
            self._log.write(placed.line)
        return placed.status, b'{"order": "placed"}'

    def _health(self) -> Json:
        found = self._behaviour.components(time.monotonic())
        components = {name: {"status": "ok"} for name in found}
        return {"status": "ok", "revision": self._revision, "components": components}


def listener(
    backend: Backend,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
    """HTTP/1.1 with connections kept alive, as small as can be."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                status, body = await backend.answer(target)
                start = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n"
                writer.write(f"{start}content-length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()

    return serve


async def live(plan: Json) -> None:
    """Serve and use the services until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    servers = [
        await asyncio.start_server(listener(Backend(Path(each["log"]))), LOOPBACK, each["port"])
        for each in plan["backends"]
    ]
    users = [
        asyncio.create_task(Load(LOOPBACK, port, Tally()).run(plan["rate"], 1e9))
        for port in plan["entrances"]
    ]
    await stop.wait()
    for user in users:
        user.cancel()
    await asyncio.gather(*users, return_exceptions=True)
    for server in servers:
        server.close()


def main() -> int:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m ordeal.town", description=__doc__)
    parser.add_argument("plan", type=Path)
    asyncio.run(live(json.loads(parser.parse_args().plan.read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
