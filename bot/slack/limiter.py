"""One limiter for all calls of Slack: by method, by channel, urgent ones first, paused as a whole.

Slack counts per method and app over all messages, so every caller has to share one count.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final
from urllib.parse import urlsplit

from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

from bot.ports.meters import NO_METERS, Meters


class Priority(IntEnum):
    """Who goes first where calls have to wait, and who leaves tokens to those before it."""

    URGENT = 0
    NORMAL = 1
    BACKGROUND = 2


LEAVES: Final[Mapping[Priority, float]] = {
    Priority.URGENT: 0.0,
    Priority.NORMAL: 0.5,
    Priority.BACKGROUND: 1.0,
}
"""The part of a method's reserve that a call must not touch."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a minute, and so many at once after a rest.

    Attributes:
        reserve: how many of those at once are kept for the more urgent ones.

    """

    per_minute: float
    burst: float
    reserve: float = 0.0

    def shared(self, by: int) -> "Rate":
        """One of so many equal parts; a call at once is left to each, for without it none passes."""
        burst = max(1.0, self.burst / by)
        return Rate(self.per_minute / by, burst, min(self.reserve / by, burst - 1))


METHOD_RATES: Final[Mapping[str, Rate]] = {
    # Slack: 50 for the whole app, its burst unpublished. 45 and 5 are 50 in any 60 s, however it
    # counts. Edits that can wait use the fifth token only, so four urgent ones go at once and the
    # fifth after 1.3 s.
    "chat.update": Rate(45, 5, reserve=4),
    "chat.postMessage": Rate(200, 10),
    "chat.delete": Rate(45, 5),
    "chat.postEphemeral": Rate(90, 10),
    "files.getUploadURLExternal": Rate(90, 10),
    "files.completeUploadExternal": Rate(90, 10),
    "files.info": Rate(90, 10),
    "usergroups.users.list": Rate(18, 3),
    "conversations.members": Rate(90, 5),
    "conversations.history": Rate(45, 5),
    "conversations.replies": Rate(45, 5),
    "views.open": Rate(90, 10),
    "views.update": Rate(90, 10),
    "views.publish": Rate(90, 10),
}
CHANNEL_RATES: Final[Mapping[str, Rate]] = {"chat.postMessage": Rate(55, 3)}
UNKNOWN: Final = Rate(18, 3)
"""For a method that is not listed: Slack's second lowest tier."""

LONGEST_HOLD: Final = 10.0
"""Seconds a call may sleep inside after a 429; beyond that its caller gets the error."""


class TooLong(Exception):  # noqa: N818 - it is an answer to be acted on, not a fault
    """The turn would come later than the caller is willing to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Slack's rate limit asks to wait {seconds:.0f} s")
        self.seconds = seconds


@dataclass(slots=True)
class _Bucket:
    """Holds up to the burst; gains tokens with time."""

    rate: Rate
    tokens: float
    filled_at: float

    def fill(self, now: float) -> float:
        gained = (now - self.filled_at) * self.rate.per_minute / 60
        self.tokens = min(self.rate.burst, self.tokens + gained)
        self.filled_at = now
        return self.tokens

    def wait(self, tokens: float) -> float:
        """Seconds until there are so many tokens; a millionth is as good as there."""
        missing = tokens - self.tokens
        return missing * 60 / self.rate.per_minute if missing > 1e-6 else 0.0


@dataclass(slots=True, order=True)
class _Ticket:
    """A caller's place in the queue."""

    priority: Priority
    number: int
    channel: str | None = field(compare=False)


