"""A canary in plain words: its SLOs, what it waits for, and how it ended."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.client.talking import Exit, State

NAMES: Final = {
    "errors": "Errors",
    "latency_p95": "Latency p95",
    "latency_p99": "Latency p99",
    "readiness": "Readiness",
    "logs": "Log errors",
}
HEALTHS: Final = {
    "healthy": "healthy",
    "thin": "not sure yet",
    "blind": "no data",
    "breached": "BREACHED",
}
NOTHING: Final = "-"


def name_of(slo: State) -> str:
    """The indicator's name; one that is not known here keeps its own."""
    return NAMES.get(slo["name"], str(slo["name"]))


def value(slo: State, arm: str) -> str:
    """What one arm did, in its unit."""
    number = slo[arm]
    if number is None:
        return NOTHING
    match slo["unit"]:
        case "share":
            return f"{number * 100:.3g} %"
        case "seconds":
            return f"{number * 1000:.0f} ms" if number < 1 else f"{number:.2f} s"
        case "components down":
            return f"{number:.0f} down" if number else "all up"
        case _:
            return f"{number:g}"


def ratio(slo: State) -> str:
    """How the canary compares, with the interval the truth is in."""
    if slo["ratio"] is None:
        return NOTHING
    low, high = slo["low"], slo["high"]
    bounds = f" ({low:.2g}-{high:.2g})" if low is not None and high is not None else ""
    return f"{slo['ratio']:.3g}x{bounds}"


def line_of(slo: State) -> str:
    """One indicator in a line."""
    numbers = f"canary {value(slo, 'canary')}, stable {value(slo, 'stable')}"
    more = f", {ratio(slo)}" if slo["ratio"] is not None else ""
    return f"{name_of(slo)}: {HEALTHS.get(slo['health'], slo['health'])} ({numbers}{more})"


def question(waiting: State) -> str:
    """What it waits for, who may answer, and until when."""
    who = ", ".join(waiting["approvers"]) or "nobody is named"
    given = len(waiting["approved_by"])
    count = f" ({given} of {waiting['needed']} so far)" if waiting["needed"] > 1 else ""
    end = moment(waiting["expires_at"])
    text = f"waits for an answer: {waiting['text']}? Who may say yes: {who}{count}"
    return f"{text}. Silence until {end:%H:%M} UTC means no."


def ended(state: State) -> list[str]:
    """The end: what came of it and, if that was a rollback, which SLO, how much worse, how sure."""
    what = f"{state['service']} {state['revision']}"
    match state["state"]:
        case "promoted":
            return [f"promoted: {what} has all the traffic"]
        case "rejected":
            return [f"rejected: {what} never carried traffic. {_cause(state)}"]
        case _:
            back = state["stable_revision"] or "stable"
            lines = [f"rolled back: all traffic is on {back} again. {_cause(state)}"]
            findings: Sequence[State] = (state["cause"] or {}).get("findings", ())
            return lines + [f"  {finding}" for finding in map(_explained, findings)]


def exit_of(state: State) -> Exit:
    """What the command ends with, of a canary that has ended."""
    match state["state"]:
        case "promoted":
            return Exit.PROMOTED
        case "rejected":
            return Exit.REJECTED
        case _:
            return Exit.ROLLED_BACK


def moment(text: str) -> datetime:
    """A time as the API tells it."""
    return datetime.fromisoformat(text)


def length(span: timedelta) -> str:
    """A span in minutes and seconds."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


def progress(state: State, now: datetime) -> tuple[float, str]:
    """How far the window is: a share, and in words; nothing outside one."""
    window = state["window"]
    if window is None:
        return 0.0, ""
    since, until = moment(window["since"]), moment(window["until"])
    whole, gone = until - since, now - since
    share = min(1.0, max(0.0, gone / whole)) if whole > timedelta(0) else 1.0
    left = f"{length(until - now)} left" if until > now else "deciding now"
    return share, f"{length(min(gone, whole))} of {length(whole)}, {left}"


def now() -> datetime:
    """The time, for a picture of it."""
    return datetime.now(UTC)  # noqa: TID251 - a client has the machine's clock and no other


def _cause(state: State) -> str:
    cause: dict[str, Any] = state["cause"] or {}
    by = cause.get("by") or {}
    who = f" (by {by.get('name') or by.get('id')})" if by else ""
    text = str(cause.get("text", "")).strip()
    return f"Why: {text}{who}" if text or who else ""


def _explained(finding: State) -> str:
    sure = f"; {finding['confidence']}" if finding["confidence"] else ""
    reason = f"; {finding['reason']}" if finding["reason"] else ""
    return f"{line_of(finding)}{reason}{sure}"
