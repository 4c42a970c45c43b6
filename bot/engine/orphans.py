"""Finds traffic on a canary that no record explains, and puts it on record."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.core.canary import Canary, RolledBack
from bot.core.commands import Found
from bot.core.effects import SetWeight
from bot.core.events import WeightApplied
from bot.core.orphans import stray
from bot.core.plan import ZERO, Actor, Plan, Split
from bot.core.slo import NoData
from bot.engine.effects import EffectRunner
from bot.engine.service import CanaryService
from bot.ports import CanaryStore, Clock, PortError

EVERY: Final = timedelta(seconds=5)
"""Between two looks at every service's router."""

SURE_AFTER: Final = timedelta(seconds=15)
"""How long a split must stand unexplained: an end is saved a moment after its flip."""

GRACE: Final = timedelta(minutes=10)
"""How long somebody may claim it before it is rolled back."""

LATE: Final = timedelta(minutes=1)
"""For how long after a rollback traffic on its canary is a flip of ours that landed late."""

BOT: Final = Actor("canarybot", "canarybot")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Home:
    """Where a service's canaries belong: their plan and their channel."""

    plan: Plan
    channel: str


class Orphans:
    """Asks the routers of services without a live canary whether they agree."""

    def __init__(
        self,
        *,
        store: CanaryStore,
        runner: EffectRunner,
        service: CanaryService,
        clock: Clock,
        homes: Mapping[str, Home],
        new_canary_id: Callable[[str], str],
    ) -> None:
        self._store = store
        self._runner = runner
        self._service = service
        self._clock = clock
        self._homes = homes
        self._new_canary_id = new_canary_id
        self._since: dict[str, datetime] = {}
        self._seen: dict[str, Split] = {}

    @property
    def suspects(self) -> Collection[str]:
        """Services whose split has no explanation so far."""
        return self._since.keys()

    async def look(self) -> None:
        """Look at every service once; what cannot be asked now is asked the next time."""
        busy = self._service.busy
        for name, home in self._homes.items():
            if name in busy:  # its owner sees the router at every look
                self._forget(name)
                continue
            try:
                await self._look_at(name, home)
            except PortError as error:
                log.warning("orphans.unknown", service=name, reason=str(error))
            except Exception:  # one service must not hide the others
                log.exception("orphans.failed", service=name)

    async def _look_at(self, name: str, home: Home) -> None:
        if await self._store.live(name) is not None:
            self._forget(name)
            return
        split = await self._runner.split(name)
        if isinstance(split, NoData):
            return
        unsuspected = stray(split, None) is None
        if unsuspected:
            self._since.pop(name, None)
        if unsuspected and self._seen.get(name) == split:
            return
        self._seen[name] = split
        last = next(iter(await self._store.recent(name, 1)), None)
        if last is not None and await self._undone(last, split):
            self._forget(name)
            return
        if unsuspected:
            return
        arms = stray(split, last)
        assert arms is not None, "who is stable does not change that there are two"
        now = self._clock.now()
        if now - self._since.setdefault(name, now) < SURE_AFTER:
            return
        del self._since[name]
        revision = await self._runner.revision(name, arms.canary) or "unknown"
        log.warning("orphan.found", service=name, backend=arms.canary, revision=revision)
        await self._service.find_out(
            Found(
                canary_id=self._new_canary_id(name),
                service=name,
                revision=revision,
                plan=home.plan,
                channel=home.channel,
                by=BOT,
                at=now,
                arms=arms,
                weight=split[arms.canary],
                grace=GRACE,
            )
        )

    async def _undone(self, last: Canary, split: Split) -> bool:
        """Take back a flip of ours that landed after its canary had been rolled back.

        A router may refuse a weight, or not answer, and apply it all the same a little later: all
        traffic on the canary would then look like any promotion by hand.
        """
        phase, arms = last.phase, last.arms
        if not isinstance(phase, RolledBack) or arms is None:
            return False
        carried = split.get(arms.canary, ZERO)
        if carried == ZERO or self._clock.now() - phase.at > LATE:
            return False
        log.warning("flip.landed_late", canary_id=last.id, weight=str(carried))
        return isinstance(
            await self._runner.set_weight(last, SetWeight(arms, ZERO)), WeightApplied
        )

    def _forget(self, name: str) -> None:
        self._since.pop(name, None)
        self._seen.pop(name, None)
