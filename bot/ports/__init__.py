"""Everything the engine needs of the outside, as small interfaces with their promises."""

from bot.ports.clock import Clock
from bot.ports.errors import Conflict, PortError, ServiceBusy
from bot.ports.people import Alarm, Pager, StatusBoard, Turn
from bot.ports.service import (
    LogSource,
    MetricHistory,
    MetricSource,
    ReadinessProbe,
    ServicePorts,
    Services,
    Snapshot,
    TrafficRouter,
)
from bot.ports.store import CanaryStore, Happening, Record

__all__ = [
    "Alarm",
    "CanaryStore",
    "Clock",
    "Conflict",
    "Happening",
    "LogSource",
    "MetricHistory",
    "MetricSource",
    "Pager",
    "PortError",
    "ReadinessProbe",
    "Record",
    "ServiceBusy",
    "ServicePorts",
    "Services",
    "Snapshot",
    "StatusBoard",
    "TrafficRouter",
    "Turn",
]
