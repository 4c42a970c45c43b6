"""Prometheus, the real one and the ways in which it or its likes answer otherwise."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from exposed import Exposed
from servers import Reply, free_port, prometheus, wait_until, web

from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.metrics.prometheus import PrometheusOptions, PrometheusSource
from adapters.registry import Surroundings
from bot.core.reading import Reading
from bot.core.slo import Arms, NoData

ARMS = Arms(canary="green", stable="blue")
NOW = 1_772_452_800.0


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with new_client() as client:
        yield client


def source(http: httpx.AsyncClient, url: str, **changes: object) -> PrometheusSource:
    options = {"preset": "http", "url": url, "arm_label": "backend"} | changes
    around = Surroundings("shop", SystemClock(), http, Path())
    return PrometheusSource(PrometheusOptions.model_validate(options), around)


async def reason(metrics: PrometheusSource, arms: Arms[str] = ARMS) -> str:
    """Why nothing, or why the canary, could not be read."""
    reading = await metrics.read(arms)
    nothing = reading if isinstance(reading, NoData) else reading.canary
    assert isinstance(nothing, NoData), nothing
    return nothing.reason


@pytest.mark.external_service
async def test_a_blackout_is_seen(http: httpx.AsyncClient, tmp_path: Path) -> None:
    """When the targets die the reading turns to no data, though rate() still gives an answer."""
    async with AsyncExitStack() as stack:
        both = {"blue": Exposed(), "green": Exposed()}
        for exposed in both.values():
            exposed.count(100, errors=4)
            await exposed.web.start()
            stack.push_async_callback(exposed.web.stop)
        ports = {backend: [exposed.web.port] for backend, exposed in both.items()}
        url = await stack.enter_async_context(prometheus(tmp_path, ports))
        metrics = source(http, url, max_age="3s")
        patient = source(http, url, max_age="30s")

        async def seen_twice() -> bool:
            query = {"query": "min(count_over_time(http_requests_total[1m]))"}
            body = (await http.get(f"{url}/api/v1/query", params=query)).json()
            return bool(body["data"]["result"]) and int(body["data"]["result"][0]["value"][1]) > 1

        await wait_until(seen_twice, "two scrapes")
        assert isinstance(await metrics.read(ARMS), Reading)
        for exposed in both.values():
            await exposed.web.stop()

        async def is_blind() -> bool:
            return isinstance(await metrics.read(ARMS), NoData)

        await wait_until(is_blind, "the source is blind")
        assert "look whether Prometheus still scrapes it" in await reason(metrics)
        query = {"query": "sum(rate(http_requests_total[1m]))"}
        body = (await http.get(f"{url}/api/v1/query", params=query)).json()
        assert body["data"]["result"]  # what must not be believed
        first, second = await patient.read(ARMS), await patient.read(ARMS)
        assert isinstance(first, Reading)
        assert isinstance(second, Reading)
        assert first.at == second.at  # an unchanged scrape is not a new look


@pytest.mark.external_service
async def test_questions_that_find_nothing_are_explained(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """A wrong name, label or expression is no data, and the text says what there is instead."""
    async with AsyncExitStack() as stack:
        exposed = Exposed()
        exposed.count(3)
        await exposed.web.start()
        stack.push_async_callback(exposed.web.stop)
        ports = {"blue": [exposed.web.port]}
        url = await stack.enter_async_context(prometheus(tmp_path, ports))

        async def scraped() -> bool:
            reading = await source(http, url).read(ARMS)
            return isinstance(reading, Reading) and isinstance(reading.stable, dict)

        await wait_until(scraped, "the first scrape")
        assert "backend is there as blue" in await reason(source(http, url))
        wrong = source(http, url, requests={"metric": "http_request_total"})
        assert "it has http_requests_total" in await reason(wrong)
        assert "without the label zone" in await reason(source(http, url, arm_label="zone"))
        lookahead = {"metric": "http_requests_total", "labels": {"code": "~(?!2).*"}}
        refused = source(http, url, requests=lookahead, errors=lookahead)
        assert "refused the question (400 bad_data" in await reason(refused)
        mapped = source(http, url, backends={"blue": "blue", "green": "green"})
        assert "'gray' is not among" in await reason(mapped, Arms("gray", "blue"))


async def test_a_dead_server_is_no_data(http: httpx.AsyncClient) -> None:
    """Without Prometheus there is no data, and the text says where it was looked for."""
    text = await reason(source(http, f"http://127.0.0.1:{free_port()}"))
    assert "Prometheus at http://127.0.0.1" in text
    assert "cannot be reached" in text


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (422, {"errorType": "422", "error": "cannot parse"}, "refused the question (422 422: can"),
        (503, {"errorType": "timeout", "error": "too slow"}, "refused the question (503 timeout"),
        (
            422,
            {"errorType": "execution", "error": "query processing would load too many samples"},
            "too many samples",
        ),
        (502, "<html>", "look into its log"),
        (401, "no", "check the token"),
        (200, "<html>", "not JSON"),
        (200, [], "did not answer as its API does"),
        (200, {"status": "success", "data": {"resultType": "vector", "result": []}}, "as its API"),
        (
            200,
            {"status": "success", "data": {}, "warnings": ["store sg-1 is down"]},
            "may be incomplete (store sg-1 is down)",
        ),
        (200, {"status": "success", "isPartial": True, "data": {}}, "may be incomplete"),
    ],
)
async def test_answers_that_cannot_be_used_are_no_data(
    http: httpx.AsyncClient, status: int, body: object, says: str
) -> None:
    """Refusals of Prometheus and VictoriaMetrics, proxies' pages and partial answers are no data."""
    text = body if isinstance(body, str) else json.dumps(body)
    async with web(lambda *_: (status, "application/json", text)) as server:
        assert says in await reason(source(http, server.url))


