"""The bot's metrics for Prometheus, in a registry of their own."""

import platform
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.core.canary import Canary, RollingBack
from bot.observed.families import Families
from bot.observed.health import Health
from bot.observed.measuring import Answered, Breached, End, Flipped, measured, waits_for
from bot.observed.tracing import NO_TRACES, Traces
from bot.ports.meters import Ended, Part, Trouble

# A further series for each counter and each histogram, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call] # the client leaves it untyped

Live = Callable[[], Iterable[Canary]]

MOST_CODES: Final = 60
"""Different errors of Slack that are counted apart: they come from outside."""

OTHER: Final = "other"
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,39}\Z")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class PrometheusMeters:
    """Counts what it is told; safe to scrape at any time.

    No label holds an id: services, tiers and subscribers are configured, and what comes from
    outside is cut down to a bounded set.

    Args:
        health: told of turns and heartbeats.
        traces: where effects are traced as well.

    """

    def __init__(self, health: Health | None = None, traces: Traces = NO_TRACES) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._families = Families(self.registry)
        self._health = health
        self._traces = traces
        self._codes: set[str] = set()
        self._held = _Held()
        self.registry.register(self._held)
        ProcessCollector(registry=self.registry)
        self._families.build.labels(_version(), platform.python_version()).set(1)

    def follow(self, live: Live) -> None:
        """Show the canaries this replica holds, as they are whenever somebody asks."""
        self._held.live = live

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Everything as text, and its content type: OpenMetrics for whoever accepts it."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def moved(self, before: Canary, after: Canary, at: datetime) -> None:
        """Count what has just become true of a canary."""
        families, service = self._families, after.service
        for measure in measured(before, after, at):
            match measure:
                case End(end=end, cause=cause):
                    families.ended.labels(service, after.plan.tier, end, cause).inc()
                    self._traces.ended(after, at)
                case Breached(after=seconds):
                    families.breaches.labels(service).inc()
                    if seconds is not None:
                        families.detect.labels(service).observe(seconds)
                case Flipped(direction=direction, took=took):
                    families.flip.labels(direction).observe(took)
                case Answered(question=question, answer=answer, took=took):
                    families.waited.labels(question, answer).observe(took)

    def taken(self, canary: Canary, *, adopted: bool) -> None:
        """Count a canary that was begun or adopted; what can be counted of it is there from now.

        A counter that begins with its first event is one whose first event no rate shows.
        """
        families, service = self._families, canary.service
        families.taken.labels(service, "adopted" if adopted else "started").inc()
        families.breaches.labels(service)
        families.marked.labels(service, "false")
        families.marked.labels(service, "true")
        for cause in ("breach", "abort", "no_decision", "failure"):
            families.ended.labels(service, canary.plan.tier, "rolled_back", cause)
        for end in ("promoted", "rejected"):
            families.ended.labels(service, canary.plan.tier, end, "")

    @contextmanager
    def during(self, work: str, canary: Canary) -> Iterator[Ended]:
        """Measure and trace an effect."""
        began = time.perf_counter()
        try:
            with self._traces.span(work, canary) as ended:
                yield ended
        finally:
            took = time.perf_counter() - began
            self._families.effect.labels(work, canary.service).observe(took)

    def marked(self, service: str, *, false: bool) -> None:
        """Count what a person said of a rollback."""
        self._families.marked.labels(service, "false" if false else "true").inc()

    def woke(self, late: float) -> None:
        """Count how late a wake was."""
        self._families.lag.observe(max(0.0, late))

    def turned(self) -> None:
        """Remember that the loop turns."""
        self._families.turned.set_to_current_time()
        if self._health is not None:
            self._health.turned()

    def beat(self, *, reached: bool) -> None:
        """Remember whether the store is there."""
        self._families.store_up.set(reached)
        if self._health is not None:
            self._health.reached(well=reached)

    def store_asked(self, operation: str, seconds: float, trouble: Trouble | None) -> None:
        """Count a call of the store."""
        self._families.store.labels(operation).observe(seconds)
        if trouble is not None:
            self._families.store_errors.labels(operation, trouble).inc()

    def port_asked(
        self, part: Part, service: str, seconds: float, trouble: Trouble | None
    ) -> None:
        """Count a call of an adapter."""
        self._families.adapter.labels(part, service).observe(seconds)
        if trouble is not None:
            self._families.adapter_errors.labels(part, service, trouble).inc()

    def slack_called(self, method: str, code: str) -> None:
        """Count a call of Slack, and its error."""
        self._families.slack_calls.labels(method).inc()
        if code:
            self._families.slack_errors.labels(method, self._known(code)).inc()

    def slack_waited(self, method: str, seconds: float) -> None:
        """Count a wait for a turn."""
        self._families.slack_queue.labels(method).observe(seconds)

    def delivered(self, subscriber: str, trouble: Trouble | None) -> None:
        """Count what a subscriber was told."""
        if trouble is None:
            self._families.deliveries.labels(subscriber).inc()
        else:
            self._families.delivery_errors.labels(subscriber, trouble).inc()

    def requested(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request of the HTTP API."""
        known = method if method in _METHODS else OTHER
        self._families.requests.labels(route, known, str(status)).inc()
        self._families.request.labels(route).observe(seconds)

    def _known(self, code: str) -> str:
        if not _CODE.match(code) or (code not in self._codes and len(self._codes) >= MOST_CODES):
            return OTHER
        self._codes.add(code)
        return code


class _Held(Collector):
    """The canaries this replica holds, counted when they are asked for."""

    live: Live = staticmethod(tuple)

    def collect(self) -> Iterable[Metric]:
        live = GaugeMetricFamily(
            "canarybot_canaries_live",
            "Canaries this replica holds and that have not ended, by phase.",
            labels=["service", "phase"],
        )
        expires = GaugeMetricFamily(
            "canarybot_waiting_until_timestamp_seconds",
            "When the people a canary waits for will have been silent for too long.",
            labels=["service", "question"],
        )
        since = GaugeMetricFamily(
            "canarybot_rolling_back_since_timestamp_seconds",
            "Since when a rollback is decided and not read back at the router.",
            labels=["service"],
        )
        canaries = [canary for canary in self.live() if not canary.is_ended]
        for (service, phase), count in Counter(
            (c.service, c.phase.kind) for c in canaries
        ).items():
            live.add_metric([service, phase], count)
        for canary in canaries:
            asked = waits_for(canary.phase)
            if asked is not None:
                expires.add_metric([canary.service, asked[0]], asked[1].timestamp())
            if isinstance(canary.phase, RollingBack):
                since.add_metric([canary.service], canary.phase.since.timestamp())
        return live, expires, since


def _version() -> str:
    try:
        return version("canarybot")
    except PackageNotFoundError:
        return "unknown"
