"""Asks the place where code is kept, and tells a refusal that lasts from one that passes."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import httpx

from adapters.publishing.content import filled, links
from adapters.publishing.exchange import Quiet, Reply, exchange
from bot.core.canary import Canary
from bot.ports import Clock, Declined, Notice, PortError

LARGEST: Final = 4_000_000
"""Bytes: a hundred deployments are a few hundred kilobytes."""
UNTOLD_WAIT: Final = timedelta(minutes=1)
"""What GitHub wants to be given after a limit for which it names no end."""


class DeploymentOptions(Protocol):
    """How a service's deployments are shown.

    Attributes:
        repository: its path, `owner/name`.
        environment: under which name.
        ref: the tag, branch or commit of a revision, with `{revision}` and `{service}` in it.
        environment_url: where the service is to be seen; may be empty.
        log_url: where the rollout is to be seen; where it is empty, the first link there is.

    """

    @property
    def repository(self) -> str: ...  # noqa: D102 - said above
    @property
    def environment(self) -> str: ...  # noqa: D102 - as above
    @property
    def ref(self) -> str: ...  # noqa: D102 - as above
    @property
    def environment_url(self) -> str: ...  # noqa: D102 - as above
    @property
    def log_url(self) -> str: ...  # noqa: D102 - as above


class CodeHostOptions(Protocol):
    """Which code host, and the deployments it is told of, by service."""

    @property
    def url(self) -> str: ...  # noqa: D102 - said above
    @property
    def token_env(self) -> str: ...  # noqa: D102 - as above
    @property
    def deployments(self) -> Mapping[str, DeploymentOptions]: ...  # noqa: D102 - as above


class CodeHost:
    """Its HTTP API, with a token that is never shown."""

    def __init__(
        self,
        name: str,
        options: CodeHostOptions,
        headers: Mapping[str, str],
        http: httpx.AsyncClient,
        clock: Clock,
    ) -> None:
        self.name = name
        self._options = options
        self._headers = headers
        self._http = http
        self._clock = clock
        self._quiet = Quiet(clock)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        about: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask, and decode the answer.

        Args:
            method, path, params, body: the request; the path begins with a slash.
            about: what is asked about, for the error text.

        Raises:
            PortError: not now.
            Declined: never as it is asked.

        """
        place = f"{self.name} at {httpx.URL(self._options.url).host}"
        self._quiet.check(place)
        headers = dict(self._headers)
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body, allow_nan=False).encode("ascii")
        reply = await exchange(
            self._http,
            method,
            self._options.url.rstrip("/") + path,
            what=place,
            largest=LARGEST,
            headers=headers,
            params=params,
            content=content,
        )
        if not reply.is_taken:
            self._refused(reply, place, about)
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError):
            raise PortError(
                f"{place} answered with something that is not JSON; check that the address is "
                "that of its API"
            ) from None

    def _refused(self, reply: Reply, place: str, about: str) -> None:
        """Raise what it means."""
        said = _said(reply.body)
        text = f"{place} answered {reply.status} about {about}{f' ({said})' if said else ''}"
        if _is_limited(reply, said):
            self._quiet.heed(_with_reset(reply, self._clock.now()), UNTOLD_WAIT)
            raise PortError(f"{text}: it is asked too often; look who else uses the token")
        if reply.may_pass:
            self._quiet.heed(reply)
            raise PortError(f"{text}; it is tried again")
        token = self._options.token_env
        match reply.status:
            case 401:
                raise Declined(f"{text}: the token is not valid; renew {token}")
            case 403:
                raise Declined(f"{text}: let the token in {token} write deployments")
            case 404:
                raise Declined(
                    f"{text}: it is not there, or the token in {token} may not see it; check the "
                    "repository's name and the token's rights"
                )
            case 400 | 409 | 422:
                raise Declined(f"{text}: check the configured ref and environment")
            case status if 300 <= status < 400:
                raise Declined(
                    f"{text}, a redirect: the repository was renamed or moved; configure its new "
                    "name"
                )
            case _:
                raise Declined(f"{text}; check the configured address")


def ref_of(options: DeploymentOptions, canary: Canary) -> str:
    """The canary's revision as the code host knows it."""
    ref = options.ref.replace("{service}", canary.service)
    return ref.replace("{revision}", canary.revision).encode("utf-8", "replace").decode()


def log_url(options: DeploymentOptions, notice: Notice) -> str:
    """Where the rollout is to be seen; empty where there is no such place."""
    if options.log_url:
        return filled(options.log_url, notice.canary)
    return next((url for _, url in links(notice.canary, notice.at)), "")


def on_one_line(text: str, longest: int) -> str:
    """The text without line ends and control characters, shortened."""
    text = text.encode("utf-8", "replace").decode()
    text = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _is_limited(reply: Reply, said: str) -> bool:
    """Whether it is a limit, which a code host may also tell as something forbidden."""
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return True
    return reply.status == httpx.codes.FORBIDDEN and (
        "retry-after" in reply.headers
        or reply.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in said.lower()
    )


def _with_reset(reply: Reply, now: datetime) -> Reply:
    """The answer with GitHub's way of naming the end of a limit in everybody else's."""
    reset = reply.headers.get("x-ratelimit-reset", "")
    exhausted = reply.headers.get("x-ratelimit-remaining") == "0"
    if "retry-after" in reply.headers or not exhausted or not reset.isdigit():
        return reply
    wait = datetime.fromtimestamp(min(int(reset), 2**33), UTC) - now
    seconds = max(0, int(wait.total_seconds()) + 1)
    return Reply(reply.status, {**reply.headers, "retry-after": str(seconds)}, reply.body)


def _said(body: bytes) -> str:
    """What it says about a refusal; only what it means for people, and not much of it."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(told, dict):
        return ""
    errors = told.get("errors")
    texts = [told.get("message"), told.get("error")]
    texts += [
        error.get("message") if isinstance(error, dict) else error
        for error in (errors if isinstance(errors, list) else ())
    ]
    unique = dict.fromkeys(text for text in texts if isinstance(text, str) and text)
    return on_one_line("; ".join(unique), 200)