class Fake:
    """Answers as Prometheus does, from raw samples by the metric's name."""

    def __init__(self, series: dict[str, list[tuple[dict[str, str], list[list[object]]]]]) -> None:
        self.series = series

    def answer(self, _method: str, path: str, body: bytes) -> Reply:
        query = parse_qs(body.decode()).get("query", [""])[0]
        data: object
        if query == "time()":
            data = {"resultType": "scalar", "result": [NOW, str(NOW)]}
        elif query.startswith("max("):
            data = {"resultType": "vector", "result": [{"value": [NOW, str(NOW - 240)]}]}
        else:
            found = self.series.get(query.partition("{")[0], [])
            data = {
                "resultType": "matrix",
                "result": [{"metric": labels, "values": values} for labels, values in found],
            }
        return 200, "application/json", json.dumps({"status": "success", "data": data})


def series(
    backend: str, code: str, *samples: tuple[float, object]
) -> tuple[dict[str, str], list[list[object]]]:
    """A series of one instance; times are seconds before now."""
    labels = {"__name__": "http_requests_total", "backend": backend, "code": code, "instance": "a"}
    return labels, [[NOW - ago, str(value)] for ago, value in samples]


async def read(
    http: httpx.AsyncClient, *found: tuple[dict[str, str], list[list[object]]]
) -> object:
    """The canary's (requests, errors), or why there are none."""
    stable = series("blue", "200", (5, 100))
    async with web(Fake({"http_requests_total": [*found, stable]}).answer) as server:
        reading = await source(http, server.url).read(ARMS)
    assert isinstance(reading, Reading)
    if isinstance(reading.canary, NoData):
        return reading.canary.reason
    (counters,) = reading.canary.values()
    return counters.requests, counters.errors


async def test_errors_of_a_process_that_is_gone_are_not_blamed_on_the_next(
    http: httpx.AsyncClient,
) -> None:
    """After a restart a series that the new process does not have is not carried over."""
    good = series("green", "200", (15, 1000), (5, 12))
    assert await read(http, good, series("green", "500", (15, 50))) == (12, 0)


async def test_a_series_that_lags_keeps_its_value(http: httpx.AsyncClient) -> None:
    """Without a restart a series that misses the newest scrape still counts as it stood."""
    good = series("green", "200", (15, 1000), (5, 1010))
    assert await read(http, good, series("green", "500", (15, 50))) == (1060, 50)


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        ([(120, 7)], "is 4 min old"),
        ([(5, "NaN")], "is nan, which is no count"),
        ([(5, "+Inf")], "is inf, which is no count"),
    ],
)
async def test_samples_that_are_no_counts_or_old_are_no_data(
    http: httpx.AsyncClient, samples: list[tuple[float, object]], says: str
) -> None:
    """An old sample, though it is answered, and one that is no number, are no data."""
    assert says in str(await read(http, series("green", "200", *samples)))


async def test_the_reading_is_as_old_as_its_older_arm(http: httpx.AsyncClient) -> None:
    """Both arms must have gone on before a reading is newer than the last."""
    found = [series("green", "200", (2, 10)), series("blue", "200", (7, 10))]
    async with web(Fake({"http_requests_total": found}).answer) as server:
        reading = await source(http, server.url).read(ARMS)
    assert isinstance(reading, Reading)
    assert reading.at.timestamp() == NOW - 7


async def test_secrets_come_from_the_environment_and_stay_there(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Token and headers are sent as the environment has them; a missing one is refused at once."""
    monkeypatch.setenv("PROM_TOKEN", "s3cret")
    monkeypatch.setenv("PROM_TENANT", "shop")
    secrets = {"token_env": "PROM_TOKEN", "headers_env": {"X-Scope-OrgID": "PROM_TENANT"}}
    async with web(Fake({}).answer) as server:
        text = await reason(source(http, server.url, **secrets))
        sent = server.headers[0]
    assert (sent["authorization"], sent["x-scope-orgid"]) == ("Bearer s3cret", "shop")
    assert "s3cret" not in text
    for options in ({"token_env": "NO_SUCH"}, {"headers_env": {"A": "NO_SUCH"}}):
        with pytest.raises(ValueError, match="the environment has no NO_SUCH"):
            source(http, "http://a", **options)
    with pytest.raises(ValueError, match="`arm_label` must name"):
        source(http, "http://a", arm_label=None)
