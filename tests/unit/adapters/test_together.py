"""One Prometheus for all services of a process: who gets what when something goes wrong."""

import asyncio
import gc
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs

import httpx
import pytest
from servers import Reply, Web, free_port, wait_until, web

from adapters.http import HttpError, new_client
from adapters.metrics import together as module
from adapters.metrics.merging import Question, question
from adapters.metrics.together import Together, together

NOW = 1_772_452_800.0
SERVICES = [f"s{number}" for number in range(10)]


def asked(service: str) -> Question:
    return question("m", {"service": service}, {"arm": ["blue", "green"]}, timedelta(seconds=30))


@dataclass
class Fake:
    """A Prometheus that has one series a service, and may refuse.

    Attributes:
        refuses: given the services of a query, what it answers in place of their series.
        held: queries wait until it is set.
        strips: whether series come without the label they were chosen by.
        queries: the services of every query.
        clocks: how often it was asked for the time.

    """

    refuses: Callable[[list[str]], Reply | None] = lambda _: None
    held: Mapping[str, asyncio.Event] = field(default_factory=dict)
    strips: bool = False
    queries: list[list[str]] = field(default_factory=list)
    clocks: int = 0
    has_time: bool = True

    async def answer(self, _method: str, _path: str, body: bytes) -> Reply:
        query = parse_qs(body.decode())["query"][0]
        if query == "time()":
            self.clocks += 1
            if not self.has_time:
                return 500, "text/plain", "no"
            return said({"resultType": "scalar", "result": [NOW, str(NOW)]})
        services = re.search(r'service=~?"([^"]*)"', query)
        assert services
        names = services[1].split("|")
        self.queries.append(names)
        for name in names:
            if name in self.held:
                await self.held[name].wait()
        return self.refuses(names) or said(
            {"resultType": "matrix", "result": [self.series(name) for name in names]}
        )

    def series(self, name: str) -> object:
        labels = {"__name__": "m", "arm": "blue"} | ({} if self.strips else {"service": name})
        return {"metric": labels, "values": [[NOW, name.removeprefix("s")]]}


def said(data: object) -> Reply:
    return 200, "application/json", json.dumps({"status": "success", "data": data})


def refused(status: int, kind: str = "bad_data") -> Reply:
    return status, "application/json", json.dumps({"errorType": kind, "error": "no"})


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with new_client() as client:
        yield client


async def look(one: Together, service: str) -> float | str:
    """The value of a service's series, or the error's text."""
    try:
        now, series = await one.look([asked(service)])
    except HttpError as error:
        return str(error)
    assert now == NOW
    assert len(series) == 1
    return series[0].values[0]


async def looks(one: Together, services: list[str] = SERVICES) -> dict[str, float | str]:
    found = await asyncio.gather(*(look(one, service) for service in services))
    return dict(zip(services, found, strict=True))


def own(services: list[str] = SERVICES) -> dict[str, float | str]:
    return {service: float(service[1:]) for service in services}


async def test_looks_of_one_moment_are_one_query(http: httpx.AsyncClient) -> None:
    """Ten looks cost one query and one question for the time, and each has its own series."""
    fake = Fake()
    async with web(fake.answer) as server:
        assert await looks(together(http, server.url, {})) == own()
    assert (len(fake.queries), fake.clocks) == (1, 1)


@pytest.mark.parametrize("status", [400, 422, 503])
async def test_one_bad_question_blinds_nobody_else(http: httpx.AsyncClient, status: int) -> None:
    """The others are answered at once, and from then on without the bad one, which is told why."""
    fake = Fake(lambda names: refused(status) if "s3" in names else None)
    async with web(fake.answer) as server:
        one = together(http, server.url, {})
        found = await looks(one)
        assert "refused the question" in str(found.pop("s3"))
        assert found == own([name for name in SERVICES if name != "s3"])
        fake.queries.clear()
        again = await looks(one)
    assert "refused the question" in str(again["s3"])
    assert ["s3"] in fake.queries
    assert not any("s3" in names and len(names) > 1 for names in fake.queries)
    assert len(fake.queries) <= 4


