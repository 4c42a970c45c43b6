"""The first sign of trouble: worth a look by whoever is near, and no reason yet to roll back."""

from dataclasses import replace
from typing import Final

from bot.core.judge import JudgeState
from bot.core.slo import Sli
from bot.core.verdict import Finding, Health, Verdict

SUSPICIOUS: Final = 0.1
"""A chance below which it is told: well above that of a breach, or nobody would be told before one.

It is an upper bound: of a hundred healthy canaries about one shows a sign.
"""

DOWN: Final = 2
"""Looks in a row for which a component is down before it is told."""


def first_sign(verdict: Verdict, state: JudgeState) -> Finding | None:
    """What speaks against the canary, short of a breach; None where nothing does."""
    for finding in verdict.findings:
        if finding.health is Health.BREACHED:
            continue
        if finding.sli is Sli.READINESS:
            down = _down(state)
            if down:
                return replace(finding, reason=down)
        elif finding.sli is Sli.LOGS:
            if finding.health is Health.THIN:  # logged again and again, and by the canary alone
                return finding
        elif finding.chance <= SUSPICIOUS:
            return finding
    return None


def _down(state: JudgeState) -> str:
    names = sorted(
        f"{name} is down{f': {outage.reason}' if outage.reason else ''}"
        for name, outage in state.outages.items()
        if outage.since is not None and outage.looks >= DOWN
    )
    return f"{'; '.join(names)} (up on stable)" if names else ""
