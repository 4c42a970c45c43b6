"""One request to somebody outside, and whether what came of it may be tried again."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from bot.ports import Clock, PortError

DEADLINE: Final = 10.0
"""Seconds for one attempt, its answer included."""
LONGEST_QUIET: Final = timedelta(hours=1)
"""However long somebody wants to be left alone."""
PASSING: Final = frozenset({408, 425, 429})
"""Refusals that are about the moment, not about what was asked."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_taken(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def may_pass(self) -> bool:
        """Whether the same may be taken later."""
        return self.status >= 500 or self.status in PASSING


async def exchange(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    what: str,
    largest: int,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Reply:
    """Ask once and follow no redirect: what is sent is meant for this address alone.

    Args:
        http: the shared client.
        method, url, headers, params, content: the request.
        what: who is asked, for the error text, which never holds the address or a header.
        largest: bytes of the answer that are read at most; 0 leaves it unread.

    Raises:
        PortError: no answer, or a larger one.

    """
    try:
        request = http.build_request(
            method,
            url,
            params=params,
            content=content,
            headers={**headers, "Accept-Encoding": "identity"},  # what is bounded is what is read
            timeout=DEADLINE,
        )
        async with asyncio.timeout(DEADLINE):
            response = await http.send(request, stream=True, follow_redirects=False)
            try:
                body = await _body(response, largest, what)
            finally:
                await response.aclose()
    except PortError:
        raise
    # Nothing is chained: the texts of these errors may hold the address or a header.
    except (TimeoutError, httpx.TimeoutException):
        raise PortError(
            f"{what} did not answer within {DEADLINE:g} s; look whether it is overloaded"
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise PortError(
            f"{what} cannot be reached ({type(error).__name__}); check its address, its "
            "certificate and the network"
        ) from None
    return Reply(response.status_code, dict(response.headers), body)


async def _body(response: httpx.Response, largest: int, what: str) -> bytes:
    body = bytearray()
    if not largest:
        return b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > largest:
            raise PortError(
                f"{what} sent more than {largest // 1000} kB; check that its address is right"
            )
    return bytes(body)


class Quiet:
    """Leaves somebody alone for as long as they have asked to be: asking on makes it longer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = datetime.min.replace(tzinfo=UTC)

    def check(self, what: str) -> None:
        """Raise `PortError` while it lasts."""
        left = self._until - self._clock.now()
        if left > timedelta(0):
            raise PortError(
                f"{what} wants to be left alone for another {math.ceil(left.total_seconds())} s"
            )

    def heed(self, reply: Reply, otherwise: timedelta = timedelta(0)) -> None:
        """Begin, for as long as the answer says; `otherwise` where it does not say."""
        now = self._clock.now()
        wait = _asked(reply.headers, now)
        wait = otherwise if wait is None else wait
        self._until = now + min(max(wait, timedelta(0)), LONGEST_QUIET)


def _asked(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What `Retry-After` says, in seconds or as a date; None where it says nothing."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text[:9]))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
