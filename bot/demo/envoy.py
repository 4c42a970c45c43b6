"""Envoy's configuration for the demo, and its answer to the question who gets which share.

The split stands in a file of its own that Envoy watches (RTDS), so it survives a restart; it is
replaced by rename, and read back at the admin port.
"""

import json
from pathlib import Path
from typing import Any, Final

import yaml

from bot.demo.loopback import get
from bot.demo.processes import DemoError

KEY: Final = "canary.shop"
CLUSTERS: Final = {"blue": "shop_blue", "green": "shop_green"}
FULL: Final = 1000
"""The weights of both clusters together, so that a tenth of a percent can be set."""

# Fine enough that a p99 read from them lies within a few milliseconds of the truth.
BUCKETS_MS: Final = (
    *(1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 150, 200, 300, 500, 750),
    *(1000, 2000, 5000, 10000, 30000),
)
_TYPES: Final = "type.googleapis.com/envoy"

Json = dict[str, Any]


def write_envoy(folder: Path, listen: int, admin: int, backends: dict[str, int]) -> Path:
    """Write Envoy's files into `folder`, blue carrying everything.

    Args:
        folder: made if need be; the split stands in `runtime/split.yaml` below it.
        listen, admin: ports on loopback.
        backends: the port of each backend by its name.

    Returns:
        the file to start Envoy with.

    """
    split = split_file(folder)
    # A directory of its own: Envoy watches it, and nothing else shall be renamed in there.
    split.parent.mkdir(parents=True, exist_ok=True)
    write_split(folder, {name: FULL if name == "blue" else 0 for name in backends})
    config = folder / "envoy.yaml"
    _write(config, envoy_config(split, listen, admin, backends))
    return config


def split_file(folder: Path) -> Path:
    """The file that holds the split."""
    return folder / "runtime" / "split.yaml"


def write_split(folder: Path, weights: dict[str, int]) -> None:
    """Replace the split in one step; all weights at zero would fail every request.

    Raises:
        ValueError: all weights are zero.

    """
    if not any(weights.values()):
        raise ValueError("one backend must have a weight, or every request fails")
    layer = {f"{KEY}.{CLUSTERS[name]}": weight for name, weight in weights.items()}
    runtime = {"@type": f"{_TYPES}.service.runtime.v3.Runtime", "name": "split", "layer": layer}
    _write(split_file(folder), {"resources": [runtime]})


def envoy_config(split: Path, listen: int, admin: int, backends: dict[str, int]) -> Json:
    """Envoy's whole configuration."""
    source = {
        "path_config_source": {
            "path": str(split),
            "watched_directory": {"path": str(split.parent)},
        },
        "resource_api_version": "V3",
    }
    buckets = {"match": {"prefix": "cluster."}, "buckets": list(BUCKETS_MS)}
    return {
        "node": {"id": "demo", "cluster": "demo"},
        # Histograms are merged once a flush; the default of 5 s would let them lag the counters.
        "stats_flush_interval": "1s",
        "stats_config": {"histogram_bucket_settings": [buckets]},
        "admin": {"address": _address(admin)},
        "layered_runtime": {
            "layers": [
                {"name": "static", "static_layer": {}},
                {"name": "split", "rtds_layer": {"name": "split", "rtds_config": source}},
                {"name": "admin", "admin_layer": {}},
            ]
        },
        "static_resources": {
            "listeners": [_listener(listen, backends)],
            "clusters": [_cluster(CLUSTERS[name], port) for name, port in backends.items()],
        },
    }


def read_split(admin: int) -> dict[str, int]:
    """Ask Envoy itself for the percent of the traffic by backend.

    Raises:
        DemoError: it cannot be asked.

    """
    answer = get(admin, "/runtime")
    if answer is None:
        raise DemoError(f"Envoy does not answer at its admin port, {admin}")
    entries = json.loads(answer)["entries"]
    weights = {
        name: int(entries.get(f"{KEY}.{cluster}", {}).get("final_value") or 0)
        for name, cluster in CLUSTERS.items()
    }
    total = sum(weights.values()) or 1
    return {name: round(100 * weight / total) for name, weight in weights.items()}


def _listener(port: int, backends: dict[str, int]) -> Json:
    weighted = {
        "runtime_key_prefix": KEY,
        "clusters": [
            {"name": CLUSTERS[name], "weight": FULL if name == "blue" else 0} for name in backends
        ],
    }
    route = {"match": {"prefix": "/"}, "route": {"weighted_clusters": weighted}}
    extension = f"{_TYPES}.extensions.filters"
    router = {"@type": f"{extension}.http.router.v3.Router"}
    manager = {
        "@type": f"{extension}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "shop",
        "route_config": {"virtual_hosts": [{"name": "shop", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    network = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": manager,
    }
    return {
        "name": "shop",
        "address": _address(port),
        "filter_chains": [{"filters": [network]}],
    }


def _cluster(name: str, port: int) -> Json:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }


def _address(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _write(path: Path, content: Json) -> None:
    """Write beside the file, then rename: a reader sees the old or the new one, whole."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    draft.replace(path)
