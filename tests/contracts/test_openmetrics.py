"""Scraping: a real Envoy, and all that an endpoint can answer in place of good counters."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from exposed import Exposed
from servers import envoy, free_port, two_backends, web

from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.metrics.openmetrics import OpenMetricsOptions, OpenMetricsSource
from adapters.registry import Surroundings
from bot.core.reading import Counters, Instances, Reading
from bot.core.slo import Arms, NoData

ARMS = Arms(canary="green", stable="blue")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with new_client() as client:
        yield client


def source(http: httpx.AsyncClient, **options: object) -> OpenMetricsSource:
    around = Surroundings("shop", SystemClock(), http, Path())
    return OpenMetricsSource(OpenMetricsOptions.model_validate(options), around)


def counters(arm: Instances | NoData) -> Counters:
    """The only instance's counters."""
    assert isinstance(arm, dict), arm
    (one,) = arm.values()
    return one


async def told(http: httpx.AsyncClient, reply: Exposed, **options: object) -> Instances | NoData:
    """The canary arm of an endpoint that answers so, beside a good stable arm."""
    stable = Exposed()
    stable.count(5)
    async with AsyncExitStack() as stack:
        for one in (reply, stable):
            await one.web.start()
            stack.push_async_callback(one.web.stop)
        urls = {"green": [reply.url], "blue": [stable.url]}
        reading = await source(http, **{"preset": "http", "urls": urls, **options}).read(ARMS)
    assert isinstance(reading, Reading)
    assert counters(reading.stable).requests == 5
    return reading.canary


async def reason(http: httpx.AsyncClient, reply: Exposed, **options: object) -> str:
    arm = await told(http, reply, **options)
    assert isinstance(arm, NoData)
    return arm.reason


async def test_envoys_own_counters(http: httpx.AsyncClient, tmp_path: Path) -> None:
    """With Envoy's preset its admin's address is all: requests, errors and seconds by cluster."""
    async with (
        two_backends(lambda name: (500 if name == "green" else 200, "text/plain", name)) as webs,
        envoy(
            tmp_path,
            {name: server.port for name, server in webs.items()},
            first=(
                'resources: [{"@type": type.googleapis.com/envoy.service.runtime.v3.Runtime, '
                "name: rt, layer: {canary.shop.blue: 50, canary.shop.green: 50}}]"
            ),
        ) as running,
    ):
        metrics = source(http, preset="envoy", url=running.admin)
        before = await metrics.read(ARMS)
        assert isinstance(before, Reading)
        assert counters(before.canary) == Counters(0, 0)
        seen = [(await http.get(running.url)).status_code for _ in range(60)]
        failed, good = seen.count(500), seen.count(200)
        after = await metrics.read(ARMS)
        assert isinstance(after, Reading)
        assert (counters(after.canary).requests, counters(after.canary).errors) == (failed, failed)
        assert (counters(after.stable).requests, counters(after.stable).errors) == (good, 0)
        while isinstance(after, Reading) and counters(after.stable).timed < good:
            after = await metrics.read(ARMS)  # histograms follow at the next flush
        assert isinstance(after, Reading)
        bounds = [bound for bound, _ in counters(after.stable).buckets]
        assert bounds[0] == pytest.approx(0.001)
        assert bounds[-1] == pytest.approx(1.0)


async def test_names_that_differ_by_total_are_told_apart(http: httpx.AsyncClient) -> None:
    """`x` and `x_total` are two metrics, as they are in Envoy, and neither takes the other's."""
    body = (
        '# TYPE rq counter\nrq{arm="blue"} 1\nrq{arm="green"} 2\n'
        '# TYPE rq_total counter\nrq_total{arm="blue"} 10\nrq_total{arm="green"} 20\n'
    )
    async with web(lambda *_: (200, "text/plain", body)) as server:
        for name, expected in (("rq", 2), ("rq_total", 20)):
            options = {"requests": {"metric": name}, "errors": [], "arm_label": "arm"}
            reading = await source(http, url=server.url, **options).read(ARMS)
            assert isinstance(reading, Reading)
            assert counters(reading.canary).requests == expected


