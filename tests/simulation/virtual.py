"""An event loop in virtual time, in which whole processes can be stopped, resumed and killed."""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

OWNER: ContextVar["Process | None"] = ContextVar("owner", default=None)
"""Whose callback runs; None for the world outside."""


class Process:
    """A process whose callbacks run only while it is neither stopped nor dead."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.stopped = False
        self.backlog: list[asyncio.Handle] = []
        self.context = copy_context()
        self.context.run(OWNER.set, self)

    @property
    def runs(self) -> bool:
        """Whether its callbacks are run now."""
        return not (self.dead or self.stopped)


class Stuck(Exception):  # noqa: N818 - it says how a rollout ended
    """Nothing is ready and no timer is set: nothing will ever happen again."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Time passes only when nothing is ready, and then at once up to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._soon: deque[tuple[Process | None, asyncio.Handle]] = deque()
        self._timers: list[tuple[float, int, Process | None, asyncio.TimerHandle]] = []
        self._count = itertools.count()
        self._made: list[asyncio.Task[Any]] = []
        self.faults: list[str] = []

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Run this in the next turn."""
        context = context or copy_context()
        handle = asyncio.Handle(callback, args, self, context)
        self._soon.append((context.get(OWNER), handle))
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run this at a virtual time."""
        context = context or copy_context()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        owner = context.get(OWNER)
        heapq.heappush(self._timers, (when, next(self._count), owner, handle))
        return handle

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Begin a task; it is remembered, so that what a killed process left can be put away."""
        task = asyncio.Task(coro, loop=self, context=context)
        self._made.append(task)
        return task

    def run_in_executor(
        self, executor: Any, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run at once and here: a thread would come back at a moment of its own."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits the thread
            future.set_exception(error)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what nobody caught; that a killed process leaves tasks behind is no fault."""
        if "never retrieved" not in context["message"] and "exception" in context:
            self.faults.append(f"{context['message']}: {context['exception']!r}")

    def resume(self, process: Process) -> None:
        """Let a stopped process go on: everything that came due meanwhile runs now."""
        process.stopped = False
        self._soon.extend((process, handle) for handle in process.backlog)
        process.backlog.clear()

    def turn(self) -> None:
        """Run everything that is ready; when nothing is, go to the next timer first.

        Raises:
            Stuck: there is nothing to wait for.

        """
        timers = self._timers
        while timers and timers[0][3].cancelled():
            heapq.heappop(timers)
        if not self._soon:
            if not timers:
                raise Stuck
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            _, _, owner, timer = heapq.heappop(timers)
            self._soon.append((owner, timer))
        for _ in range(len(self._soon)):
            owner, handle = self._soon.popleft()
            if handle.cancelled():
                continue
            if owner is None or owner.runs:
                handle._run()
            elif not owner.dead:
                owner.backlog.append(handle)

    def put_away(self) -> None:
        """Close what is still under way, without running any more of it than its clean-up."""
        for task in self._made:
            if not task.done():
                coroutine = task.get_coro()
                with suppress(RuntimeError):  # it waits even now: nobody listens any more
                    coroutine.close()
        self._made.clear()
        self._soon.clear()
        self._timers.clear()
        self.close()