class Limiter:
    """Token buckets with a queue; `now` and `sleep` are passed in so that tests own the time."""

    def __init__(
        self,
        *,
        methods: Mapping[str, Rate] = METHOD_RATES,
        channels: Mapping[str, Rate] = CHANNEL_RATES,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        meters: Meters = NO_METERS,
    ) -> None:
        self._meters = meters
        self._methods = methods
        self._channels = channels
        self._now = now
        self._sleep = sleep
        self._buckets: dict[tuple[str, str | None], _Bucket] = {}
        self._by = 1
        self._paused: dict[str, float] = {}
        self._queues: dict[str, list[_Ticket]] = {}
        self._numbers = 0

    async def take(
        self,
        method: str,
        channel: str | None = None,
        priority: Priority = Priority.NORMAL,
        at_most: float | None = None,
    ) -> None:
        """Wait for one's turn and take it; `at_most` bounds the wait, in seconds.

        Raises:
            TooLong: the turn would come later than that; nothing was taken.

        """
        self._numbers += 1
        ticket = _Ticket(priority, self._numbers, channel)
        queue = self._queues.setdefault(method, [])
        queue.append(ticket)
        started = self._now()
        try:
            while (wait := self._wait(method, ticket)) > 0:
                if at_most is not None and self._now() - started + wait > at_most:
                    raise TooLong(wait)
                await self._sleep(wait)
            self._meters.slack_waited(method, self._now() - started)
            self._bucket(method, None).tokens -= 1
            if channel is not None and method in self._channels:
                self._bucket(method, channel).tokens -= 1
        finally:
            queue.remove(ticket)

    def share(self, by: int) -> None:
        """Use one of so many parts of every rate: so many replicas call Slack as the same app."""
        if by == self._by:
            return
        self._by = by
        for (method, channel), bucket in self._buckets.items():
            bucket.fill(self._now())
            bucket.rate = self._rate(method, channel)
            bucket.tokens = min(bucket.tokens, bucket.rate.burst)

    @property
    def shared_by(self) -> int:
        """How many replicas share the rates."""
        return self._by

    def pause(self, method: str, seconds: float) -> None:
        """Hold every call of this method for so long: Slack answered 429."""
        self._paused[method] = max(self._paused.get(method, 0.0), self._now() + seconds)

    def _wait(self, method: str, ticket: _Ticket) -> float:
        """Seconds until this ticket's turn, as far as one can tell now; 0 when it is here."""
        now = self._now()
        pause = max(0.0, self._paused.get(method, 0.0) - now)
        ahead = [other for other in self._queues[method] if other < ticket]
        # Who waits for a channel of its own holds up nobody else.
        going = [other for other in ahead if self._channel_wait(method, other.channel, 1) == 0]
        bucket = self._bucket(method, None)
        bucket.fill(now)
        leaves = LEAVES[ticket.priority] * bucket.rate.reserve
        own = sum(other.channel == ticket.channel for other in ahead) + 1
        return max(
            pause,
            bucket.wait(len(going) + 1 + leaves),
            self._channel_wait(method, ticket.channel, own),
        )

    def _channel_wait(self, method: str, channel: str | None, tokens: int) -> float:
        if channel is None or method not in self._channels:
            return 0.0
        bucket = self._bucket(method, channel)
        bucket.fill(self._now())
        return bucket.wait(tokens)

    def _bucket(self, method: str, channel: str | None) -> _Bucket:
        key = (method, channel)
        if key not in self._buckets:
            rate = self._rate(method, channel)
            self._buckets[key] = _Bucket(rate, rate.burst, self._now())
        return self._buckets[key]

    def _rate(self, method: str, channel: str | None) -> Rate:
        rates = self._methods if channel is None else self._channels
        return rates.get(method, UNKNOWN).shared(self._by)


class PausingRetry(AsyncRateLimitErrorRetryHandler):
    """The net below the limiter: after a 429 the whole method is held, the call tried once more."""

    def __init__(self, limiter: Limiter) -> None:
        super().__init__(max_retry_count=1)
        self._limiter = limiter

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        limited = await super()._can_retry_async(
            state=state, request=request, response=response, error=error
        )
        if not limited or response is None:
            return False
        method = urlsplit(request.url).path.rpartition("/")[2]
        header = next(
            (v for k, v in response.headers.items() if k.lower() == "retry-after"), ["30"]
        )
        seconds = float(header[0])
        self._limiter.pause(method, seconds + 0.5)
        return seconds <= LONGEST_HOLD
