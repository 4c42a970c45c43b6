"""What the edges ask of the engine: start a canary, command one, find them."""

import asyncio
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.core.canary import Canary, Promoted, RolledBack, RollingBack
from bot.core.commands import Abort, Approve, Command, Found, MarkAlarm, Start, Undo
from bot.core.freezes import Freeze
from bot.core.machine import Refused, Transition, begin, transition
from bot.core.moves import back_off
from bot.core.orphans import begin_found
from bot.core.plan import FULL, Actor
from bot.core.refusals import describe
from bot.core.slo import NoData
from bot.core.undoing import UndoRequest, begin_undo
from bot.engine.freezing import Freezes
from bot.engine.held import Held, still_ours
from bot.engine.loop import Loop
from bot.engine.tasks import Turns
from bot.engine.undoing import Undoing
from bot.ports import CanaryStore, Clock, Conflict, PortError, ServiceBusy
from bot.ports.meters import NO_METERS, Meters

SHUTDOWN_PATIENCE: Final = timedelta(seconds=4)
"""With the edge's own patience this stays below the ten seconds a supervisor waits."""

log = structlog.get_logger()


class CanaryService:
    """Starts canaries, takes commands for them, and finds them."""

    def __init__(
        self,
        store: CanaryStore,
        loop: Loop,
        clock: Clock,
        owner: str,
        *,
        freezes: Freezes | None = None,
        meters: Meters = NO_METERS,
    ) -> None:
        self._meters = meters
        self._store = store
        self._freezes = freezes or Freezes(store, clock)
        self._clock = clock
        self._loop = loop
        self._owner = owner
        self._turns = Turns()
        self._undoing = Undoing(store, loop.runner, clock)
        loop.on_lost_decision = self._insist

    @property
    def held(self) -> Collection[str]:
        """Ids of the canaries this replica works on."""
        return self._loop.held.keys()

    @property
    def busy(self) -> Collection[str]:
        """Services whose live canary this replica works on."""
        return {
            held.canary.service for held in self._loop.held.values() if not held.canary.is_ended
        }

    async def start(self, start: Start) -> Canary | Refused:
        """Begin a canary, unless its service has one or is frozen.

        Raises:
            PortError: the store cannot be reached; nothing was started.

        """
        admitted = await self._freezes.admit(start)
        if isinstance(admitted, Refused):
            return admitted
        start = admitted
        try:
            canary = await self._create(begin(start), start)
        except ServiceBusy as busy:
            return Refused(await self._busy(start.service, busy.canary_id))
        log.info("canary.started", canary_id=start.canary_id, by=start.by.id, tier=start.plan.tier)
        return canary

    async def find_out(self, found: Found) -> None:
        """Answer for a split that no record explains, unless somebody does already.

        Raises:
            PortError: the store cannot be reached; nothing has changed.

        """
        with suppress(ServiceBusy):
            await self._create(begin_found(found), found)

    async def undo(self, request: UndoRequest) -> Canary | Refused:
        """Take the service's last promotion back, while what was stable still runs.

        Raises:
            PortError: the store cannot be reached; nothing has changed.

        """
        undo = await self._undoing.look(request)
        if isinstance(undo, str):
            return Refused(f"Not undone: {undo}. Nothing changed.")
        try:
            canary = await self._create(begin_undo(undo), undo)
        except ServiceBusy as busy:
            return Refused(await self._busy(request.service, busy.canary_id))
        log.info("canary.undone", canary_id=undo.canary_id, undoes=undo.undoes, by=undo.by.id)
        return canary

    async def freeze(self, freeze: Freeze) -> None:
        """Let nothing of its scope be started; live canaries go on.

        Somebody else's lock stays where it is: `freezes` tells whose it is.
        """
        await self._freezes.set(freeze)

    async def unfreeze(
        self, scope: str, by: Actor, since: datetime | None = None
    ) -> Freeze | None:
        """Lift the freeze of this key, that of `since` or whichever; None where there was none."""
        return await self._freezes.lift(scope, by, since)

    async def freezes(self) -> tuple[Freeze, ...]:
        """What is frozen now, by people and by the calendar."""
        return await self._freezes.standing()

    async def revisions(self, service: str) -> tuple[str, ...]:
        """The revisions that a canary of this service could be of: what its idle backends run.

        It helps a person who starts one; what cannot be read is left out.
        """
        runner = self._loop.runner
        split = await runner.split(service) if runner.serves(service) else NoData("not configured")
        if isinstance(split, NoData):
            return ()
        idle = sorted(backend for backend, weight in split.items() if weight < FULL)
        told = await asyncio.gather(*(runner.revision(service, backend) for backend in idle))
        return tuple(dict.fromkeys(revision for revision in told if revision))

    async def _create(self, move: Transition, message: Start | Found | Undo) -> Canary:
        happenings = (self._loop.happening(message),)
        newest = next(iter(await self._store.recent(message.service, 1)), None)
        if newest is not None and newest.created_at >= move.canary.created_at:
            # A clock is behind. The order of creation tells whose word on the router is the last.
            later = replace(move.canary, created_at=newest.created_at + timedelta(microseconds=1))
            move = replace(move, canary=later)
        # The heartbeat must not find it stored and not yet held.
        async with self._turns.of(move.canary.id):
            record = await self._store.create(move.canary, self._owner, happenings)
            self._loop.hold(record, move.effects)
        return record.canary

    async def command(self, canary_id: str, command: Command) -> Canary | Refused:
        """Take a person's command; see `_command` for how, and for what is raised."""
        answer = await self._command(canary_id, command)
        if isinstance(command, MarkAlarm) and isinstance(answer, Canary):
            self._meters.marked(answer.service, false=command.false)
        return answer

    async def _command(self, canary_id: str, command: Command) -> Canary | Refused:
        """Take a person's command; a refusal changes nothing and says why.

        A canary that another replica works on is taken over first, so that whoever hears the
        click acts on it.

        Raises:
            PortError: the store cannot be reached and the command was not taken.

        """
        if isinstance(command, Approve):
            canary = await self.find(canary_id)
            if refused := await self._freezes.hold_up(canary, command):
                return refused
        for _ in range(3):
            try:
                held = self._loop.held.get(canary_id) or await self.adopt(canary_id)
                if held is None:
                    return await self._unheld(canary_id, command)
                answer = await self._loop.handle(held, command)
                if not isinstance(answer, Refused) or not await self._moved_on(held):
                    return answer
            except Conflict:
                log.info("canary.lost", canary_id=canary_id)
        return Refused(
            "Several replicas took this canary from each other. Nothing changed; try again."
        )

    async def adopt(self, canary_id: str, owner: str = "") -> Held | None:
        """Take over a canary and finish what was intended; None when it is unknown or finished.

        Args:
            canary_id: which.
            owner: whose it must be, if it matters: of two who look for orphans, the slower one
                must not take from the quicker one what that has just adopted.

        Raises:
            Conflict: another replica took it in the same moment, and does what was intended.

        """
        # A click and the heartbeat may want the same one at once.
        async with self._turns.of(canary_id):
            known = await self._store.load(canary_id)
            held = self._loop.held.get(canary_id)
            if held is not None and (known is None or known.epoch == held.record.epoch):
                return held
            if held is not None:  # somebody else has had it since
                self._loop.lose(held, held.canary)
            if known is None or known.canary.is_finished or known.owner != (owner or known.owner):
                return None
            if not self._loop.serves(known.canary.service):
                log.error("canary.unknown_service", canary_id=canary_id)
                return None
            record = await self._store.claim(canary_id, self._owner, known.epoch)
            if record is None:
                return None
            log.info("canary.adopted", canary_id=canary_id, epoch=record.epoch)
            return self._loop.hold(record, record.canary.intents)

    async def find(self, canary_id: str) -> Canary | None:
        """The canary of that id, or None."""
        if canary_id in self._loop.held:
            return self._loop.held[canary_id].canary
        record = await self._store.load(canary_id)
        return record.canary if record else None

    async def live(self, service: str) -> Canary | None:
        """The service's live canary, or None."""
        record = await self._store.live(service)
        held = self._loop.held.get(record.canary.id) if record else None
        if record and held and held.record.epoch >= record.epoch:
            return held.canary
        return record.canary if record else None

    async def all_live(self) -> tuple[Canary, ...]:
        """Every live canary, the newest first."""
        held = tuple(held.canary for held in self._loop.held.values())
        found = (*held, *await self._store.unfinished({canary.id for canary in held}))
        live = (canary for canary in found if not canary.is_ended)
        return tuple(sorted(live, key=lambda c: (c.created_at, c.id), reverse=True))

    async def recent(self, service: str | None, limit: int) -> tuple[Canary, ...]:
        """The last canaries, the newest first."""
        return await self._store.recent(service, limit)

    async def catch_up(self) -> None:
        """Write down what was decided while the store was away."""
        await self._loop.catch_up()

    async def stop(self) -> None:
        """Finish the flips under way and leave everything else to who comes next."""
        await self._loop.stop(SHUTDOWN_PATIENCE.total_seconds())

    async def _insist(self, canary: Canary, why: str) -> None:
        """Bring a rollback to whoever has the canary now, for as long as it takes."""
        phase, failures = canary.phase, 0
        cause = phase.cause if isinstance(phase, RollingBack | RolledBack) else None
        by = cause.by if cause and cause.by else Actor("canarybot", "canarybot")
        findings = cause.findings if cause and cause.kind == "breach" else ()
        while True:
            try:
                abort = Abort(by, self._clock.now(), why, findings)
                answer = await self.command(canary.id, abort)
                if isinstance(answer, Refused):
                    await self._take_back(canary, answer, by, why)
            except PortError as error:
                failures += 1
                log.warning("canary.insisting", canary_id=canary.id, reason=str(error))
                await asyncio.sleep(back_off(failures).total_seconds())
            else:
                return

    async def _take_back(self, canary: Canary, refused: Refused, by: Actor, why: str) -> None:
        """A canary that was promoted while nobody heard of its rollback is undone.

        Raises:
            PortError: nobody has taken the rollback yet; to be tried again.

        """
        now = await self.find(canary.id)
        if now is None:
            return
        if not isinstance(now.phase, Promoted):
            if isinstance(now.phase, RollingBack) or now.is_ended:
                return
            raise PortError(refused.reason)
        new_id = f"{canary.service}-{secrets.token_hex(3)}"
        answer = await self.undo(UndoRequest(new_id, canary.service, by, why, canary.id))
        if not isinstance(answer, Refused):
            return
        if await self._undoing.is_last(canary):
            raise PortError(answer.reason)  # the router, or the backend, may be back soon
        log.error("canary.not_taken_back", canary_id=canary.id, reason=answer.reason)

    async def _moved_on(self, held: Held) -> bool:
        """Whether a refusal is out of date: another replica has had the canary meanwhile."""
        try:
            await still_ours(self._store, held.record)
        except PortError:
            return False
        except Conflict:
            self._loop.let_go(held)
            return True
        return False

    async def _busy(self, service: str, canary_id: str) -> str:
        other = await self.find(canary_id)
        where = f": {other.revision} {describe(other)}" if other else ""
        return (
            f"{service} has a live canary{where} ({canary_id}). One at a time: wait for its end, "
            f"or end it with `/canary abort {service}`."
        )

    async def _unheld(self, canary_id: str, command: Command) -> Canary | Refused:
        """What is said to one that is finished: it is only ever marked.

        Raises:
            Conflict: somebody else has marked it in the same moment.

        """
        record = await self._store.load(canary_id)
        if record is None:
            return Refused(f"There is no canary {canary_id}. `/canary list` shows what there is.")
        answer = transition(record.canary, command)
        if isinstance(answer, Refused):
            return answer
        if not isinstance(command, MarkAlarm) or answer.effects:
            return Refused("It has just ended. Nothing changed.")
        marked = replace(record, canary=answer.canary)
        return (await self._store.save(marked, (self._loop.happening(command),))).canary
