"""What the judge found, as a table for the live message and as sentences for an alert."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.core.judge import JudgeState, verdict
from bot.core.slo import Sli
from bot.core.verdict import Finding, Health, Verdict
from bot.slack.text import clip, count, duration, latency, percent, times
from bot.slack.views.kit import NOTHING, Block, rich, strong, table, words

NAMES: Final = {
    Sli.ERRORS: "Errors",
    Sli.P95: "Latency p95",
    Sli.P99: "Latency p99",
    Sli.READINESS: "Readiness",
    Sli.LOGS: "Log errors",
}
STATES: Final = {
    Health.HEALTHY: "🟢 healthy",
    Health.THIN: "⚪ not sure yet",
    Health.BLIND: "🟠 no data",
    Health.BREACHED: "🔴 breached",
}
_HEADINGS: Final = ("SLO", "State", "Canary", "Stable", "Ratio", "Limit")
_NUMBERS: Final = (2, 3, 4)
WIDEST: Final = 10.0
"""An interval that reaches further says nothing yet, and does not fit its column."""

NO_NEWS: Final = "nothing new"
"""The limit of log errors, short enough for a column."""


def value(sli: Sli, number: float | None) -> str:
    """A finding's number in its own unit."""
    if number is None:
        return NOTHING
    match sli:
        case Sli.ERRORS:
            return percent(number)
        case Sli.P95 | Sli.P99:
            return latency(number)
        case Sli.READINESS:
            return f"{number:.0f} down" if number else "all up"
        case Sli.LOGS:
            return f"{number:,.0f}"


def ratio(finding: Finding) -> str:
    """How the canary compares, with the interval the truth is in; a dash where it makes no sense.

    `1.2x (0.9-1.6)`: of errors their rates, of latency how many requests are slow.
    """
    return NOTHING if finding.ratio is None else f"{times(finding.ratio)}{_interval(finding)}"


def _interval(finding: Finding, widest: float = WIDEST) -> str:
    if finding.low is None or finding.high is None or finding.high > widest:
        return ""
    return f" ({finding.low:.2g}-{finding.high:.2g})"


def slo_table(state: JudgeState, *, plain: bool = False) -> Block | None:
    """All indicators, the worst first; None while nothing has been looked at.

    `plain` gives lines of text instead, for a workspace that does not take tables.
    """
    found = verdict(state)
    if not state.looks or not found.findings:
        return None
    order = tuple(Health)
    ranked = sorted(found.findings, key=lambda f: -order.index(f.health))
    if plain:
        return rich(*(_line(finding) for finding in ranked))
    return table([_HEADINGS, *(_row(finding) for finding in ranked)], _NUMBERS)


def _row(finding: Finding) -> tuple[str, ...]:
    sli = finding.sli
    return (
        NAMES[sli],
        STATES[finding.health],
        value(sli, finding.canary),
        value(sli, finding.stable),
        ratio(finding),
        NO_NEWS if sli is Sli.LOGS else finding.limit,
    )


def _line(finding: Finding) -> list[Block]:
    sli = finding.sli
    numbers = f"canary {value(sli, finding.canary)}, stable {value(sli, finding.stable)}"
    return [strong(NAMES[sli]), words(f" {STATES[finding.health]}: {numbers}")]


def standing(found: Verdict, *, final: bool = False, counts: bool = True) -> str:
    """Where the judging stands, or stood at the end, in one clause."""
    match found.health:
        case Health.HEALTHY:
            return f"all SLOs healthy{'' if final else ' so far'}"
        case Health.THIN:
            seen = f" ({requests(found)})" if counts else ""
            return f"too little seen to be sure{'' if final else ' yet'}{seen}"
        case Health.BLIND:
            names = _named(found, Health.BLIND)
            return f"no data for {names}" if names else "nothing is being judged"
        case Health.BREACHED:
            return f"{_named(found, Health.BREACHED)} breached"


def requests(found: Verdict) -> str:
    """How far the evidence is: `37 of about 1,200 requests`."""
    if found.needed <= found.requests:
        return f"{found.requests:,} requests"
    return f"{found.requests:,} of about {_rounded(found.needed):,} requests"


