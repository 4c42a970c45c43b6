"""Finds what stands in Slack already: a post whose answer was lost must not be made twice.

Every message of the bot carries the canary's id, and a note its number, in its metadata, so that
it is known again whoever posted it and whatever it says.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from bot.core.canary import Canary, Thread
from bot.core.effects import Note
from bot.ports import PortError
from bot.slack.faults import BROKEN, error_code, explain, retry_after
from bot.slack.limiter import Limiter, Priority, TooLong
from bot.slack.posting import PATIENCE, MessageClient

ROOT: Final = "canary"
NOTE: Final = "canary_note"

PAGE: Final = 200
MOST_PAGES: Final = 25
CLOCKS_APART: Final = timedelta(minutes=10)
"""How far our clock may be ahead of Slack's before a message is looked for too late."""

CANNOT_READ: Final = frozenset({"missing_scope", "not_in_channel", "not_allowed_token_type"})

_log = structlog.get_logger()


class _Unread(Exception):  # noqa: N818 - the bot may post there and not read: post, then
    """Slack does not let the bot read there."""


class _NoThread(Exception):  # noqa: N818 - an answer
    """The message that began the thread is gone."""


def root_metadata(canary: Canary) -> dict[str, Any]:
    """What the canary's channel message is known by."""
    return {"event_type": ROOT, "event_payload": {"canary_id": canary.id}}


def note_metadata(canary: Canary, note: Note) -> dict[str, Any]:
    """What a note is known by."""
    return {
        "event_type": NOTE,
        "event_payload": {"canary_id": canary.id, "number": note.number},
    }


class Standing:
    """Reads a channel or a thread for messages of ours."""

    def __init__(self, client: MessageClient, limiter: Limiter) -> None:
        self._client = client
        self._limiter = limiter
        self._warned: set[str] = set()

    async def message(self, canary: Canary) -> Thread | None:
        """The canary's channel message, the oldest if there are several; None when there is none.

        Raises:
            PortError: Slack cannot be asked now, so nobody knows.

        """
        found = await self.messages(canary)
        return Thread(canary.channel, found[0]) if found else None

    async def messages(self, canary: Canary) -> list[str]:
        """The timestamps of the canary's channel messages, oldest first; errors as above."""
        what = f"Whether the message about {canary.service} stands is not known"
        pages = self._history(canary.channel, canary.created_at)
        return await self._find(what, canary.channel, pages, root_metadata(canary))

    async def notes(self, canary: Canary, thread: Thread, note: Note) -> list[str]:
        """The timestamps of a note in the thread, or in the channel where the thread is gone.

        Raises:
            PortError: Slack cannot be asked now, so nobody knows.

        """
        what = f"Whether note {note.number} about {canary.service} stands is not known"
        wanted, channel = note_metadata(canary, note), thread.channel
        try:
            return await self._find(what, channel, self._replies(thread), wanted)
        except _NoThread:
            return await self._find(what, channel, self._history(channel, note.at), wanted)

    async def has_file(self, thread: Thread, name: str) -> bool:
        """Whether a file of this name stands in the thread; where it cannot be read, no.

        Raises:
            TooLong, or what the SDK raises: Slack cannot be asked now.

        """
        try:
            async for message in self._replies(thread):
                if any(file.get("name") == name for file in message.get("files") or ()):
                    return True
        except _Unread as error:
            self._warn(thread.channel, str(error))
        except _NoThread:
            pass  # nothing will stand there; whoever posts into it is told the same
        return False

    async def _find(
        self, what: str, channel: str, pages: AsyncIterator[Any], wanted: dict[str, Any]
    ) -> list[str]:
        """All messages with this metadata, oldest first."""
        found: list[str] = []
        try:
            found += [
                str(message["ts"]) async for message in pages if message.get("metadata") == wanted
            ]
        except _Unread as error:
            self._warn(channel, str(error))
        except TooLong as error:
            raise PortError(f"{what}: {error}. It can be asked again then.") from error
        except BROKEN as error:
            raise PortError(explain(what, error)) from error
        return sorted(found, key=float)

    def _history(self, channel: str, since: datetime) -> AsyncIterator[Any]:
        oldest = f"{(since - CLOCKS_APART).timestamp():.6f}"
        return self._pages("conversations.history", channel=channel, oldest=oldest)

    def _replies(self, thread: Thread) -> AsyncIterator[Any]:
        return self._pages("conversations.replies", channel=thread.channel, ts=thread.ts)

    async def _pages(self, method: str, **arguments: Any) -> AsyncIterator[Any]:
        ask = getattr(self._client, method.replace(".", "_"))
        cursor = ""
        for _ in range(MOST_PAGES):
            await self._limiter.take(method, None, Priority.URGENT, PATIENCE)
            more = {"cursor": cursor} if cursor else {}
            try:
                page = await ask(**arguments, **more, limit=PAGE, include_all_metadata=True)
            except BROKEN as error:
                self._answer_to(method, error)
                raise
            for message in page["messages"]:
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _answer_to(self, method: str, error: Exception) -> None:
        code, wait = error_code(error), retry_after(error)
        if wait is not None:
            self._limiter.pause(method, wait + 0.5)
        elif code in CANNOT_READ:
            raise _Unread(code) from error
        elif code == "thread_not_found":
            raise _NoThread(code) from error

    def _warn(self, channel: str, code: str) -> None:
        """Once a channel: without reading, a lost answer may double a message."""
        if channel not in self._warned:
            self._warned.add(channel)
            _log.warning("slack.cannot_read_back", channel=channel, error=code)
