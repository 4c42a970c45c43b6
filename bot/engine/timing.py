"""What every effect and every move has around it: its canary in the log, and its meter."""

from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from structlog.contextvars import bound_contextvars

from bot.core.canary import Canary
from bot.ports.meters import Meters

P = ParamSpec("P")
T = TypeVar("T")


class _Metered(Protocol):
    @property
    def _meters(self) -> Meters: ...


class _HasCanary(Protocol):
    @property
    def canary(self) -> Canary: ...


M = TypeVar("M", bound=_Metered)
S = TypeVar("S")
H = TypeVar("H", bound=_HasCanary)


def about(canary: Canary) -> Any:
    """Name the canary in every line that is logged inside, and in the tasks that begin there."""
    return bound_contextvars(canary_id=canary.id, service=canary.service, revision=canary.revision)


def timed(
    work: Callable[Concatenate[M, Canary, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[M, Canary, P], Coroutine[Any, Any, T]]:
    """Measure an effect by its kind; one without an effect by the method's name."""

    async def timing(self: M, canary: Canary, /, *args: P.args, **kwargs: P.kwargs) -> T:
        kind = str(getattr(args[0], "kind", "")) if args else work.__name__
        with self._meters.during(kind, canary) as ended:
            outcome = await work(self, canary, *args, **kwargs)
            ended(outcome)
            return outcome

    update_wrapper(timing, work)
    return timing


def named(
    work: Callable[Concatenate[S, H, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, H, P], Coroutine[Any, Any, T]]:
    """Name the canary it is about in all that is logged."""

    async def naming(self: S, held: H, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with about(held.canary):
            return await work(self, held, *args, **kwargs)

    update_wrapper(naming, work)
    return naming
