"""What keeps services from being started: set and lifted by people, or by the calendar."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from bot.core.calendar import Window, freezes_of
from bot.core.canary import Canary, PendingApproval
from bot.core.commands import Approve, Start
from bot.core.freezes import Freeze, frozen, in_force, overriding, refusal
from bot.core.machine import Refused
from bot.core.plan import Actor
from bot.ports import CanaryStore, Clock, PortError
from bot.ports.audit import AuditLog, Deed

log = structlog.get_logger()


class Freezes:
    """All that holds starts up; every method raises `PortError` when the store is away."""

    def __init__(
        self,
        store: CanaryStore,
        clock: Clock,
        calendar: Sequence[Window] = (),
        trail: AuditLog | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._trail = trail
        self.calendar = calendar

    async def set(self, freeze: Freeze) -> None:
        """Let nothing of its scope be started; somebody else's lock stays where it is."""
        if await self._store.freeze(freeze) != freeze:
            return
        log.info("freeze.set", key=freeze.key, by=freeze.by.id, until=str(freeze.until))
        try:
            await self._write("freeze.set", freeze.by, freeze)
        except PortError as error:  # stopping the line must not wait for its note
            log.warning("freeze.not_noted", key=freeze.key, by=freeze.by.id, reason=str(error))

    async def lift(self, key: str, by: Actor, since: datetime | None = None) -> Freeze | None:
        """Lift the freeze of this key, that of `since` or whichever; None where there was none."""
        standing = {freeze.key: freeze for freeze in await self._store.freezes()}
        if (stands := standing.get(key)) is not None and since in {None, stands.since}:
            # Before it is done: what holds everybody up must not vanish without a trace.
            await self._write("freeze.lifted", by, stands)
        lifted = await self._store.unfreeze(key, since)
        if lifted is None or lifted.is_over(self._clock.now()):
            return None
        log.info("freeze.lifted", key=key, by=by.id)
        return lifted

    async def standing(self, now: datetime | None = None) -> tuple[Freeze, ...]:
        """What is frozen now, by people and by the calendar."""
        at = now or self._clock.now()
        return in_force((*await self._store.freezes(), *freezes_of(self.calendar, at)), at)

    async def admit(self, start: Start) -> Start | Refused:
        """The start with what it overrides, if anything; or what stands in its way."""
        standing = await self.standing(start.at)
        if start.override is not None:  # kept only where something had to be overridden
            over = overriding(start.override, standing, start.service, start.at, start.by)
            start = replace(start, override=over)
        freeze = frozen(standing, start.service, start.at, start.by, start.override)
        return Refused(refusal(freeze)) if freeze is not None else start

    async def hold_up(self, canary: Canary | None, approve: Approve) -> Refused | None:
        """Why an approval that would start a canary is too early."""
        if canary is None or not isinstance(canary.phase, PendingApproval):
            return None
        standing = await self.standing(approve.at)
        by, override = canary.started_by, canary.override
        freeze = frozen(standing, canary.service, approve.at, by, override)
        return Refused(refusal(freeze)) if freeze is not None else None

    async def _write(self, what: str, by: Actor, freeze: Freeze) -> None:
        if self._trail is None:
            return
        data = {"kind": freeze.kind, "until": freeze.until.isoformat() if freeze.until else ""}
        deed = Deed(self._clock.now(), by, what, freeze.scope, freeze.reason, data)
        await self._trail.append(deed)
