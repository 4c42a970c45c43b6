"""What the command line prints, made of values."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bot.calibrate import Calibration
from bot.core.refusals import describe
from bot.core.replay import Replay
from bot.core.slo import Sli
from bot.core.verdict import Finding, Health
from bot.rejudge import Again

_STYLES = {
    Health.HEALTHY: "green",
    Health.THIN: "yellow",
    Health.BLIND: "yellow",
    Health.BREACHED: "bold red",
}


def replay_table(again: Again, changes: dict[str, str]) -> Group:
    """How a canary ended, how it was judged, and how it would be judged now."""
    canary = again.canary
    what = f"{canary.service} {canary.revision} ({canary.id}) {describe(canary)}"
    parts: list[Text | Table] = [Text(what, "bold"), _said("with its own settings", again.then)]
    if changes:
        named = ", ".join(f"{name}={value}" for name, value in changes.items())
        parts.append(_said(f"with {named}", again.now))
    return Group(*parts, findings_table(again.now.verdict.findings))


def _said(how: str, replay: Replay) -> Text:
    if replay.breached_at is None:
        end = f"{replay.verdict.health} after {replay.looks} looks, no rollback"
    else:
        names = ", ".join(finding.sli for finding in replay.verdict.breaches)
        end = f"rolled back at look {replay.looks}, {replay.breached_at:%H:%M:%S} UTC: {names}"
    return Text(f"{how}: {end}")


def calibration_table(found: Calibration) -> Group:
    """The measured false-rollback rate beside the one that was asked for."""
    low, high = found.interval
    alpha = found.plan.objectives.alpha
    over = ", ".join(f"{sli.value} {count}" for sli, count in sorted(found.over.items()))
    rate = found.false / found.windows
    lines = [
        Text(f"{found.service}: {found.backend} judged against itself", "bold"),
        Text(
            f"{found.windows} windows from {found.since:%Y-%m-%d %H:%M} to "
            f"{found.until:%Y-%m-%d %H:%M} UTC, {found.split}; "
            f"{found.requests} canary requests in the median one"
        ),
        Text(
            f"false rollbacks: {found.false} of {found.windows}, {rate:.1%} "
            f"(95 % between {low:.1%} and {high:.1%}); asked for was alpha = {alpha:.1%}"
        ),
    ]
    if over:
        lines.append(Text(f"over: {over}", "yellow"))
    if found.undecided:
        lines.append(Text(f"too little traffic to be judged: {found.undecided}", "yellow"))
    if found.empty:
        lines.append(Text(f"without data: {found.empty}", "yellow"))
    if low > alpha:
        lines.append(
            Text(
                "more than asked for: lower alpha, or widen error_margin or latency_margin", "red"
            )
        )
    return Group(*lines)


def findings_table(findings: tuple[Finding, ...]) -> Table:
    """One row an indicator."""
    table = Table(box=None, pad_edge=False)
    for column in ("SLO", "state", "canary", "stable", "ratio", "how sure", "why"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        table.add_row(
            finding.sli.value,
            Text(finding.health.value, _STYLES[finding.health]),
            _value(finding.sli, finding.canary),
            _value(finding.sli, finding.stable),
            _ratio(finding),
            finding.odds if finding.chance < 0.5 else "-",
            Text(f"{finding.reason} ({finding.rule})".strip() if finding.rule else finding.reason),
        )
    return table


def _ratio(finding: Finding) -> str:
    if finding.ratio is None:
        return "-"
    if finding.low is None or finding.high is None:
        return f"{finding.ratio:.2f}x"
    return f"{finding.ratio:.2f}x ({finding.low:.2g} to {finding.high:.2g})"


def _value(sli: Sli, value: float | None) -> str:
    if value is None:
        return "-"
    match sli:
        case Sli.ERRORS:
            return f"{value:.2%}"
        case Sli.P95 | Sli.P99:
            return f"{value * 1000:.0f} ms"
        case Sli.READINESS | Sli.LOGS:
            return f"{value:.0f}"
