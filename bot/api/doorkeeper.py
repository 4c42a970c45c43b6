"""Who asks, and how often they may: tokens are looked up, counted and sent away here."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.api.problems import Problem, seconds
from bot.api.secrets import digest, is_whole
from bot.config.api import ApiSettings
from bot.core.plan import MACHINE, Actor
from bot.ports import Clock, PortError
from bot.ports.access import Permission, Rate, Rates, Taken, Token, Tokens

FRESH: Final = timedelta(seconds=3)
"""For how long a look at all tokens counts: as late is a revoked one known everywhere."""

STALE: Final = timedelta(hours=1)
"""For how long it counts for aborts while the store is away: those only make things safer."""

HURRY: Final = 0.5
"""Seconds for which an abort waits for the store, where it can do without."""

TOUCH_EVERY: Final = timedelta(minutes=1)
"""A token's last use is written down no more often."""

MOST_BARRED: Final = 1000
"""Addresses that are remembered for that."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Access:
    """What the API keeps of its callers, for all replicas."""

    tokens: Tokens
    rates: Rates


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    token: Token

    @property
    def name(self) -> str:
        """The token's."""
        return self.token.name

    @property
    def actor(self) -> Actor:
        """As canaries name it."""
        return Actor(f"{MACHINE}{self.name}", self.name)

    def speaking_for(self, user_id: str) -> Actor:
        """A person in whose name it says to act."""
        return Actor(user_id, via=f"{MACHINE}{self.name}")

    def need(self, *any_of: Permission) -> None:
        """Refuse what the token may not do; one of several is enough."""
        if any(permission in self.token.permissions for permission in any_of):
            return
        raise Problem(
            403,
            "not-permitted",
            f"The token {self.name} may {_listed(self.token.permissions)}, and this needs "
            f"{' or '.join(any_of)}. Nothing was done.",
            f"Use a token made with --can {any_of[0]}.",
        )


def _heard(look: asyncio.Task[tuple[Token, ...]]) -> None:
    """Whoever asked may have gone before the store said no; that is no news to anybody else."""
    if not look.cancelled():
        look.exception()


def _listed(permissions: tuple[str, ...]) -> str:
    return (
        " and ".join(filter(None, (", ".join(permissions[:-1]), *permissions[-1:]))) or "nothing"
    )


