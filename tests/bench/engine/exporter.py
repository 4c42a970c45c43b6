"""`python -m bench.engine.exporter PORT SERVICES BEGAN_AT`: a page of counters for Prometheus.

Of each service and arm it shows four series: requests by code (two), and two latency buckets.
"""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Final

from bench.engine import fleet
from bench.engine.traffic import BOUNDS, Trace
from servers import Web

BOUND: Final = 0.25
"""The one bound that is shown beside +Inf, in seconds."""


def page(trace: Trace, services: int, at: datetime) -> str:
    """The counters of all services as they stand at a moment, as Prometheus reads them."""
    lines = ["# TYPE bench_requests_total counter", "# TYPE bench_seconds histogram"]
    place = BOUNDS.index(BOUND)
    for number in range(services):
        service = fleet.service_name(number)
        for arm in ("blue", "green"):
            counters = next(iter(trace.instances(number, arm, at).values()))
            labels = f'service="{service}",backend="{arm}"'
            good = counters.requests - counters.errors
            lines += (
                f'bench_requests_total{{{labels},code="200"}} {good}',
                f'bench_requests_total{{{labels},code="500"}} {counters.errors}',
                f'bench_seconds_bucket{{{labels},le="{BOUND}"}} {counters.buckets[place][1]}',
                f'bench_seconds_bucket{{{labels},le="+Inf"}} {counters.timed}',
            )
    return "\n".join(lines) + "\n"


async def serve(port: int, services: int, began_at: datetime) -> None:
    """Answer every request with the page, for ever."""
    trace = Trace(began_at)

    def answer(_method: str, path: str, _body: bytes) -> tuple[int, str, str]:
        shown = "" if path == "/ready" else page(trace, services, datetime.now(UTC))
        return 200, "text/plain; version=0.0.4", shown

    await Web(answer, port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), datetime.fromisoformat(sys.argv[3])))
