"""Says that this replica lives, and takes over the canaries of those that do not."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from bot.engine.held import asked
from bot.engine.service import CanaryService
from bot.ports import CanaryStore, Conflict, PortError
from bot.ports.meters import NO_METERS, Meters

AFTER_OUTAGE: Final = timedelta(seconds=2)
"""How long nothing is adopted once the store is back: two heartbeats of everybody else."""

ADOPTED_AT_ONCE: Final = 16

log = structlog.get_logger()


async def is_ours(store: CanaryStore, owner: str, canary_id: str) -> bool:
    """Whether no other replica has this canary.

    Raises:
        PortError: nobody knows.

    """
    record = await asked(store, canary_id)
    return record is None or record.owner == owner


class Ownership:
    """One replica's heartbeat, and its eye on the others'.

    Args:
        share: told at every beat how many replicas share what all of them together may use; while
            the store is away it is told nothing, and the last number holds.

    """

    def __init__(
        self,
        store: CanaryStore,
        service: CanaryService,
        owner: str,
        share: Callable[[int], None] | None = None,
        meters: Meters = NO_METERS,
    ) -> None:
        self._meters = meters
        self._store = store
        self._service = service
        self._owner = owner
        self._share = share
        self._store_away = False
        self._adopts_from = 0.0
        self._room = asyncio.Semaphore(ADOPTED_AT_ONCE)

    async def beat(self) -> None:
        """Say that this replica is alive; to be called about every second."""
        try:
            await self._store.beat(self._owner)
            self._meters.beat(reached=True)
            await self._service.catch_up()
            if self._others_had_time():
                await self.adopt_orphans()
                if self._share is not None:
                    self._share(await self._store.sharers())
        except PortError as error:
            self._meters.beat(reached=False)
            if not self._store_away:
                log.warning("store.away", reason=str(error))
            self._store_away = True
        except Exception:  # whatever it was, the next beat must come
            log.exception("ownership.beat_failed")
        else:
            if self._store_away:
                log.info("store.back")
            self._store_away = False

    def _others_had_time(self) -> bool:
        """After the store was away everybody seems silent: let them say that they live."""
        now = asyncio.get_running_loop().time()
        if self._store_away:
            self._adopts_from = now + AFTER_OUTAGE.total_seconds()
        return now >= self._adopts_from

    async def resign(self) -> None:
        """Leave: the canaries of this replica are the others' from now on, without a wait."""
        try:
            await self._store.resign(self._owner)
        except PortError as error:  # then they wait until our silence is noticed
            log.warning("ownership.not_resigned", reason=str(error))

    async def adopt_orphans(self) -> None:
        """Take over every unfinished canary that nobody works on; one bad record stops no other."""
        orphans = await self._store.orphans(self._owner, self._service.held)
        await asyncio.gather(*(self._adopt(*orphan) for orphan in orphans.items()))

    async def _adopt(self, canary_id: str, owner: str) -> None:
        async with self._room:
            try:
                await self._service.adopt(canary_id, owner)
            except Conflict:
                log.info("canary.adopted_by_another", canary_id=canary_id)
            except PortError as error:
                log.warning("canary.not_adopted", canary_id=canary_id, reason=str(error))
