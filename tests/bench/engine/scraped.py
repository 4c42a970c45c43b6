"""The same counters through a real Prometheus."""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from bench.engine import fleet
from servers import LOOPBACK, free_port, running, wait_until

SCRAPE: Final = "5s"


@asynccontextmanager
async def from_prometheus(
    folder: Path, live: int, began_at: datetime
) -> AsyncIterator[fleet.Adapters]:
    """Run an exporter and a Prometheus that scrapes it; gives the adapter's settings."""
    binary = shutil.which("prometheus")
    if binary is None:
        raise AssertionError("prometheus is not installed; on Debian: apt install prometheus")
    page, port = free_port(), free_port()
    exporter = [sys.executable, "-m", "bench.engine.exporter", str(page), str(live)]
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    job = {"job_name": "bench", "static_configs": [{"targets": [f"{LOOPBACK}:{page}"]}]}
    every = {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE}
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump({"global": every, "scrape_configs": [job]}))
    argv = [
        *(binary, "--config.file", str(config), "--log.level=warn"),
        *("--storage.tsdb.path", str(folder / "data")),
        f"--web.listen-address={LOOPBACK}:{port}",
    ]
    url = f"http://{LOOPBACK}:{port}"
    ready = f"http://{LOOPBACK}:{page}/ready"
    async with (
        running([*exporter, began_at.isoformat()], folder / "exporter.log", ready, path),
        running(argv, folder / "prometheus.log", f"{url}/-/ready"),
    ):
        await _scraped(url, live)
        yield {"metrics": _metrics(url)}


async def _scraped(url: str, live: int) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:

        async def all_there() -> bool:
            query = {"query": "count(bench_requests_total)"}
            answer = (await http.get(f"{url}/api/v1/query", params=query)).json()
            result = answer["data"]["result"]
            return bool(result) and int(result[0]["value"][1]) >= 4 * live

        await wait_until(all_there, "every series has been scraped", 60)


def _metrics(url: str) -> dict[str, Any]:
    labels = {"service": "{service}"}
    return {
        "adapter": "prometheus",
        "url": url,
        "arm_label": "backend",
        "requests": {"metric": "bench_requests_total", "labels": labels},
        "errors": {"metric": "bench_requests_total", "labels": {**labels, "code": "~5.."}},
        "latency": {"metric": "bench_seconds", "labels": labels},
    }
