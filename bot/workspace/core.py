"""The workspace itself: its parts put together, and what they count."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from bot.workspace.delivery import Delivery
from bot.workspace.faults import Faults
from bot.workspace.keeping import Keeping
from bot.workspace.limits import RateLimits
from bot.workspace.links import Links
from bot.workspace.live import Live
from bot.workspace.settings import Settings
from bot.workspace.store import SLACKBOT, Message, Store
from bot.workspace.wire import Json

NOTICES_KEPT = 50


@dataclass(slots=True)
class Counts:
    """What happened since the start or the last reset."""

    calls: Counter[str] = field(default_factory=Counter)
    rate_limited: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    unacknowledged: int = 0
    undelivered: int = 0

    def wire(self) -> Json:
        """Show the counts to the control API."""
        return {
            "calls": dict(self.calls),
            "rate_limited": dict(self.rate_limited),
            "errors": dict(self.errors),
            "delivered": dict(self.delivered),
            "unacknowledged": self.unacknowledged,
            "undelivered": self.undelivered,
        }


class Workspace:
    """A small Slack: one team, one app, some people."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.live = Live()
        self.links = Links(settings, self.live.change)
        self.delivery = Delivery(settings, self.links)
        self.faults = Faults()
        self.base_url = ""
        # The server's open connections; the runner shares them so that they can be cut.
        self.connections: set[Any] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeping = Keeping(settings.keep) if settings.keep else None
        self._start_anew()

    def _start_anew(self) -> None:
        self.store = Store(self.settings)
        if self._keeping is not None:
            self._keeping.fill(self.store)
        self.limits = RateLimits(self.settings.rate_limits)
        self.counts = Counts()
        self.notices: dict[str, list[Json]] = defaultdict(list)

    def reset(self) -> None:
        """Forget everything but the app's connections."""
        if self._keeping is not None:
            self._keeping.clear()
        self._start_anew()
        self.faults.clear()
        self.live.change()

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that nobody waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop what runs in the background."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.delivery.close()
        if self._keeping is not None:
            self._keeping.close()

    def tell(self, user: str, channel: str | None, text: str) -> None:
        """Tell one person something as Slackbot does, or as a notice outside of channels."""
        if channel is not None:
            self.store.add(
                Message(channel, self.store.clock.next(), SLACKBOT, text, only_for=user)
            )
        notices = self.notices[user]
        notices.append({"id": self.store.clock.next(), "text": text})
        del notices[:-NOTICES_KEPT]
        self.live.change()

    def cut(self, connection: HTTPConnection) -> None:
        """Tear a connection without a word, as a broken network does."""
        for protocol in tuple(self.connections):
            if protocol.client == tuple(connection.scope["client"] or ()):
                protocol.transport.abort()
