"""Where it is kept who did what that is about no canary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.plan import Actor
from bot.ports.store import Happening, Record


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done and is about no canary.

    Attributes:
        what: its kind, such as `freeze.set`, `freeze.lifted`, `token.made`, `token.revoked`.
        about: a service's name, the scope of a freeze, the name of a token.
        reason: in the words of whoever did it.
        data: what else belongs to it, never a secret.

    """

    at: datetime
    by: Actor
    what: str
    about: str
    reason: str = ""
    data: Mapping[str, str] = field(default_factory=dict)


class AuditLog(Protocol):
    """Keeps deeds, chained, for good; raises `PortError` when it cannot be reached."""

    async def append(self, deed: Deed) -> None:
        """Write a deed behind all others."""
        ...

    async def deeds(self, since: datetime | None = None) -> tuple[Deed, ...]:
        """All deeds from then on, in the order in which they were written."""
        ...

    async def entries(self) -> tuple[Happening, ...]:
        """All deeds as they are stored, with their hashes: the kind is the deed's `what`."""
        ...

    async def head(self) -> str:
        """The hash of the last entry that was written; empty before the first."""
        ...


class Archive(Protocol):
    """What is kept of canaries, for whoever looks back; all methods raise `PortError`."""

    async def created(self) -> Mapping[str, datetime]:
        """Every id that is remembered, oldest first, though its record may be gone by now."""
        ...

    async def load(self, canary_id: str) -> Record | None:
        """See `CanaryStore.load`."""
        ...

    async def happenings(self, canary_id: str) -> tuple[Happening, ...]:
        """See `CanaryStore.happenings`."""
        ...
