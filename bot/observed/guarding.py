"""The one place that keeps a failing meter from stopping anything."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, cast

import structlog

from bot.ports.meters import Ended, Meters

Complain = Callable[[str, Exception], None]

log = structlog.get_logger()


def harmless(meters: Meters) -> Meters:
    """The same meters, whose faults stop nobody; those of each method are logged once."""
    return cast(Meters, _Harmless(meters))


class _Harmless:
    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._failed: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        told = getattr(self._meters, name)

        def safely(*args: Any, **kwargs: Any) -> Any:
            try:
                answer = told(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - a count is never worth a rollback
                self._complain(name, error)
                answer = nullcontext(_unheard) if name == "during" else None
            return _Measured(answer, self._complain) if name == "during" else answer

        self.__dict__[name] = safely  # looked up once
        return safely

    def _complain(self, name: str, error: Exception) -> None:
        if name not in self._failed:
            self._failed.add(name)
            log.error("meters.failed", meter=name, exc_info=error)


def _unheard(_outcome: object) -> None:
    """Nobody listens."""


class _Measured:
    """A measurement that never fails, and never keeps back what fails inside it."""

    def __init__(self, inner: AbstractContextManager[Ended], complain: Complain) -> None:
        self._inner = inner
        self._complain = complain
        self._ended: Ended | None = None

    def __enter__(self) -> Ended:
        try:
            self._ended = self._inner.__enter__()
        except Exception as error:  # noqa: BLE001 - as above
            self._complain("during", error)
        return self._tell

    def _tell(self, outcome: object) -> None:
        try:
            if self._ended is not None:
                self._ended(outcome)
        except Exception as error:  # noqa: BLE001 - as above
            self._complain("during", error)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ended is None:
            return
        try:
            self._inner.__exit__(kind, raised, trace)
        except Exception as error:  # noqa: BLE001 - as above
            if error is not raised:
                self._complain("during", error)
