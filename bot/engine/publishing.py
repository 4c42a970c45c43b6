"""Tells subscribers of milestones: each in order, none waiting for another, and never in the way."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from bot.core.canary import Canary
from bot.core.effects import Publish
from bot.core.events import Published
from bot.core.moves import back_off
from bot.engine.held import Held, news, still_ours
from bot.engine.outbox import UNSAVED, Deliver, Lost
from bot.ports import CanaryStore, Clock, Conflict, Declined, Notice, PortError, Subscriber

DEADLINE: Final = timedelta(seconds=20)
GIVEN_UP_AFTER: Final = timedelta(days=1)
"""A subscriber that hears of nothing for so long will not miss what it has not heard."""

log = structlog.get_logger()


class Publishing:
    """Takes what waits for each subscriber in a canary's intents, one after the other."""

    def __init__(
        self,
        store: CanaryStore,
        subscribers: Mapping[str, Subscriber],
        clock: Clock,
        deliver: Deliver,
        lost: Lost,
    ) -> None:
        self._store = store
        self._subscribers = subscribers
        self._clock = clock
        self._deliver = deliver
        self._lost = lost

    async def drain(self, held: Held, subscriber: str) -> None:
        """Tell one subscriber what waits for it; it may hear of it twice, never of it too late."""
        await asyncio.sleep(held.settles_in)
        failures = 0
        while not held.gone and (waiting := news(held.canary, subscriber)):
            if held.unsaved:  # it must not hear of what a restart would forget
                await asyncio.sleep(UNSAVED.total_seconds())
                continue
            try:
                await still_ours(self._store, held.record)
                event = await self._tell(held.canary, waiting[0])
            except Conflict:
                log.info("canary.lost", canary_id=held.canary.id)
                self._lost(held)
                return
            except PortError as error:
                failures += 1
                log.warning(
                    "publish.failed",
                    canary_id=held.canary.id,
                    subscriber=subscriber,
                    reason=str(error),
                )
                await asyncio.sleep(back_off(failures).total_seconds())
                continue
            failures = 0
            if not await self._deliver(held, event):
                return

    async def _tell(self, canary: Canary, news: Publish) -> Published:
        """Tell it, or give it up.

        Raises:
            PortError: it was not taken; to be tried again later.

        """
        told = Published(self._clock.now(), news.subscriber, news.number)
        subscriber = self._subscribers.get(news.subscriber)
        if subscriber is None:  # it is not configured any more
            return told
        key = f"{canary.id}-{news.number}"
        notice = Notice(key, news.number, news.milestone, news.at, news.detail, canary)
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                await subscriber.notify(notice)
        except Exception as error:  # a fault in one subscriber must not end what tells it
            late = self._clock.now() - news.at > GIVEN_UP_AFTER
            if not late and not isinstance(error, Declined):
                raise PortError(_why(error)) from error
            log.warning(
                "publish.given_up",
                canary_id=canary.id,
                subscriber=news.subscriber,
                reason=_why(error),
            )
        return replace(told, at=self._clock.now())


def _why(error: Exception) -> str:
    if isinstance(error, PortError):
        return str(error)
    return "no answer in time" if isinstance(error, TimeoutError) else repr(error)
