"""Which message is edited next: what is urgent first, and nobody overtaken for ever."""

import asyncio
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.core.canary import Canary, Ended
from bot.slack.limiter import Priority

OVERTAKES: Final = 5
"""So many edits in a row may go before the one that waits longest; then it goes itself."""

ENDED_KEPT: Final = 200

LEFT_AFTER: Final = 600.0
"""Seconds after which a message that nobody has shown is taken to be another replica's."""

OVERTAKEN: Final = timedelta(minutes=1)
"""How far behind the engine the answer to a click may be."""


@dataclass(slots=True)
class Shown:
    """One message: the newest state, and what Slack shows by now.

    Attributes:
        priority: of the most urgent state that is not shown yet.
        since: of the most urgent one that came after the last edit began.
        order: since when it waits.
        same: what was shown last, but for the time of it.
        taken_at: when the engine had the last word on it.
        broken: whether a fault of a view has been told.

    """

    canary: Canary
    dirty: bool = True
    priority: Priority = Priority.BACKGROUND
    since: Priority = Priority.BACKGROUND
    order: float = 0.0
    same: str = ""
    due_at: float = 0.0
    failures: int = 0
    gone: bool = False
    plain: bool = False
    broken: bool = False
    taken_at: float = 0.0
    settled: asyncio.Event | None = None

    @property
    def is_end(self) -> bool:
        """Whether it waits to show how its canary ended."""
        return self.priority is Priority.URGENT and self.canary.is_ended

    def clean(self) -> None:
        """Slack shows it, or never will."""
        self.dirty, self.priority = False, Priority.BACKGROUND
        if self.settled is not None:
            self.settled.set()
            self.settled = None

    def due(self) -> float:
        """When it may be edited: what is urgent at once, unless the last time failed."""
        return self.due_at if self.failures or self.priority is Priority.BACKGROUND else 0.0


class Waiting:
    """All messages by their canary's id, and which of them goes next."""

    def __init__(self) -> None:
        self.shown: dict[str, Shown] = {}
        self._dirty: dict[str, Shown] = {}
        self._overtakes = 0
        self._waited = 0.0
        self._swept_at = 0.0

    def take(self, canary: Canary, now: float, *, urgent: bool) -> tuple[Shown, bool] | None:
        """Take the newest state of a message; and whether it is more urgent than before.

        None where it was overtaken by a newer one.
        """
        self._forget(now)
        shown = self.shown.get(canary.id)
        moved = shown is None or canary.phase.kind != shown.canary.phase.kind
        if shown is None:
            shown = self.shown[canary.id] = Shown(canary, order=now)
        elif _is_older(canary, shown.canary):
            return None
        elif not shown.dirty:
            shown.order = now
        shown.canary, shown.dirty, shown.taken_at = canary, not shown.gone, now
        if shown.dirty:
            self._dirty[canary.id] = shown
        if moved:
            shown.due_at = 0.0
        before, priority = shown.priority, Priority.NORMAL if moved else Priority.BACKGROUND
        if urgent or (moved and canary.is_ended):
            priority = Priority.URGENT
        shown.priority, shown.since = min(before, priority), min(shown.since, priority)
        return shown, shown.priority < before

    def wakes_at(self) -> float:
        """When the next one may be edited; infinite where none waits."""
        self._dirty = {key: each for key, each in self._dirty.items() if each.dirty}
        at = min((each.due() for each in self._dirty.values()), default=math.inf)
        if at == math.inf:
            self._waited = 0.0  # whoever comes next waits for nobody
        return at

    def is_urgent(self) -> bool:
        """Whether one waits that is more than fresh numbers."""
        return any(s.dirty and s.priority < Priority.BACKGROUND for s in self._dirty.values())

    def next(self, now: float) -> tuple[Shown, Priority]:
        """Who goes next of those that may, and how urgently: ends, clicks, phases, all others.

        After so many others goes whoever waits longest, as urgently as who would have gone. Only
        ends, which are few, go before it all the same.
        """
        due = self._due(now)
        first = min(due, key=lambda each: (each.priority, not each.canary.is_ended, each.order))
        if self._overtakes < OVERTAKES or first.is_end:
            return first, first.priority
        return min(due, key=lambda each: each.order), first.priority

    def begin(self, chosen: Shown, now: float) -> None:
        """Count that this one goes now: how long it waited, and whom it overtakes."""
        if chosen.priority is Priority.BACKGROUND:
            self._waited = now - chosen.order
        overtakes = min(each.order for each in self._due(now)) < chosen.order
        self._overtakes = self._overtakes + 1 if overtakes else 0
        chosen.since = Priority.BACKGROUND

    def done(self, chosen: Shown, sent: Canary, began: float) -> None:
        """Slack shows this state; what came meanwhile waits since then."""
        if chosen.canary is not sent:
            chosen.priority, chosen.order = chosen.since, began
            return
        chosen.clean()
        # The last few ended ones are kept, so that a late `take` of theirs is known as such.
        ended = [key for key, s in self.shown.items() if s.canary.is_ended and not s.dirty]
        for key in ended[: max(0, len(ended) - ENDED_KEPT)]:
            del self.shown[key]

    def waited(self) -> timedelta:
        """How long fresh numbers wait now, as measured: what lies between two edits of a message."""
        return timedelta(seconds=self._waited)

    def live(self) -> int:
        """How many messages are about canaries that have not ended."""
        return sum(not each.canary.is_ended and not each.gone for each in self.shown.values())

    def _forget(self, now: float) -> None:
        """Drop live ones of which nothing has been heard for long: another replica took them.

        One that only waits for a person is dropped as well; it begins anew when it moves on.
        """
        if now - self._swept_at < LEFT_AFTER / 10:
            return
        self._swept_at = now
        silent = [
            key
            for key, each in self.shown.items()
            if not each.dirty and not each.canary.is_ended and now - each.taken_at > LEFT_AFTER
        ]
        for key in silent:
            del self.shown[key]

    def _due(self, now: float) -> list[Shown]:
        return [each for each in self._dirty.values() if each.dirty and each.due() <= now]


def _is_older(canary: Canary, shown: Canary) -> bool:
    """Whether a state is from before the one that is shown.

    By the times of their phases, but not by much: a clock that was set back makes what comes next
    look older than what was.
    """
    earlier = _began(shown) - _began(canary)
    return timedelta(0) < earlier < OVERTAKEN or shown.is_ended > canary.is_ended


def _began(canary: Canary) -> datetime:
    """When the canary's phase began."""
    phase = canary.phase
    return phase.at if isinstance(phase, Ended) else phase.since
