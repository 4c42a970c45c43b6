"""Whether a promotion can be taken back now, asked of the store, the router and the backend."""

import asyncio

from bot.core.canary import Canary
from bot.core.commands import Undo
from bot.core.refusals import describe
from bot.core.undoing import LOOKED_BACK, UndoRequest, last_move, undo_of, why_not
from bot.engine.effects import EffectRunner
from bot.ports import CanaryStore, Clock


class Undoing:
    """Looks before anything is flipped; nothing here changes anything."""

    def __init__(self, store: CanaryStore, runner: EffectRunner, clock: Clock) -> None:
        self._store = store
        self._runner = runner
        self._clock = clock

    async def look(self, request: UndoRequest) -> Undo | str:
        """What is to be done, or why it cannot be.

        Raises:
            PortError: the store cannot be reached.

        """
        last = await self._last_move(request.service)
        wrong = await self._wrong(request, last)
        if wrong or last is None:
            return wrong
        return undo_of(last, request, self._clock.now())

    async def is_last(self, canary: Canary) -> bool:
        """Whether no other canary of its service has moved traffic since."""
        last = await self._last_move(canary.service)
        return last is not None and last.id == canary.id

    async def _wrong(self, request: UndoRequest, last: Canary | None) -> str:
        service, runner = request.service, self._runner
        if last is not None and not last.is_ended:
            return f"{last.revision} {describe(last)}"
        if last is None or last.arms is None:
            return f"{service} had no canary that moved traffic"
        if request.promoted not in {"", last.id}:
            return f"{service} has had another rollout since: {last.revision} {describe(last)}"
        if not runner.serves(service):
            return f"{service} is not in this bot's configuration"
        split, stable = await asyncio.gather(
            runner.split(service), runner.readiness(service, last.arms.stable)
        )
        wrong = why_not(last, split, stable, self._clock.now())
        now = await self._last_move(service)  # that took a while, and another undo may be through
        if not wrong and now is not None and now.id != last.id:
            return f"{service} has had another rollout since: {now.revision} {describe(now)}"
        return wrong

    async def _last_move(self, service: str) -> Canary | None:
        return last_move(await self._store.recent(service, LOOKED_BACK))
