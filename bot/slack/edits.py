"""The edits of the canaries' messages: latest state wins, within one limiter for the app."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.core.canary import Canary, Ended
from bot.ports import Clock, PortError, Turn
from bot.slack.faults import BAD_BLOCKS, BROKEN, MESSAGE_GONE, error_code, explain, is_setup
from bot.slack.faults import retry_after as asked_to_wait
from bot.slack.limiter import Limiter
from bot.slack.posting import MessageClient
from bot.slack.views.canary import live_message

SHORTEST_INTERVAL: Final = 3.0
INTERVAL_EACH: Final = 1.3
"""Seconds between two edits of one message, for every live one: they share 50 edits a minute."""

LONGEST_BACK_OFF: Final = 60.0
ENDED_KEPT: Final = 200

OVERTAKEN: Final = timedelta(minutes=1)
"""How far behind the engine the answer to a click may be."""

IsOurs = Callable[[str], Awaitable[bool]]
"""Whether this replica still has a canary, by its id."""

_log = structlog.get_logger()


@dataclass(slots=True)
class _Shown:
    """One message: the newest state, and what Slack shows by now."""

    canary: Canary
    dirty: bool = True
    urgent: bool = True
    order: float = 0.0
    same: str = ""
    phase: str = ""
    due_at: float = 0.0
    failures: int = 0
    gone: bool = False
    plain: bool = False
    settled: asyncio.Event | None = None

    def clean(self) -> None:
        """Slack shows it, or never will."""
        self.dirty = self.urgent = False
        if self.settled is not None:
            self.settled.set()
            self.settled = None


async def always(_canary_id: str) -> bool:
    """For a bot that is alone."""
    return True


class Edits:
    """Edits in the background: whatever Slack does, `show` neither waits nor fails.

    A single worker sends the newest state of each message; states in between are dropped. A new
    phase goes first, then whoever waits longest. `is_ours` is asked before each edit: a replica
    that was stopped for a while must not write an old state over a newer one.
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
        self._shown: dict[str, _Shown] = {}
        self._news = asyncio.Event()
        self._wakes_at = math.inf
        self._worker: asyncio.Task[None] | None = None

    def show(self, canary: Canary, *, urgent: bool = False) -> None:
        """Bring the message up to this state, soon; `urgent` for the answer to a click."""
        if canary.thread is None:
            return
        shown = self._shown.get(canary.id)
        if shown is None:
            shown = self._shown[canary.id] = _Shown(canary, order=self._now())
        elif _is_older(canary, shown.canary):
            return  # the answer to a click that was overtaken by the engine
        if not shown.dirty:
            shown.order = self._now()
        moved = canary.phase.kind != shown.phase
        shown.canary, shown.dirty = canary, not shown.gone
        shown.urgent = shown.urgent or urgent or moved
        if moved:
            shown.due_at = 0.0
        if shown.dirty and self._due_at(shown) < self._wakes_at:
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
        self.show(canary)
        shown = self._shown.get(canary.id)
        if turn.again and shown is not None and not shown.gone:
            shown.same, shown.dirty = "", True
            self._news.set()
        while (shown := self._shown.get(canary.id)) is not None and shown.dirty:
            settled = shown.settled = shown.settled or asyncio.Event()
            await settled.wait()

    async def stop(self, patience: float) -> None:
        """Send what is urgent for up to `patience` seconds, then end the worker."""
        until = self._now() + patience
        while self._now() < until and any(s.dirty and s.urgent for s in self._shown.values()):
            await self._sleep(0.05)
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None

    async def _work(self) -> None:
        """Send for ever; a fault of one message never ends it."""
        while True:
            self._news.clear()
            self._wakes_at = min(map(self._due_at, self._waiting()), default=math.inf)
            wait = self._wakes_at - self._now()
            if wait == math.inf:
                await self._news.wait()
            elif wait > 0:
                await self._sleep_or_news(wait)
            elif self._settled():
                await asyncio.sleep(0)
            else:
                await self._limiter.take("chat.update")
                await self._send_one()

    def _settled(self) -> bool:
        """Whether the next message looks already as it should, which costs no rate limit.

        Only the next one is rendered: of thousands of canaries hundreds change every second, and
        Slack takes less than one edit a second.
        """
        shown = self._pick()
        if shown is None or not self._is_shown(shown):
            return False
        shown.clean()
        return True

    async def _send_one(self) -> None:
        shown = self._pick()
        if shown is None:
            return
        canary = shown.canary
        try:
            await self._send(shown, canary)
        except BROKEN as error:
            self._failed(shown, error)
        except PortError as error:  # nobody knows whose it is
            shown.due_at = self._now() + SHORTEST_INTERVAL
            shown.failures += 1
            _log.warning("slack.message.held_back", canary=canary.id, why=str(error))
        except Exception as error:  # noqa: BLE001 - a view's fault must not stop the others
            _log.exception("slack.message.not_rendered", canary=canary.id)
            self._failed(shown, error)

    async def _send(self, shown: _Shown, canary: Canary) -> None:
        assert canary.thread is not None
        message = live_message(canary, self._clock.now(), plain=shown.plain)
        if message.same != shown.same:
            if not await self._is_ours(canary.id):
                _log.info("slack.message.not_ours", canary=canary.id)
                shown.clean()
                del self._shown[canary.id]
                return
            await self._client.chat_update(
                channel=canary.thread.channel,
                ts=canary.thread.ts,
                text=message.text,
                blocks=message.blocks,
            )
        shown.same, shown.phase, shown.failures = message.same, canary.phase.kind, 0
        shown.due_at = self._now() + self._interval()
        if shown.canary is canary:  # nothing newer came while Slack answered
            shown.clean()
            self._forget()

    def _failed(self, shown: _Shown, error: Exception) -> None:
        """Decide whether, when and how it is tried again; the state itself is never dropped."""
        canary, code = shown.canary, error_code(error)
        if code in MESSAGE_GONE:
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

    def _interval(self) -> float:
        live = sum(not s.canary.is_ended and not s.gone for s in self._shown.values())
        return max(SHORTEST_INTERVAL, INTERVAL_EACH * live)

    def _due_at(self, shown: _Shown) -> float:
        return shown.due_at if shown.failures or not shown.urgent else 0.0

    def _waiting(self) -> list[_Shown]:
        return [shown for shown in self._shown.values() if shown.dirty]

    def _is_shown(self, shown: _Shown) -> bool:
        try:
            message = live_message(shown.canary, self._clock.now(), plain=shown.plain)
        except Exception:  # noqa: BLE001 - reported where it is sent
            return False
        return message.same == shown.same

    def _pick(self) -> _Shown | None:
        """Ends first, then new phases and clicks, then the one that waits longest."""
        now = self._now()
        due = [shown for shown in self._waiting() if self._due_at(shown) <= now]
        return min(due, key=lambda s: (not s.canary.is_ended, not s.urgent, s.order), default=None)

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

    def _forget(self) -> None:
        """Keep the last few ended ones, so that a late `show` of theirs is known as such."""
        ended = [key for key, s in self._shown.items() if s.canary.is_ended and not s.dirty]
        for key in ended[: max(0, len(ended) - ENDED_KEPT)]:
            del self._shown[key]


def _is_older(canary: Canary, shown: Canary) -> bool:
    """Whether a state is from before the one that is shown.

    By the times of their phases, but not by much: a clock that was set back makes what comes next
    look older than what was.
    """
    earlier = _began(shown) - _began(canary)
    return timedelta(0) < earlier < OVERTAKEN or shown.is_ended > canary.is_ended


def _began(canary: Canary) -> datetime:
    """When the canary's phase began."""
    phase = canary.phase
    return phase.at if isinstance(phase, Ended) else phase.since
