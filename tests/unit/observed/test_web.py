import httpx
import pytest
from fastapi import FastAPI, HTTPException

from bot.observed import Health, PrometheusMeters
from bot.observed.web import asgi, observed_routes


def asked(meters: PrometheusMeters, health: Health) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(observed_routes(meters, health))

    @app.get("/v1/canaries/{canary_id}")
    async def read(canary_id: str) -> str:
        if canary_id == "bad":
            raise RuntimeError("a bug")
        if canary_id == "none":
            raise HTTPException(404)
        return canary_id

    transport = httpx.ASGITransport(asgi(app, meters), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://bot")


async def test_metrics_are_served_in_the_format_that_is_asked_for() -> None:
    async with asked(PrometheusMeters(), Health()) as http:
        plain = await http.get("/metrics")
        opened = await http.get("/metrics", headers={"accept": "application/openmetrics-text"})

    assert plain.status_code == opened.status_code == 200
    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert opened.headers["content-type"].startswith("application/openmetrics-text")
    assert "canarybot_build_info{" in plain.text


async def test_health_is_told_with_its_status() -> None:
    health = Health()
    async with asked(PrometheusMeters(), health) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 503
        health.reached(well=True)
        assert (await http.get("/readyz")).json()["ok"] is True


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/v1/canaries/shop-1", "/v1/canaries/{canary_id}", "200"),
        ("/v1/canaries/none", "/v1/canaries/{canary_id}", "404"),
        ("/v1/canaries/bad", "/v1/canaries/{canary_id}", "500"),
        ("/wp-admin", "unmatched", "404"),
    ],
)
async def test_requests_are_counted_by_route(path: str, route: str, status: str) -> None:
    """Of a path only its template is a label, and a fault inside counts as 500."""
    meters = PrometheusMeters()
    async with asked(meters, Health()) as http:
        await http.get(path)

    labels = {"route": route, "method": "GET", "status": status}
    assert meters.registry.get_sample_value("canarybot_api_requests_total", labels) == 1
    name = "canarybot_api_request_seconds_count"
    assert meters.registry.get_sample_value(name, {"route": route}) == 1