async def test_openmetrics_with_exemplars(http: httpx.AsyncClient) -> None:
    """The OpenMetrics format is read, exemplars and all, and a cut-off one is not."""
    body = (
        "# TYPE http_requests counter\n"
        'http_requests_total{code="200"} 7 # {trace_id="a b"} 1.0 1700000000.0\n'
        'http_requests_total{code="503"} 2\n'
        "# TYPE http_request_duration_seconds histogram\n"
        'http_request_duration_seconds_bucket{le="0.1"} 8 # {trace_id="c"} 0.05\n'
        'http_request_duration_seconds_bucket{le="+Inf"} 9\n'
        "http_request_duration_seconds_count 9\nhttp_request_duration_seconds_sum 1.0\n# EOF\n"
    )
    kind = "application/openmetrics-text; version=1.0.0"
    arm = await told(http, Exposed(answers=(200, kind, body)))
    assert counters(arm) == Counters(9, 2, ((0.1, 8),), 9)
    cut = body.removesuffix("# EOF\n")
    assert "cut off" in await reason(http, Exposed(answers=(200, kind, cut)))


async def test_selectors_of_ones_own(http: httpx.AsyncClient) -> None:
    """Any names, labels, expressions and milliseconds can be counted."""
    body = (
        'calls{kind="rpc",ok="yes"} 90\ncalls{kind="rpc",ok="no"} 9\ncalls{kind="cron",ok="no"} 5\n'
        'took_bucket{path="/a",le="30"} 1\ntook_bucket{path="/a",le="60"} 3\n'
        'took_bucket{path="/a",le="+Inf"} 4\n'
        'took_bucket{path="/b",le="60"} 10\ntook_bucket{path="/b",le="+Inf"} 20\n'
    )
    stable = 'calls{kind="rpc",ok="yes"} 1\n'
    async with (
        web(lambda *_: (200, "text/plain", body)) as green,
        web(lambda *_: (200, "text/plain", stable)) as blue,
    ):
        reading = await source(
            http,
            urls={"green": [green.url], "blue": [blue.url]},
            requests={"metric": "calls", "labels": {"kind": "rpc"}},
            errors={"metric": "calls", "labels": {"kind": "~r.c", "ok": "no"}},
            latency={"metric": "took_bucket", "unit": "milliseconds"},
        ).read(ARMS)
    assert isinstance(reading, Reading)
    assert counters(reading.canary) == Counters(99, 9, ((0.06, 13),), 24)
    assert counters(reading.stable) == Counters(1, 0)


async def test_an_instance_without_a_request_yet_is_at_zero(http: httpx.AsyncClient) -> None:
    """A counter that is declared and has no series yet is known, and at zero."""
    assert counters(await told(http, Exposed())) == Counters(0, 0)


async def test_an_arm_goes_on_with_the_instances_that_answer(http: httpx.AsyncClient) -> None:
    """One dead endpoint of two leaves out its instance, not the arm."""
    dead = f"http://127.0.0.1:{free_port()}/metrics"
    async with web(lambda *_: (200, "text/plain", "http_requests_total 3\n")) as alive:
        urls = {"green": [dead, alive.url + "/a?pod=1", alive.url + "/a?pod=2"], "blue": [dead]}
        reading = await source(http, preset="http", urls=urls).read(ARMS)
    assert isinstance(reading, Reading)
    assert isinstance(reading.canary, dict)
    assert [c.requests for c in reading.canary.values()] == [3, 3]
    assert isinstance(reading.stable, NoData)
    assert "cannot be reached" in reading.stable.reason


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("http_request_total 1\n", "has no http_requests_total; it has http_request_total"),
        ("<html>welcome</html>", "has no http_requests_total; check the preset"),
        ("http_requests_total NaN\n", "is nan, which is no count"),
        ("http_requests_total +Inf\n", "is inf, which is no count"),
        ("http_requests_total -1\n", "is -1, which is no count"),
        ('http_requests_total{code="200} 5\n', "cannot be parsed"),
        ("http_requests_total five\n", "cannot be parsed"),
        ("http_requests_total 5\nhttp_requests_total 6\n", "twice with the same labels"),
        ("http_requests_total 5 1700000000000\n", "newest sample is .* h old"),
        ('http_requests_total{zone="a"} 5\n', "none with .*; its labels are zone"),
    ],
)
async def test_bad_counters_are_no_data_with_a_reason(
    http: httpx.AsyncClient, body: str, says: str
) -> None:
    """What is missing, malformed, infinite, doubled or stale is no data, and its text says why."""
    options: dict[str, object] = {}
    if "zone" in body:
        options["requests"] = {"metric": "http_requests_total", "labels": {"tier": "web"}}
    async with web(lambda *_: (200, "text/plain", body)) as green:
        urls = {"green": [green.url], "blue": [green.url]}
        reading = await source(http, preset="http", urls=urls, **options).read(ARMS)
    assert isinstance(reading, NoData)
    assert re.search(says, reading.reason)


