"""Asks a code host's API: tried again while that can help, never beyond the host, never too long.

A host that says when it may be asked again is believed: either there is time to wait for it, or
the answer is that moment. The token is sent to the configured address only.
"""

import asyncio
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from adapters.changes.blind import Blind, left
from adapters.http import LARGEST, MEGABYTE, masked
from adapters.registry import Surroundings

T = TypeVar("T")

ATTEMPTS: Final = 4
AT_ONCE: Final = 6
"""Requests that are under way at the same time."""
SLOWEST: Final = 12.0
"""Seconds a single answer may take."""
_BACK_OFF: Final = 0.2
"""Seconds before the second attempt; twice that before the third, and so on."""
_TIMEOUT: Final = httpx.Timeout(SLOWEST, connect=4.0, pool=SLOWEST)
_AGAIN: Final = frozenset({500, 502, 503, 504})
_REDIRECTS: Final = 3


class Refused(Blind):
    """The host answered, and not with what was asked for.

    Attributes:
        status: the HTTP status.
        message: what it said, its first words.

    """

    def __init__(self, text: str, status: int, message: str) -> None:
        super().__init__(text)
        self.status = status
        self.message = message


class Larger(Blind):
    """The answer is larger than what is read."""


@dataclass(frozen=True, slots=True)
class Host:
    """A code host.

    Attributes:
        name: what people call it.
        url: its API's address.
        repository: which repository it is asked about; for sentences.
        headers: what every request carries, the token among it.
        token_env: where the token came from; None when there is none.

    """

    name: str
    url: str
    repository: str
    headers: Mapping[str, str]
    token_env: str | None


