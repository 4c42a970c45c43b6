"""How a revision of the demo service behaves: as it should, or with one fault built in."""

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

BASE_ERRORS: Final = 0.005
NEW_ERRORS: Final = 0.16
MEDIAN_SECONDS: Final = 0.014
SPREAD: Final = 0.35
SLOW_SHARE: Final = 0.012
SLOW_FACTOR: Final = 3.0
STALL_SHARE: Final = 0.08
STALL_SECONDS: Final = 0.75
ERROR_LOG_SECONDS: Final = 5.0
"""The new kind of error is logged at most this often, as a throttled logger would."""

CALM_SECONDS: Final = 4.0
"""Without a request for this long the revision counts as taken out of traffic."""


class Fault(StrEnum):
    """What is wrong with a revision."""

    NONE = "none"
    ERRORS = "errors"
    LATENCY = "latency"
    LOGS = "logs"
    READINESS = "readiness"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line for the service's log."""

    level: str
    message: str
    exception: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """How one request is answered: after how many seconds, with which status, logging what."""

    seconds: float
    status: int
    line: LogLine | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """Whether one thing the revision depends on answers."""

    ready: bool
    reason: str = ""


@dataclass(slots=True)
class Exposure:
    """Since when requests have been coming in; a pause ends it.

    Attributes:
        onset: seconds of traffic after which the fault shows.

    """

    onset: float
    since: float | None = None
    last: float | None = None

    def request(self, now: float) -> None:
        """Note a request at this monotonic time, in seconds."""
        if self.last is None or now - self.last > CALM_SECONDS:
            self.since = now
        self.last = now

    def shows(self, now: float) -> bool:
        """Whether the fault shows now."""
        if self.since is None or self.last is None or now - self.last > CALM_SECONDS:
            return False
        return now - self.since >= self.onset


@dataclass(slots=True)
class Behaviour:
    """One revision at work. Times are monotonic seconds, given by the caller.

    Attributes:
        errors: the share of requests that fail where the fault is errors.

    """

    fault: Fault = Fault.NONE
    onset: float = 3.0
    # One generator a process, so that a test can fix it.
    dice: random.Random = field(default_factory=random.Random)
    errors: float = NEW_ERRORS
    served: int = 0
    exposure: Exposure = field(init=False)
    _error_logged_at: float = -ERROR_LOG_SECONDS

    def __post_init__(self) -> None:
        self.exposure = Exposure(self.onset)

    def order(self, now: float) -> Order:
        """Answer one request."""
        self.served += 1
        self.exposure.request(now)
        seconds = self._seconds()
        if self._shows(Fault.LATENCY, now) and self.dice.random() < STALL_SHARE:
            seconds += STALL_SECONDS * self.dice.uniform(0.9, 1.3)
        if self._shows(Fault.ERRORS, now) and self.dice.random() < self.errors:
            return Order(seconds, 500, self._new_error(now))
        if self.dice.random() < BASE_ERRORS:
            number = 80_000 + self.served
            line = LogLine("ERROR", f"order {number} failed: the inventory did not answer in time")
            return Order(seconds, 503, line)
        return Order(seconds, 200)

    def components(self, now: float) -> dict[str, Component]:
        """What the revision says of the things it depends on."""
        queue = Component(ready=True)
        if self._shows(Fault.READINESS, now):
            queue = Component(
                ready=False, reason="no consumer is bound to orders.v2, messages are piling up"
            )
        return {"db": Component(ready=True), "mount": Component(ready=True), "queue": queue}

    def poll(self, now: float) -> LogLine | None:
        """Do one round of the background work; what it has to say."""
        if self._shows(Fault.LOGS, now):
            return LogLine("ERROR", "refreshing open orders failed", UNDEFINED_COLUMN)
        return None

    def _shows(self, fault: Fault, now: float) -> bool:
        return self.fault is fault and self.exposure.shows(now)

    def _seconds(self) -> float:
        """Lognormal around the median, and a few that met a cold cache."""
        seconds = MEDIAN_SECONDS * self.dice.lognormvariate(0.0, SPREAD)
        return seconds * SLOW_FACTOR if self.dice.random() < SLOW_SHARE else seconds

    def _new_error(self, now: float) -> LogLine | None:
        if now - self._error_logged_at < ERROR_LOG_SECONDS:
            return None
        self._error_logged_at = now
        return LogLine("ERROR", "payment refused by the gateway", MISSING_CURRENCY)


UNDEFINED_COLUMN: Final = """\
Traceback (most recent call last):
  File "/app/shop/poller.py", line 41, in refresh_open_orders
    rows = await connection.execute(OPEN_ORDERS)
  File "/app/lib/psycopg/connection_async.py", line 287, in execute
    raise ex.with_traceback(None)
psycopg.errors.UndefinedColumn: column orders.discount does not exist
LINE 1: SELECT id, total, orders.discount FROM orders WHERE open
                          ^"""

MISSING_CURRENCY: Final = """\
Traceback (most recent call last):
  File "/app/shop/checkout.py", line 88, in charge
    amount = Money(order.total, order.fields["currency"])
KeyError: 'currency'"""
