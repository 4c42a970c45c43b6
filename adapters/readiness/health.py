"""Reads the answer of a health endpoint, in the shapes that are common.

Components stand under `components` (Spring, many others), `checks` (health+json, MicroProfile),
`details` (Terminus), `entries` (ASP.NET), `dependencies`, `services` or `results`, as an object or
a list; or flat beside everything else: `{"db": true, "queue": "down"}`. An answer of 200 is
necessary and not sufficient: one component that is down makes the backend not ready.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.core.logs import redact
from bot.core.slo import Component, Readiness

READY_WORDS: Final = frozenset(
    (
        *("ok", "up", "pass", "passing", "passed", "healthy", "ready", "true", "yes", "alive"),
        *("running", "available", "connected", "online", "green", "success", "serving", "active"),
        # It works, with something to look at: no reason to send traffic away.
        *("warn", "warning", "degraded", "yellow", "unknown"),
    )
)
NOT_READY_WORDS: Final = frozenset(
    (
        *("down", "fail", "failed", "failing", "failure", "error", "critical", "unhealthy"),
        *("out_of_service", "not_ready", "notready", "not ready", "false", "no", "dead", "red"),
        *("stopped", "stopping", "starting", "pending", "initializing", "unavailable", "timeout"),
        *("disconnected", "offline", "not_serving", "not_connected", "inactive", "missing"),
    )
)
_DOUBTFUL: Final = frozenset(("warn", "warning", "degraded", "yellow", "unknown"))

_CONTAINERS: Final = ("components", "checks")
_PERHAPS: Final = ("details", "entries", "dependencies", "services", "results")
"""These hold other things as often; in them only what has a status is a component."""
_STATUS: Final = ("status", "state", "health", "ready", "healthy", "ok", "up", "available")
_REASON: Final = (
    "reason",
    "error",
    "message",
    "output",
    "description",
    "detail",
    "cause",
    "details",
)
_REVISION: Final = ("revision", "version")
_ABOUT: Final = frozenset(
    (
        *(*_STATUS, *_REASON, *_REVISION, "releaseid", "serviceid", "name", "service", "app"),
        *("notes", "links", "time", "timestamp", "uptime", "duration", "totalduration", "commit"),
        *("env", "environment", "host", "hostname", "groups", "info", "debug", "build", "region"),
    )
)
"""What an answer says of itself; everything else in a flat answer may be a component."""

MOST_COMPONENTS: Final = 50
_LONGEST_REASON: Final = 200


def readiness(status: int, body: str, revision_field: str | None = None) -> Readiness:
    """What an answer with this HTTP status and body says."""
    is_success = 200 <= status < 300
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, Mapping):
        ready = is_success and (not isinstance(answer, str | bool) or _verdict(answer)[0])
        return Readiness((Component("http", ready, "" if ready else _said(status, body)),))
    components = tuple(_components(answer))[:MOST_COMPONENTS]
    overall = _own_verdict(answer)
    if all(component.ready for component in components):
        if overall is not None and not overall[0]:
            components += (Component("service", ready=False, reason=overall[1]),)
        elif not is_success:
            components += (Component("http", ready=False, reason=_said(status, "")),)
    if not components:
        components = (Component("http", ready=True),)
    return Readiness(components, _revision(answer, revision_field))


def _components(answer: Mapping[str, Any]) -> Iterator[Component]:
    for name in _CONTAINERS:
        if isinstance(answer.get(name), Mapping | list) and answer[name]:
            yield from _in_container(answer[name], "")
            return
    for name in _PERHAPS:
        members = answer.get(name)
        if isinstance(members, Mapping) and any(map(_has_status, members.values())):
            sure = {key: value for key, value in members.items() if _has_status(value)}
            yield from _in_container(sure, "")
            return
        if isinstance(members, list) and any(map(_has_status, members)):
            yield from _in_container([each for each in members if _has_status(each)], "")
            return
    for name, value in answer.items():
        if name.lower() not in _ABOUT and _has_status(value):
            yield _component(name, value)


def _has_status(value: Any) -> bool:
    """Whether this is a component beyond doubt."""
    match value:
        case bool():
            return True
        case str():
            return _normal(value) in READY_WORDS | NOT_READY_WORDS
        case {**parts}:
            return _own_verdict(parts) is not None
        case _:
            return False


def _in_container(container: Mapping[str, Any] | list[Any], prefix: str) -> Iterator[Component]:
    if isinstance(container, list):
        named = ((_name(item, number), item) for number, item in enumerate(container, 1))
    else:
        named = ((str(name), value) for name, value in container.items())
    for name, value in named:
        inner = value.get("components") if isinstance(value, Mapping) else None
        if isinstance(inner, Mapping) and inner:
            yield from _in_container(inner, f"{prefix}{name}.")
        else:
            yield _component(f"{prefix}{name}", value)


def _name(item: Any, number: int) -> str:
    if isinstance(item, Mapping):
        for field in ("name", "component", "id", "key", "componentId"):
            if isinstance(item.get(field), str):
                return str(item[field])
    return f"check {number}"


def _component(name: str, value: Any) -> Component:
    """One component; of several instances (health+json) one that is down is enough."""
    parts = value if isinstance(value, list) else [value]
    verdicts = [_verdict(part) for part in parts]
    bad = [reason for ready, reason in verdicts if not ready]
    if bad:
        return Component(name, ready=False, reason="; ".join(filter(None, bad)))
    return Component(
        name, ready=True, reason="; ".join(filter(None, (why for _, why in verdicts)))
    )


def _verdict(value: Any) -> tuple[bool, str]:
    """Whether it is ready, and a reason where it is not or is in doubt."""
    match value:
        case bool():
            return value, ""
        case str():
            return _of_word(value)
        case {**parts}:
            own = _own_verdict(parts)
            return own if own is not None else (True, "")  # it says nothing against itself
        case None:
            return False, "it says null"
        case _:
            return True, ""


def _own_verdict(parts: Mapping[Any, Any]) -> tuple[bool, str] | None:
    """What an object says of itself; None when it has no status."""
    for field in _STATUS:
        value = parts.get(field)
        if isinstance(value, bool) or (isinstance(value, str) and value.strip()):
            ready, doubt = _verdict(value)
            reason = _reason(parts)
            return ready, (reason or doubt) if not ready or doubt else ""
    return None


def _of_word(word: str) -> tuple[bool, str]:
    normal = _normal(word)
    if normal in READY_WORDS:
        return True, normal if normal in _DOUBTFUL else ""
    if normal in NOT_READY_WORDS:
        return False, "" if normal in {"down", "fail", "false"} else normal
    return (
        False,
        f"it says {redact(word)[:60]!r}, which is no status the bot knows; use up or down",
    )


def _normal(word: str) -> str:
    return word.strip().lower().replace("-", "_")


def _reason(parts: Mapping[Any, Any]) -> str:
    for field in _REASON:
        value = parts.get(field)
        if isinstance(value, str) and value.strip():
            return redact(value)[:_LONGEST_REASON]
        if isinstance(value, Mapping | list) and value:
            return redact(json.dumps(value, ensure_ascii=False))[:_LONGEST_REASON]
    return ""


def _revision(answer: Mapping[str, Any], field: str | None) -> str | None:
    for name in (field,) if field else _REVISION:
        value: Any = answer.get(name)
        if value is None and "." in name:
            value = answer
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return None


def _said(status: int, body: str) -> str:
    text = redact(body)[:_LONGEST_REASON]
    return f"answered {status}: {text}" if text else f"answered {status}"
