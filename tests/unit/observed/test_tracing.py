"""Traces: one a canary over all replicas, whole at its end, and nothing at all when off."""

import subprocess
import sys
from datetime import timedelta

import pytest
from builders import NOON, a_canary
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from unit.observed.watched import replica
from world import Outside, a_start, a_store

from bot.core.canary import Cause, RolledBack
from bot.observed import NO_TRACES, PrometheusMeters, make_traces
from bot.observed.spans import CanaryTraces, ids_of
from bot.ports import PortError


def traced() -> tuple[CanaryTraces, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    return CanaryTraces(SimpleSpanProcessor(exporter)), exporter


def named(spans: tuple[ReadableSpan, ...], name: str) -> list[ReadableSpan]:
    return [span for span in spans if span.name == name]


async def test_a_canary_is_one_trace() -> None:
    """Prepare, flips, looks and posts hang below the canary's span, which lasts as long as it."""
    traces, exporter = traced()
    meters = PrometheusMeters(traces=traces)
    async with replica(Outside(error_rate=0.5), a_store(), meters) as bot:
        await bot.service.start(a_start(window=timedelta(seconds=30)))
        canary = await bot.until("shop-abc123", lambda canary: canary.is_finished)

    spans = exporter.get_finished_spans()
    trace_id, root_id = ids_of(canary.id)
    assert {span.name for span in spans} == {"canary", "prepare", "flip", "look", "post"}
    [root] = named(spans, "canary")
    assert root.parent is None
    assert root.context is not None
    assert (root.context.trace_id, root.context.span_id) == (trace_id, root_id)
    assert root.start_time == int(canary.created_at.timestamp() * 1e6) * 1000
    assert root.attributes is not None
    assert root.attributes["canarybot.end"] == "rolled_back"
    assert root.attributes["canarybot.cause"] == "breach"
    for span in spans:
        assert span.context is not None
        assert span.context.trace_id == trace_id
        assert span is root or (span.parent is not None and span.parent.span_id == root_id)
        assert span.attributes is not None
        assert span.attributes["canarybot.service"] == "shop"
    assert [str(s.attributes and s.attributes["canarybot.weight"]) for s in named(spans, "flip")] \
        == ["5 %", "0 %"]  # fmt: skip


def test_replicas_join_one_trace() -> None:
    """The ids follow from the canary's, whichever process asks."""
    (one, first), (two, second) = traced(), traced()
    for traces in (one, two):
        with traces.span("observe", a_canary()):
            pass
    [mine], [theirs] = first.get_finished_spans(), second.get_finished_spans()

    assert mine.context is not None
    assert theirs.context is not None
    assert mine.parent is not None
    assert theirs.parent is not None
    assert mine.context.trace_id == theirs.context.trace_id
    assert mine.context.span_id != theirs.context.span_id
    assert mine.parent.span_id == theirs.parent.span_id
    assert ids_of("shop-1") != ids_of("shop-2")


def test_a_sampler_keeps_a_trace_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of the canaries is kept, each with all its spans: replicas decide by the id."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    traces, exporter = traced()
    end = RolledBack(Cause("abort", "…"), NOON, timedelta(0))
    for number in range(60):
        canary = a_canary(id=f"shop-{number}")
        with traces.span("observe", canary):
            pass
        traces.ended(a_canary(id=canary.id, phase=end), NOON)

    whole: dict[object, list[str]] = {}
    for span in exporter.get_finished_spans():
        assert span.attributes is not None
        whole.setdefault(span.attributes["canarybot.canary_id"], []).append(span.name)
    assert 10 < len(whole) < 50
    assert all(names == ["look", "canary"] for names in whole.values())


def test_what_fails_is_marked_so() -> None:
    traces, exporter = traced()
    with pytest.raises(PortError), traces.span("tell", a_canary()):
        raise PortError("Slack does not answer")

    [span] = exporter.get_finished_spans()
    assert span.name == "post"
    assert span.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(
    "environment",
    [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
     {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}],
)  # fmt: skip
def test_nothing_is_traced_unless_a_collector_is_named(environment: dict[str, str]) -> None:
    assert make_traces(environment) is NO_TRACES


def test_a_missing_extra_is_said_and_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.observed.tracing._installed", lambda: False)

    assert make_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}) is NO_TRACES


def test_nothing_is_imported_when_it_is_off() -> None:
    """Who has no collector does not pay for one, and needs no extra."""
    code = (
        "import sys; from bot.observed import make_traces, PrometheusMeters;"
        "make_traces({}); PrometheusMeters();"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
