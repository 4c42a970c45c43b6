"""The dead man's switch: takes canaries down when nobody is left to watch them.

It runs beside the router, apart from the bot, and decides nothing while a single replica lives.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.core.canary import Canary, RollingBack
from bot.core.effects import SetWeight
from bot.core.orphans import stray
from bot.core.plan import FULL, ZERO, Split
from bot.core.slo import Arms, NoData
from bot.engine.effects import flip
from bot.engine.sources import read_split
from bot.ports import CanaryStore, Clock, PortError, ServicePorts, Services

AFTER: Final = timedelta(minutes=2)
"""How long all replicas must be silent: longer than a restart, shorter than a window."""

EVERY: Final = timedelta(seconds=5)

log = structlog.get_logger()


class Guard:
    """Watches the replicas' heartbeats, and the routers when there are none.

    A store that cannot be reached is silence as well: the guard cannot tell whether the bot is
    alive, and stable is the safe side.
    """

    def __init__(
        self, services: Services, store: CanaryStore, clock: Clock, after: timedelta = AFTER
    ) -> None:
        self._services = services
        self._store = store
        self._clock = clock
        self._after = after
        self._silent_since: datetime | None = None

    async def look(self) -> tuple[str, ...]:
        """Look once.

        Returns:
            the services whose canary was taken down now, read back from their routers.

        """
        now = self._clock.now()
        if await self._somebody_lives():
            if self._silent_since is not None:
                log.info("guard.heartbeat_back")
            self._silent_since = None
            return ()
        if self._silent_since is None:
            log.warning("guard.silence", acts_in_seconds=self._after.total_seconds())
            self._silent_since = now
        if now - self._silent_since < self._after:
            return ()
        taken = [name for name, ports in self._services.items() if await self._down(name, ports)]
        return tuple(taken)

    async def _somebody_lives(self) -> bool:
        try:
            return await self._store.anyone()
        except PortError as error:
            if self._silent_since is None:
                log.warning("guard.store_away", reason=str(error))
            return False

    async def _down(self, name: str, ports: ServicePorts) -> bool:
        """Take one service's canary to 0 %; what fails now is tried again at the next look."""
        split = await read_split(ports.router)
        arms = None if isinstance(split, NoData) else self._arms(split, await self._known(name))
        trouble = split.reason if isinstance(split, NoData) else ""
        if arms is not None:
            trouble = await flip(ports.router, SetWeight(arms, ZERO), service=name)
        if trouble:
            log.warning("guard.failed", service=name, reason=trouble)
        elif arms is not None:
            log.error("guard.taken_down", service=name, backend=arms.canary)
        return arms is not None and not trouble

    async def _known(self, name: str) -> Canary | None:
        """The service's live canary, or else its last one; None where the store does not say."""
        try:
            live = await self._store.live(name)
            return live.canary if live else next(iter(await self._store.recent(name, 1)), None)
        except PortError:
            return None
        except Exception:  # a faulty store must not keep canaries up either
            log.exception("guard.store_failed", service=name)
            return None

    def _arms(self, split: Split, known: Canary | None) -> Arms[str] | None:
        if known is not None and not known.is_ended:
            carried = split.get(known.arms.canary, ZERO) if known.arms else ZERO
            if isinstance(known.phase, RollingBack):  # decided, and nobody is left to do it
                return known.arms if carried > ZERO else None
            return known.arms if ZERO < carried < FULL else None
        return stray(split, known)