async def test_a_huge_answer_is_no_data(http: httpx.AsyncClient) -> None:
    """An endpoint that sends more than 20 MB is not read to its end."""
    body = b"# " + b"x" * 20_000_001
    assert "more than 20 MB" in await reason(http, Exposed(answers=(200, "text/plain", body)))


async def test_an_unknown_label_value_names_those_that_are_there(http: httpx.AsyncClient) -> None:
    """With one endpoint an arm that is not in it is blind alone, and the seen values are named."""
    body = 'http_requests_total{version="blue"} 1\nhttp_requests_total{version="v2"} 1\n'
    async with web(lambda *_: (200, "text/plain", body)) as server:
        options = {"preset": "http", "url": server.url, "arm_label": "version"}
        reading = await source(http, **options).read(ARMS)
        mapped = {"green": "v2", "blue": "blue"}
        good = await source(http, **options, backends=mapped).read(ARMS)
        strange = await source(http, **options, backends=mapped).read(Arms("gray", "blue"))
    assert isinstance(reading, Reading)
    assert isinstance(reading.canary, NoData)
    assert 'none with version="green"; seen: blue, v2' in reading.canary.reason
    assert counters(reading.stable).requests == 1
    assert isinstance(good, Reading)
    assert counters(good.canary).requests == 1
    assert isinstance(strange, Reading)
    assert isinstance(strange.canary, NoData)
    assert "'gray' is not among" in strange.canary.reason


async def test_one_dead_endpoint_for_both_is_no_data(http: httpx.AsyncClient) -> None:
    """Without the one endpoint there is no reading, and no secret of its address is told."""
    url = f"http://me:hunter2@127.0.0.1:{free_port()}/m?token=hunter3"
    reading = await source(http, preset="http", url=url, arm_label="v").read(ARMS)
    assert isinstance(reading, NoData)
    assert "cannot be reached" in reading.reason
    assert "hunter" not in reading.reason


async def test_instances_behind_one_endpoint(http: httpx.AsyncClient) -> None:
    """Where a label tells instances apart they are counted apart, with their own time."""
    lines = [
        f'http_requests_total{{v="{v}",pod="{p}"}} {p}' for v in ("blue", "green") for p in (1, 2)
    ]
    body = "\n".join([*lines, ""])
    async with web(lambda *_: (200, "text/plain", body)) as server:
        options = {"preset": "http", "arm_label": "v", "instance_label": "pod"}
        reading = await source(http, url=server.url, **options).read(ARMS)
    assert isinstance(reading, Reading)
    assert isinstance(reading.canary, dict)
    assert sorted(c.requests for c in reading.canary.values()) == [1, 2]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"preset": "http"}, "either `url`"),
        ({"preset": "http", "url": "http://a", "urls": {"b": ["http://c"]}}, "either `url`"),
        ({"preset": "http", "url": "http://a"}, "`arm_label` must name"),
        ({"preset": "http", "urls": {"b": []}}, "no endpoint for b"),
        ({"urls": {"b": ["http://c"]}}, "what is to be counted"),
        ({"preset": "htpp", "urls": {"b": ["http://c"]}}, "'envoy' or 'http'"),
        (
            {"preset": "http", "urls": {"b": ["http://c"]}, "requests": {"metric": "a b"}},
            "pattern",
        ),
        ({"preset": "envoy", "url": "http://a", "backends": {"a": "x", "b": "x"}}, "same label"),
        (
            {
                "preset": "envoy",
                "url": "http://a",
                "errors": {"metric": "a", "labels": {"c": "~("}},
            },
            "is no expression",
        ),
        ({"preset": "envoy", "url": "http://a", "max_age": "0s"}, "greater than"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, object], says: str) -> None:
    """A configuration that could count nothing is refused before it is used."""
    with pytest.raises(ValueError, match=says):
        OpenMetricsOptions.model_validate(options)
