"""Ports that measure what they pass on: the engine asks them as it would ask the real ones."""

import asyncio
import inspect
import time
from collections.abc import Callable
from dataclasses import fields, replace
from functools import wraps
from typing import Any, Final, TypeVar, cast

from bot.core.change import Unseen
from bot.core.slo import NoData
from bot.ports import (
    Alarm,
    CanaryStore,
    ChangeSource,
    Conflict,
    Declined,
    Notice,
    Pager,
    PortError,
    ServiceBusy,
    Services,
    Subscriber,
)
from bot.ports.meters import Meters, Part, Trouble

T = TypeVar("T")

GIVEN_UP: Final = 0.9
"""Seconds: what is cancelled after so long was waited for in vain; every deadline is longer."""

Tell = Callable[[str, float, Trouble | None], None]
"""Hears of every call: the method's name, its seconds, and what went wrong."""


def metered_store(store: CanaryStore, meters: Meters) -> CanaryStore:
    """The same store, whose every call is measured."""
    return cast(CanaryStore, _Metered(store, meters.store_asked))


def metered_services(services: Services, meters: Meters) -> Services:
    """The same adapters, whose every call is measured."""
    found: dict[str, Any] = {}
    for name, ports in services.items():
        made = {
            field.name: _Metered(adapter, _asked(meters, cast(Part, field.name), name))
            for field in fields(ports)
            if (adapter := getattr(ports, field.name)) is not None
        }
        found[name] = replace(ports, **made)
    return found


def metered_changes(source: ChangeSource, service: str, meters: Meters) -> ChangeSource:
    """The same source of changes, whose every call is measured."""
    return cast(ChangeSource, _Metered(source, _asked(meters, "changes", service)))


def metered_pager(pager: Pager, meters: Meters) -> Pager:
    """The same pager, whose every call is measured."""
    return _MeteredPager(pager, meters)


def metered_subscriber(name: str, subscriber: Subscriber, meters: Meters) -> Subscriber:
    """The same subscriber, by its configured name, whose every delivery is counted."""
    return _MeteredSubscriber(name, subscriber, meters)


def trouble_of(error: BaseException) -> Trouble | None:
    """What kind of trouble an exception tells of; None of one that is an answer."""
    if isinstance(error, Conflict | ServiceBusy):
        return None
    if isinstance(error, Declined):
        return "declined"
    if _timed_out(error):
        return "timeout"
    return "unreachable" if isinstance(error, PortError) else "fault"


def _timed_out(error: BaseException | None) -> bool:
    """Whether a wait that ended in vain is at the bottom of it."""
    seen = 0
    while error is not None and seen < 8:
        if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


class _Metered:
    """Any port: what can be awaited is measured, all else is the port's own.

    The wrapped methods are attributes of this object, so that one that remembers (`MetricHistory`)
    is still known by what it has.
    """

    def __init__(self, inner: object, tell: Tell) -> None:
        self._inner = inner
        for name in dir(type(inner)):
            if not name.startswith("_") and inspect.iscoroutinefunction(
                getattr(type(inner), name, None)
            ):
                setattr(self, name, _measuring(name, getattr(inner, name), tell))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _measuring(name: str, call: Callable[..., Any], tell: Tell) -> Callable[..., Any]:
    @wraps(call)
    async def measured(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            answer = await call(*args, **kwargs)
        except asyncio.CancelledError:
            took = time.perf_counter() - began
            if took >= GIVEN_UP:
                tell(name, took, "timeout")
            raise
        except Exception as error:
            tell(name, time.perf_counter() - began, trouble_of(error))
            raise
        blind = isinstance(answer, NoData | Unseen)
        tell(name, time.perf_counter() - began, "no_data" if blind else None)
        return answer

    return measured


def _asked(meters: Meters, part: Part, service: str) -> Tell:
    def tell(_name: str, seconds: float, trouble: Trouble | None) -> None:
        meters.port_asked(part, service, seconds, trouble)

    return tell


class _MeteredPager:
    def __init__(self, inner: Pager, meters: Meters) -> None:
        self._inner = inner
        self._meters = meters

    async def page(self, alarm: Alarm) -> None:
        await _measuring("page", self._inner.page, _asked(self._meters, "pager", alarm.service))(
            alarm
        )


class _MeteredSubscriber:
    def __init__(self, name: str, inner: Subscriber, meters: Meters) -> None:
        def tell(_method: str, _seconds: float, trouble: Trouble | None) -> None:
            meters.delivered(name, trouble)

        self._notify = _measuring("notify", inner.notify, tell)

    async def notify(self, notice: Notice) -> None:
        await self._notify(notice)