def waiting_for(found: Verdict) -> str:
    """What is missing before a healthy window can end, or nothing."""
    if found.health is Health.THIN and found.requests < found.needed:
        missing = _rounded(found.needed - found.requests)
        return f"about {count(missing, 'more request')} to the canary ({found.requests:,} so far)"
    first = next((f for f in found.findings if f.health is found.health), None)
    if first is None or found.health not in {Health.THIN, Health.BLIND}:
        return ""
    return f"{NAMES[first.sli]}: {first.reason}" if first.reason else ""


def _rounded(number: int) -> int:
    """To two digits: it is an estimate."""
    return int(float(f"{number:.2g}")) if number >= 100 else number


def at_the_end(found: Verdict) -> str:
    """What was healthy, in one line: `Errors 0.12 % (stable 0.11 %) · Latency p95 …`."""
    return " · ".join(
        _fine(finding)
        for finding in found.findings
        if finding.health is Health.HEALTHY and finding.canary is not None
    )


def _fine(finding: Finding) -> str:
    match finding.sli:
        case Sli.READINESS:
            return "all components up"
        case Sli.LOGS:
            return "nothing new in the log"
        case _:
            return headline(finding)


def headline(finding: Finding) -> str:
    """One finding in a few words, for the notification: `Errors 5.2 % (stable 0.48 %)`."""
    sli = finding.sli
    if sli is Sli.READINESS:
        return clip(f"{NAMES[sli]}: {finding.reason}", 120)
    numbers = f"{value(sli, finding.canary)} (stable {value(sli, finding.stable)})"
    return f"{NAMES[sli]} {numbers}"


def explained(finding: Finding) -> list[list[Block]]:
    """A breach in a line or two: the numbers, and what they rest on."""
    sli = finding.sli
    name = strong(f"🔴 {NAMES[sli]}: ")
    if sli is Sli.READINESS:
        return [[name, words(finding.reason or "a component is down")]]
    rests_on = f"{finding.reason} · {finding.odds}" if finding.reason else _sure(finding)
    if sli is Sli.LOGS:
        return [[name, words(rests_on)]]
    numbers = f"{value(sli, finding.canary)} on the canary, {value(sli, finding.stable)} on stable"
    worse = [words(", "), strong(_worse(finding))] if _worse(finding) else []
    return [[name, words(numbers), *worse], [words(rests_on)]]


def suspected(finding: Finding) -> list[list[Block]]:
    """What speaks against the canary so far, in a line."""
    sli, name = finding.sli, strong(f"{NAMES[finding.sli]}: ")
    if sli in {Sli.READINESS, Sli.LOGS}:
        return [[name, words(finding.reason)]]
    numbers = f"{value(sli, finding.canary)} on the canary, {value(sli, finding.stable)} on stable"
    return [[name, words(f"{numbers} ({finding.odds})")]]


def _worse(finding: Finding) -> str:
    if finding.ratio is None or finding.ratio <= 1:
        return ""
    slow = "" if finding.sli is Sli.ERRORS else " slow requests"
    return f"{times(finding.ratio)} as many{slow}{_interval(finding, 1000)}"


def _sure(finding: Finding) -> str:
    text = finding.odds
    return text[0].upper() + text[1:]


def exposure(state: JudgeState, window: timedelta | None) -> str:
    """How much the canary has seen, for the record: `1,234 canary requests in 6 min`."""
    seen = state.totals.canary.requests
    if not seen:
        return ""
    over = f" in {duration(window)}" if window else ""
    return f"{seen:,} canary {'request' if seen == 1 else 'requests'}{over}"


def breached(findings: Sequence[Finding]) -> str:
    """The names of what is breached: `errors, log errors`."""
    return ", ".join(NAMES[finding.sli].lower() for finding in findings[:3])


def _named(found: Verdict, health: Health) -> str:
    return ", ".join(NAMES[f.sli].lower() for f in found.findings if f.health is health)
