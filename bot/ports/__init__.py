"""Everything the engine needs of the outside, as small interfaces with their promises."""

from bot.ports.audit import Archive, AuditLog, Deed
from bot.ports.changes import ChangeSource, Wanted
from bot.ports.clock import Clock
from bot.ports.errors import Conflict, Declined, PortError, ServiceBusy
from bot.ports.people import Alarm, Pager, StatusBoard, Turn
from bot.ports.publishing import Notice, Subscriber
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
    "Archive",
    "AuditLog",
    "CanaryStore",
    "ChangeSource",
    "Clock",
    "Conflict",
    "Declined",
    "Deed",
    "Happening",
    "LogSource",
    "MetricHistory",
    "MetricSource",
    "Notice",
    "Pager",
    "PortError",
    "ReadinessProbe",
    "Record",
    "ServiceBusy",
    "ServicePorts",
    "Services",
    "Snapshot",
    "StatusBoard",
    "Subscriber",
    "TrafficRouter",
    "Turn",
    "Wanted",
]
