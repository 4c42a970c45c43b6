"""Traces of canaries, where somebody collects them; nothing is imported where nobody does."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from importlib.util import find_spec
from typing import Final, Protocol

import structlog

from bot.core.canary import Canary
from bot.ports.meters import Ended

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

log = structlog.get_logger()


class Traces(Protocol):
    """Where spans go: one trace a canary, whichever replicas have worked on it."""

    def span(self, work: str, canary: Canary) -> AbstractContextManager[Ended]:
        """Trace an effect, by its kind, while it is carried out."""
        ...

    def ended(self, canary: Canary, at: datetime) -> None:
        """The canary has ended: its own span can be told whole."""
        ...

    def stop(self) -> None:
        """Send what is left; may block for a second."""
        ...


class NoTraces:
    """Nobody collects them."""

    def span(self, work: str, canary: Canary) -> AbstractContextManager[Ended]:  # noqa: ARG002 - the protocol's names
        """Nothing."""
        return nullcontext(_unheard)

    def ended(self, canary: Canary, at: datetime) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


def _unheard(_outcome: object) -> None:
    """Nobody listens."""


NO_TRACES: Final[Traces] = NoTraces()


def make_traces(environment: Mapping[str, str] = os.environ) -> Traces:
    """Traces by OpenTelemetry's own variables; none where no endpoint is named.

    `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`) switches them on, `OTEL_SDK_DISABLED`
    off again; headers, sampler, service name and the rest are read by the SDK as everywhere.
    """
    if not any(environment.get(name) for name in ENDPOINTS):
        return NO_TRACES
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return NO_TRACES
    if not _installed():
        log.warning(
            "traces.off",
            why="an OTLP endpoint is named, but OpenTelemetry is not installed",
            do="pip install 'canarybot[otel]', or unset OTEL_EXPORTER_OTLP_ENDPOINT",
        )
        return NO_TRACES
    from bot.observed.spans import otlp_traces

    return otlp_traces(environment)


def _installed() -> bool:
    try:
        return bool(find_spec("opentelemetry.exporter.otlp.proto.http")) and bool(
            find_spec("opentelemetry.sdk.trace")
        )
    except ModuleNotFoundError:
        return False
