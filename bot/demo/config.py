"""The bot's configuration for the demo: one service, as a user would write it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from bot.demo import envoy
from bot.demo.places import Places
from bot.demo.repository import told
from bot.demo.scenarios import Pace, Scenario

CHANNEL = "C0DEPLOYS"
PERCENT = 10
MIN_REQUESTS = 60
P99_LIMIT = "500ms"
"""On a busy machine stable is slow too, and the comparison alone may need longer than a minute."""

HASTY: Final[Mapping[str, Any]] = {
    "promote_margin": 100,
    "promote_extra": 1,
    "promote_slow": 100,
    "log_block": "2s",
    "unknown": 1,
    "unsure": 0,
    "error_clumps": 1000,
    "latency_clumps": 1000,
}
"""In a minute nobody can be sure that a canary is no worse, nor learn how failures clump, nor tell
a bad minute from a bad revision: here it is enough that nothing, or anything, speaks against it. A
real window is long enough for the defaults."""


def write_config(
    places: Places, scenario: Scenario, pace: Pace, changes: Mapping[str, Any] | None = None
) -> Path:
    """Write canary.yaml into the demo's folder and answer where it is."""
    path = places.folder / "canary.yaml"
    text = yaml.safe_dump(bot_config(places, scenario, pace, changes), sort_keys=False)
    path.write_text(f"# Written by the demo; windows are short here.\n{text}", encoding="utf-8")
    return path


def bot_config(
    places: Places, scenario: Scenario, pace: Pace, changes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The configuration as values. Blue runs v1 and is stable, green runs v2.

    Args:
        places, scenario, pace: of this demo.
        changes: how the bot reads what v2 changes; told in the configuration unless it is given.

    """
    return {
        "redis": f"redis://127.0.0.1:{places.valkey}/0",
        "slack": {"channel": CHANNEL},
        "tick": f"{pace.tick}s",
        **({"api": {"listen": f"127.0.0.1:{places.api}"}} if places.api else {}),
        "tiers": _tiers(pace),
        "services": {"shop": _shop(places, pace) | {"changes": dict(changes or told(scenario))}},
    }


def _tiers(pace: Pace) -> dict[str, Any]:
    safe = {
        "percent": PERCENT,
        "window": f"{pace.window}s",
        "promote": "auto",
        "approvers": ["U0GRACE01"],
        "extension": f"{pace.extension}s",
        "decision": f"{pace.decision}s",
        "prepare": "30s",
    }
    risky = {"promote": "approval", "approvers": ["S0APPROVE"], "decision": "10m"}
    return {"safe": safe, "risky": safe | risky}


def _shop(places: Places, pace: Pace) -> dict[str, Any]:
    admin = f"http://127.0.0.1:{places.admin}"
    return {
        "tier": "safe",
        "slos": {
            "warm_up": f"{pace.warm_up}s",
            "ready_patience": f"{pace.patience}s",
            "min_requests": MIN_REQUESTS,
            "p99_limit": P99_LIMIT,
            "judge": dict(HASTY),
        },
        "traffic": {
            "adapter": "envoy",
            "runtime_file": str(envoy.split_file(places.envoy)),
            "admin": admin,
            "key": envoy.KEY,
            "backends": dict(envoy.CLUSTERS),
        },
        "metrics": {
            "adapter": "openmetrics",
            "preset": "envoy",
            "url": admin,
            "backends": dict(envoy.CLUSTERS),
        },
        "logs": {"adapter": "file", "path": str(places.folder / "{backend}.jsonl")},
        "readiness": {
            "adapter": "http",
            "urls": {
                backend: f"http://127.0.0.1:{port}/health"
                for backend, port in places.backends.items()
            },
        },
    }
