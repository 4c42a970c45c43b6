"""What a receiver is told of a canary, as JSON: `schema.json` beside this file says it formally.

`type` is `canary.` and the milestone, `timestamp` is when it happened, and `data` is:

- `canary_id`, `service`, `revision`, `stable_revision` (or null), `number` (rises within a
  canary, for putting notices in order), `detail` (a sentence about what happened);
- `phase`, `ended`, `weight_percent`, `step` (counts from 1, or null) and `steps`: as they are when
  this is sent, which is later than what is told where it had to be sent again;
- `window` (`since`, `until`, `deadline`) while it is observed, `waiting` (`question`, `since`,
  `expires_at`, `needed`, `approved_by`) while a person is asked, else null;
- `tier` and `reasons` (why this tier), `started_by`, `started_at`, `reason` (why it was started),
  `by` (who decided last, or null), `undoes` (id of the promoted canary it takes back, or null);
- `cause`, of what is or was rolled back, else null: `kind` (`breach`, `abort`, `no_decision`,
  `failure`, `undo`), `text`, and `findings`, the surest first: `sli`, `health`, `canary`, `stable`
  and their `ratio` with `low` and `high` (95 %), `limit`, `chance` (how likely a healthy canary
  looks this bad, at most) and `odds` (the same in words), `rule`, `reason`;
- `took_seconds`, from the decision until all traffic was back, or null;
- `links` (`name`, `url`) and the Slack `thread` (`channel`, `ts`, or null).

Lines of the log are left out: they belong to the team, not to every receiver.
"""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Exposed,
    Observing,
    Paused,
    PendingApproval,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
)
from bot.core.plan import Actor, Approval
from bot.core.verdict import Finding
from bot.ports import Notice

AROUND: Final = timedelta(minutes=5)
"""How much before and after a canary a dashboard shows."""
LONGEST_TEXT: Final = 1000
MOST_FINDINGS: Final = 10
"""The whole should stay below 20 kB, which is what receivers are asked to take."""

Json = dict[str, Any]


def content(notice: Notice) -> bytes:
    """The body to be sent: JSON in ASCII, without spaces and without numbers that JSON has not."""
    body = {
        "type": f"canary.{notice.milestone.value}",
        "timestamp": _moment(notice.at),
        "data": _data(notice),
    }
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii")


def links(canary: Canary, until: datetime) -> list[tuple[str, str]]:
    """Names and addresses of where somebody can look further, for the time around it."""
    found = []
    for dashboard in canary.plan.dashboards:
        url = filled(dashboard.url, canary)
        url = url.replace("{from}", _milliseconds(canary.created_at - AROUND))
        found.append((dashboard.name, url.replace("{to}", _milliseconds(until + AROUND))))
    assessed = canary.plan.assessment
    if assessed is not None and assessed.url:
        found.append(("change", assessed.url))
    return found


def filled(url: str, canary: Canary) -> str:
    """An address with `{service}`, `{revision}` and `{canary_id}` put in."""
    for name, value in (
        ("{service}", canary.service),
        ("{revision}", canary.revision),
        ("{canary_id}", canary.id),
    ):
        url = url.replace(name, quote(value.encode("utf-8", "replace"), safe=""))
    return url


def cause_of(canary: Canary) -> Cause | None:
    """Why its traffic goes back; None where it does not."""
    match canary.phase:
        case RollingBack(cause=cause) | RolledBack(cause=cause):
            return cause
        case _:
            return None


def _data(notice: Notice) -> Json:
    canary, phase = notice.canary, notice.canary.phase
    cause = cause_of(canary)
    return {
        "canary_id": canary.id,
        "service": canary.service,
        "revision": canary.revision,
        "stable_revision": canary.stable_revision,
        "number": notice.number,
        "detail": _clipped(notice.detail),
        "phase": phase.kind,
        "ended": canary.is_ended,
        "weight_percent": canary.target.permille / 10,
        "step": phase.step + 1 if isinstance(phase, Exposed) else None,
        "steps": [
            {
                "weight_percent": step.weight.permille / 10,
                "window_seconds": step.window.total_seconds(),
            }
            for step in canary.plan.steps
        ],
        "window": _window(canary),
        "waiting": _waiting(canary),
        "tier": canary.plan.tier,
        "reasons": [_clipped(reason) for reason in canary.plan.reasons],
        "started_by": _actor(canary.started_by),
        "started_at": _moment(canary.created_at),
        "reason": _clipped(canary.reason),
        "by": _actor(_decider(canary)),
        "undoes": canary.undoes or None,
        "cause": _cause(cause) if cause else None,
        "took_seconds": phase.took.total_seconds() if isinstance(phase, RolledBack) else None,
        "links": [{"name": name, "url": url} for name, url in links(canary, notice.at)],
        "thread": (
            {"channel": canary.thread.channel, "ts": canary.thread.ts} if canary.thread else None
        ),
    }


def _window(canary: Canary) -> Json | None:
    match canary.phase:
        case Observing(since=since, until=until, deadline=deadline):
            return {
                "since": _moment(since),
                "until": _moment(until),
                "deadline": _moment(deadline),
            }
        case _:
            return None


def _waiting(canary: Canary) -> Json | None:
    match canary.phase:
        case PendingApproval(since=since, expires_at=expires_at, approvals=approvals):
            question, gate = "start", canary.plan.start_gate or canary.plan.decision
        case AwaitingDecision(
            question=question, since=since, expires_at=expires_at, approvals=approvals
        ):
            promoting = question == "promote" and canary.plan.promote_gate
            gate = promoting or canary.plan.decision
        case _:
            return None
    return {
        "question": question,
        "since": _moment(since),
        "expires_at": _moment(expires_at),
        "needed": gate.needed,
        "approved_by": [_approver(approval) for approval in approvals],
    }


def _approver(approval: Approval) -> Json | None:
    return _actor(approval.by)


def _decider(canary: Canary) -> Actor | None:
    match canary.phase:
        case Paused(by=by) | Promoting(by=by) | Promoted(by=by) | Rejected(by=by):
            return by
        case RollingBack(cause=cause) | RolledBack(cause=cause):
            return cause.by
        case _:
            return None


def _cause(cause: Cause) -> Json:
    surest = sorted(cause.findings, key=lambda finding: finding.chance)
    return {
        "kind": cause.kind,
        "text": _clipped(cause.text),
        "findings": [_finding(finding) for finding in surest[:MOST_FINDINGS]],
    }


def _finding(finding: Finding) -> Json:
    return {
        "sli": finding.sli.value,
        "health": finding.health.value,
        "canary": _number(finding.canary),
        "stable": _number(finding.stable),
        "ratio": _number(finding.ratio),
        "low": _number(finding.low),
        "high": _number(finding.high),
        "limit": finding.limit,
        "chance": _number(finding.chance),
        "odds": finding.odds,
        "rule": finding.rule,
        "reason": _clipped(finding.reason),
    }


def _actor(actor: Actor | None) -> Json | None:
    return {"id": actor.id, "name": actor.name} if actor else None


def _number(value: float | None) -> float | None:
    """JSON has neither infinity nor not-a-number."""
    return value if value is not None and math.isfinite(value) else None


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _milliseconds(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))
