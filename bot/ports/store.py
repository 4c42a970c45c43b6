"""Where canaries are kept, so that nothing is forgotten."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.canary import Canary
from bot.core.freezes import Freeze


@dataclass(frozen=True, slots=True)
class Record:
    """A canary as stored.

    Attributes:
        version: rises with every write; a write names the version it is based on.
        epoch: rises with every change of owner; a write with an old one is refused (fencing).
        owner: the replica that works on it.
        chain: the hash of the last entry of its stream, see `bot.core.audit`; the store follows
            it by itself. Empty of a canary from before there were chains.
        previous: the service's canary before it, as `bot.core.audit.before` says; empty of the
            first.

    """

    canary: Canary
    version: int
    epoch: int
    owner: str
    chain: str = ""
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a canary's append-only stream: what was decided on what.

    Attributes:
        kind: the message's kind.
        data: the message as JSON.
        hash: what the store has chained it with; empty of one that is still to be written, and of
            one from before there were chains.

    """

    at: datetime
    kind: str
    data: str
    hash: str = field(default="", compare=False)


class CanaryStore(Protocol):
    """Keeps canaries; every write is one atomic compare-and-set.

    All methods raise `PortError` when the store cannot be reached.
    """

    async def create(
        self, canary: Canary, owner: str, happenings: tuple[Happening, ...]
    ) -> Record:
        """Store a new canary and make it the service's live one.

        Raises:
            ServiceBusy: the service has a live canary.

        """
        ...

    async def load(self, canary_id: str) -> Record | None:
        """The record, or None when there is none of that id."""
        ...

    async def save(self, record: Record, happenings: tuple[Happening, ...]) -> Record:
        """Write `record.canary` over the version and epoch the record was loaded with.

        Ends the service's claim when the canary has ended.

        Raises:
            Conflict: version or epoch have moved on.

        """
        ...

    async def claim(self, canary_id: str, owner: str, epoch: int) -> Record | None:
        """Make `owner` the owner and raise the epoch; None when there is no such canary.

        Raises:
            Conflict: somebody else has claimed it since it was seen in this epoch.

        """
        ...

    async def beat(self, owner: str) -> None:
        """Say that this replica is alive, for the next few seconds."""
        ...

    async def anyone(self) -> bool:
        """Whether any replica has said lately that it is alive."""
        ...

    async def resign(self, owner: str) -> None:
        """Say that this replica leaves: its canaries are orphans at once."""
        ...

    async def orphans(self, owner: str = "", held: Collection[str] = ()) -> Mapping[str, str]:
        """Unfinished canaries whose owner is silent, and that owner.

        Also those that the store says are `owner`'s, but that are not among `held`: a claim whose
        answer was lost must not leave a canary to nobody.
        """
        ...

    async def sharers(self) -> int:
        """How many living replicas had unfinished canaries when `orphans` last looked; 1 or more.

        That look has read it all, so it costs the store nothing.
        """
        ...

    async def unfinished(self, but: Collection[str] = ()) -> tuple[Canary, ...]:
        """Every canary that has not finished, but for these ids; in no order."""
        ...

    async def live(self, service: str) -> Record | None:
        """The service's live canary, or None."""
        ...

    async def recent(self, service: str | None, limit: int) -> tuple[Canary, ...]:
        """Canaries, newest first, of one service or of all."""
        ...

    async def happenings(self, canary_id: str) -> tuple[Happening, ...]:
        """The canary's stream, oldest first."""
        ...

    async def freeze(self, freeze: Freeze) -> Freeze:
        """Keep a freeze in place of the one of the same key, and answer what stands there now.

        That is another one where it withstands this: of two who lock a service, one has it.
        """
        ...

    async def unfreeze(self, key: str, since: datetime | None = None) -> Freeze | None:
        """Forget the freeze of this key and answer it; None when there was none.

        Args:
            key: `Freeze.key`: a service's name, `ALL`, or `lock_of` a service.
            since: of the freeze that is meant: another one that has taken its place stays, and
                the answer is None.

        """
        ...

    async def freezes(self) -> tuple[Freeze, ...]:
        """Every freeze that is kept, those that are over too, by scope and key."""
        ...