async def test_a_slow_query_is_split_in_time(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose series take too long is blind within its deadline, and the others are not."""
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    monkeypatch.setattr(module, "DEADLINE", 1.2)
    fake = Fake(held={"s3": asyncio.Event()})
    async with web(fake.answer) as server:
        found = await looks(together(http, server.url, {}))
        fake.held["s3"].set()
    assert "did not answer within 1.2 s" in str(found.pop("s3"))
    assert found == own([name for name in SERVICES if name != "s3"])


async def test_too_much_at_once_is_asked_in_parts(http: httpx.AsyncClient) -> None:
    """When each question alone is fine, the next queries are smaller."""
    fake = Fake(lambda names: refused(422, "execution") if len(names) > 5 else None)
    async with web(fake.answer) as server:
        one = together(http, server.url, {})
        assert await looks(one) == own()
        fake.queries.clear()
        assert await looks(one) == own()
    assert sorted(len(names) for names in fake.queries) == [5, 5]


@pytest.mark.parametrize("status", [401, 403, 404, 429])
async def test_a_refusal_of_everyone_is_not_asked_again(
    http: httpx.AsyncClient, status: int
) -> None:
    """A wrong token, or too many questions, does not become more questions."""
    fake = Fake(lambda _: (status, "text/plain", "no"))
    async with web(fake.answer) as server:
        found = await looks(together(http, server.url, {}))
    assert all(f"answered {status}" in str(text) for text in found.values())
    assert len(fake.queries) == 1


async def test_nobody_asks_a_dead_server_one_by_one(http: httpx.AsyncClient) -> None:
    """All looks fail with its address, and none waits for long."""
    found = await looks(together(http, f"http://127.0.0.1:{free_port()}", {}))
    assert all("cannot be reached" in str(text) for text in found.values())


async def test_without_the_time_there_is_no_look(http: httpx.AsyncClient) -> None:
    """How old samples are cannot be said without the server's own clock."""
    fake = Fake(has_time=False)
    async with web(fake.answer) as server:
        assert "look into its log" in str((await looks(together(http, server.url, {})))["s1"])


async def test_who_leaves_takes_nobody_along(http: httpx.AsyncClient) -> None:
    """A reader that is cancelled, the first one too, leaves the others their answers."""
    fake = Fake(held={"s0": asyncio.Event()})
    async with web(fake.answer) as server:
        one = together(http, server.url, {})
        readers = {name: asyncio.create_task(look(one, name)) for name in SERVICES}
        await wait_until(lambda: bool(fake.queries), "the query is under way")
        readers.pop("s0").cancel()
        readers.pop("s5").cancel()
        await asyncio.sleep(0)
        fake.held["s0"].set()
        assert {name: await reader for name, reader in readers.items()} == own(list(readers))
    assert len(fake.queries) == 1


async def test_a_look_never_joins_a_query_under_way(http: httpx.AsyncClient) -> None:
    """The answer under way may be older than the look, so the look is asked anew."""
    fake = Fake(held={"s0": asyncio.Event()})
    async with web(fake.answer) as server:
        one = together(http, server.url, {})
        first = asyncio.create_task(look(one, "s0"))
        await wait_until(lambda: bool(fake.queries), "the query is under way")
        second = asyncio.create_task(look(one, "s0"))
        await wait_until(lambda: len(fake.queries) == 2, "the second query")
        fake.held["s0"].set()
        assert await first == await second == 0.0


async def test_a_layer_that_removes_labels_is_asked_one_by_one(http: httpx.AsyncClient) -> None:
    """Where series do not say whose they are, each service gets those of its own question."""
    fake = Fake(strips=True)
    async with web(fake.answer) as server:
        assert await looks(together(http, server.url, {})) == own()
    assert sorted(map(len, fake.queries)) == [*([1] * 10), 10]


async def test_a_faulty_client_is_heard_of(http: httpx.AsyncClient) -> None:
    """What is no failure of Prometheus is raised where it was asked, and nobody hangs."""
    one = together(http, "http://127.0.0.1:1", {})
    await http.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await one.look([asked("s1")])


async def test_who_stops_leaves_nobody_waiting(http: httpx.AsyncClient) -> None:
    """When the round itself is cancelled, as at the end, its readers are told."""
    fake = Fake(held={"s1": asyncio.Event()})
    async with web(fake.answer) as server:
        one = together(http, server.url, {})
        reader = asyncio.create_task(look(one, "s1"))
        await wait_until(lambda: bool(fake.queries), "the query is under way")
        for task in tuple(one._under_way):
            task.cancel()
        assert "the bot is stopping" in str(await reader)
        fake.held["s1"].set()


async def test_only_the_same_server_asked_in_the_same_name_is_shared(
    http: httpx.AsyncClient,
) -> None:
    """Another address, token or client is another one; nothing is kept once nobody holds it."""
    one = together(http, "http://a/", {"Authorization": "x"})
    assert together(http, "http://a", {"Authorization": "x"}) is one
    async with new_client() as other:
        assert together(other, "http://a", {"Authorization": "x"}) is not one
    assert together(http, "http://b", {"Authorization": "x"}) is not one
    assert together(http, "http://a", {"Authorization": "y"}) is not one
    del one
    gc.collect()
    assert not module._shared


async def test_many_shapes_do_not_wait_for_each_other(http: httpx.AsyncClient) -> None:
    """A question of another shape that hangs holds up nobody's answer."""
    fake = Fake(held={"s0": asyncio.Event()})
    async with web(fake.answer) as server:
        one = together(http, server.url, {})
        hanging = asyncio.create_task(
            one.look([question("n", {"service": "s0"}, {"arm": ["blue"]}, timedelta(seconds=9))])
        )
        rest = SERVICES[1:]
        assert await looks(one, rest) == own(rest)
        assert not hanging.done()
        fake.held["s0"].set()
        await hanging


async def test_sharing_is_seen_from_the_servers_side(http: httpx.AsyncClient) -> None:
    """Two holders of one server ask it as one."""
    server = Web(Fake().answer)
    await server.start()
    try:
        first, second = together(http, server.url, {}), together(http, f"{server.url}/", {})
        found = await asyncio.gather(look(first, "s1"), look(second, "s2"))
        assert list(found) == [1.0, 2.0]
    finally:
        await server.stop()
    assert len(server.asked) == 2
