"""Who else is told how a canary goes: webhooks, and the place its code comes from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.canary import Canary
from bot.core.effects import Milestone


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened to a canary, to be told to one subscriber.

    Attributes:
        id: the same for the same notice, however often it is sent.
        number: rises within a canary; a later one says what is true now.
        canary: as it is now, which may be later than what is told.

    """

    id: str
    number: int
    milestone: Milestone
    at: datetime
    detail: str
    canary: Canary


class Subscriber(Protocol):
    """Is told of every milestone of a canary, in their order."""

    async def notify(self, notice: Notice) -> None:
        """Tell it; twice is harmless.

        Raises:
            PortError: it was not taken, and may be later.
            Declined: it will never be taken; to be given up.

        """
        ...
