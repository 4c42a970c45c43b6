"""What Prometheus remembers, as counters, and A/A trials made of it."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from exposed import Exposed
from servers import prometheus

from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.metrics.prometheus import PrometheusOptions, PrometheusSource
from adapters.registry import Surroundings
from bot.calibrate import calibrate
from bot.core.slo import NoData

pytestmark = pytest.mark.external_service

CONFIG = """\
slack: {{channel: C0DEPLOYS}}
tick: 1s
tiers: {{safe: {{percent: 50, window: 3s}}}}
services:
  shop:
    tier: safe
    traffic: {{adapter: memory, split: {{blue: 100, green: 0}}}}
    metrics: {{adapter: prometheus, url: "{url}", preset: http, arm_label: backend}}
"""


async def test_stable_is_judged_against_itself(tmp_path: Path) -> None:
    """Counters of the past are exact, both instances are there, and healthy trials blame nobody."""
    async with AsyncExitStack() as stack:
        pods = [Exposed(), Exposed()]
        for pod in pods:
            pod.count(100, errors=1, seconds=0.02)
            await pod.web.start()
            stack.push_async_callback(pod.web.stop)
        ports = {"blue": [pod.web.port for pod in pods], "green": []}
        url = await stack.enter_async_context(prometheus(tmp_path, ports))
        began = datetime.now(UTC)
        for _ in range(16):  # Prometheus takes up to five seconds to find its targets
            for pod in pods:
                pod.count(50, errors=1, seconds=0.02)
            await asyncio.sleep(1)
        until = datetime.now(UTC)
        http = await stack.enter_async_context(new_client())
        options = PrometheusOptions.model_validate(
            {"preset": "http", "url": url, "arm_label": "backend"}
        )
        source = PrometheusSource(options, Surroundings("shop", SystemClock(), http, tmp_path))

        found = await source.history("blue", began, until, timedelta(seconds=1))
        unknown = await source.history("gren", began, until, timedelta(seconds=1))
        path = tmp_path / "canary.yaml"
        path.write_text(CONFIG.format(url=url))
        trials = await calibrate(path, "shop", timedelta(seconds=8), windows=10)

        assert not isinstance(found, NoData)
        last = found[-1].instances
        assert len(last) == 2
        assert all(counters.requests % 50 == 0 for counters in last.values())
        assert [s.at for s in found] == sorted(s.at for s in found)
        assert unknown == ()
        assert (trials.windows, trials.false) == (10, 0)
        assert trials.split == "some instances against the others"


async def test_a_source_without_a_memory_says_so(tmp_path: Path) -> None:
    """Calibration names the adapter that has one."""
    path = tmp_path / "canary.yaml"
    path.write_text(
        CONFIG.format(url="http://127.0.0.1:1")
        .replace("preset: http, arm_label: backend", "")
        .replace("prometheus", "memory")
        .replace('url: "http://127.0.0.1:1", ', "")
    )

    with pytest.raises(ValueError, match="only prometheus does"):
        await calibrate(path, "shop", timedelta(days=7))


async def test_an_empty_history_is_an_error_not_a_zero(tmp_path: Path) -> None:
    """Nothing to judge is not the same as nothing wrong."""
    path = tmp_path / "canary.yaml"
    path.write_text(CONFIG.format(url="http://127.0.0.1:1"))

    with pytest.raises(ValueError, match="there is no history of blue"):
        await calibrate(path, "shop", timedelta(days=7))
