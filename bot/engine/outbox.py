"""Brings what is to be told to people: in order, once, and for as long as it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from bot.core.effects import Outward, Page
from bot.core.events import Event
from bot.core.moves import back_off
from bot.engine.effects import EffectRunner
from bot.engine.held import Held, outward, still_ours
from bot.ports import CanaryStore, Conflict, PortError, Turn

RETRACTED_AT_MOST: Final = 6

Deliver = Callable[[Held, Event], Awaitable[bool]]
"""Feeds an outcome back; False when the canary is another replica's now."""

Lost = Callable[[Held], None]
"""Lets go of a canary that is another replica's."""

UNSAVED: Final = timedelta(milliseconds=250)
"""Between two looks whether the store is back."""

log = structlog.get_logger()


class Outbox:
    """Takes what waits in a canary's intents, one after the other."""

    def __init__(
        self,
        store: CanaryStore,
        runner: EffectRunner,
        deliver: Deliver,
        lost: Lost,
    ) -> None:
        self._store = store
        self._runner = runner
        self._deliver = deliver
        self._lost = lost

    async def drain(self, held: Held) -> None:
        """Post until nothing waits."""
        await asyncio.sleep(held.settles_in)
        failures = 0
        while waiting := outward(held.canary):
            if held.unsaved:  # whoever comes next would not know of it, and say it otherwise
                await asyncio.sleep(UNSAVED.total_seconds())
                continue
            confirm = partial(still_ours, self._store, held.record)
            turn = Turn(failures > 0 or held.inherited, confirm)
            try:
                event = await self._runner.outward(held.canary, waiting[0], turn)
            except Conflict:
                log.info("canary.lost", canary_id=held.canary.id)
                self._lost(held)
                return
            except Exception as error:  # a fault must not end it: what comes next waits as well
                failures += 1
                if isinstance(error, PortError):
                    log.warning("outbox.failed", canary_id=held.canary.id, reason=str(error))
                else:
                    log.exception("outbox.fault", canary_id=held.canary.id)
                await asyncio.sleep(back_off(failures).total_seconds())
                continue
            failures = 0
            if not await self._deliver(held, event):
                await self._retract(held, waiting[0])
                return

    async def _retract(self, held: Held, said: Outward) -> None:
        """It was said, and the canary was lost before that was known: so it may stand twice."""
        for failures in range(RETRACTED_AT_MOST):
            try:
                await self._runner.retract(held.canary, said)
            except PortError as error:
                log.warning("outbox.not_retracted", canary_id=held.canary.id, reason=str(error))
                await asyncio.sleep(back_off(failures).total_seconds())
            else:
                return

    async def page(self, held: Held, page: Page) -> None:
        """Call the webhook, past whatever waits for Slack; a rollback that is done ends it."""
        failures = 0
        while page in held.canary.intents and not held.gone:
            try:
                event = await self._runner.page(held.canary, page)
            except PortError as error:
                failures += 1
                log.warning("page.failed", canary_id=held.canary.id, reason=str(error))
                await asyncio.sleep(back_off(failures).total_seconds())
                continue
            await self._deliver(held, event)
            return
