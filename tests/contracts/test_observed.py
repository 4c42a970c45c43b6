"""What the bot tells of itself, to a real Prometheus, to promtool, and to a collector of traces."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml
from builders import NOON, a_canary
from fastapi import FastAPI
from servers import LOOPBACK, free_port, prometheus, wait_until, web

from adapters.http import new_client
from bot.core.canary import Cause, Promoted, Promoting, RolledBack, RollingBack
from bot.core.canary import PendingApproval as Pending
from bot.observed import Health, PrometheusMeters, make_traces
from bot.observed.web import asgi, observed_routes

FILES = files("bot.observed") / "files"
RULES = (FILES / "prometheus-alerts.yaml").read_text()


def promtool(*arguments: str, cwd: Path, given: str = "") -> str:
    """Run Debian's promtool, which must be content."""
    binary = shutil.which("promtool")
    if binary is None:
        raise AssertionError("promtool is not installed; on Debian: apt install prometheus")
    done = subprocess.run(
        [binary, *arguments], cwd=cwd, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def busy() -> PrometheusMeters:
    """Meters that have heard of everything."""
    meters = PrometheusMeters(Health())
    since = datetime.now(UTC)
    breach = Cause("breach", "errors")
    rolling = a_canary(phase=RollingBack(breach, since))
    meters.taken(rolling, adopted=False)
    looked = a_canary()
    looked = replace(looked, judge=replace(looked.judge, begun_at=since - timedelta(minutes=1)))
    meters.moved(looked, rolling, since)
    ended = a_canary(phase=RolledBack(breach, since, timedelta(seconds=1)))
    meters.moved(rolling, ended, since)
    meters.moved(a_canary(phase=Promoting(0, NOON)), a_canary(phase=Promoted(NOON)), since)
    pending = a_canary(service="cart", phase=Pending(since, since + timedelta(hours=1)))
    meters.moved(pending, a_canary(service="cart", phase=Promoting(0, since)), since)
    meters.marked("shop", false=True)
    meters.woke(0.01)
    meters.turned()
    meters.beat(reached=True)
    with meters.during("observe", a_canary()):
        pass
    meters.store_asked("save", 0.001, "timeout")
    meters.port_asked("metrics", "shop", 0.01, "unreachable")
    meters.slack_called("chat.update", "ratelimited")
    meters.slack_waited("chat.update", 0.2)
    meters.delivered("ci", None)
    meters.delivered("ci", "declined")
    meters.follow(lambda: [rolling, pending])
    return meters


@asynccontextmanager
async def served(meters: PrometheusMeters) -> AsyncIterator[int]:
    """The routes behind a real server; yields its port."""
    app = FastAPI()
    app.include_router(observed_routes(meters, Health()))
    port = free_port()
    config = uvicorn.Config(
        asgi(app, meters),
        host=LOOPBACK,
        port=port,
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await wait_until(lambda: server.started, "the server listens")
        yield port
    finally:
        server.should_exit = True
        await serving


async def told(http: httpx.AsyncClient, url: str, query: str) -> list[dict[str, Any]]:
    answer = await http.get(f"{url}/api/v1/query", params={"query": query})
    body = answer.json()
    assert body["status"] == "success", (query, body)
    result: list[dict[str, Any]] = body["data"]["result"]
    return result


def shown() -> list[str]:
    """Every expression of the dashboard, its variables filled in."""
    board = json.loads((FILES / "grafana-dashboard.json").read_text())
    return [
        target["expr"].replace("$service", ".*").replace("$__rate_interval", "1m")
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]


@pytest.mark.external_service
async def test_prometheus_scrapes_it_and_answers_every_panel(tmp_path: Path) -> None:
    """What is served is taken, and each expression of the dashboard and the alerts has series."""
    meters = busy()
    async with (
        served(meters) as port,
        prometheus(tmp_path, {"bot": [port]}) as url,
        new_client() as http,
    ):

        async def scraped_twice() -> bool:
            found = await told(http, url, "count_over_time(canarybot_api_requests_total[1m])")
            return bool(found) and int(found[0]["value"][1]) > 1

        await wait_until(scraped_twice, "two scrapes")
        for name in ("canarybot_rolling_back_since_timestamp_seconds", "canarybot_store_up"):
            assert len(await told(http, url, name)) == 1
        silent = [query for query in shown() if not await told(http, url, query)]
        alerts = [rule["expr"] for rule in yaml.safe_load(RULES)["groups"][0]["rules"]]
        for query in alerts:
            await told(http, url, query)
        assert await told(http, url, 'canarybot_api_requests_total{route="/metrics"}')

    assert silent == []


@pytest.mark.external_service
def test_promtool_finds_nothing_to_object_to(tmp_path: Path) -> None:
    """Names, types and help of the metrics, and the alert rules, are as they should be."""
    (tmp_path / "rules.yaml").write_text(RULES)

    said = promtool("check", "metrics", cwd=tmp_path, given=busy().exposition()[0].decode())
    assert said == ""
    assert "11 rules found" in promtool("check", "rules", "rules.yaml", cwd=tmp_path)


@dataclass(frozen=True)
class Case:
    """What an alert does with these series, one value every 15 s from the epoch on."""

    alert: str
    series: dict[str, str]
    at: str
    labels: dict[str, str] | None


BUCKETS = "canarybot_tick_lag_seconds_bucket{instance='a',le='%s'}"
ERRORS = "canarybot_slack_errors_total{method='chat.update',code='x'}"
CALLS = "canarybot_slack_calls_total{method='chat.update'}"
SOURCE = "{service='shop',part='metrics'%s}"
MARKED = "canarybot_rollbacks_marked_total{service='shop',alarm='false'}"
BREACHES = "canarybot_breaches_total{service='shop'}"
FLIPS = "canarybot_flip_seconds_bucket{direction='rollback',le='%s'}"
QUEUE = "canarybot_slack_queue_seconds_bucket{method='chat.update',le='%s'}"

SINCE = "canarybot_rolling_back_since_timestamp_seconds{service='shop'}"
UNTIL = "canarybot_waiting_until_timestamp_seconds{service='shop',question='promote'}"
SHOP = {"service": "shop"}
WARNING, CRITICAL = {"severity": "warning"}, {"severity": "critical"}

CASES = [
    Case("NoReplica", {}, "2m", CRITICAL),
    Case("NoReplica", {"canarybot_build_info{version='1'}": "1x20"}, "2m", None),
    Case("RollbackNotConfirmed", {SINCE: "0x20"}, "2m", SHOP | CRITICAL),
    Case("RollbackNotConfirmed", {SINCE: "0x20"}, "45s", None),
    Case("RollbackNotConfirmed", {SINCE: "0 0 _ _ _ _ _ _ stale"}, "3m", None),
    Case("SlowRollbacks", {FLIPS % "5": "0x90", FLIPS % "10": "0+1x90",
         FLIPS % "+Inf": "0+1x90"}, "15m", WARNING),
    Case("SlowRollbacks", {FLIPS % "5": "0+1x90", FLIPS % "10": "0+1x90",
         FLIPS % "+Inf": "0+1x90"}, "15m", None),
    Case("StoreAway", {"canarybot_store_up{instance='a'}": "0x20"}, "1m",
         {"instance": "a"} | CRITICAL),
    Case("StoreAway", {"canarybot_store_up{instance='a'}": "1 1 0 1 1 1 1"}, "1m", None),
    Case("TickLag", {BUCKETS % "1": "0x60", BUCKETS % "5": "0+9x60", BUCKETS % "+Inf": "0+9x60"},
         "12m", {"instance": "a"} | WARNING),
    Case("TickLag", {BUCKETS % "1": "0+9x60", BUCKETS % "5": "0+9x60",
         BUCKETS % "+Inf": "0+9x60"}, "12m", None),
    Case("SourcesFailing", {"canarybot_adapter_errors_total" + SOURCE % ",kind='timeout'": "0+3x99",
         "canarybot_adapter_seconds_count" + SOURCE % "": "0+4x99"}, "24m",
         {"service": "shop", "part": "metrics"} | WARNING),
    Case("SourcesFailing", {"canarybot_adapter_errors_total" + SOURCE % ",kind='timeout'": "0+1x99",
         "canarybot_adapter_seconds_count" + SOURCE % "": "0+4x99"}, "24m", None),
    Case("SlackErrors", {ERRORS: "0+1x60", CALLS: "0+4x60"}, "12m", WARNING),
    Case("SlackErrors", {ERRORS: "0+1x60", CALLS: "0+40x60"}, "12m", None),
    Case("SlackErrors", {ERRORS: "0 1 1x60", CALLS: "0 1 1x60"}, "12m", None),
    Case("SlackQueue", {QUEUE % "10": "0x99", QUEUE % "30": "0+2x99", QUEUE % "+Inf": "0+2x99"},
         "22m", {"method": "chat.update"} | WARNING),
    Case("SlackQueue", {QUEUE % "10": "0+2x99", QUEUE % "30": "0+2x99",
         QUEUE % "+Inf": "0+2x99"}, "22m", None),
    Case("WaitingForPeople", {UNTIL: "600x99"}, "6m", {"question": "promote"} | SHOP | WARNING),
    Case("WaitingForPeople", {UNTIL: "600x99"}, "4m", None),
    Case("FalseAlarms", {MARKED: "0+0.02x480", BREACHES: "0+0.05x480"}, "2h", SHOP | WARNING),
    Case("FalseAlarms", {MARKED: "0x480", BREACHES: "0+0.05x480"}, "2h", None),
    Case("FalseAlarms", {MARKED: "0 1x480", BREACHES: "0 1x480"}, "2h", None),
    Case("DeliveriesFailing", {"canarybot_delivery_errors_total{subscriber='ci',kind='timeout'}":
         "0+1x400"}, "90m", {"subscriber": "ci"} | WARNING),
    Case("DeliveriesFailing", {"canarybot_delivery_errors_total{subscriber='ci',kind='timeout'}":
         "0+1x400", "canarybot_deliveries_total{subscriber='ci'}": "0+1x400"}, "90m", None),
]  # fmt: skip


@pytest.mark.external_service
def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path) -> None:
    """Every rule, over series that it is about, and over ones that it must not mind."""
    (tmp_path / "rules.yaml").write_text(RULES)
    tests = []
    for case in CASES:
        name = f"Canarybot{case.alert}"
        about = {"alertname": name, "alertstate": "firing", **(case.labels or {})}
        labels = ",".join(f'{key}="{value}"' for key, value in about.items())
        expected = [{"labels": f"ALERTS{{{labels}}}", "value": 1}]
        tests.append(
            {
                "interval": "15s",
                "input_series": [{"series": k, "values": v} for k, v in case.series.items()],
                "promql_expr_test": [
                    {
                        "expr": f'ALERTS{{alertname="{name}",alertstate="firing"}}',
                        "eval_time": case.at,
                        "exp_samples": expected if case.labels is not None else [],
                    }
                ],
            }
        )
    given = {"rule_files": ["rules.yaml"], "evaluation_interval": "15s", "tests": tests}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(given))

    promtool("test", "rules", "tests.yaml", cwd=tmp_path)
    alerts = {rule["alert"] for rule in yaml.safe_load(RULES)["groups"][0]["rules"]}
    for fires in (True, False):
        tried = {f"Canarybot{c.alert}" for c in CASES if (c.labels is not None) is fires}
        assert tried == alerts


async def test_spans_reach_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an endpoint in the environment, and nothing else, spans are posted over OTLP."""
    bodies: list[bytes] = []

    def take(method: str, path: str, body: bytes) -> tuple[int, str, str]:
        bodies.append(body)
        return 200, "application/x-protobuf", ""

    async with web(take) as collector:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        traces = make_traces(environment)
        with traces.span("observe", a_canary()):
            pass
        await asyncio.to_thread(traces.stop)

        assert collector.asked == ["/v1/traces"]
        assert b"canarybot" in bodies[0]
        assert a_canary().id.encode() in bodies[0]
