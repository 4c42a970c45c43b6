"""The bot itself, observed: metrics, health, traces, and the dashboard and alerts for them."""

from bot.observed.guarding import harmless
from bot.observed.health import Health
from bot.observed.ports import metered_pager, metered_services, metered_store, metered_subscriber
from bot.observed.prometheus import PrometheusMeters
from bot.observed.tracing import NO_TRACES, make_traces

__all__ = [
    "NO_TRACES",
    "Health",
    "PrometheusMeters",
    "harmless",
    "make_traces",
    "metered_pager",
    "metered_services",
    "metered_store",
    "metered_subscriber",
]
