"""Every metric of the bot, in one place: names, labels, buckets, and what each means."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

OWN: Final = " Each replica counts its own; add them up."

FLIPS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
DETECTION: Final = (5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1200, 2400, 3600)
PEOPLE: Final = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86400)
QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LAGS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
WORK: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60)


class Families:
    """The metrics of one registry; the name of an attribute is that of the metric."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._canaries()
        self._speed()
        self._parts()
        self._slack()
        self._api()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"canarybot_{name}", text + OWN, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"canarybot_{name}", text, labels, registry=self._registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            f"canarybot_{name}", text + OWN, labels, registry=self._registry, buckets=buckets
        )

    def _canaries(self) -> None:
        self.taken = self._counter(
            "canaries_taken_total",
            "Canaries this replica began to work on: new ones (started), or another replica's "
            "(adopted).",
            "service",
            "how",
        )
        self.ended = self._counter(
            "canaries_ended_total",
            "Canaries that ended, by how; cause says why traffic went back.",
            "service",
            "tier",
            "end",
            "cause",
        )
        self.breaches = self._counter(
            "breaches_total", "Canaries the numbers decided against.", "service"
        )
        self.marked = self._counter(
            "rollbacks_marked_total",
            "Rollbacks a person has marked as a false alarm (alarm=false) or as right.",
            "service",
            "alarm",
        )

    def _speed(self) -> None:
        self.detect = self._histogram(
            "detect_seconds",
            "From the start of the first look at a canary with traffic to the decision that it is "
            "bad.",
            DETECTION,
            "service",
        )
        self.flip = self._histogram(
            "flip_seconds",
            "From a decision to the weight read back at the router.",
            FLIPS,
            "direction",
        )
        self.waited = self._histogram(
            "waited_for_people_seconds",
            "How long people were waited for, by question and by what it came to.",
            PEOPLE,
            "question",
            "answer",
        )
        self.lag = self._histogram(
            "tick_lag_seconds", "How much later than due a canary was woken.", LAGS
        )
        self.effect = self._histogram(
            "effect_seconds",
            "How long an effect took; observe is a look.",
            WORK,
            "effect",
            "service",
        )

    def _parts(self) -> None:
        self.store = self._histogram(
            "store_seconds", "How long the store took to answer.", QUICK, "operation"
        )
        self.store_errors = self._counter(
            "store_errors_total", "Calls of the store that failed.", "operation", "kind"
        )
        self.adapter = self._histogram(
            "adapter_seconds",
            "How long an adapter took to answer; part is router, metrics, logs, readiness, "
            "changes or pager.",
            WORK,
            "part",
            "service",
        )
        self.adapter_errors = self._counter(
            "adapter_errors_total",
            "Calls of an adapter that failed: unreachable, declined, timeout, or a fault in it.",
            "part",
            "service",
            "kind",
        )
        self.deliveries = self._counter(
            "deliveries_total", "Milestones that subscribers have taken.", "subscriber"
        )
        self.delivery_errors = self._counter(
            "delivery_errors_total",
            "Milestones that subscribers have not taken; each may be tried again.",
            "subscriber",
            "kind",
        )

    def _slack(self) -> None:
        self.slack_calls = self._counter(
            "slack_calls_total", "Calls of Slack's Web API.", "method"
        )
        self.slack_errors = self._counter(
            "slack_errors_total",
            "Calls of Slack's Web API that failed, by Slack's error, or unreachable.",
            "method",
            "code",
        )
        self.slack_queue = self._histogram(
            "slack_queue_seconds",
            "How long a call of Slack waited for its turn below the rate limits.",
            LAGS,
            "method",
        )

    def _api(self) -> None:
        self.requests = self._counter(
            "api_requests_total", "Requests of the HTTP API.", "route", "method", "status"
        )
        self.request = self._histogram(
            "api_request_seconds",
            "How long the HTTP API took to answer; waiting for a canary's end included.",
            QUICK,
            "route",
        )
        self.store_up = self._gauge(
            "store_up", "Whether this replica's last heartbeat has reached the store."
        )
        self.turned = self._gauge(
            "last_turn_timestamp_seconds", "When this replica's event loop turned last."
        )
        self.build = self._gauge(
            "build_info", "Always 1; what runs, in its labels.", "version", "python"
        )
