"""Everything the engine needs of the outside, as small interfaces with their promises.

An adapter serves one service: it is built from that service's options in the configuration.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from bot.core.canary import Canary, Thread
from bot.core.effects import Note
from bot.core.plan import Split, Weight
from bot.core.reading import Instances, Reading
from bot.core.slo import Arms, LogCounts, NoData, Readiness


class PortError(Exception):
    """The outside did not do what was asked; the text says what, why, and what to do next."""


class Conflict(Exception):  # noqa: N818 - it is an answer to be acted on, not a fault
    """The record has moved on since it was loaded, or another replica owns it now."""


class ServiceBusy(Exception):  # noqa: N818 - as above
    """The service already has a live canary."""

    def __init__(self, canary_id: str) -> None:
        super().__init__(f"a live canary exists: {canary_id}")
        self.canary_id = canary_id


class TrafficRouter(Protocol):
    """Splits a service's traffic over its backends."""

    @property
    def smallest(self) -> Weight:
        """The finest step this router can make."""
        ...

    @property
    def durable(self) -> bool:
        """Whether weights survive the router's restart."""
        ...

    async def split(self) -> Split:
        """Read the split from the router itself, never from memory.

        Raises:
            PortError: the router cannot be read.

        """
        ...

    async def shift(self, arms: Arms[str], weight: Weight) -> None:
        """Give the canary arm this weight and the stable arm the rest.

        Idempotent: setting the same weight again changes nothing. Returns once the router has
        acknowledged; the caller reads back.

        Raises:
            PortError: the router refused, or cannot be reached; nothing or all of it was done.

        """
        ...


class MetricSource(Protocol):
    """Counts a service's requests."""

    async def read(self, arms: Arms[str]) -> Reading | NoData:
        """Both arms' counters as they stand now, by instance.

        An arm that cannot be read is `NoData` inside the reading; counters that are too old are
        `NoData` as well, never a zero.
        """
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One backend's counters as they stood at a moment in the past, by instance."""

    at: datetime
    instances: Instances


@runtime_checkable
class MetricHistory(Protocol):
    """A metric source that remembers."""

    async def history(
        self, backend: str, since: datetime, until: datetime, step: timedelta
    ) -> tuple[Snapshot, ...] | NoData:
        """One backend's counters at every `step` in `(since, until]`, oldest first.

        Moments at which nothing was fresh are left out. `NoData` when it cannot be asked.
        """
        ...


class LogSource(Protocol):
    """Reads a service's log."""

    async def events(
        self, arms: Arms[str], since: datetime, until: datetime
    ) -> Arms[LogCounts] | NoData:
        """Error lines of both arms in `[since, until)`, counted by signature, redacted."""
        ...

    async def lines(
        self, arms: Arms[str], since: datetime, until: datetime, limit: int
    ) -> tuple[str, ...]:
        """The canary's newest error lines in `[since, until)`, redacted, newest last.

        Best effort: empty when they cannot be read.
        """
        ...


class ReadinessProbe(Protocol):
    """Asks a backend how it is."""

    async def check(self, backend: str) -> Readiness | NoData:
        """The backend's components one by one, and the revision it runs where it tells.

        A backend that does not answer is not ready: one component that says why. `NoData` is
        for a probe that could not even ask.
        """
        ...


@dataclass(frozen=True, slots=True)
class ServicePorts:
    """One service's adapters; a source that is not configured is None and is not judged."""

    router: TrafficRouter
    metrics: MetricSource | None = None
    logs: LogSource | None = None
    readiness: ReadinessProbe | None = None


Services = Mapping[str, ServicePorts]
"""The adapters of every configured service by its name."""


@dataclass(frozen=True, slots=True)
class Record:
    """A canary as stored.

    Attributes:
        version: rises with every write; a write names the version it is based on.
        epoch: rises with every change of owner; a write with an old one is refused (fencing).
        owner: the replica that works on it.

    """

    canary: Canary
    version: int
    epoch: int
    owner: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a canary's append-only stream: what was decided on what.

    Attributes:
        kind: the message's kind.
        data: the message as JSON.

    """

    at: datetime
    kind: str
    data: str


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


class Clock(Protocol):
    """The wall clock."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...
