"""The edits of the canaries' messages: latest state wins, within one limiter for the app."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog

from bot.core.canary import Canary
from bot.core.refusals import describe
from bot.ports import Clock, PortError, Turn
from bot.slack.faults import (
    BAD_BLOCKS,
    BROKEN,
    KEPT_OUT,
    MESSAGE_GONE,
    error_code,
    explain,
    is_setup,
)
from bot.slack.faults import retry_after as asked_to_wait
from bot.slack.limiter import Limiter, Priority, TooLong
from bot.slack.posting import MessageClient
from bot.slack.text import count, duration, escaped
from bot.slack.views.canary import live_message
from bot.slack.views.kit import TEXT_LENGTH, Message
from bot.slack.waiting import Shown, Waiting

SHORTEST_INTERVAL: Final = 3.0
"""Seconds between two edits of one message, but for what is urgent."""

LONG: Final = timedelta(seconds=15)
"""An interval that its readers are told of."""

RENDERED: Final = 20.0
"""Messages that are rendered in a second, at most, to find that they look as before."""

LONGEST_BACK_OFF: Final = 60.0

GIVEN_UP_AFTER: Final = 240
"""Tries, some four hours, to show how a canary ended in a channel that lets nobody in."""

IsOurs = Callable[[str], Awaitable[bool]]
"""Whether this replica still has a canary, by its id."""

_log = structlog.get_logger()


async def always(_canary_id: str) -> bool:
    """For a bot that is alone."""
    return True


class Edits:
    """Edits in the background: whatever Slack does, `show` neither waits nor fails.

    A single worker sends the newest state of each message; states in between are dropped. Ends and
    the answers to clicks go first, then new phases, then whoever waits longest; and nobody is
    overtaken for ever. What goes later leaves some of Slack's limit to what goes first, so that
    an end finds room whenever it comes. `is_ours` is asked before each edit: a replica that was
    stopped for a while must not write an old state over a newer one.
    """

    def __init__(
        self,
        client: MessageClient,
        limiter: Limiter,
        clock: Clock,
        *,
        is_ours: IsOurs,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._client = client
        self._limiter = limiter
        self._clock = clock
        self._is_ours = is_ours
        self._now = now
        self._sleep = sleep
        self._waiting = Waiting()
        self._news = asyncio.Event()
        self._wakes_at = math.inf
        self._worker: asyncio.Task[None] | None = None

    def show(self, canary: Canary, *, urgent: bool = False) -> None:
        """Bring the message up to this state, soon; `urgent` for the answer to a click."""
        if canary.thread is None:
            return
        taken = self._waiting.take(canary, self._now(), urgent=urgent)
        if taken is None:
            return  # the answer to a click that was overtaken by the engine
        shown, rose = taken
        if shown.dirty and (rose or shown.due() < self._wakes_at):
            self._news.set()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def settle(self, canary: Canary, turn: Turn) -> None:
        """Wait until the message shows this state, or is gone for good.

        A canary's earlier owner may have had an edit under way when it was taken from it: the last
        one is made again over that.
        """
        if canary.thread is None:
            return
        self.show(canary, urgent=True)  # the engine waits for it
        shown = self._waiting.shown.get(canary.id)
        if turn.again and shown is not None and not shown.gone:
            shown.same, shown.dirty, shown.priority = "", True, Priority.URGENT
            self._news.set()
        while (shown := self._waiting.shown.get(canary.id)) is not None and shown.dirty:
            settled = shown.settled = shown.settled or asyncio.Event()
            await settled.wait()

    async def stop(self, patience: float) -> None:
        """Send what is urgent for up to `patience` seconds, then end the worker."""
        until = self._now() + patience
        while self._now() < until and self._waiting.is_urgent():
            await self._sleep(0.05)
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None

    async def _work(self) -> None:
        """Send for ever; a fault of one message never ends it."""
        while True:
            self._news.clear()
            self._wakes_at = self._waiting.wakes_at()
            wait = self._wakes_at - self._now()
            if wait == math.inf:
                await self._news.wait()
            elif wait > 0:
                await self._sleep_or_news(wait)
            elif self._settled():
                await asyncio.sleep(0)
            else:
                await self._send_one()

    def _settled(self) -> bool:
        """Whether the next message looks already as it should, which costs no rate limit.

        Only the next one is rendered: of thousands of canaries hundreds change every second, and
        Slack takes less than one edit a second.
        """
        shown, _ = self._waiting.next(self._now())
        if self._rendered(shown).same != shown.same:
            return False
        shown.clean()
        shown.due_at = self._now() + self._waiting.live() / RENDERED
        return True

    async def _send_one(self) -> None:
        """Edit the next message if it may go now, else wait for that or for what changes it."""
        shown, priority = self._waiting.next(self._now())
        try:
            await self._limiter.take("chat.update", None, priority, at_most=0)
        except TooLong as error:
            await self._sleep_or_news(error.seconds)
            return
        canary = shown.canary
        self._waiting.begin(shown, self._now())
        try:
            await self._send(shown, canary)
        except BROKEN as error:
            self._failed(shown, error)
        except PortError as error:  # nobody knows whose it is
            shown.due_at = self._now() + SHORTEST_INTERVAL
            shown.failures += 1
            _log.warning("slack.message.held_back", canary=canary.id, why=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker goes on
            _log.exception("slack.message.not_sent", canary=canary.id)
            self._failed(shown, error)

    async def _send(self, shown: Shown, canary: Canary) -> None:
        assert canary.thread is not None
        began = self._now()
        message = self._rendered(shown, self._every())
        if message.same != shown.same:
            if not await self._is_ours(canary.id):
                _log.info("slack.message.not_ours", canary=canary.id)
                shown.clean()
                del self._waiting.shown[canary.id]
                return
            await self._client.chat_update(
                channel=canary.thread.channel,
                ts=canary.thread.ts,
                text=message.text,
                blocks=message.blocks,
            )
        shown.same, shown.failures = message.same, 0
        shown.due_at = self._now() + SHORTEST_INTERVAL
        self._waiting.done(shown, canary, began)

    def _failed(self, shown: Shown, error: Exception) -> None:
        """Decide whether, when and how it is tried again; the state itself is never dropped."""
        canary, code = shown.canary, error_code(error)
        kept_out = code in KEPT_OUT and canary.is_ended and shown.failures >= GIVEN_UP_AFTER
        if code in MESSAGE_GONE or kept_out:
            shown.gone = True
            shown.clean()
            _log.warning("slack.message.gone", canary=canary.id, error=code)
            return
        wait = asked_to_wait(error)
        if wait is not None:
            self._limiter.pause("chat.update", wait + 0.5)
            _log.warning("slack.rate_limited", method="chat.update", seconds=wait)
            return
        shown.failures += 1
        back_off = min(LONGEST_BACK_OFF, 2.0 ** min(shown.failures - 1, 6))
        if code in BAD_BLOCKS and not shown.plain:
            shown.plain, back_off = True, 0.0
        elif not code or is_setup(error):  # Slack as a whole, not this message
            self._limiter.pause("chat.update", LONGEST_BACK_OFF if is_setup(error) else back_off)
        shown.due_at, shown.order = self._now() + back_off, self._now()
        if shown.failures in {1, 5} or shown.failures % 60 == 0:
            what = f"The message about {canary.service} was not updated"
            _log.warning("slack.message.not_updated", canary=canary.id, why=explain(what, error))

    def _every(self) -> str | None:
        """How often messages are edited now, and why, where that is seldom; as measured."""
        waited, live = self._waiting.waited(), self._waiting.live()
        if waited < LONG:
            return None
        sharing, replicas = count(live, "canary", "canaries"), self._limiter.shared_by
        if replicas > 1:
            sharing += f" on one of {replicas} replicas"
        share = "shares" if live == 1 else "share"
        return f"~{duration(waited)} ({sharing} {share} Slack's limit)"

    def _rendered(self, shown: Shown, every: str | None = None) -> Message:
        """How the message should look; where a view has a fault, with less, and at last bare.

        So such a fault costs nothing but this message's looks: it is still sent once a state.
        """
        canary, now = shown.canary, self._clock.now()
        for plain in dict.fromkeys((shown.plain, True)):
            try:
                message = live_message(canary, now, plain=plain, every=every)
            except Exception:  # noqa: BLE001 - whatever a view does, the others go on
                if not shown.broken:
                    _log.exception("slack.message.not_rendered", canary=canary.id, plain=plain)
                shown.broken = True
            else:
                shown.broken = shown.broken and plain
                return message
        return _bare(canary)

    async def _sleep_or_news(self, seconds: float) -> None:
        waits = {
            asyncio.ensure_future(self._sleep(seconds)),
            asyncio.ensure_future(self._news.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


def _bare(canary: Canary) -> Message:
    """What can be said of a canary without any view."""
    said = f"{canary.service} {canary.revision} {describe(canary)}."
    text = escaped(f"{said} /canary show {canary.id} tells more.", TEXT_LENGTH)
    return Message(text, same=text)
