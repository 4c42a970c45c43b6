"""`python -m bot.demo.load`: steady traffic from many independent people.

Requests arrive at random moments whether or not earlier ones have been answered (an open loop),
so that a slow revision gets as many of them as a fast one. Connections are kept alive.
"""

import argparse
import asyncio
import random
import signal
import sys
import time
from dataclasses import dataclass, field

MOST_CONNECTIONS = 256
PATIENCE_SECONDS = 10.0
SAMPLES_KEPT = 20_000


@dataclass(slots=True)
class Tally:
    """What became of the requests.

    Attributes:
        statuses: answers by their first digit.
        broken: requests without an answer; `skipped` were not sent, too many were under way.
        seconds: how long the latest answers took.

    """

    statuses: dict[int, int] = field(default_factory=dict)
    broken: int = 0
    skipped: int = 0
    seconds: list[float] = field(default_factory=list)

    def answered(self, status: int, seconds: float) -> None:
        """Count one answer."""
        self.statuses[status // 100] = self.statuses.get(status // 100, 0) + 1
        if len(self.seconds) < SAMPLES_KEPT:
            self.seconds.append(seconds)
        else:
            self.seconds[random.randrange(SAMPLES_KEPT)] = seconds

    def __str__(self) -> str:
        ranked = sorted(self.seconds)
        total = sum(self.statuses.values())
        shares = ", ".join(f"{kind}xx {count}" for kind, count in sorted(self.statuses.items()))
        text = (
            f"{total} answered ({shares or 'none'}), {self.broken} broken, {self.skipped} skipped"
        )
        if ranked:
            p50, p99 = ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.99)]
            text += f"; p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms"
        return text


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Load:
    """Sends GET / to one address."""

    def __init__(self, host: str, port: int, tally: Tally) -> None:
        self._address = (host, port)
        self._request = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
        self._idle: list[Connection] = []
        self._busy: set[asyncio.Task[None]] = set()
        self._tally = tally

    async def run(self, rate: float, seconds: float) -> None:
        """Send `rate` requests a second on average, for that long; then hang up."""
        try:
            await self._arrive(rate, time.monotonic() + seconds)
        finally:
            for task in self._busy:
                task.cancel()
            await asyncio.gather(*self._busy, return_exceptions=True)
            for _, writer in self._idle:
                writer.close()

    async def _arrive(self, rate: float, end: float) -> None:
        due = time.monotonic()
        while rate > 0 and due < end:
            due += random.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if len(self._busy) >= MOST_CONNECTIONS:
                self._tally.skipped += 1
                continue
            task = asyncio.create_task(self._send())
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        await asyncio.sleep(max(0.0, end - time.monotonic()))

    async def _send(self) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                connection = (
                    self._idle.pop()
                    if self._idle
                    else await asyncio.open_connection(*self._address)
                )
                status = await self._exchange(connection)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            self._tally.broken += 1
            return
        self._tally.answered(status, time.monotonic() - began)
        self._idle.append(connection)

    async def _exchange(self, connection: Connection) -> int:
        """Send the request and read the answer; a connection that fails is closed."""
        reader, writer = connection
        try:
            writer.write(self._request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
            await reader.readexactly(int(length))
            return int(head.split(b" ", 2)[1])
        except IndexError as error:
            writer.close()
            raise ValueError("the answer has no content-length") from error
        except BaseException:
            writer.close()
            raise


async def _main(host: str, port: int, rate: float, seconds: float) -> Tally:
    tally = Tally()
    sending = asyncio.create_task(Load(host, port, tally).run(rate, seconds))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, sending.cancel)
    await asyncio.wait([sending])
    if not sending.cancelled():
        sending.result()
    return tally


def main() -> int:
    """Send until interrupted or the time is over, then print a summary."""
    parser = argparse.ArgumentParser(prog="python -m bot.demo.load", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, default=240.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=1800.0, help="then it stops by itself")
    asked = parser.parse_args()
    print(asyncio.run(_main(asked.host, asked.port, asked.rate, asked.seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
