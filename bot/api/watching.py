"""Waiting for news of a canary: one look for all who wait for the same one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Literal

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from bot.api.desk import Parts
from bot.api.doorkeeper import Caller
from bot.api.problems import Problem
from bot.api.shapes import State
from bot.api.states import has_ended, is_news
from bot.core.canary import Canary
from bot.ports import PortError

LOOK_EVERY: Final = 0.5
"""Seconds; of a canary that this replica works on a look costs nothing."""

MOST_LOOKS: Final = 1000
HEARTBEAT: Final = 15.0
RETRY_MS: Final = 2000

MOST_SEATS: Final = {"streams": 20, "waits": 100}
"""Of one token at one replica, under way at once."""


@contextmanager
def seat(parts: Parts, caller: Caller, kind: Literal["streams", "waits"]) -> Iterator[None]:
    """Room for one more of this token's, until it is over.

    Raises:
        Problem: 429, it has as many as one token gets.

    """
    key, most = (caller.name, kind), MOST_SEATS[kind]
    if parts.seats[key] >= most:
        raise Problem(
            429,
            "too-many-under-way",
            f"The token {caller.name} has {most} {kind} under way here, which is as many as one "
            "token gets. Nothing was done.",
            "End one of them, ask without waiting, or use a token for each team.",
            {"Retry-After": "5"},
        )
    parts.seats[key] += 1
    try:
        yield
    finally:
        parts.seats[key] -= 1
        if not parts.seats[key]:
            del parts.seats[key]


class Events(StreamingResponse):
    """A canary's changes, for as long as somebody listens."""

    def __init__(self, parts: Parts, caller: Caller, canary: Canary, last: str) -> None:
        headers = {"X-Accel-Buffering": "no"}
        super().__init__(stream(parts, canary, last), 200, headers, "text/event-stream")
        self._parts = parts
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them, if there is room for one more listener; 429 otherwise."""
        with seat(self._parts, self._caller, "streams"):
            await super().__call__(scope, receive, send)


async def news(parts: Parts, canary: Canary, seen: str, wait: float) -> State:
    """The canary once it has changed since `seen` or has ended; after `wait` seconds, as it is."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    state = parts.told(canary)
    while not (is_news(state, seen) or has_ended(state)):
        left = until - loop.time()
        if left <= 0 or await _leaves(parts, min(left, LOOK_EVERY)):
            break
        found = await _look(parts, canary)
        if found != canary:
            canary, state = found, parts.told(found)
    return state


async def stream(parts: Parts, canary: Canary, seen: str) -> AsyncIterator[str]:
    """Server-sent events: the state at each change, a comment while there is none.

    Args:
        parts: what all routes share.
        canary: which.
        seen: the last event's id, of whoever comes back.

    """
    yield f"retry: {RETRY_MS}\n\n"
    loop = asyncio.get_running_loop()
    quiet_since = loop.time()
    state = parts.told(canary)
    while True:
        if state.version != seen:
            seen, quiet_since = state.version, loop.time()
            yield f"id: {seen}\nevent: {_kind(state)}\ndata: {state.model_dump_json()}\n\n"
        if has_ended(state) or await _leaves(parts, LOOK_EVERY):
            return
        if loop.time() - quiet_since >= HEARTBEAT:
            quiet_since = loop.time()
            yield ": still here\n\n"
        with suppress(PortError):  # a store that is away for a moment is no news
            found = await _look(parts, canary)
            if found != canary:
                canary, state = found, parts.told(found)


def _kind(state: State) -> str:
    return "end" if has_ended(state) else "state"


async def _look(parts: Parts, canary: Canary) -> Canary:
    """As it is now; who asks a moment after another one gets the same answer."""
    looks, now = parts.looks, asyncio.get_running_loop().time()
    if len(looks) >= MOST_LOOKS:
        looks.clear()
    at, look = looks.get(canary.id, (0.0, None))
    if look is None or now - at >= LOOK_EVERY / 2:
        look = asyncio.ensure_future(parts.desk.find(canary.id))
        looks[canary.id] = now, look
    return await asyncio.shield(look) or canary


async def _leaves(parts: Parts, seconds: float) -> bool:
    """Let time pass; whether this replica leaves, and whoever waits is to ask another one."""
    with suppress(TimeoutError):
        await asyncio.wait_for(parts.leaving.wait(), seconds)
    return parts.leaving.is_set()
