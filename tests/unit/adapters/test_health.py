"""Answers of health endpoints in the shapes that are common."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.readiness.health import readiness

DOWN = "connection refused"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {
                "status": "ok",
                "revision": "v2",
                "components": {
                    "db": {"status": "up"},
                    "queue": {"status": "down", "reason": DOWN},
                },
            },
            {"db": "", "queue": DOWN},
        ),
        (
            {  # Spring Boot Actuator
                "status": "DOWN",
                "components": {
                    "db": {"status": "UP", "details": {"database": "PostgreSQL"}},
                    "brokers": {
                        "status": "DOWN",
                        "components": {
                            "kafka": {"status": "DOWN", "details": {"error": DOWN}},
                            "rabbit": {"status": "UP"},
                        },
                    },
                },
                "groups": ["liveness"],
            },
            {"db": "", "brokers.kafka": '{"error": "connection refused"}', "brokers.rabbit": ""},
        ),
        (
            {  # health+json
                "status": "pass",
                "version": "1",
                "releaseId": "1.2.2",
                "checks": {
                    "db:responseTime": [
                        {"componentId": "a", "observedValue": 250, "status": "pass"},
                        {"componentId": "b", "status": "fail", "output": DOWN},
                    ],
                    "uptime": [{"status": "pass"}],
                },
            },
            {"db:responseTime": DOWN, "uptime": ""},
        ),
        (
            {  # MicroProfile
                "status": "DOWN",
                "checks": [
                    {"name": "db", "status": "UP", "data": {}},
                    {"name": "queue", "status": "DOWN", "message": DOWN},
                    {"status": "UP"},
                ],
            },
            {"db": "", "queue": DOWN, "check 3": ""},
        ),
        (
            {  # Terminus
                "status": "error",
                "info": {"db": {"status": "up"}},
                "error": {"queue": {"status": "down", "message": DOWN}},
                "details": {"db": {"status": "up"}, "queue": {"status": "down", "message": DOWN}},
            },
            {"db": "", "queue": DOWN},
        ),
        (
            {  # ASP.NET
                "status": "Unhealthy",
                "totalDuration": "00:00:00.1",
                "entries": {
                    "db": {"status": "Healthy"},
                    "queue": {"status": "Unhealthy", "description": DOWN},
                },
            },
            {"db": "", "queue": DOWN},
        ),
        ({"db": True, "queue": "down"}, {"db": "", "queue": "not ready"}),
        ({"status": "ok", "db": "OK", "uptime": 12, "host": "web-1", "mail": "bob"}, {"db": ""}),
        (
            {"db": {"ok": True}, "queue": {"healthy": False, "error": DOWN}},
            {"db": "", "queue": DOWN},
        ),
        ({"status": "UP"}, {"http": ""}),
        ({}, {"http": ""}),
        ({"status": "down", "reason": DOWN}, {"service": DOWN}),
        ({"ready": False}, {"service": "not ready"}),
        (
            {"status": "DOWN", "components": {"db": {"status": "UP"}}},
            {"db": "", "service": "not ready"},
        ),
        ({"components": {"db": {"status": "sideways"}}}, {"db": "it says 'sideways'"}),
        ({"components": {"db": "OUT-OF-SERVICE"}}, {"db": "out_of_service"}),
        ({"components": {"db": None}}, {"db": "it says null"}),
        ({"components": {"db": {"latency_ms": 3}}}, {"db": ""}),
        ({"checks": {"db": {"status": "warn", "output": "slow"}}}, {"db": ""}),
        ({"status": "ok", "details": {"region": "eu", "free": 12}}, {"http": ""}),
        ({"status": "ok", "services": ["mail", "shop"]}, {"http": ""}),
        (
            {"components": {"db": {"status": "down", "error": "password=hunter2"}}},
            {"db": "password=<secret>"},
        ),
    ],
)
def test_components_are_found_wherever_they_stand(
    answer: dict[str, Any], expected: dict[str, str]
) -> None:
    """With 200, too, a component that is down is down, with its reason; the rest is ready."""
    found = readiness(200, json.dumps(answer))
    assert [each.name for each in found.components] == list(expected)
    for component in found.components:
        reason = expected[component.name]
        assert component.ready is (reason == "")
        if reason not in {"", "not ready"}:
            assert reason in component.reason


def test_a_doubtful_component_is_ready_with_a_reason() -> None:
    """Degraded works; what there is to look at is told."""
    found = readiness(200, '{"components": {"db": {"status": "degraded"}, "mq": "warn"}}')
    assert [(each.ready, each.reason) for each in found.components] == [
        (True, "degraded"),
        (True, "warn"),
    ]


def test_an_error_status_is_believed_over_components_that_look_well() -> None:
    """503 with everything up is not ready; with something down that says enough."""
    well = readiness(503, '{"components": {"db": "up"}}')
    assert [(each.name, each.reason) for each in well.failing] == [("http", "answered 503")]
    down = readiness(503, '{"components": {"db": "down"}}')
    assert [each.name for each in down.failing] == ["db"]


@pytest.mark.parametrize(
    ("answer", "field", "revision"),
    [
        ({"revision": "v2", "version": "7"}, None, "v2"),
        ({"version": 7}, None, "7"),
        ({"version": {"major": 1}}, None, None),
        ({"revision": ""}, None, None),
        ({"build": {"commit": "abc"}, "revision": "x"}, "build.commit", "abc"),
        ({"revision": "x"}, "commit", None),
    ],
)
def test_the_revision_is_told_where_it_is(
    answer: dict[str, Any], field: str | None, revision: str | None
) -> None:
    """`revision`, else `version`, else the field that is configured."""
    assert readiness(200, json.dumps(answer), field).revision == revision


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["up", "down", "status"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "components", "checks", "details", "db", "error"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([200, 204, 302, 404, 500]))
def test_whatever_a_backend_answers_it_is_read(answer: object, status: int) -> None:
    """No answer is too strange: there is always at least one component."""
    found = readiness(status, json.dumps(answer))
    assert found.components
    assert (200 <= status < 300) or found.failing
    assert all(len(component.reason) <= 1000 for component in found.components)
