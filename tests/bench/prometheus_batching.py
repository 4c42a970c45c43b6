"""`python -m bench.prometheus_batching`: what looks cost Prometheus and us, merged and one by one.

Both ways ask the same running Prometheus for the same looks in one run, one after the other, so
the ratio says more than the figures. So many looks are under way at any moment (`--at-once`); a
new one begins when one ends. Twenty is what 5,000 canaries at ten seconds make of looks that take
40 ms.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import httpx
from exposed import Exposed
from servers import prometheus, wait_until

from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.metrics.merging import Question
from adapters.metrics.prometheus import PrometheusOptions, PrometheusSource
from adapters.metrics.promql import Api
from adapters.metrics.samples import Series
from adapters.metrics.together import Together
from adapters.registry import Surroundings
from bot.core.reading import Reading
from bot.core.slo import Arms

ARMS: Final = Arms(canary="green", stable="blue")
BUCKETS: Final = (*(str(5 * 2**n / 1000) for n in range(10)), "+Inf")
SCRAPES: Final = 6
"""A window of 90 s at a scrape every 15 s."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of 1,000 looks: requests, CPU seconds of Prometheus and of us, milliseconds a look took."""

    requests: float
    theirs: float
    ours: float
    median: float
    worst: float


class OneByOne:
    """Every look asks for itself, side by side with the others."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def look(self, questions: Sequence[Question]) -> tuple[float, list[Series]]:
        """As `Together.look`."""
        asked = (self.api.raw(one.metric, one.matchers, one.window) for one in questions)
        now, answers = await asyncio.gather(self.api.now(), asyncio.gather(*asked))
        return now, [series for answer in answers for series in answer]


def exposition(services: int) -> str:
    """Two arms a service, two codes and a histogram each."""
    lines = []
    for service in range(services):
        for arm in ("blue", "green"):
            labels = f'service="service-{service}",backend_of="{arm}"'
            lines += [f'http_requests_total{{{labels},code="{c}"}} 100' for c in ("200", "500")]
            name = "http_request_duration_seconds_bucket"
            lines += [f'{name}{{{labels},le="{bound}"}} 100' for bound in BUCKETS]
    return "\n".join(lines)


def source(http: httpx.AsyncClient, url: str, service: int) -> PrometheusSource:
    labels = {"service": f"service-{service}"}
    options = {
        "url": url,
        "requests": {"metric": "http_requests_total", "labels": labels},
        "errors": {"metric": "http_requests_total", "labels": {**labels, "code": "~5.."}},
        "latency": {"metric": "http_request_duration_seconds", "labels": labels},
        "arm_label": "backend_of",
        "max_age": "5m",
    }
    around = Surroundings(f"service-{service}", SystemClock(), http, Path())
    return PrometheusSource(PrometheusOptions.model_validate(options), around)


async def told(http: httpx.AsyncClient, url: str) -> tuple[float, float]:
    """Queries that Prometheus has answered, and its CPU seconds, as it says itself."""
    text = (await http.get(f"{url}/metrics")).text
    requests = sum(
        float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith("prometheus_http_requests_total{") and 'handler="/api/v1/query"' in line
    )
    (cpu,) = (
        float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith("process_cpu_seconds_total ")
    )
    return requests, cpu


async def idle(http: httpx.AsyncClient, url: str, seconds: float) -> float:
    """CPU seconds a second that Prometheus takes when nobody asks."""
    _, before = await told(http, url)
    await asyncio.sleep(seconds)
    return ((await told(http, url))[1] - before) / seconds


async def cost(
    http: httpx.AsyncClient,
    url: str,
    sources: Sequence[PrometheusSource],
    *,
    looks: int,
    at_once: int,
    at_rest: float,
) -> Cost:
    """Look so many times."""
    took: list[float] = []
    numbers = iter(range(looks))

    async def reader() -> None:
        for number in numbers:
            began = time.perf_counter()
            reading = await sources[number % len(sources)].read(ARMS)
            took.append(1000 * (time.perf_counter() - began))
            assert isinstance(reading, Reading), reading
            assert isinstance(reading.canary, dict), reading

    before, cpu = await told(http, url)
    own, start = time.process_time(), time.perf_counter()
    await asyncio.gather(*(reader() for _ in range(at_once)))
    ours, wall = time.process_time() - own, time.perf_counter() - start
    after, cpu_after = await told(http, url)
    took.sort()
    scale = 1000 / looks
    theirs = cpu_after - cpu - at_rest * wall
    return Cost(
        scale * (after - before), scale * theirs, scale * ours, took[len(took) // 2], took[-1]
    )


async def measure(services: int, looks: int, at_once: Sequence[int]) -> None:
    """Start Prometheus, let it scrape, look both ways, print."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        exposed = Exposed(extra=exposition(services))
        await exposed.web.start()
        stack.push_async_callback(exposed.web.stop)
        url = await stack.enter_async_context(prometheus(folder, {"all": [exposed.web.port]}))
        http = await stack.enter_async_context(new_client())
        await wait_until(lambda: len(exposed.web.asked) > SCRAPES, "the scrapes")
        await exposed.web.stop()  # its work is not what is measured, and the samples stay fresh
        merged = [source(http, url, service) for service in range(services)]
        single = [source(http, url, service) for service in range(services)]
        for one in single:
            one._together = cast("Together", OneByOne(one._api))
        at_rest = await idle(http, url, 3)
        say(f"per 1,000 looks (of {looks}) at {services} services, {len(BUCKETS)} buckets each")
        say(f"Prometheus at rest ({at_rest:.3f} CPU s a second) is not counted\n")
        say(" at once way        requests its CPU s our CPU s median ms worst ms")
        for number in at_once:
            before = await cost(http, url, single, looks=looks, at_once=number, at_rest=at_rest)
            after = await cost(http, url, merged, looks=looks, at_once=number, at_rest=at_rest)
            show(number, before, after)


def show(at_once: int, before: Cost, after: Cost) -> None:
    """Both ways, and how many times less the second is."""
    for way, c in (("one by one", before), ("merged", after)):
        say(
            f"{at_once:>8} {way:<10} {c.requests:>8.0f} {c.theirs:>9.2f} {c.ours:>9.2f}"
            f" {c.median:>9.0f} {c.worst:>8.0f}"
        )
    say(
        f"{'':>8} {'ratio':<10} {before.requests / after.requests:>8.1f}"
        f" {before.theirs / max(after.theirs, 0.01):>9.1f} {before.ours / after.ours:>9.1f}\n"
    )


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.prometheus_batching")
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--looks", type=int, default=1000)
    parser.add_argument("--at-once", type=int, nargs="+", default=[5, 20, 100])
    given = parser.parse_args(arguments)
    asyncio.run(measure(given.services, given.looks, given.at_once))
    return 0


if __name__ == "__main__":
    sys.exit(main())
