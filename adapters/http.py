"""One HTTP client for all adapters, and reads whose every failure is a sentence a person can use."""

import asyncio
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import httpx

from bot.ports import PortError

MEGABYTE: Final = 1_000_000
LARGEST: Final = 20 * MEGABYTE
"""Bytes of an answer that are read at most."""
LONGEST: Final = 8.0
"""Seconds a read may take in all, so that a server that drips its answer holds up nothing."""


_Kinds = tuple[type[Exception], ...]
_REASONS: Final[tuple[tuple[_Kinds, str], ...]] = (  # the first that fits
    (
        (httpx.ConnectTimeout,),
        "did not accept a connection in time; check that it runs and can be reached",
    ),
    ((httpx.PoolTimeout,), "was not asked, all connections are busy; look which server is slow"),
    ((httpx.TimeoutException,), "did not answer in time; look whether it is overloaded"),
    (
        (httpx.NetworkError, httpx.RemoteProtocolError),
        "broke the connection before its answer was complete; look into its log",
    ),
    (
        (httpx.DecodingError,),
        "sent a compressed answer that cannot be unpacked; look into its log",
    ),
    (
        (httpx.UnsupportedProtocol, httpx.InvalidURL),
        "has no valid address; write it as http://host:port/path",
    ),
)


class HttpError(PortError):
    """A read failed.

    Attributes:
        status: the HTTP status, None when there was no answer.
        body: what the server said beside the status, its first kilobyte; it may hold secrets.

    """

    def __init__(self, text: str, status: int | None = None, body: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer's body and its content type, lower case, "" when there was none."""

    body: bytes
    content_type: str

    @property
    def text(self) -> str:
        """The body as UTF-8, with what is not UTF-8 replaced."""
        return self.body.decode("utf-8", errors="replace")


def new_client(*, far: bool = False) -> httpx.AsyncClient:
    """Make the shared client; whoever makes it closes it.

    Certificates are checked against the system's store.

    Args:
        far: for servers on the internet, which may only be reached by the environment's proxy.
            Without it that proxy is left alone: what is asked are servers nearby.

    """
    return httpx.AsyncClient(
        timeout=httpx.Timeout(4.0, connect=2.0),
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        follow_redirects=False,
        headers={"User-Agent": "canarybot"},
        trust_env=far,
        verify=ssl.create_default_context(),
    )


async def read(
    client: httpx.AsyncClient,
    url: str,
    *,
    what: str,
    method: Literal["GET", "POST"] = "GET",
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    largest: int = LARGEST,
) -> Answer:
    """Read `url`, which must not change anything there: a lost connection is tried once more.

    Args:
        client: the shared client.
        url: where; shown in errors without its secrets.
        what: who is asked, for the error text: "Prometheus", "Envoy's admin".
        method: POST is for reads whose question is too long for an address.
        params: query parameters, in place of those in `url`.
        form: form fields of a POST.
        headers: more headers.
        largest: bytes that are read at most.

    Raises:
        HttpError: no answer, not a 2xx, or larger than `largest`.

    """
    place = f"{what} at {masked(url)}"
    try:
        async with asyncio.timeout(LONGEST):
            for last in (False, True):
                try:
                    request = client.build_request(
                        method, url, params=params, data=form, headers=headers
                    )
                    return await _answer(client, request, place, largest)
                except (httpx.NetworkError, httpx.RemoteProtocolError):
                    if last:
                        raise
    except HttpError:
        raise
    # Nothing is chained: the texts of these errors may hold the address or a header.
    except TimeoutError:
        raise HttpError(
            f"{place} took longer than {LONGEST:g} s to answer; look whether it is overloaded"
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise HttpError(f"{place} {_why(error)}") from None
    raise AssertionError("a read returns or raises")  # pragma: no cover


async def read_json(
    client: httpx.AsyncClient,
    url: str,
    *,
    what: str,
    method: Literal["GET", "POST"] = "GET",
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    largest: int = LARGEST,
) -> Any:
    """Read `url` and decode it as JSON; arguments and errors as in `read`.

    Raises:
        HttpError: as in `read`, or what came is not JSON.

    """
    answer = await read(
        client,
        url,
        what=what,
        method=method,
        params=params,
        form=form,
        headers=headers,
        largest=largest,
    )
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise HttpError(
            f"{what} at {masked(url)} answered with {answer.content_type or 'something'} that is "
            "not JSON; look whether the address is the right one"
        ) from None


def masked(url: str) -> str:
    """The address without what may be secret: user, password, values in the query, fragment."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        return "an address that cannot be read"
    userinfo = "***@" if parts.userinfo else ""
    port = f":{parts.port}" if parts.port is not None else ""
    query = re.sub(r"=[^&]*", "=***", parts.query.decode("ascii", errors="replace"))
    host = f"[{parts.host}]" if ":" in parts.host else parts.host
    return f"{parts.scheme}://{userinfo}{host}{port}{parts.path}{'?' if query else ''}{query}"


async def _answer(
    client: httpx.AsyncClient, request: httpx.Request, place: str, largest: int
) -> Answer:
    response = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > largest:
                raise HttpError(
                    f"{place} sent more than {largest / MEGABYTE:g} MB; ask for less of it, for "
                    "example by a filter in the address"
                )
    finally:
        await response.aclose()
    if not response.is_success:
        text = body[:1000].decode("utf-8", errors="replace")
        raise HttpError(f"{place} {_refusal(response)}", response.status_code, text)
    return Answer(bytes(body), response.headers.get("content-type", "").lower())


def _refusal(response: httpx.Response) -> str:
    status = f"answered {response.status_code} {response.reason_phrase}".rstrip()
    match response.status_code:
        case 401 | 403:
            return f"{status}; check the token or password it is asked with"
        case 404:
            return f"{status}; check the path of the address"
        case 429:
            return f"{status}: it is asked too often; look who else asks it"
        case code if 300 <= code < 400:
            target = response.headers.get("location", "")
            place = masked(str(response.url.join(target))) if target else "another place"
            return f"{status}, a redirect to {place}; configure that address if it is right"
        case code if code >= 500:
            return f"{status}; look into its log"
        case _:
            return f"{status}; check the address and its options"


def _why(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"cannot be reached ({error}); check the address and that it runs"
    for kinds, text in _REASONS:
        if isinstance(error, kinds):
            return text
    return "cannot be asked: the address or a header holds characters that HTTP forbids"
