"""Modals and the Home tab as Slack opens, changes and publishes them, within the limiter."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import PortError
from bot.slack.faults import BROKEN, error_code, explain, retry_after
from bot.slack.limiter import Limiter, Priority, TooLong

OPEN_PATIENCE: Final = 1.5
"""Seconds; a trigger lives for three, and Slack needs some of them."""

PATIENCE: Final = 10.0
TYPING_PAUSE: Final = 0.3
"""Seconds without a further character until what it changes is shown."""

MOST_CHANGES: Final = 1000
"""Changes of views that are remembered; a form is filled in within some minutes."""

_TRIGGER_OVER: Final = frozenset(
    {
        "expired_trigger_id",
        "exchanged_trigger_id",
        "invalid_trigger_id",
        "trigger_expired",
        "trigger_exchanged",
    }
)
_CLOSED: Final = frozenset({"not_found", "view_not_found", "no_such_view"})


class TooLate(Exception):  # noqa: N818 - an answer: ask the person again
    """The trigger is over, so nothing can be opened with it."""


class Closed(Exception):  # noqa: N818 - an answer: tell the person elsewhere
    """The person has closed the view."""


class Overtaken(Exception):  # noqa: N818 - an answer: what is shown is newer
    """Somebody has changed the view meanwhile."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A view that stands in Slack, and the hash of how it looks."""

    view_id: str
    hash: str


class Views:
    """The calls of the Web API for views; each fails with words, or one of the answers above."""

    def __init__(self, client: AsyncWebClient, limiter: Limiter) -> None:
        self._client = client
        self._limiter = limiter
        self._newest: dict[str, str] = {}
        self._became: dict[str, str] = {}

    async def rests(self, view_id: str, clicked: dict[str, Any]) -> bool:
        """Whether nothing further is typed for a moment: each character comes by itself."""
        mine = str(clicked.get("action_ts"))
        self._newest[view_id] = mine
        await asyncio.sleep(TYPING_PAUSE)
        if self._newest.get(view_id) != mine:
            return False
        del self._newest[view_id]
        return True

    async def open(self, trigger_id: str, view: dict[str, Any]) -> Shown:
        """Open a modal for whoever set off the trigger.

        Raises:
            TooLate: more than three seconds ago, or it was used already.
            PortError: Slack cannot be asked now.

        """
        ask = self._client.views_open
        return await self._call("views.open", ask, OPEN_PATIENCE, trigger_id=trigger_id, view=view)

    async def update(self, view_id: str, view: dict[str, Any], shown: str = "") -> Shown:
        """Change a modal; with the hash of what is shown only if that still is.

        Raises:
            Closed, Overtaken: as they say.
            PortError: Slack cannot be asked now.

        """
        arguments: dict[str, Any] = {"view_id": view_id, "view": view}
        arguments |= {"hash": shown} if shown else {}
        ask = self._client.views_update
        now = await self._call("views.update", ask, PATIENCE, **arguments)
        if shown and now.hash:
            self._became[shown] = now.hash
            while len(self._became) > MOST_CHANGES:
                del self._became[next(iter(self._became))]
        return now

    def since(self, shown: str) -> str:
        """The hash of what stands now, as far as only we have changed what was shown since."""
        passed = set[str]()
        while shown in self._became and shown not in passed:
            passed.add(shown)
            shown = self._became[shown]
        return shown

    async def publish(self, user_id: str, view: dict[str, Any]) -> None:
        """Set a person's Home tab.

        Raises:
            PortError: Slack cannot be asked now.

        """
        ask = self._client.views_publish
        await self._call("views.publish", ask, PATIENCE, user_id=user_id, view=view)

    async def _call(
        self,
        method: str,
        ask: Callable[..., Awaitable[Any]],
        patience: float,
        **arguments: Any,
    ) -> Shown:
        what = {"views.publish": "The Home tab was not shown"}.get(
            method, "The form was not shown"
        )
        try:
            await self._limiter.take(method, None, Priority.URGENT, patience)
            answer = await ask(**arguments)
        except TooLong as error:
            raise PortError(f"{what}: {error}. Try again then.") from error
        except BROKEN as error:
            wait, code = retry_after(error), error_code(error)
            if wait is not None:
                self._limiter.pause(method, wait + 0.5)
            if code in _TRIGGER_OVER:
                raise TooLate(code) from error
            if code in _CLOSED:
                raise Closed(code) from error
            if code == "hash_conflict":
                raise Overtaken(code) from error
            raise PortError(explain(what, error)) from error
        view = answer.get("view") or {}
        return Shown(str(view.get("id") or ""), str(view.get("hash") or ""))


@dataclass(frozen=True, slots=True)
class AtOnce:
    """How a form is answered before anything is waited for, and what is done then."""

    answer: dict[str, Any]
    then: Callable[[], Awaitable[None]] | None = None
