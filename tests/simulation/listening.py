"""Hears what the engine logs: an unexpected exception that it swallowed is a finding."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from logging import DEBUG, ERROR
from typing import TYPE_CHECKING, Any, NoReturn

import structlog

if TYPE_CHECKING:
    from simulation.rollout import Rollout


@contextmanager
def listen_to_logs(rollout: "Rollout") -> Iterator[None]:
    """Into the trace with everything, to the oracle with exceptions."""

    def hear(_: Any, method: str, event: MutableMapping[str, Any]) -> NoReturn:
        name = event.pop("event")
        error = event.pop("exc_info", None)
        if rollout.verbose:
            rollout.say("log", str(name), " ".join(f"{k}={v}" for k, v in event.items()))
        if method in {"exception", "error", "critical"}:
            if error is True:
                import sys

                error = sys.exc_info()[1]
            rollout.oracle.say(f"{name}: {error!r} {dict(event)}")
        raise structlog.DropEvent

    before = structlog.get_config()
    level = DEBUG if rollout.verbose else ERROR
    structlog.configure(
        processors=[hear],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)
