"""Spans by OpenTelemetry. A trace's id follows from its canary's, so that all replicas join one."""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags

from bot.core.canary import Canary, RolledBack
from bot.core.events import Observed, Prepared, ShiftFailed, WeightApplied
from bot.core.slo import NoData
from bot.ports.meters import Ended

NAMES: Final = {
    "observe": "look",
    "set_weight": "flip",
    "prepare": "prepare",
    "page": "page",
    "publish": "publish",
}
"""What effects are called in a trace; every other one is a post."""

STOP_PATIENCE: Final = 1.0

Attributes = dict[str, str | int | bool]


def otlp_traces(environment: Mapping[str, str]) -> "CanaryTraces":
    """Spans sent over OTLP/HTTP in the background, by the standard variables."""
    named = environment.get("OTEL_SERVICE_NAME") or "service.name" in environment.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    return CanaryTraces(
        BatchSpanProcessor(OTLPSpanExporter()),
        Resource.create({} if named else {"service.name": "canarybot"}),
    )


def ids_of(canary_id: str) -> tuple[int, int]:
    """A canary's trace id, and the id of its root span."""
    digest = hashlib.sha256(canary_id.encode()).digest()
    return int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1


class CanaryTraces:
    """One trace a canary: its root is told at its end, everything else as it happens."""

    def __init__(self, processor: SpanProcessor, resource: Resource | None = None) -> None:
        self._ids = _Ids()
        # Given up by `stop`; a hook at the interpreter's end would wait for a collector once more.
        self._provider = TracerProvider(
            resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("canarybot")

    @contextmanager
    def span(self, work: str, canary: Canary) -> Iterator[Ended]:
        """Trace an effect below its canary's root."""
        attributes = {**_about(canary), "canarybot.effect": work}
        with self._tracer.start_as_current_span(
            NAMES.get(work, "post"), self._below(canary.id), attributes=attributes
        ) as span:
            yield lambda outcome: _describe(span, outcome)

    def ended(self, canary: Canary, at: datetime) -> None:
        """Tell the canary's own span, from its start to its end."""
        attributes = {**_about(canary), "canarybot.end": canary.phase.kind}
        if isinstance(canary.phase, RolledBack):
            attributes["canarybot.cause"] = canary.phase.cause.kind
        with self._ids.being(*ids_of(canary.id)):
            span = self._tracer.start_span(
                "canary",
                Context(),
                attributes=attributes,
                start_time=_nanoseconds(canary.created_at),
            )
        span.end(_nanoseconds(at))

    def stop(self) -> None:
        """Send what is left, for a second at most: a collector that hangs must not hold us up."""
        leaving = threading.Thread(target=self._provider.shutdown, daemon=True)
        leaving.start()
        leaving.join(STOP_PATIENCE)

    def _below(self, canary_id: str) -> Context:
        trace_id, root = ids_of(canary_id)
        # The root is told last, so whether the trace is kept is asked for it here: of its id alone,
        # every replica finds the same.
        decision = self._provider.sampler.should_sample(None, trace_id, "canary").decision
        kept = decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if kept else TraceFlags.DEFAULT)
        parent = SpanContext(trace_id, root, is_remote=True, trace_flags=flags)
        return trace.set_span_in_context(NonRecordingSpan(parent), Context())


class _Ids(IdGenerator):
    """Random ids, but for a root, whose are given."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self._given: ContextVar[tuple[int, int] | None] = ContextVar("given", default=None)

    @contextmanager
    def being(self, trace_id: int, span_id: int) -> Iterator[None]:
        """Give the next span these ids."""
        token = self._given.set((trace_id, span_id))
        try:
            yield
        finally:
            self._given.reset(token)

    def generate_trace_id(self) -> int:
        given = self._given.get()
        return given[0] if given else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        given = self._given.get()
        return given[1] if given else self._random.generate_span_id()


def _about(canary: Canary) -> Attributes:
    return {
        "canarybot.canary_id": canary.id,
        "canarybot.service": canary.service,
        "canarybot.revision": canary.revision,
        "canarybot.tier": canary.plan.tier,
        "canarybot.phase": canary.phase.kind,
    }


def _describe(span: Span, outcome: object) -> None:
    """What an effect came to."""
    match outcome:
        case WeightApplied(weight=weight):
            span.set_attribute("canarybot.weight", str(weight))
        case ShiftFailed(weight=weight, reason=reason):
            span.set_attribute("canarybot.weight", str(weight))
            span.set_status(Status(StatusCode.ERROR, reason))
        case Prepared(split=NoData(reason=reason)):
            span.set_status(Status(StatusCode.ERROR, reason))
        case Observed(metrics=metrics, logs=logs, readiness=readiness, split=split):
            sources = {"metrics": metrics, "logs": logs, "readiness": readiness, "router": split}
            for name, answer in sources.items():
                if isinstance(answer, NoData):
                    span.set_attribute(f"canarybot.blind.{name}", answer.reason)
        case _:
            pass


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
