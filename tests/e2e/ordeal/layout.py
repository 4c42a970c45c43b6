"""Where everything of a stage is, and the configuration that Envoy and the bots read."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from bot.demo.config import HASTY
from bot.demo.envoy import BUCKETS_MS, FULL
from bot.demo.loopback import free_ports

LOOPBACK: Final = "127.0.0.1"
ARMS: Final = ("blue", "green")
PERCENT: Final = 25
TICK: Final = 1
WINDOW: Final = 10
EXTENSION: Final = 15
DECISION: Final = 8
PREPARE: Final = 20
RATE: Final = 70.0
CHANNELS: Final = ("C0DEPLOYS", "C0SHOP001")
REVISIONS: Final = 40
"""How many revisions each service has; after the last, the first is deployed again."""
_TYPES: Final = "type.googleapis.com/envoy"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shop:
    """One service: its name, the port people use, and the port of each arm."""

    name: str
    channel: str
    entrance: int
    ports: dict[str, int]

    @property
    def key(self) -> str:
        """Envoy's `runtime_key_prefix`."""
        return f"canary.{self.name}"

    @property
    def clusters(self) -> dict[str, str]:
        """Envoy's cluster of each arm."""
        return {arm: f"{self.name}_{arm}" for arm in ARMS}


@dataclass(frozen=True, slots=True)
class Layout:
    """A folder and ports."""

    folder: Path
    page: int
    admin: int
    shops: tuple[Shop, ...]

    @property
    def slack(self) -> str:
        """The local Slack's address."""
        return f"http://{LOOPBACK}:{self.page}"

    def split_file(self, shop: Shop) -> Path:
        """The file with a service's weights; in a folder of its own, which Envoy watches."""
        return self.folder / "weights" / shop.name / "split.yaml"


def lay_out(folder: Path, services: int) -> Layout:
    """Choose free ports for so many services."""
    page, admin, *ports = free_ports(2 + 3 * services)
    shops = []
    for number in range(services):
        entrance, blue, green = ports[3 * number : 3 * number + 3]
        arms = {"blue": blue, "green": green}
        shops.append(Shop(f"shop{number}", CHANNELS[number % len(CHANNELS)], entrance, arms))
    return Layout(folder, page, admin, tuple(shops))


def write_files(layout: Layout) -> None:
    """Write what the town, Envoy and the bots start with; blue carries everything."""
    town = {
        "rate": RATE,
        "entrances": [shop.entrance for shop in layout.shops],
        "backends": [
            {"port": port, "log": str(layout.folder / f"{shop.name}-{arm}.jsonl")}
            for shop in layout.shops
            for arm, port in shop.ports.items()
        ],
    }
    (layout.folder / "town.json").write_text(json.dumps(town))
    for shop in layout.shops:
        path = layout.split_file(shop)
        path.parent.mkdir(parents=True, exist_ok=True)
        weights = {shop.clusters["blue"]: FULL, shop.clusters["green"]: 0}
        layer = {f"{shop.key}.{cluster}": weight for cluster, weight in weights.items()}
        runtime = {
            "@type": f"{_TYPES}.service.runtime.v3.Runtime",
            "name": shop.name,
            "layer": layer,
        }
        path.write_text(yaml.safe_dump({"resources": [runtime]}))
    (layout.folder / "envoy.yaml").write_text(yaml.safe_dump(_envoy(layout)))
    (layout.folder / "canary.yaml").write_text(yaml.safe_dump(_bot(layout), sort_keys=False))


def _bot(layout: Layout) -> Json:
    safe = {
        "percent": PERCENT,
        "window": f"{WINDOW}s",
        "promote": "auto",
        "approvers": ["U0GRACE01"],
        "extension": f"{EXTENSION}s",
        "decision": f"{DECISION}s",
        "prepare": f"{PREPARE}s",
    }
    tiers = {"safe": safe, "risky": safe | {"promote": "approval", "decision": "20s"}}
    return {
        "slack": {"channel": CHANNELS[0]},
        "tick": f"{TICK}s",
        "tiers": tiers,
        # Rollbacks are every other rollout's end here, and the healthy ones promote by themselves.
        "risk": {"without": ["after-rollback"]},
        "services": {shop.name: _service(layout, shop) for shop in layout.shops},
    }


def _service(layout: Layout, shop: Shop) -> Json:
    admin = f"http://{LOOPBACK}:{layout.admin}"
    harmless = {"files": [{"path": "shop/greeting.py", "added": 1, "removed": 1}]}
    changes = {f"r{number}": harmless for number in range(REVISIONS)}
    return {
        "tier": "safe",
        "changes": {"adapter": "memory", "changes": changes},
        "channel": shop.channel,
        "slos": {
            "warm_up": "2s",
            "ready_patience": "3s",
            "min_requests": 60,
            "judge": dict(HASTY),
        },
        "traffic": {
            "adapter": "envoy",
            "runtime_file": str(layout.split_file(shop)),
            "admin": admin,
            "key": shop.key,
            "backends": shop.clusters,
            "resource": shop.name,
        },
        "metrics": {
            "adapter": "openmetrics",
            "preset": "envoy",
            "url": admin,
            "backends": shop.clusters,
        },
        "logs": {"adapter": "file", "path": str(layout.folder / f"{shop.name}-{{backend}}.jsonl")},
        "readiness": {
            "adapter": "http",
            "urls": {arm: f"http://{LOOPBACK}:{port}/health" for arm, port in shop.ports.items()},
        },
    }


def _envoy(layout: Layout) -> Json:
    buckets = {"match": {"prefix": "cluster."}, "buckets": list(BUCKETS_MS)}
    layers: list[Json] = [{"name": "static", "static_layer": {}}]
    layers += [_weights_layer(layout, shop) for shop in layout.shops]
    return {
        "node": {"id": "ordeal", "cluster": "ordeal"},
        "stats_flush_interval": "1s",
        "stats_config": {"histogram_bucket_settings": [buckets]},
        "admin": {"address": _address(layout.admin)},
        "layered_runtime": {"layers": layers},
        "static_resources": {
            "listeners": [_listener(shop) for shop in layout.shops],
            "clusters": [
                _cluster(shop.clusters[arm], port)
                for shop in layout.shops
                for arm, port in shop.ports.items()
            ],
        },
    }


def _weights_layer(layout: Layout, shop: Shop) -> Json:
    path = layout.split_file(shop)
    source = {
        "path_config_source": {
            "path": str(path),
            "watched_directory": {"path": str(path.parent)},
        },
        "resource_api_version": "V3",
    }
    return {"name": shop.name, "rtds_layer": {"name": shop.name, "rtds_config": source}}


def _listener(shop: Shop) -> Json:
    weights = {
        "runtime_key_prefix": shop.key,
        "clusters": [
            {"name": cluster, "weight": FULL if arm == "blue" else 0}
            for arm, cluster in shop.clusters.items()
        ],
    }
    route = {"match": {"prefix": "/"}, "route": {"weighted_clusters": weights}}
    filters = f"{_TYPES}.extensions.filters"
    router = {"@type": f"{filters}.http.router.v3.Router"}
    manager = {
        "@type": f"{filters}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": shop.name,
        "route_config": {
            "virtual_hosts": [{"name": shop.name, "domains": ["*"], "routes": [route]}]
        },
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    network = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {
        "name": shop.name,
        "address": _address(shop.entrance),
        "filter_chains": [{"filters": [network]}],
    }


def _cluster(name: str, port: int) -> Json:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> Json:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}
