"""Looks of many services at one real Prometheus: each gets what it would have got alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from exposed import Exposed
from servers import prometheus, wait_until

from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.metrics.prometheus import PrometheusOptions, PrometheusSource
from adapters.registry import Surroundings
from bot.core.reading import Reading
from bot.core.slo import Arms, NoData

pytestmark = pytest.mark.external_service

ARMS = Arms(canary="green", stable="blue")
SERVICES = (
    *("shop", "shop-eu", "shop.eu", "shopxeu", "a|b", "a", "b", ".*", ".+", "(x", "[a-z]", "x{2}"),
    *(
        'say "hi"',
        "back\\slash",
        "\\",
        "\\Q.*\\E",
        "two\nlines",
        "tab\there",
        "^$",
        "$",
        "a b",
        "#&",
    ),
    *("é", "e\u0301", "日本", "😀", "\u2028", "<b>", "%2B+", "\u0001"),
)
"""What a label may hold: signs of expressions and quotes, near twins, other alphabets."""


def source(http: httpx.AsyncClient, url: str, service: str, **changes: object) -> PrometheusSource:
    labels = {"service": service}
    options = {
        "url": url,
        "requests": {"metric": "shared_requests_total", "labels": labels},
        "errors": {"metric": "shared_requests_total", "labels": {**labels, "code": "~5.."}},
        "arm_label": "arm",
        "backends": {"green": f"{service} 2", "blue": f"{service} 1"},
    } | changes
    around = Surroundings(service, SystemClock(), http, Path())
    return PrometheusSource(PrometheusOptions.model_validate(options), around)


def exposition() -> str:
    """Every service with numbers of its own: `1000 + number` requests, `number` of them failed."""
    lines = ["# TYPE shared_requests_total counter"]
    for number, service in enumerate(SERVICES):
        name = service.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        for arm, most in ((1, 1000), (2, 100)):
            labels = f'service="{name}",arm="{name} {arm}"'
            lines.append(f'shared_requests_total{{{labels},code="200"}} {most}')
            lines.append(f'shared_requests_total{{{labels},code="500"}} {number}')
    return "\n".join(lines)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with new_client() as client:
        yield client


@pytest.fixture
async def url(tmp_path: Path, http: httpx.AsyncClient) -> AsyncIterator[str]:
    exposed = Exposed(extra=exposition())
    async with AsyncExitStack() as stack:
        await exposed.web.start()
        stack.push_async_callback(exposed.web.stop)
        url = await stack.enter_async_context(prometheus(tmp_path, {"all": [exposed.web.port]}))

        async def scraped() -> bool:
            return isinstance(await source(http, url, "shop").read(ARMS), Reading)

        await wait_until(scraped, "the first scrape")
        yield url


def counts(told: Reading | NoData) -> object:
    """(requests, errors) of canary and stable, or why there are none."""
    if isinstance(told, NoData):
        return told.reason
    found: list[object] = []
    for arm in (told.canary, told.stable):
        if isinstance(arm, NoData):
            found.append(arm.reason)
        else:
            found += [(one.requests, one.errors) for one in arm.values()]
    return found


def expected() -> dict[str, object]:
    return {
        service: [(100 + number, number), (1000 + number, number)]
        for number, service in enumerate(SERVICES)
    }


async def test_merged_looks_are_the_single_looks(http: httpx.AsyncClient, url: str) -> None:
    """Whatever the labels hold, all at once find what each finds alone; it is one query."""
    asked: list[httpx.Request] = []

    async def note(request: httpx.Request) -> None:
        asked.append(request)

    sources = {service: source(http, url, service) for service in SERVICES}
    alone = {service: counts(await one.read(ARMS)) for service, one in sources.items()}
    http.event_hooks["request"].append(note)
    told = await asyncio.gather(*(one.read(ARMS) for one in sources.values()))

    assert alone == expected()
    assert dict(zip(sources, map(counts, told), strict=True)) == alone
    assert len(asked) == 2  # the series, and the time


async def test_a_refused_selector_is_its_owners_trouble(http: httpx.AsyncClient, url: str) -> None:
    """A name that Prometheus refuses is told to its service; the others see, in the same look."""
    sources = {service: source(http, url, service) for service in SERVICES}
    twice = {"metric": "shared_requests_total", "labels": {"service": "x", "code": "~(?!2).*"}}
    bad = source(http, url, "bad", requests=twice, errors=twice)
    told = await asyncio.gather(bad.read(ARMS), *(one.read(ARMS) for one in sources.values()))

    assert "refused the question (400 bad_data" in str(counts(told[0]))
    assert dict(zip(sources, map(counts, told[1:]), strict=True)) == expected()


async def test_a_query_too_large_for_the_server_is_split(
    http: httpx.AsyncClient, url: str, tmp_path: Path
) -> None:
    """What the server cannot take at once (here: a proxy's limit) it is asked in parts."""
    sources = {service: source(http, url, service) for service in SERVICES}
    real = http._transport
    lengths: list[int] = []

    class Narrow(httpx.AsyncBaseTransport):
        """Refuses long questions before they reach Prometheus."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            lengths.append(len(request.content))
            if lengths[-1] > 600:
                return httpx.Response(413, text="too large")
            return await real.handle_async_request(request)

    http._transport = Narrow()
    try:
        told = await asyncio.gather(*(one.read(ARMS) for one in sources.values()))
    finally:
        http._transport = real
    assert max(lengths) > 600
    assert dict(zip(sources, map(counts, told), strict=True)) == expected()
