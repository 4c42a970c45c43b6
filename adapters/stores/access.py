"""Keeps the API's tokens, its answers and its rates in Redis, for all replicas."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from adapters.stores.connection import Link
from adapters.stores.running import Scripts
from bot.ports import Clock, PortError
from bot.ports.access import Answered, Busy, Different, Mine, NameTaken, Rate, Taken, Token

KEPT: Final = timedelta(hours=24)
"""How long an answer is kept for whoever asks the same again."""

LEASE: Final = timedelta(seconds=60)
"""How long an attempt may take before it is taken for lost; a start looks at its change first."""

_TOKEN: Final = TypeAdapter(Token)
_log = structlog.get_logger(__name__)

_ADD: Final = """
-- KEYS: tokens; ARGV: name, token
local found = redis.call('HMGET', KEYS[1], ARGV[1])[1]
if found and found ~= ARGV[2] then
  return {'taken'}
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return {'done'}
"""

_CHANGE: Final = """
-- KEYS: tokens; ARGV: name, before, after
local found = redis.call('HMGET', KEYS[1], ARGV[1])[1]
if found == ARGV[3] then
  return {'done'}
end
if found ~= ARGV[2] then
  return {'taken'}
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return {'done'}
"""

_REVOKE: Final = """
-- KEYS: tokens, used; ARGV: name
redis.call('HDEL', KEYS[2], ARGV[1])
return {redis.call('HDEL', KEYS[1], ARGV[1])}
"""

_RESERVE: Final = """
-- KEYS: the request; ARGV: fingerprint, mark, holder, now, lease, keep, all times in ms
local row = redis.call('HMGET', KEYS[1], 'fingerprint', 'mark', 'holder', 'until', 'answer')
if row[1] and row[1] ~= ARGV[1] then
  return {'different'}
end
if row[5] then
  return {'answered', row[5]}
end
local now = tonumber(ARGV[4])
if row[1] and row[3] ~= '' and row[3] ~= ARGV[3] and now < tonumber(row[4]) then
  return {'busy', tostring(tonumber(row[4]) - now)}
end
local again = '0'
if row[1] and row[3] ~= ARGV[3] then
  again = '1'
end
local mark = row[2] or ARGV[2]
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'mark', mark, 'holder', ARGV[3],
  'until', tostring(now + tonumber(ARGV[5])))
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {'mine', mark, again}
"""

_SETTLE: Final = """
-- KEYS: the request; ARGV: holder, answer or nothing to let it go
if redis.call('HMGET', KEYS[1], 'holder')[1] ~= ARGV[1] then
  return {'gone'}
end
if ARGV[2] == '' then
  redis.call('HSET', KEYS[1], 'holder', '')
else
  redis.call('HSET', KEYS[1], 'answer', ARGV[2])
end
return {'done'}
"""

_TAKE: Final = """
-- KEYS: the bucket; ARGV: now in ms, how many it holds, ms in which it fills
local row = redis.call('HMGET', KEYS[1], 'left', 'at')
local now, most, span = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local left, at = tonumber(row[1] or ARGV[2]), tonumber(row[2] or ARGV[1])
if now < at then
  now = at
end
left = math.min(most, left + (now - at) * most / span)
local allowed = 0
if left >= 1 then
  left = left - 1
  allowed = 1
