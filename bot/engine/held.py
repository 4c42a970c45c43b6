"""A canary this replica works on, and what its moves mean for saving and telling."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from bot.core.canary import Canary
from bot.core.commands import Abort, Command
from bot.core.effects import Outward, Publish, SetWeight
from bot.core.events import Event, Ticked
from bot.core.machine import Transition
from bot.ports import CanaryStore, Conflict, Happening, PortError, Record

SURE_WITHIN: Final = timedelta(seconds=1)
"""How long the store may take to say whose canary it is."""

SETTLING: Final = timedelta(seconds=2)
"""How long after a takeover nothing is posted: what the last owner has under way lands first."""


@dataclass(slots=True, eq=False)
class Held:
    """A canary this replica works on.

    Attributes:
        record: as last saved, but for its canary, which is as last moved.
        unsaved: what happened while the store could not be reached.
        since: the event loop's time at which it was taken.
        gone: whether it was let go; whatever still waits for its turn does nothing then.
        publishing: what tells each subscriber, by its name.

    """

    record: Record
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    unsaved: tuple[Happening, ...] = ()
    flip: asyncio.Task[None] | None = None
    looking: asyncio.Task[None] | None = None
    outbox: asyncio.Task[None] | None = None
    since: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    gone: bool = False
    publishing: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    flush: asyncio.Task[None] | None = None

    @property
    def canary(self) -> Canary:
        """The canary as it is now."""
        return self.record.canary

    @property
    def inherited(self) -> bool:
        """Whether another replica has had it, and may have told what is still to be told."""
        return self.record.epoch > 1

    @property
    def settles_in(self) -> float:
        """Seconds until what the last owner had under way must have landed."""
        if not self.inherited:
            return 0.0
        passed = asyncio.get_running_loop().time() - self.since
        return max(0.0, SETTLING.total_seconds() - passed)


def outward(canary: Canary) -> tuple[Outward, ...]:
    """What waits to be told, in order."""
    return tuple(intent for intent in canary.intents if isinstance(intent, Outward))


def news(canary: Canary, subscriber: str) -> tuple[Publish, ...]:
    """What waits to be told to a subscriber, in order."""
    waiting = (intent for intent in canary.intents if isinstance(intent, Publish))
    return tuple(publish for publish in waiting if publish.subscriber == subscriber)


def worth_saving(before: Canary, move: Transition, message: Command | Event) -> bool:
    """A tick that only asks for a look leaves nothing behind that a restart could miss."""
    if not isinstance(message, Ticked):
        return True
    return replace(move.canary, next_look_at=before.next_look_at) != before


def may_go_on_unsaved(before: Canary, move: Transition, message: Command | Event) -> bool:
    """Whether a move may be made while the store is away: events and aborts, but never upwards."""
    raises = any(isinstance(e, SetWeight) and e.weight > before.asked for e in move.effects)
    return not raises and (isinstance(message, Abort) or not isinstance(message, Command))


async def asked(store: CanaryStore, canary_id: str) -> Record | None:
    """The record as it stands; a slow answer is none, for it must not be old when acted upon.

    Raises:
        PortError: nobody knows. The store may be away for us alone, so this is no yes.

    """
    try:
        async with asyncio.timeout(SURE_WITHIN.total_seconds()):
            return await store.load(canary_id)
    except TimeoutError:
        raise PortError("the store takes long to say whose canary it is; asked again") from None


async def still_ours(store: CanaryStore, record: Record) -> None:
    """Return when no other replica has taken the canary since.

    A failover may lose a claim, so that two replicas have held it in the same epoch: its owner
    counts as well.

    Raises:
        Conflict: it is another replica's, or gone.
        PortError: as of `asked`.

    """
    stored = await asked(store, record.canary.id)
    if stored is None:
        raise Conflict(f"{record.canary.id} is not stored any more")
    if (stored.epoch, stored.owner) != (record.epoch, record.owner):
        raise Conflict(f"{record.canary.id} is {stored.owner}'s now")


async def write(store: CanaryStore, record: Record, happenings: tuple[Happening, ...]) -> Record:
    """Save, knowing one's own writes again.

    Within an epoch only its holder writes. So a version that has moved on in our epoch is a write
    of ours whose answer was lost, and ours to build on.

    Raises:
        Conflict: the canary is another replica's.
        PortError: the store cannot be reached.

    """
    try:
        return await store.save(record, happenings)
    except Conflict:
        stored = await store.load(record.canary.id)
        if stored is None or (stored.epoch, stored.owner) != (record.epoch, record.owner):
            raise
        return await store.save(replace(record, version=stored.version), happenings)
