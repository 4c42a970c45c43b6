"""Keeps the API's tokens, its answers and its rates in this process: for tests, and first runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.stores.access import KEPT, LEASE, taken
from bot.ports import Clock
from bot.ports.access import Answered, Busy, Different, Mine, NameTaken, Rate, Taken, Token


class MemoryTokens:
    """`Tokens` that are gone when their process ends."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._used: dict[str, datetime] = {}

    async def add(self, token: Token) -> None:
        """See `Tokens.add`."""
        if self._tokens.setdefault(token.name, token) != token:
            raise NameTaken(token.name)

    async def change(self, before: Token, after: Token) -> None:
        """See `Tokens.change`."""
        if self._tokens.get(before.name) not in {before, after}:
            raise NameTaken(before.name)
        self._tokens[before.name] = after

    async def all(self) -> tuple[Token, ...]:
        """See `Tokens.all`."""
        return tuple(token for _, token in sorted(self._tokens.items()))

    async def revoke(self, name: str) -> bool:
        """See `Tokens.revoke`."""
        self._used.pop(name, None)
        return self._tokens.pop(name, None) is not None

    async def touch(self, name: str, at: datetime) -> None:
        """See `Tokens.touch`."""
        self._used[name] = at

    async def used(self) -> Mapping[str, datetime]:
        """See `Tokens.used`."""
        return dict(self._used)


@dataclass(slots=True)
class _Request:
    fingerprint: str
    mark: str
    holder: str
    until: datetime
    gone_at: datetime
    answer: str = ""


class MemoryOnce:
    """`Once` that is gone when its process ends."""

    def __init__(self, clock: Clock, *, kept: timedelta = KEPT, lease: timedelta = LEASE) -> None:
        self._clock = clock
        self._kept = kept
        self._lease = lease
        self._rows: dict[str, _Request] = {}

    async def reserve(
        self, key: str, fingerprint: str, mark: str, holder: str
    ) -> Mine | Busy | Different | Answered:
        """See `Once.reserve`."""
        now = self._clock.now()
        row = self._rows.get(key)
        if row is None or now >= row.gone_at:
            until, gone = now + self._lease, now + self._kept
            self._rows[key] = _Request(fingerprint, mark, holder, until, gone)
            return Mine(mark)
        if row.fingerprint != fingerprint:
            return Different()
        if row.answer:
            return Answered(row.answer)
        if row.holder not in {"", holder} and now < row.until:
            return Busy(row.until - now)
        again = row.holder != holder
        row.holder, row.until = holder, now + self._lease
        row.gone_at = now + self._kept
        return Mine(row.mark, again)

    async def keep(self, key: str, holder: str, answer: str) -> None:
        """See `Once.keep`."""
        row = self._rows.get(key)
        if row is not None and row.holder == holder:
            row.answer = answer

    async def release(self, key: str, holder: str) -> None:
        """See `Once.release`."""
        row = self._rows.get(key)
        if row is not None and row.holder == holder:
            row.holder = ""


class MemoryRates:
    """`Rates` that are gone when their process ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, datetime]] = {}

    async def take(self, key: str, rate: Rate) -> Taken:
        """See `Rates.take`."""
        now = self._clock.now()
        left, at = self._buckets.get(key, (float(rate.count), now))
        now = max(now, at)
        left = min(float(rate.count), left + (now - at) / rate.per * rate.count)
        allowed = left >= 1
        left -= allowed
        self._buckets[key] = (left, now)
        return taken(allowed, left, rate)
