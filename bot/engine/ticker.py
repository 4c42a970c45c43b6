"""Wakes canaries when something is due; decides nothing.

Timers live in memory only: the truth is in the canary (`Canary.wake_at`), and they are set anew
from it after every move and after a restart.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.engine.tasks import Tasks
from bot.ports import Clock
from bot.ports.meters import NO_METERS, Meters

Wake = Callable[[str], Coroutine[None, None, None]]

TOO_EARLY: Final = 0.001
"""Seconds by which an event loop that counts in milliseconds may wake too early."""

SOON: Final = timedelta(seconds=1)

CLOCK_EVERY: Final = 1.0
"""Seconds between two looks whether the wall clock was set."""

CLOCK_SET: Final = 2.0
"""Seconds by which the wall clock may differ from the time that has passed."""


class Ticker:
    """One timer a canary, and a few that repeat.

    A canary's timer is the event loop's own: it is set anew after every move, hundreds of times a
    second, and a scheduler's job costs twenty times as much. What repeats is the scheduler's.
    """

    def __init__(self, clock: Clock, meters: Meters = NO_METERS) -> None:
        self._meters = meters
        self._clock = clock
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks = Tasks()
        self._watching: asyncio.TimerHandle | None = None
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True}
        )

    def start(self) -> None:
        """Begin to wake."""
        self._scheduler.start()
        self._watch_the_clock(self._ahead())

    def stop(self) -> None:
        """Wake nobody any more."""
        for canary_id in tuple(self._timers):
            self.disarm(canary_id)
        if self._watching is not None:
            self._watching.cancel()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def arm(self, canary_id: str, at: datetime | None, wake: Wake) -> None:
        """Wake this canary at that time instead of any other; None disarms it."""
        self.disarm(canary_id)
        if at is None:
            return
        wait = max(0.0, (at - self._clock.now()).total_seconds()) + TOO_EARLY
        loop = asyncio.get_running_loop()
        self._timers[canary_id] = loop.call_later(wait, self._wake, canary_id, at, wake)

    def disarm(self, canary_id: str) -> None:
        """Let this canary sleep."""
        timer = self._timers.pop(canary_id, None)
        if timer is not None:
            timer.cancel()

    def repeat(self, name: str, every: timedelta, work: Callable[[], Awaitable[None]]) -> None:
        """Do this again and again, never twice at once."""
        self._scheduler.add_job(
            work, "interval", seconds=every.total_seconds(), id=name, max_instances=1
        )

    def _wake(self, canary_id: str, at: datetime, wake: Wake) -> None:
        if self._clock.now() < at and at - self._clock.now() < SOON:
            self.arm(
                canary_id, at, wake
            )  # nothing would be due yet, and nobody would wake it again
            return
        self._timers.pop(canary_id, None)
        self._meters.woke((self._clock.now() - at).total_seconds())
        self._tasks.spawn(wake(canary_id))

    def _watch_the_clock(self, before: float) -> None:
        """Let what repeats go on when the wall clock is set back, which the scheduler goes by."""
        self._meters.turned()
        ahead = self._ahead()
        if abs(ahead - before) > CLOCK_SET:
            for job in self._scheduler.get_jobs():
                job.modify(next_run_time=self._clock.now())
        loop = asyncio.get_running_loop()
        self._watching = loop.call_later(CLOCK_EVERY, self._watch_the_clock, ahead)

    def _ahead(self) -> float:
        """How far the wall clock is ahead of the loop's, which nobody sets."""
        return self._clock.now().timestamp() - asyncio.get_running_loop().time()
