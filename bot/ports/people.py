"""Where people are told, and how somebody is woken."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.canary import Canary, Thread
from bot.core.effects import Note
from bot.core.events import Observed, Prepared


@dataclass(frozen=True, slots=True)
class Turn:
    """A replica's turn to say something about a canary.

    Attributes:
        again: whether it may have been said before: an answer was lost, or another replica had
            the canary; then the board looks before it posts.
        confirm: to be awaited right before the post; raises `Conflict` when the canary has become
            another replica's meanwhile, which says it then.

    """

    again: bool
    confirm: Callable[[], Awaitable[None]]


class StatusBoard(Protocol):
    """Where the team watches: one message a canary, and its thread."""

    async def open(self, canary: Canary, turn: Turn) -> Thread:
        """Post the canary's message, or find the one that stands.

        Raises:
            PortError: it cannot be posted now.
            Conflict: it is another replica's turn.

        """
        ...

    async def tell(self, canary: Canary, note: Note, turn: Turn) -> None:
        """Post a note into the canary's thread, unless it stands there; errors as of `open`."""
        ...

    async def retract(self, canary: Canary, note: Note | None) -> None:
        """Take back the canary's message, or this note, where it stands twice; the older stays.

        Raises `PortError` when it cannot now.
        """
        ...

    def show(self, canary: Canary) -> None:
        """Bring the message up to this state, soon.

        Never waits and never fails; states in between may be dropped, the last one never.
        """
        ...

    async def settle(self, canary: Canary, turn: Turn) -> None:
        """Wait until the message shows this state, or is gone for good."""
        ...

    async def picture(
        self, canary: Canary, seen: Sequence[Prepared | Observed], turn: Turn
    ) -> None:
        """Put a picture of what was seen into the thread, unless it stands there.

        What cannot be drawn, or will never be taken, is left out: a picture is a courtesy. Errors
        as of `open`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Alarm:
    """What somebody is woken for.

    Attributes:
        key: the same for the same alarm, however often it is sent.
        text: one sentence: what, since when, what to do.

    """

    key: str
    service: str
    revision: str
    canary_id: str
    since: datetime
    text: str


class Pager(Protocol):
    """Wakes somebody, apart from Slack."""

    async def page(self, alarm: Alarm) -> None:
        """Send an alarm; twice is harmless. Raises `PortError` when it was not taken."""
        ...