class Asking:
    """Asks one host, a few requests at a time."""

    def __init__(self, host: Host, surroundings: Surroundings) -> None:
        self.host = host
        self._base = httpx.URL(host.url)
        self._http = surroundings.http
        self._clock = surroundings.clock
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def json(
        self, path: str, shape: TypeAdapter[T], params: Mapping[str, str] | None = None
    ) -> T:
        """What stands at a path below the API's address, which is quoted already.

        Raises:
            Refused: the host will not tell.
            Blind: it cannot be asked, or says something else.

        """
        body = await self.raw(path, params)
        try:
            if len(body) > MEGABYTE:  # takes long enough to hold up a flip
                return await asyncio.to_thread(_decoded, body, shape)
            return _decoded(body, shape)
        except (ValidationError, ValueError, RecursionError):
            raise Blind(
                f"{self._place()} did not answer as its API does; check that `url` is the address "
                "of its API"
            ) from None

    async def raw(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        accept: str = "application/json",
        largest: int = LARGEST,
    ) -> bytes:
        """The same, undecoded.

        Raises:
            Larger: it is more than `largest` bytes.
            Refused, Blind: as of `json`.

        """
        url = httpx.URL(f"{self.host.url}/{path}", params=params)
        async with self._gate:
            for attempt in range(ATTEMPTS):
                try:
                    return await self._through(url, accept, largest)
                except _Again as again:
                    pause = again.after if again.after is not None else _BACK_OFF * 2**attempt
                    # Waiting for what cannot come in time would only lose the reason.
                    if attempt == ATTEMPTS - 1 or pause >= left():
                        raise again.blind from None
                    await asyncio.sleep(pause)
        raise AssertionError("an attempt returns or raises")  # pragma: no cover

    async def _through(self, url: httpx.URL, accept: str, largest: int) -> bytes:
        """One attempt, along redirects that stay on the host."""
        for _ in range(_REDIRECTS):
            response, body = await self._once(url, accept, largest)
            if response.is_success:
                return body
            target = response.headers.get("location", "")
            if not response.is_redirect or not target:
                raise self._refusal(response, body)
            url = url.join(target)
            if (url.scheme, url.host, url.port) != (
                self._base.scheme,
                self._base.host,
                self._base.port,
            ):
                raise Blind(
                    f"{self._place()} sends to {masked(str(url.copy_with(query=None)))}, which is "
                    "another host and gets no token; configure that address in `url` if it is "
                    "right"
                )
        raise Blind(f"{self._place()} sends from one address to the next; check `url`")

    async def _once(
        self, url: httpx.URL, accept: str, largest: int
    ) -> tuple[httpx.Response, bytes]:
        headers = {**self.host.headers, "Accept": accept}
        body = bytearray()
        try:
            async with (
                asyncio.timeout(SLOWEST),
                self._http.stream(
                    "GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=False
                ) as response,
            ):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > largest:
                        raise Larger(
                            f"{self._place()} sent more than {largest / MEGABYTE:g} MB; the "
                            "change is too large to be seen at once, compare it by hand"
                        )
        # Nothing is chained: the texts of these errors may hold a header.
        except (TimeoutError, httpx.TimeoutException):
            raise _Again(self._broken("did not answer in time; look whether it is up")) from None
        except httpx.ConnectError:
            raise _Again(
                self._broken("cannot be reached; check `url`, the network, and that it runs")
            ) from None
        except httpx.TransportError:
            raise _Again(self._broken("broke off its answer; look whether it is up")) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise Blind(
                f"{self._place()} cannot be asked ({type(error).__name__}); check `url` and the "
                "token"
            ) from None
        return response, bytes(body)

    def _refusal(self, response: httpx.Response, body: bytes) -> Exception:
        status, message = response.status_code, _message(body)
        after = self._may_ask_after(response, message)
        if after is not None:
            moment = self._clock.now() + timedelta(seconds=after)
            hint = "" if self.host.token_env else "; with a token, `token_env`, it allows more"
            text = (
                f"{self._place()} is asked too often and refuses until {moment:%H:%M:%S} UTC; try "
                f"again then{hint}"
            )
            return _Again(Refused(text, status, message), after)
        told = f" ({message})" if message else ""
        text = f"{self._place()} answered {status}{told}; "
        if status in _AGAIN:
            return _Again(Refused(f"{text}look whether it is up", status, message))
        return Refused(f"{text}{self._advice(status, message)}", status, message)

    def _advice(self, status: int, message: str) -> str:
        token, repository = self.host.token_env, self.host.repository
        match status:
            case 401 if token:
                return f"the token in ${token} is not accepted, put a new one there"
            case 403 if token:
                return f"the token in ${token} may not do this, give it the right to read"
            case 401 | 403:
                return "it wants a token, name the variable that holds one in `token_env`"
            case 404 if "common ancestor" in message.lower():
                return "their histories have nothing in common, compare them by hand"
            case 404 if token:
                return (
                    f"{repository} is not there, or the token in ${token} has no rights to it; "
                    "check `repository` and the token"
                )
            case 404:
                return (
                    f"{repository} is not there, or not public; check `repository`, or set "
                    "`token_env`"
                )
            case _:
                return "check `url` and `repository`"

    def _may_ask_after(self, response: httpx.Response, message: str) -> float | None:
        """Seconds until it may be asked again; None when its limits are not the reason."""
        headers = response.headers
        limits = ("x-ratelimit", "ratelimit")
        spent = any(headers.get(f"{limit}-remaining") == "0" for limit in limits)
        if response.status_code == httpx.codes.FORBIDDEN:
            if not (spent or "retry-after" in headers or "rate limit" in message.lower()):
                return None
        elif response.status_code != httpx.codes.TOO_MANY_REQUESTS:
            return None
        now = self._clock.now()
        after = _seconds(headers.get("retry-after", ""), now)
        for limit in limits:
            reset = _number(headers.get(f"{limit}-reset", ""))
            if after is None and spent and reset is not None:
                after = reset - now.timestamp()
        # GitHub asks for a minute where it names no moment.
        return 60.0 if after is None else min(max(after, 0.1), 86_400.0)

    def _broken(self, what: str) -> Blind:
        return Blind(f"{self._place()} {what}")

    def _place(self) -> str:
        return f"{self.host.name} at {self._base.host}"


class _Again(Exception):  # noqa: N818 - it never leaves this module
    """It may work the next time, after some seconds if it said so."""

    def __init__(self, blind: Blind, after: float | None = None) -> None:
        super().__init__(str(blind))
        self.blind = blind
        self.after = after


def _decoded(body: bytes, shape: TypeAdapter[T]) -> T:
    return shape.validate_python(json.loads(body))


def _message(body: bytes) -> str:
    """What a refusal says in its `message` or `error`, on one line and short."""
    try:
        told: Any = json.loads(body[:100_000])
    except (ValueError, RecursionError):
        return ""
    said = (told.get("message") or told.get("error")) if isinstance(told, dict) else None
    return " ".join(said.split())[:200] if isinstance(said, str) else ""


def _seconds(header: str, now: datetime) -> float | None:
    """What Retry-After says, a number or a date."""
    number = _number(header)
    if number is not None or not header:
        return number
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()


def _number(header: str) -> float | None:
    try:
        number = float(header)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
