"""Takes back what a replica had no right to do: a flip that landed after its canary was lost."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import structlog

from bot.core.effects import SetWeight
from bot.core.events import WeightApplied
from bot.core.moves import back_off
from bot.core.undoing import LOOKED_BACK, last_move
from bot.engine.effects import EffectRunner
from bot.engine.held import Held
from bot.ports import CanaryStore, PortError, Record

STORE_PATIENCE: Final = timedelta(milliseconds=250)
"""How long the flip of a rollback waits for the store: a store that hangs must not hold it up."""

log = structlog.get_logger()


class Fence:
    """Knows whose word on a service's traffic holds, and gives it back to the router.

    Writes are fenced by the store, but no router knows of epochs. A replica that was stopped in
    the middle of a flip goes on with it when it wakes, whatever has been decided since. It finds
    out when it tries to save, and then puts the router to what the record says.
    """

    def __init__(self, store: CanaryStore, runner: EffectRunner, held: Mapping[str, Held]) -> None:
        self._store = store
        self._runner = runner
        self._held = held

    async def restore(self, canary_id: str) -> None:
        """Bring the router to the weight of the canary's record, for as long as it takes.

        The record is read again after the flip: what its owner has decided meanwhile wins. A
        service that has another live canary by now is left to that one's owner, who sees the
        router at every look.
        """
        failures = 0
        while True:
            try:
                if await self._restored(canary_id):
                    return
            except PortError as error:
                log.warning("fence.store_away", canary_id=canary_id, reason=str(error))
            failures += 1
            await asyncio.sleep(back_off(failures).total_seconds())

    async def _restored(self, canary_id: str) -> bool:
        record = await self._whose_word(canary_id)
        if record is None or record.canary.arms is None:
            return True
        held = self._held.get(record.canary.id)  # taken over since, perhaps rolled back meanwhile
        canary = held.canary if held is not None else record.canary
        flip = SetWeight(canary.arms or record.canary.arms, canary.target)
        event = await self._runner.set_weight(canary, flip)
        after = await self._whose_word(canary_id)
        if after is None:
            return True
        same = after.canary.id == canary.id and after.canary.target == canary.target
        done = isinstance(event, WeightApplied) and same
        if done:
            log.warning("fence.restored", canary_id=canary.id, weight=str(canary.target))
        return done

    async def _whose_word(self, canary_id: str) -> Record | None:
        """The record that says what the router should carry; None where its owner sees to it.

        That is the last canary of the service that moved traffic, which may be another one than
        was lost: its promotion may have been undone meanwhile.
        """
        record = await self._store.load(canary_id)
        if record is None:
            return None
        service = record.canary.service
        live = await self._store.live(service)
        if live is not None:
            return live if live.canary.id == canary_id else None
        last = last_move(await self._store.recent(service, LOOKED_BACK))
        if last is None or last.id == canary_id:
            return record
        return await self._store.load(last.id)