end
redis.call('HSET', KEYS[1], 'left', string.format('%.9f', left), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(span) + 1000)
return {allowed, string.format('%.9f', left)}
"""


def encode_token(token: Token) -> str:
    """A token as JSON; equal ones are the same text."""
    return _TOKEN.dump_json(token).decode()


class RedisTokens:
    """`Tokens` in Redis: a hash by name, and one of when each was last used.

    Args:
        link: the Redis; whoever made it closes it.
        prefix: what all keys begin with.

    """

    def __init__(self, link: Link, prefix: str = "canarybot") -> None:
        self._link = link
        self._scripts = Scripts(link)
        self._key = f"{prefix}:{{access}}:tokens"
        self._used = f"{prefix}:{{access}}:used"

    async def add(self, token: Token) -> None:
        """See `Tokens.add`."""
        told = [token.name, encode_token(token)]
        (status,) = await self._scripts.run(_ADD, [self._key], told)
        if status != b"done":
            raise NameTaken(token.name)

    async def change(self, before: Token, after: Token) -> None:
        """See `Tokens.change`."""
        told = [before.name, encode_token(before), encode_token(after)]
        (status,) = await self._scripts.run(_CHANGE, [self._key], told)
        if status != b"done":
            raise NameTaken(before.name)

    async def all(self) -> tuple[Token, ...]:
        """See `Tokens.all`."""
        async with self._link.asking() as redis:
            rows = await redis.hgetall(self._key)
        found = []
        for name, text in sorted(rows.items()):
            try:
                found.append(_TOKEN.validate_json(text))
            except ValidationError:
                # Without the text: it would be the digest of somebody's secret.
                _log.warning("a token cannot be read", name=name.decode(errors="replace"))
        return tuple(found)

    async def revoke(self, name: str) -> bool:
        """See `Tokens.revoke`."""
        (gone,) = await self._scripts.run(_REVOKE, [self._key, self._used], [name])
        return bool(gone)

    async def touch(self, name: str, at: datetime) -> None:
        """See `Tokens.touch`."""
        async with self._link.asking() as redis:
            await redis.hset(self._used, name, at.isoformat())

    async def used(self) -> Mapping[str, datetime]:
        """See `Tokens.used`."""
        async with self._link.asking() as redis:
            rows = await redis.hgetall(self._used)
        return {name.decode(): datetime.fromisoformat(at.decode()) for name, at in rows.items()}


class RedisOnce:
    """`Once` in Redis: a hash a request, gone after a day; arguments as of `RedisTokens`."""

    def __init__(
        self,
        link: Link,
        clock: Clock,
        prefix: str = "canarybot",
        *,
        kept: timedelta = KEPT,
        lease: timedelta = LEASE,
    ) -> None:
        self._scripts = Scripts(link)
        self._clock = clock
        self._root = f"{prefix}:once"
        self._kept = _milliseconds(kept)
        self._lease = _milliseconds(lease)

    async def reserve(
        self, key: str, fingerprint: str, mark: str, holder: str
    ) -> Mine | Busy | Different | Answered:
        """See `Once.reserve`."""
        told = [fingerprint, mark, holder, _now(self._clock), self._lease, self._kept]
        status, *found = await self._scripts.run(_RESERVE, [f"{self._root}:{key}"], told)
        match status, [each.decode() for each in found]:
            case b"mine", [mark, again]:
                return Mine(mark, again == "1")
            case b"busy", [left]:
                return Busy(timedelta(milliseconds=float(left)))
            case b"answered", [answer]:
                return Answered(answer)
            case b"different", []:
                return Different()
            case other:
                raise PortError(f"Redis answered {other!r} to a reservation")

    async def keep(self, key: str, holder: str, answer: str) -> None:
        """See `Once.keep`."""
        await self._scripts.run(_SETTLE, [f"{self._root}:{key}"], [holder, answer])

    async def release(self, key: str, holder: str) -> None:
        """See `Once.release`."""
        await self._scripts.run(_SETTLE, [f"{self._root}:{key}"], [holder, ""])


class RedisRates:
    """`Rates` in Redis: one bucket a key, which fills as time passes.

    The time is the replica's, for the bot's user may not ask Redis for it: where two replicas'
    clocks differ, the one that is behind refills nothing meanwhile. Arguments as of `RedisTokens`.
    """

    def __init__(self, link: Link, clock: Clock, prefix: str = "canarybot") -> None:
        self._scripts = Scripts(link)
        self._clock = clock
        self._root = f"{prefix}:rate"

    async def take(self, key: str, rate: Rate) -> Taken:
        """See `Rates.take`."""
        told = [_now(self._clock), rate.count, _milliseconds(rate.per)]
        allowed, left = await self._scripts.run(_TAKE, [f"{self._root}:{key}"], told)
        return taken(bool(allowed), float(left), rate)


def taken(allowed: bool, left: float, rate: Rate) -> Taken:  # noqa: FBT001 - both are values
    """What that leaves of a bucket."""
    each = rate.per / rate.count
    again = timedelta(0) if left >= 1 else each * (1 - left)
    return Taken(allowed, int(left), again, each * (rate.count - left))


def _milliseconds(span: timedelta) -> int:
    return max(1, int(span.total_seconds() * 1000))


def _now(clock: Clock) -> int:
    return int(clock.now().timestamp() * 1000)
