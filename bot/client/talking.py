"""Asking the API, through restarts, rate limits and a network that is away for a while."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import IntEnum
from types import TracebackType
from typing import Any, Final, Self

import httpx

State = dict[str, Any]
"""A canary as the API tells it."""

WAIT: Final = 25.0
"""Seconds for which one request waits for news; proxies often cut at thirty or sixty."""

GIVE_UP_AFTER: Final = 60.0
"""Seconds after which a server that was never reached is said not to be there."""

_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


class Exit(IntEnum):
    """What the command ends with."""

    PROMOTED = 0
    REFUSED = 1
    UNUSABLE = 2
    UNREACHABLE = 3
    ROLLED_BACK = 10
    REJECTED = 11
    TIMED_OUT = 12
    CANCELLED = 130


class Failed(Exception):  # noqa: N818 - an end, told in its text
    """Nothing more can be done; the text says what, why and what next."""

    def __init__(self, text: str, code: Exit) -> None:
        super().__init__(text)
        self.code = code


class TimedOut(Exception):  # noqa: N818 - as above
    """It takes longer than was asked for."""


@dataclass
class Server(AbstractContextManager["Server"]):
    """The API at an address, with a token.

    Attributes:
        say: is told of trouble, once each time it begins.
        give_up_after: seconds of trouble after which a request fails; None waits until the time is
            up that whoever asks has given.

    """

    url: str
    token: str
    say: Callable[[str], None] = lambda _text: None
    give_up_after: float = GIVE_UP_AFTER
    pause: Callable[[float], None] = time.sleep
    had_trouble: bool = field(default=False, init=False)
    """Whether anything had to be asked again."""
    _http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise Failed(
                f"{self.url!r} is no address: write --server https://canary.example.com, or set "
                "CANARY_SERVER",
                Exit.UNUSABLE,
            )
        if not re.fullmatch(r"[\x21-\x7e]+", self.token):
            raise Failed(
                "The token holds a blank, a line break or a letter that no token has: set "
                "CANARY_TOKEN anew, as `canary token create` printed it",
                Exit.UNUSABLE,
            )
        try:
            self._http = httpx.Client(
                base_url=self.url.rstrip("/"),
                headers={"Authorization": f"Bearer {self.token}", "User-Agent": "canary"},
                timeout=httpx.Timeout(15, read=WAIT + 15),
            )
        except (httpx.InvalidURL, UnicodeError, ValueError):
            raise Failed(
                "The address or the token holds letters that cannot be sent; look for a line "
                "break or a blank in them.",
                Exit.UNUSABLE,
            ) from None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """As it is."""
        return self

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        until: float | None = None,
    ) -> httpx.Response:
        """Ask until there is an answer.

        Args:
            method, path, body, query, headers: of the request; one that changes something must be
                harmless twice.
            until: on the monotonic clock; trouble is waited out till then.

        Raises:
            Failed: the server says no, or is not there.
            TimedOut: `until` has come.

        """
        began, trouble = time.monotonic(), 0
        while True:
            wait: float | None = None
            try:
                answer = self._http.request(
                    method, path, json=body, params=query, headers=dict(headers or {})
                )
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise Failed(f"{self.url} is no address: {error}", Exit.UNUSABLE) from error
            except httpx.HTTPError as error:
                why = f"{self.url} cannot be reached: {_why(error)}"
            else:
                if not _is_trouble(answer):
                    return _taken(answer)
                why, wait = _told(answer), _retry_after(answer)
            self.had_trouble = True
            if trouble == 0:
                self.say(f"{why}. Trying again …")
            now = time.monotonic()
            if until is not None and now >= until:
                raise TimedOut
            if until is None and now - began >= self.give_up_after:
                raise Failed(
                    f"{why}. Given up after {self.give_up_after:.0f} s; check --server and that "
                    "the bot runs with a section api: in its configuration.",
                    Exit.UNREACHABLE,
                )
            self.pause(wait if wait is not None else _PAUSES[min(trouble, len(_PAUSES) - 1)])
            trouble += 1

    def follow(self, canary_id: str, state: State, until: float) -> Iterator[State]:
        """Each state from this one on, until the end.

        Raises:
            TimedOut: `until` has come, on the monotonic clock.
            Failed: see `ask`.

        """
        yield state
        while not has_ended(state):
            left = until - time.monotonic()
            if left <= 0:
                raise TimedOut
            query = {"wait": f"{max(1, min(WAIT, left)):.0f}s", "seen": state["version"]}
            new = self.ask("GET", f"/v1/canaries/{canary_id}", query=query, until=until).json()
            if new["version"] != state["version"]:
                state = new
                yield state


def has_ended(state: State) -> bool:
    """Whether it will not change any more."""
    return state["state"] in {"promoted", "rolled_back", "rejected"}


def _is_trouble(answer: httpx.Response) -> bool:
    """Whether it may be gone in a moment."""
    in_flight = answer.status_code == 409 and "Retry-After" in answer.headers
    return answer.status_code in {408, 429} or answer.status_code >= 500 or in_flight


def _retry_after(answer: httpx.Response) -> float | None:
    try:
        return min(120.0, max(0.2, float(answer.headers.get("Retry-After", ""))))
    except ValueError:
        return None


def _taken(answer: httpx.Response) -> httpx.Response:
    match answer.status_code:
        case 401 | 403:
            raise Failed(_told(answer), Exit.UNREACHABLE)
        case 409:
            raise Failed(_told(answer), Exit.REFUSED)
        case status if status >= 400:
            raise Failed(_told(answer), Exit.UNUSABLE)
        case status if status >= 300:
            where = answer.headers.get("Location", "elsewhere")
            raise Failed(f"{answer.url} sends on to {where}; give that as --server", Exit.UNUSABLE)
        case _:
            return answer


def _told(answer: httpx.Response) -> str:
    """A problem in its own words; of anything else its status."""
    try:
        problem = answer.json()
        detail, following = str(problem["detail"]), str(problem["next"])
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        return f"{answer.url} answered {answer.status_code} {answer.reason_phrase}".rstrip()
    return f"{detail} {following}".strip()


def _why(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
