"""The loop of every canary: message, transition, save with intents, act, event, transition.

A click, a tick and a recovery all take the same way. The canary in memory is what its owner works
on; the store's compare-and-set says whether it still is the owner.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context
from dataclasses import replace

import structlog

from bot.core.canary import Canary, RolledBack, RollingBack
from bot.core.commands import Abort, Command, Found, Start, Undo
from bot.core.effects import (
    Effect,
    GatherEvidence,
    Observe,
    OpenThread,
    Page,
    Prepare,
    Publish,
    SetWeight,
    ShowEnd,
    ShowPicture,
    Tell,
)
from bot.core.events import Event, Observed, Prepared, Ticked
from bot.core.machine import Refused, Transition, transition
from bot.core.moves import back_off, is_overdue
from bot.core.plan import ZERO
from bot.engine.effects import EffectRunner
from bot.engine.fencing import STORE_PATIENCE, Fence
from bot.engine.held import (
    Held,
    may_go_on_unsaved,
    outward,
    worth_saving,
    write,
)
from bot.engine.outbox import Outbox
from bot.engine.publishing import Publishing
from bot.engine.tasks import Tasks
from bot.engine.ticker import Ticker
from bot.engine.timing import about, named
from bot.ports import CanaryStore, Clock, Conflict, Happening, PortError, Record, Subscriber
from bot.ports.meters import NO_METERS, Meters

Message = Start | Found | Undo | Command | Event
Encode = Callable[[Message], str]

Insist = Callable[[Canary, str], Coroutine[None, None, None]]

log = structlog.get_logger()


class Loop:
    """Moves the canaries this replica holds."""

    def __init__(
        self,
        *,
        store: CanaryStore,
        runner: EffectRunner,
        show: Callable[[Canary], None],
        ticker: Ticker,
        clock: Clock,
        encode: Encode,
        meters: Meters = NO_METERS,
        subscribers: Mapping[str, Subscriber] | None = None,
    ) -> None:
        self._meters = meters
        self._store = store
        self.runner = runner
        self._show = show
        self._ticker = ticker
        self._clock = clock
        self._encode = encode
        self._outbox = Outbox(
            store, runner, self._deliver, lambda held: self.lose(held, held.canary)
        )
        self._publishing = Publishing(
            store,
            subscribers or {},
            clock,
            self._deliver,
            lambda held: self.lose(held, held.canary),
        )
        self._tasks = Tasks()
        self.held: dict[str, Held] = {}
        self._fence = Fence(store, runner, self.held)
        self.on_lost_decision: Insist | None = None

    def serves(self, service: str) -> bool:
        """Whether this replica is configured for a service."""
        return self.runner.serves(service)

    def hold(self, record: Record, effects: tuple[Effect, ...]) -> Held:
        """Work on this canary from now on, beginning with these effects."""
        held = self.held[record.canary.id] = Held(record)
        self._meters.taken(record.canary, adopted=held.inherited)
        with about(record.canary):
            self._act(held, effects)
        return held

    @named
    async def handle(self, held: Held, message: Command | Event) -> Canary | Refused:
        """Take one message.

        Raises:
            Conflict: the canary is another replica's now; it has been let go.
            PortError: the store is away and this message cannot be taken without it.

        """
        async with held.lock:
            before = held.canary
            if held.gone:
                raise Conflict(f"{before.id} was let go while this waited for its turn")
            move = transition(before, message)
            if isinstance(move, Refused):
                return move
            if move.canary == before and not move.effects:
                return before
            early: SetWeight | None = None
            if worth_saving(before, move, message):
                early = await self._save(held, move, message)
            else:
                held.record = replace(held.record, canary=move.canary)
            self._meters.moved(before, held.canary, message.at)
            self._act(held, tuple(effect for effect in move.effects if effect is not early))
            return held.canary

    async def wake(self, canary_id: str) -> None:
        """Tell a canary the time; the ticker calls this."""
        held = self.held.get(canary_id)
        if held is None:
            return
        now = self._clock.now()
        try:
            await self.handle(held, Ticked(now))
        except Conflict:
            log.info("canary.lost", canary_id=canary_id)
        except Exception:  # whatever it was, the canary must be woken again
            log.exception("canary.tick_failed", canary_id=canary_id)
            self._ticker.arm(canary_id, now + held.canary.plan.tick, self.wake)

    async def sweep(self) -> None:
        """Wake whoever should have been woken long ago: no lost timer may stop a canary."""
        now = self._clock.now()
        for held in tuple(self.held.values()):
            if is_overdue(held.canary, now):
                with about(held.canary):
                    log.warning("canary.overslept")
                    self._ticker.arm(held.canary.id, now, self.wake)

    def happening(self, message: Message) -> Happening:
        """The stream's entry for a message."""
        return Happening(message.at, message.kind, self._encode(message))

    async def stop(self, patience: float) -> None:
        """Finish the flips under way, for at most so many seconds; drop everything else."""
        flips = [held.flip for held in self.held.values() if held.flip and not held.flip.done()]
        if flips:
            await asyncio.wait(flips, timeout=patience)
        await self._tasks.cancel()
        self.held.clear()

    async def _save(
        self, held: Held, move: Transition, message: Command | Event
    ) -> SetWeight | None:
        """Write state and intents at once, before anything is done.

        While the store is away a canary goes on from memory, but never upwards: a rollback waits
        for nobody, everything else waits for the store.

        Returns:
            the flip of a rollback, if the store took so long that it is under way already.

        """
        happenings = (*held.unsaved, self.happening(message))
        moved = replace(held.record, canary=move.canary)
        back = next(
            (e for e in move.effects if isinstance(e, SetWeight) and e.weight == ZERO), None
        )
        early: SetWeight | None = None
        try:
            if back is None:
                held.record = await write(self._store, moved, happenings)
            else:
                writing, early = await self._not_waiting(
                    held, back, write(self._store, moved, happenings)
                )
                held.record = await writing
            held.unsaved = ()
        except Conflict:
            self.lose(held, move.canary if isinstance(message, Abort) else held.canary)
            raise
        except PortError as error:
            if not may_go_on_unsaved(held.canary, move, message):
                raise
            log.warning("canary.unsaved", canary_id=held.canary.id, reason=str(error))
            held.record, held.unsaved = moved, happenings
            if held.flush is None or held.flush.done():
                held.flush = self._tasks.spawn(self._flush(held))
        return early

    async def _not_waiting(
        self, held: Held, back: SetWeight, write: Coroutine[None, None, Record]
    ) -> tuple[asyncio.Task[Record], SetWeight | None]:
        """Flip back before a store that hangs has answered; should it say no, that is undone."""
        writing = asyncio.create_task(write)
        try:
            done, _ = await asyncio.wait({writing}, timeout=STORE_PATIENCE.total_seconds())
        except asyncio.CancelledError:
            writing.cancel()
            raise
        if done:
            return writing, None
        log.warning("flip.before_save", canary_id=held.canary.id)
        self._flip(held, back)
        return writing, back

    def lose(self, held: Held, canary: Canary) -> None:
        """Let go of a canary that is another replica's now, but not of a rollback it has not heard."""
        phase, unsaved, held.unsaved = canary.phase, held.unsaved, ()
        if unsaved and isinstance(phase, RollingBack | RolledBack) and self.on_lost_decision:
            why = f"{phase.cause.text} (decided while the store was away)"
            self._tasks.spawn(self.on_lost_decision(canary, why))
        flipping = held.flip is not None and not held.flip.done()
        self.let_go(held)
        if flipping:  # nobody knows whether it has landed, or what it has landed upon
            self._tasks.spawn(self._fence.restore(canary.id))

    async def catch_up(self) -> None:
        """Bring the store up to date with what was decided without it; it seems to be back."""
        for held in tuple(self.held.values()):
            if held.unsaved:
                await self._flush_once(held)

    async def _flush(self, held: Held) -> None:
        """Bring the store up to date, whoever notices first that it is back."""
        failures = 0
        while held.unsaved:
            failures += 1
            await asyncio.sleep(back_off(failures).total_seconds())
            await self._flush_once(held)

    @named
    async def _flush_once(self, held: Held) -> None:
        async with held.lock:
            if not held.unsaved:
                return
            try:
                held.record = await write(self._store, held.record, held.unsaved)
            except PortError:
                return
            except Conflict:
                log.warning("canary.lost_unsaved", canary_id=held.canary.id)
                self.lose(held, held.canary)
                return
            held.unsaved = ()
            if held.canary.is_finished:
                self.let_go(held)

    def _act(self, held: Held, effects: tuple[Effect, ...]) -> None:
        """Set everything going that is to be done, flips first."""
        canary = held.canary
        for effect in effects:
            match effect:
                case SetWeight():
                    self._flip(held, effect)
                case Observe():
                    if held.looking is None or held.looking.done():
                        held.looking = self._tasks.spawn(self._observe(held, effect))
                case Prepare():
                    self._tasks.spawn(self._prepare(held))
                case Page():
                    self._tasks.spawn(self._outbox.page(held, effect))
                case Publish(subscriber=name):
                    running = held.publishing.get(name)
                    if running is None or running.done():
                        telling = self._tasks.spawn(self._publishing.drain(held, name))
                        held.publishing[name] = telling
                case GatherEvidence() | OpenThread() | Tell() | ShowEnd() | ShowPicture():
                    pass  # the outbox takes them from the canary's intents, in order
        self._ticker.arm(canary.id, canary.wake_at, self.wake)
        Context().run(self._show, canary)  # what it may begin works for every canary
        if canary.is_finished and not held.unsaved:
            self.let_go(held)
        elif outward(canary) and (held.outbox is None or held.outbox.done()):
            held.outbox = self._tasks.spawn(self._outbox.drain(held))

    def _flip(self, held: Held, effect: SetWeight) -> None:
        """The newest flip is the only one: an older one must not land after it."""
        older = held.flip

        async def flip() -> None:
            if older is not None and not older.done():
                older.cancel()
                await asyncio.gather(older, return_exceptions=True)
            await self._deliver(held, await self.runner.set_weight(held.canary, effect))

        held.flip = self._tasks.spawn(flip())

    async def _observe(self, held: Held, effect: Observe) -> None:
        await self._deliver(held, await self.runner.observe(held.canary, effect))

    async def _prepare(self, held: Held) -> None:
        await self._deliver(held, await self.runner.prepare(held.canary))

    async def _deliver(self, held: Held, event: Event) -> bool:
        """Feed an outcome back; False when the canary is another replica's now.

        What cannot be taken while the store is away is brought again: no outcome may be lost. Only
        a look is dropped, for the next one covers its time too, and may be the one with a breach.
        """
        failures = 0
        while True:
            try:
                await self.handle(held, event)
            except Conflict:
                return False
            except PortError as error:
                failures += 1
                log.warning("canary.store_away", canary_id=held.canary.id, reason=str(error))
                if isinstance(event, Observed):
                    return True
                if isinstance(event, Prepared):  # what was read may be wrong by then: read anew
                    await asyncio.sleep(back_off(failures).total_seconds())
                    event = await self.runner.prepare(held.canary)
                    continue
                await asyncio.sleep(back_off(failures).total_seconds())
            else:
                return True

    def let_go(self, held: Held) -> None:
        """Work on this canary no more."""
        canary_id, held.gone = held.canary.id, True
        if self.held.get(canary_id) is held:
            del self.held[canary_id]
            self._ticker.disarm(canary_id)
        current = asyncio.current_task()
        for task in (held.flip, held.looking, held.outbox, *held.publishing.values()):
            if task is not None and task is not current:
                task.cancel()
