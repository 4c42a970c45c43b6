"""Where the bot tells how it does itself: nothing here may fail, wait, or change what is done."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Literal, Protocol

from bot.core.canary import Canary

Trouble = Literal["unreachable", "declined", "timeout", "no_data", "fault"]
"""Why a part outside has not done its work: it could not, it never will, it was silent, it has
nothing to show, it has a bug."""

Part = Literal["router", "metrics", "logs", "readiness", "changes", "pager"]

Ended = Callable[[object], None]
"""Is given what an effect came to: its event."""


class Meters(Protocol):
    """Hears what the engine and the edges do; seconds throughout, and no ids but `Canary.id`."""

    def moved(self, before: Canary, after: Canary, at: datetime) -> None:
        """A canary has moved, and that is kept."""
        ...

    def taken(self, canary: Canary, *, adopted: bool) -> None:
        """This replica works on a canary from now on: a new one, or another replica's."""
        ...

    def during(self, work: str, canary: Canary) -> AbstractContextManager[Ended]:
        """Measure an effect, by its kind, while it is carried out."""
        ...

    def marked(self, service: str, *, false: bool) -> None:
        """A person has said whether a rollback was a false alarm."""
        ...

    def woke(self, late: float) -> None:
        """A canary was woken, so much later than it wanted."""
        ...

    def turned(self) -> None:
        """The event loop turns; told about every second."""
        ...

    def beat(self, *, reached: bool) -> None:
        """A heartbeat has reached the store, or not."""
        ...

    def store_asked(self, operation: str, seconds: float, trouble: Trouble | None) -> None:
        """The store was asked."""
        ...

    def port_asked(
        self, part: Part, service: str, seconds: float, trouble: Trouble | None
    ) -> None:
        """An adapter was asked."""
        ...

    def slack_called(self, method: str, code: str) -> None:
        """Slack was called; `code` is its error, or empty."""
        ...

    def slack_waited(self, method: str, seconds: float) -> None:
        """A call of Slack has waited for its turn."""
        ...

    def delivered(self, subscriber: str, trouble: Trouble | None) -> None:
        """A subscriber, by its configured name, was told a milestone."""
        ...

    def requested(self, route: str, method: str, status: int, seconds: float) -> None:
        """The HTTP API has answered; `route` is the template, not the path."""
        ...


def _unheard(_outcome: object) -> None:
    """Nothing."""


class NoMeters:
    """Hears nothing."""

    def moved(self, before: Canary, after: Canary, at: datetime) -> None:
        """Nothing."""

    def taken(self, canary: Canary, *, adopted: bool) -> None:
        """Nothing."""

    def during(self, work: str, canary: Canary) -> AbstractContextManager[Ended]:  # noqa: ARG002 - the protocol's names
        """Nothing."""
        return nullcontext(_unheard)

    def marked(self, service: str, *, false: bool) -> None:
        """Nothing."""

    def woke(self, late: float) -> None:
        """Nothing."""

    def turned(self) -> None:
        """Nothing."""

    def beat(self, *, reached: bool) -> None:
        """Nothing."""

    def store_asked(self, operation: str, seconds: float, trouble: Trouble | None) -> None:
        """Nothing."""

    def port_asked(
        self, part: Part, service: str, seconds: float, trouble: Trouble | None
    ) -> None:
        """Nothing."""

    def slack_called(self, method: str, code: str) -> None:
        """Nothing."""

    def slack_waited(self, method: str, seconds: float) -> None:
        """Nothing."""

    def delivered(self, subscriber: str, trouble: Trouble | None) -> None:
        """Nothing."""

    def requested(self, route: str, method: str, status: int, seconds: float) -> None:
        """Nothing."""


NO_METERS: Meters = NoMeters()