class Doorkeeper:
    """Lets callers in."""

    def __init__(self, access: Access, clock: Clock, settings: ApiSettings) -> None:
        self._access = access
        self._clock = clock
        self._settings = settings
        self._known: tuple[Token, ...] = ()
        self._seen_at: datetime | None = None
        self._look: asyncio.Task[tuple[Token, ...]] | None = None
        self._touched: dict[str, datetime] = {}
        self._barred: dict[str, datetime] = {}

    async def admit(self, authorization: str, address: str, *, urgent: bool) -> Caller:
        """Find out who it is, and count the request if it is wrong.

        Args:
            authorization: the header.
            address: where it came from.
            urgent: whether it only makes things safer, so that an old look at the tokens counts.

        Raises:
            Problem: 401, or 429 after too many of these.
            PortError: the store is away.

        """
        scheme, _, secret = authorization.partition(" ")
        secret = secret.strip()
        if scheme.casefold() == "bearer" and is_whole(secret):
            token = self._find(secret, await self._tokens(urgent=urgent))
            if token is None and not self._is_barred(address):  # it may be quite new
                token = self._find(secret, await self._tokens(urgent=urgent, anew=True))
            if token is not None:
                await self._touch(token)
                return Caller(token)
        await self._count_failure(address)
        raise _unauthorised(scheme, secret)

    async def count(self, caller: Caller, *, urgent: bool) -> dict[str, str]:
        """Count a request of this caller's; headers that say how many are left.

        Aborts are counted apart, and never held up by a store that is away.

        Raises:
            Problem: 429.
            PortError: the store is away.

        """
        rate = self._settings.abort_rate if urgent else self._settings.rate
        kind = "abort" if urgent else "all"
        try:
            async with asyncio.timeout(HURRY if urgent else None):
                taken = await self._access.rates.take(f"token:{caller.name}:{kind}", rate)
        except (PortError, TimeoutError):
            if urgent:
                return {}
            raise
        headers = _rate_headers(taken, rate)
        if taken.allowed:
            return headers
        raise _too_many(f"The token {caller.name} has used up its rate", taken, headers)

    async def _tokens(self, *, urgent: bool, anew: bool = False) -> tuple[Token, ...]:
        """All tokens, as they were a few seconds ago at the earliest."""
        age = self._clock.now() - self._seen_at if self._seen_at else None
        if not anew and age is not None and timedelta(0) <= age < FRESH:
            return self._known
        if self._look is None or self._look.done():  # one look for all who ask meanwhile
            self._look = asyncio.create_task(self._access.tokens.all())
            self._look.add_done_callback(_heard)
        stale = urgent and age is not None and age < STALE
        try:
            async with asyncio.timeout(HURRY if stale else None):
                known = await asyncio.shield(self._look)
        except (PortError, TimeoutError):
            if stale:
                return self._known
            raise
        self._known, self._seen_at = known, self._clock.now()
        return known

    def _find(self, secret: str, tokens: tuple[Token, ...]) -> Token | None:
        now, wanted, found = self._clock.now(), digest(secret), None
        for token in tokens:
            for key in token.keys:
                same = secrets.compare_digest(key.digest, wanted)
                if same and key.is_valid(now) and token.is_valid(now):
                    found = token
        return found

    async def _touch(self, token: Token) -> None:
        now, last = self._clock.now(), self._touched.get(token.name)
        if last is not None and now - last < TOUCH_EVERY:
            return
        self._touched[token.name] = now
        try:
            async with asyncio.timeout(HURRY):
                await self._access.tokens.touch(token.name, now)
        except (PortError, TimeoutError) as error:
            _log.info("api.not_touched", token=token.name, reason=str(error))

    def _is_barred(self, address: str) -> bool:
        """Whether it has sent so many wrong ones that the store is not asked about another."""
        until = self._barred.get(address)
        return until is not None and self._clock.now() < until

    async def _count_failure(self, address: str) -> None:
        rate = self._settings.failed_rate
        taken = await self._access.rates.take(f"address:{address}", rate)
        if not taken.allowed:
            if len(self._barred) >= MOST_BARRED:
                self._barred.clear()
            self._barred[address] = self._clock.now() + taken.again
            headers = _rate_headers(taken, rate)
            raise _too_many("Too many requests without a valid token came", taken, headers)


def _unauthorised(scheme: str, secret: str) -> Problem:
    challenge, error = 'Bearer realm="canarybot"', ', error="invalid_token"'
    headers = {"WWW-Authenticate": challenge + (error if scheme else "")}
    if not scheme:
        what = "No token was sent."
    elif scheme.casefold() != "bearer":
        what = "The Authorization header does not begin with Bearer."
    elif not is_whole(secret):
        what = "What was sent is no token, or not a whole one; look for a cut or a stray blank."
    else:
        what = (
            "This token is not known: it was revoked or rotated, has expired, or is another bot's."
        )
    how = "Send Authorization: Bearer cnry_…; `canary token create NAME` makes a token."
    return Problem(401, "unauthorised", what, how, headers)


def _too_many(what: str, taken: Taken, headers: dict[str, str]) -> Problem:
    wait = seconds(taken.again)
    return Problem(
        429,
        "too-many-requests",
        f"{what}; the next one counts in {wait} s. Nothing was done.",
        "Wait as long as Retry-After says. To wait for an end, ask with ?wait=30s instead of often.",
        {**headers, "Retry-After": wait},
    )


def _rate_headers(taken: Taken, rate: Rate) -> dict[str, str]:
    """As the IETF's draft on RateLimit headers has them."""
    span = int(rate.per.total_seconds())
    return {
        "RateLimit-Policy": f'"default";q={rate.count};w={span}',
        "RateLimit": f'"default";r={taken.left};t={seconds(taken.full)}',
    }
