"""Rate limits by method tier: token buckets that refill each minute's allowance."""

import math
import time
from dataclasses import dataclass

PER_MINUTE = {"T1": 1, "T2": 20, "T3": 50, "T4": 100, "special": 600}
# Slack allows "occasional bursts" and names no size; these are small on purpose.
BURST = {"T1": 2, "T2": 8, "T3": 20, "T4": 40, "special": 100}
POSTS_PER_MINUTE = 60
POSTS_BURST = 5


@dataclass(slots=True)
class TokenBucket:
    """Holds up to `burst` tokens and gains `per_second`."""

    per_second: float
    burst: float
    tokens: float
    filled_at: float

    def take(self, now: float) -> int:
        """Take a token; gives 0, or the whole seconds until there is one."""
        gained = (now - self.filled_at) * self.per_second
        self.tokens = min(self.burst, self.tokens + gained)
        self.filled_at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0
        return max(1, math.ceil((1 - self.tokens) / self.per_second))


class RateLimits:
    """One bucket a method, and one a channel for `chat.postMessage`."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._buckets: dict[str, TokenBucket] = {}

    def wait(self, method: str, tier: str) -> int:
        """Count a call; gives the seconds to wait if it is one too many."""
        return self._take(method, PER_MINUTE[tier], BURST[tier])

    def wait_for_post(self, channel: str) -> int:
        """Count a message to a channel; about one a second is allowed."""
        return self._take(f"post:{channel}", POSTS_PER_MINUTE, POSTS_BURST)

    def _take(self, key: str, per_minute: int, burst: int) -> int:
        if self._scale == 0:
            return 0
        now = time.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            size = max(1.0, burst * self._scale)
            bucket = TokenBucket(per_minute * self._scale / 60, size, size, now)
            self._buckets[key] = bucket
        return bucket.take(now)
