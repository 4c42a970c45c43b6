"""Asks a backend's health endpoint, component by component."""

import asyncio
from datetime import timedelta
from typing import ClassVar, Final, Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.durations import Duration
from adapters.http import masked
from adapters.readiness.health import readiness
from adapters.registry import Surroundings
from bot.core.slo import Component, NoData, Readiness

LARGEST: Final = 262_144
"""Bytes of an answer that are read."""

_BACKEND: Final = "{backend}"


class HttpProbeOptions(BaseModel):
    """Where the backends' health endpoints are.

    Attributes:
        url: one address with `{backend}` in it.
        urls: an address by backend, in place of `url`.
        revision_field: the field that tells the running revision, `info.build` goes into an
            object; left out, `revision` and `version` are tried.
        timeout: how long a backend may take to answer.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    urls: dict[str, str] = Field(default={})
    revision_field: str | None = None
    timeout: Duration = timedelta(seconds=2)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (not self.urls):
            raise ValueError("give either `url` or, by backend, `urls`")
        if self.url is not None and _BACKEND not in self.url:
            raise ValueError(
                f"`url` needs {_BACKEND} where the backend's name stands, or use `urls`"
            )
        return self


class HttpProbe:
    """A `ReadinessProbe` over HTTP.

    A backend that refuses, is too slow or does not answer with 2xx is not ready; one that answers
    2xx with something else than JSON is. Redirects are not followed: they lead to a login page
    more often than to a health endpoint.
    """

    Options: ClassVar[type[BaseModel]] = HttpProbeOptions

    def __init__(self, options: HttpProbeOptions, surroundings: Surroundings) -> None:
        self._options = options
        self._http = surroundings.http

    async def check(self, backend: str) -> Readiness | NoData:
        """See `ReadinessProbe.check`."""
        if self._options.url is not None:
            url = self._options.url.replace(_BACKEND, backend)
        elif backend in self._options.urls:
            url = self._options.urls[backend]
        else:
            known = ", ".join(self._options.urls)
            return NoData(f"no address is configured for {backend}; `urls` has: {known}")
        seconds = self._options.timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                status, body = await self._ask(url)
        except (TimeoutError, httpx.TimeoutException):
            return _silent(f"{masked(url)} did not answer within {seconds:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return _silent(f"{masked(url)} {_why(error)}")
        if len(body) > LARGEST:
            return _silent(
                f"{masked(url)} sends more than {LARGEST} bytes; is it a health endpoint?"
            )
        return readiness(
            status, body.decode("utf-8", errors="replace"), self._options.revision_field
        )

    async def _ask(self, url: str) -> tuple[int, bytes]:
        """The status and the body, of which not much more than `LARGEST` is read.

        A kept connection may have been closed by the other side meanwhile, so one that breaks is
        tried once more.
        """
        try:
            return await self._ask_once(url)
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            return await self._ask_once(url)

    async def _ask_once(self, url: str) -> tuple[int, bytes]:
        headers = {"Accept": "application/health+json, application/json, */*"}
        seconds = self._options.timeout.total_seconds()
        async with self._http.stream("GET", url, headers=headers, timeout=seconds) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    break
        return response.status_code, bytes(body)


def _why(error: Exception) -> str:
    match error:
        case httpx.ConnectError():
            return f"cannot be reached ({error})"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return "is no valid address; write it as http://host:port/path"
        case _:
            return f"broke off its answer ({type(error).__name__})"


def _silent(reason: str) -> Readiness:
    return Readiness((Component("http", ready=False, reason=reason),))
