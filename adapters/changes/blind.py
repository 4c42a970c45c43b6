"""Why a change cannot be seen, raised deep inside a source and told as `Unseen` at its edge."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from bot.ports import PortError

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

_UNTIL: Final[ContextVar[float | None]] = ContextVar("until", default=None)


class Blind(PortError):  # noqa: N818 - it is an answer, not a fault
    """It cannot be told what a revision changes; what, why, and what to do next."""


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Bound what is inside, and let it know how long it has.

    Raises:
        TimeoutError: it took longer.

    """
    token = _UNTIL.set(asyncio.get_running_loop().time() + seconds)
    try:
        async with asyncio.timeout(seconds):
            yield
    finally:
        _UNTIL.reset(token)


def left() -> float:
    """Seconds that are left; without a bound, those of an ordinary question."""
    until = _UNTIL.get()
    return 20.0 if until is None else until - asyncio.get_running_loop().time()


async def at_once(*asked: Awaitable[T]) -> list[T]:
    """All answers; when one fails the others are ended, and have ended, before it is raised."""
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def both(first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """The same of two answers of their own kinds."""
    one, other = asyncio.ensure_future(first), asyncio.ensure_future(second)
    either: tuple[asyncio.Future[A], asyncio.Future[B]] = (one, other)
    await at_once(*either)
    return one.result(), other.result()
