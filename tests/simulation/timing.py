"""Clocks that may be wrong, and a ticker in virtual time."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.engine.ticker import Ticker, Wake

if TYPE_CHECKING:
    from simulation.rollout import Rollout


class SkewedClock:
    """A replica's clock, wrong by what its machine is wrong."""

    def __init__(self, rollout: "Rollout", index: int) -> None:
        self._rollout = rollout
        self._index = index

    def now(self) -> datetime:
        self._rollout.outside.advance(self._rollout.loop.time())
        return self._rollout.outside.wall(self._rollout.skews[self._index])


class VirtualTicker(Ticker):
    """Wakes in virtual time: what repeats does so whatever the wall clock shows."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = Current.clock
        self._alarms: dict[str, asyncio.TimerHandle] = {}
        self._running = False

    def start(self) -> None:
        self._running = True

    def stop(self) -> None:
        self._running = False
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()

    def arm(self, canary_id: str, at: datetime | None, wake: Wake) -> None:
        self.disarm(canary_id)
        if at is None:
            return
        delay = max(0.0, (at - self._clock.now()).total_seconds())

        def ring() -> None:
            del self._alarms[canary_id]
            if self._running:
                self._loop.create_task(wake(canary_id))

        self._alarms[canary_id] = self._loop.call_later(delay, ring)

    def disarm(self, canary_id: str) -> None:
        alarm = self._alarms.pop(canary_id, None)
        if alarm is not None:
            alarm.cancel()

    def repeat(self, name: str, every: timedelta, work: Callable[[], Any]) -> None:
        seconds = every.total_seconds()
        task: asyncio.Task[Any] | None = None

        def again() -> None:
            nonlocal task
            if not self._running:
                return
            if task is None or task.done():
                task = self._loop.create_task(work())
            self._alarms[f"repeat {name}"] = self._loop.call_later(seconds, again)

        self._alarms[f"repeat {name}"] = self._loop.call_later(seconds, again)


class Current:
    """Whose ticker is being made: the ticker's maker knows no clock."""

    clock: "SkewedClock"
