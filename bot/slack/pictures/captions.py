"""What a canary's picture says in words, and what is to be drawn, as plain data."""

from datetime import datetime
from typing import Any, Final

from bot.core.chronicle import Chronicle
from bot.core.points import Measure, Series
from bot.core.slo import Sli
from bot.core.verdict import Finding, Health
from bot.slack.text import clean, clip, clock_time, count, duration, latency, name, percent
from bot.slack.views.slos import NAMES, breached, headline

MOST_ALT: Final = 1000
"""Characters of an upload's alternative text; with more, Slack takes no file (alt_txt_too_large)."""

SPOKEN: Final = {"no_decision": "nobody decided", "failure": "the router failed", "undo": "undone"}


def what_happened(found: Chronicle) -> str:
    """The end in a few words: `rolled back: errors`, `promoted`, `aborted`."""
    if found.cause is None:
        return found.decision or "not decided"
    if found.cause.kind == "breach":
        return f"rolled back: {breached(found.cause.findings)}"
    why = SPOKEN.get(found.cause.kind)
    return f"{found.decision}: {why}" if why else str(found.decision)


def title(found: Chronicle) -> str:
    """The picture's title: `shop v2 rolled back: errors`."""
    return f"{name(found.service, 40)} {name(found.revision, 40)} {what_happened(found)}"


def alt_text(found: Chronicle) -> str:
    """The picture for whoever cannot see it: how it ended, when, and the numbers."""
    parts = [f"{title(found)}, {_how_long(found)}."]
    if found.onset is not None and found.decided_at is not None:
        since = duration(found.decided_at - found.onset)
        parts.append(f"It began at {found.onset:%H:%M:%S} UTC, {since} before the decision.")
    if found.series:
        findings = {f.sli: f for f in found.cause.findings} if found.cause else {}
        values = (_value(one, findings.get(one.sli, one.finding)) for one in found.series)
        parts.append(f"Canary against stable: {'; '.join(values)}.")
    return clip(clean(" ".join(parts)), MOST_ALT)


def _how_long(found: Chronicle) -> str:
    if found.began_at is None or found.ended_at is None:
        return "nothing was seen of it"
    ended = found.decided_at or found.ended_at
    over = duration(ended - found.began_at)
    return f"at {clock_time(ended)} after {over} and {found.requests:,} canary requests"


def _value(one: Series, finding: Finding) -> str:
    if one.sli is Sli.READINESS:
        worst = max((p.canary for p in one.points if p.canary is not None), default=0.0)
        most = "all components up" if not worst else spoken(one.measure, worst)
        text = f"{NAMES[one.sli].lower()}: {finding.reason or most}"
    else:
        text = headline(finding)
    if one.limit is not None:
        text += f", limit {spoken(one.measure, one.limit)}"
    return f"{text}, breached" if finding.health is Health.BREACHED else text


def spoken(measure: Measure, number: float) -> str:
    """A number in its own unit."""
    match measure:
        case "rate":
            return percent(number)
        case "seconds":
            return latency(number)
        case "a minute":
            return (
                f"{number:,.0f}/min"
                if number >= 10 or number == int(number)
                else f"{number:.1f}/min"
            )
        case "down":
            return f"{number:.0f} down"
        case "restarts":
            return f"{number:.0f} restarts"


def drawn(found: Chronicle) -> dict[str, Any]:
    """What `bot.slack.pictures.drawing` is to draw: times in minutes since the first look, words cleaned.

    The breached indicators come first.
    """
    began = found.began_at
    assert began is not None, "without a look there is nothing to draw"
    ended = found.ended_at or began

    def minutes(at: datetime) -> float:
        return round((at - began).total_seconds() / 60, 4)

    def mark(at: datetime | None) -> list[Any] | None:
        return None if at is None else [minutes(at), f"{at:%H:%M}"]

    ranked = sorted(found.series, key=lambda one: one.sli not in found.breached)
    return {
        "name": f"{name(found.service, 28)} {name(found.revision, 28)}",
        "end": what_happened(found),
        "good": found.decision == "promoted",
        "clock": f"{began:%d %b %H:%M} to {ended:%H:%M} UTC",
        "start": clock_time(began),
        "requests": count(found.requests, "canary request"),
        "until": minutes(ended),
        "onset": mark(found.onset),
        "decided": mark(found.decided_at),
        "weights": [[minutes(at), str(weight)] for at, weight in found.weights],
        "panels": [
            {
                "name": NAMES[one.sli],
                "measure": one.measure,
                "breached": one.sli in found.breached,
                "note": clip(clean(_note(one)), 60),
                "limit": one.limit,
                "points": [
                    [minutes(p.since), minutes(p.at), p.canary, p.stable] for p in one.points
                ],
            }
            for one in ranked
        ],
    }


def _note(one: Series) -> str:
    match one.measure:
        case "rate":
            return "failed requests"
        case "a minute":
            return (
                f"“{one.signatures[0]}”"
                if one.signatures
                else "lines a minute"
                if any(p.canary or p.stable for p in one.points)
                else "none"
            )
        case "restarts":
            return "restarts so far"
        case "down":
            if one.finding.examples:
                return one.finding.examples[0]
            return (
                "components down"
                if any(p.canary or p.stable for p in one.points)
                else "all components up"
            )
        case "seconds":
            return ""
