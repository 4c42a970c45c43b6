"""What every readiness probe promises the engine, checked against each of them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from servers import Reply, Web, web

from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.readiness.http import LARGEST, HttpProbe, HttpProbeOptions
from adapters.readiness.memory import MemoryProbe
from adapters.registry import Surroundings
from bot.core.slo import Component, NoData, Readiness
from bot.ports import ReadinessProbe

UP = Component("db", ready=True)
DOWN = Component("queue", ready=False, reason="connection refused")


class Bench(Protocol):
    """A probe, and the backends it asks."""

    probe: ReadinessProbe

    async def begin(self, stack: AsyncExitStack) -> None:
        """Start what is needed, until the stack is closed."""

    def say(self, backend: str, *components: Component, revision: str | None) -> None:
        """Let a backend answer this from now on."""


class MemoryBench:
    """Answers in memory."""

    async def begin(self, stack: AsyncExitStack) -> None:
        """Nothing to start."""
        self.memory = MemoryProbe()
        self.probe: ReadinessProbe = self.memory

    def say(self, backend: str, *components: Component, revision: str | None) -> None:
        """Let a backend answer this from now on."""
        self.memory.say(backend, *components, revision=revision)


class HttpBench:
    """Two real endpoints."""

    def __init__(self) -> None:
        self.bodies: dict[str, str] = {}

    async def begin(self, stack: AsyncExitStack) -> None:
        """Start the endpoints."""
        http = await stack.enter_async_context(new_client())
        server = await stack.enter_async_context(web(self._answer))
        options = HttpProbeOptions(url=f"{server.url}/{{backend}}/health")
        self.probe: ReadinessProbe = HttpProbe(options, around(http))

    def _answer(self, method: str, path: str, body: bytes) -> Reply:
        return 200, "application/json", self.bodies[path.split("/")[1]]

    def say(self, backend: str, *components: Component, revision: str | None) -> None:
        """Let a backend answer this from now on."""
        said = {
            each.name: {"status": "up" if each.ready else "down", "reason": each.reason}
            for each in components
        }
        self.bodies[backend] = json.dumps(
            {"status": "ok", "revision": revision, "components": said}
        )


def around(http: httpx.AsyncClient) -> Surroundings:
    """The surroundings of an adapter, on the machine's clock."""
    return Surroundings("shop", SystemClock(), http, Path())


@pytest.fixture(params=[MemoryBench, HttpBench])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        bench: Bench = request.param()
        await bench.begin(stack)
        yield bench


async def test_a_backend_is_told_component_by_component(bench: Bench) -> None:
    """Names, readiness, reasons and the revision arrive as the backend said them."""
    bench.say("green", UP, DOWN, revision="v2")
    bench.say("blue", UP, revision="v1")
    assert await bench.probe.check("green") == Readiness((UP, DOWN), "v2")
    assert await bench.probe.check("blue") == Readiness((UP,), "v1")


async def test_an_answer_is_never_remembered(bench: Bench) -> None:
    """What a backend says now is what is told now."""
    bench.say("green", DOWN, revision="v2")
    first = await bench.probe.check("green")
    bench.say("green", UP, revision="v2")
    second = await bench.probe.check("green")
    assert isinstance(first, Readiness)
    assert isinstance(second, Readiness)
    assert (first.failing, second.failing) == ((DOWN,), ())


async def the_one_component(probe: HttpProbe, backend: str = "green") -> Component:
    """The only component of an answer."""
    answer = await probe.check(backend)
    assert isinstance(answer, Readiness)
    (component,) = answer.components
    return component


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with new_client() as http:
        yield http


async def test_a_backend_that_is_down_is_not_ready_and_says_where(
    http: httpx.AsyncClient,
) -> None:
    """A refused connection is an answer, and its address holds no password."""
    async with web(lambda *_: (200, "text/plain", "ok")) as server:
        url = server.url.replace("//", "//bob:hunter2@") + "/health"
    component = await the_one_component(
        HttpProbe(HttpProbeOptions(urls={"green": url}), around(http))
    )
    assert (component.name, component.ready) == ("http", False)
    assert f"127.0.0.1:{server.port}/health cannot be reached" in component.reason
    assert "hunter2" not in component.reason


