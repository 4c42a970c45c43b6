"""The configuration that tests start Envoy with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
BUCKETS_MS = (1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 150, 200, 300, 500, 1000)


def envoy_config(
    folder: Path, *, admin: int, listener: int, key: str, backends: Mapping[str, int]
) -> dict[str, Any]:
    """Envoy's configuration: weights by `folder/rt.yaml`, one cluster per backend and port."""

    def address(port: int) -> dict[str, Any]:
        return {"socket_address": {"address": LOOPBACK, "port_value": port}}

    names = list(backends)
    weights = [{"name": name, "weight": 10000 if name == names[0] else 0} for name in names]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"prefix": "/"},
                            "route": {
                                "weighted_clusters": {
                                    "runtime_key_prefix": key,
                                    "clusters": weights,
                                }
                            },
                        }
                    ],
                }
            ]
        },
        "http_filters": [
            {
                "name": "router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
    }
    watch = {"path": str(folder / "rt.yaml"), "watched_directory": {"path": str(folder)}}
    buckets = {"match": {"prefix": "cluster."}, "buckets": list(BUCKETS_MS)}
    return {
        "node": {"id": "test", "cluster": "test"},
        "stats_flush_interval": "1s",
        "stats_config": {"histogram_bucket_settings": [buckets]},
        "admin": {"address": address(admin)},
        "layered_runtime": {
            "layers": [
                {"name": "static", "static_layer": {}},
                {
                    "name": "rtds",
                    "rtds_layer": {
                        "name": "rt",
                        "rtds_config": {
                            "path_config_source": watch,
                            "resource_api_version": "V3",
                        },
                    },
                },
                {"name": "admin", "admin_layer": {}},
            ]
        },
        "static_resources": {
            "listeners": [
                {
                    "address": address(listener),
                    "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
                }
            ],
            "clusters": [
                {
                    "name": name,
                    "connect_timeout": "1s",
                    "load_assignment": {
                        "cluster_name": name,
                        "endpoints": [
                            {"lb_endpoints": [{"endpoint": {"address": address(port)}}]}
                        ],
                    },
                }
                for name, port in backends.items()
            ],
        },
    }
