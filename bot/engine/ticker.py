"""Wakes canaries when something is due; decides nothing.

Jobs live in memory only: the truth is in the canary (`Canary.wake_at`), and they are set anew
from it after every move and after a restart.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler

Wake = Callable[[str], Awaitable[None]]

WAKES_AT_ONCE: Final = 20
"""A canary is armed anew while it is being woken; with one at a time that wake would be dropped."""

log = structlog.get_logger()


class Ticker:
    """One timer a canary, and a few that repeat."""

    def __init__(self) -> None:
        self._repeating: list[asyncio.Task[None]] = []
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True}
        )

    def start(self) -> None:
        """Begin to wake."""
        self._scheduler.start()

    def stop(self) -> None:
        """Wake nobody any more."""
        for task in self._repeating:
            task.cancel()
        self._repeating.clear()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def arm(self, canary_id: str, at: datetime | None, wake: Wake) -> None:
        """Wake this canary at that time instead of any other; None disarms it."""
        if at is None:
            self.disarm(canary_id)
            return
        self._scheduler.add_job(
            wake,
            "date",
            run_date=at,
            args=[canary_id],
            id=canary_id,
            replace_existing=True,
            max_instances=WAKES_AT_ONCE,
        )

    def disarm(self, canary_id: str) -> None:
        """Let this canary sleep."""
        try:
            self._scheduler.remove_job(canary_id)
        except JobLookupError:
            return

    def repeat(self, name: str, every: timedelta, work: Callable[[], Awaitable[None]]) -> None:
        """Do this again and again, never twice at once.

        On the monotonic clock: what looks after everything else must not stop for an hour because
        the wall clock was set back by one.
        """
        task = asyncio.get_running_loop().create_task(_again(every, work), name=name)
        self._repeating.append(task)


async def _again(every: timedelta, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            await work()
        except Exception:  # whatever it was, the next one must come
            log.exception("ticker.work_failed")