async def test_a_backend_that_does_not_answer_in_time_is_not_ready(
    http: httpx.AsyncClient,
) -> None:
    """A hung backend costs no more than the timeout."""
    release = asyncio.Event()

    async def hang(*_: object) -> Reply:
        await release.wait()
        return 200, "text/plain", "ok"

    async with web(hang) as server:
        options = HttpProbeOptions.model_validate(
            {"url": f"{server.url}/{{backend}}", "timeout": "100ms"}
        )
        component = await the_one_component(HttpProbe(options, around(http)))
        release.set()
    assert not component.ready
    assert component.reason.endswith("did not answer within 0.1 s")


async def test_a_connection_that_was_closed_meanwhile_is_opened_again(
    http: httpx.AsyncClient,
) -> None:
    """A restarted backend is not taken for a broken one."""
    server = Web(lambda *_: (200, "text/plain", "ok"))
    probe = HttpProbe(HttpProbeOptions(url=f"{server.url}/{{backend}}"), around(http))
    for _ in range(3):
        await server.start()
        assert (await the_one_component(probe)).ready
        await server.stop()


@pytest.mark.parametrize(
    ("reply", "ready", "reason"),
    [
        ((200, "text/plain", "OK"), True, ""),
        ((200, "text/html", "<html>hello</html>"), True, ""),
        ((204, "text/plain", ""), True, ""),
        ((503, "text/plain", ""), False, "answered 503"),
        (
            (500, "text/html", "password=hunter2 boom"),
            False,
            "answered 500: password=<secret> boom",
        ),
        ((404, "text/plain", ""), False, "answered 404"),
        ((302, "text/plain", ""), False, "answered 302"),
        ((200, "text/plain", "x" * (LARGEST + 1)), False, "is it a health endpoint?"),
        ((200, "application/octet-stream", b"\xff\xfe\x00"), True, ""),
        ((200, "application/json", "[" * 100_000), True, ""),
    ],
)
async def test_an_answer_without_components_is_judged_by_its_status(
    http: httpx.AsyncClient, reply: Reply, *, ready: bool, reason: str
) -> None:
    """2xx is ready, everything else is not and says so."""
    async with web(lambda *_: reply) as server:
        options = HttpProbeOptions(url=f"{server.url}/{{backend}}")
        component = await the_one_component(HttpProbe(options, around(http)))
    assert (component.name, component.ready) == ("http", ready)
    assert component.reason.endswith(reason)


async def test_a_backend_without_an_address_is_no_data(http: httpx.AsyncClient) -> None:
    """Who cannot even be asked is no data, and the configured ones are named."""
    options = HttpProbeOptions(urls={"red": "http://red/", "blue": "http://blue/"})
    answer = await HttpProbe(options, around(http)).check("green")
    assert answer == NoData("no address is configured for green; `urls` has: red, blue")


@pytest.mark.parametrize("url", ["nonsense", "http://[::1", "ftp://green/", "http://a b/"])
async def test_an_address_that_is_none_is_not_ready(http: httpx.AsyncClient, url: str) -> None:
    """A mistake in the configuration is told, never raised."""
    probe = HttpProbe(HttpProbeOptions(urls={"green": url}), around(http))
    assert not (await the_one_component(probe)).ready


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "either `url` or"),
        ({"url": "http://green/"}, "needs {backend}"),
        ({"url": "http://{backend}/", "urls": {"a": "http://a/"}}, "either `url` or"),
        ({"url": "http://{backend}/", "timeout": "soon"}, "write for example 250ms"),
        ({"url": "http://{backend}/", "colour": "red"}, "colour"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, object], reason: str) -> None:
    """Each mistake is told with what to write instead."""
    with pytest.raises(ValueError, match=reason):
        HttpProbeOptions.model_validate(options)
