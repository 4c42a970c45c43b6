"""How a canary is told to a pipeline: one flat JSON object, made of the canary alone."""

import hashlib
from datetime import datetime
from typing import Any, Final

from bot.api.shapes import (
    ActorBody,
    CauseBody,
    EntryBody,
    ReasonBody,
    SloBody,
    Standing,
    State,
    StatementBody,
    WaitingBody,
    WindowBody,
)
from bot.core import judge
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Exposed,
    Observing,
    Paused,
    PendingApproval,
    Preparing,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
    Shifting,
)
from bot.core.plan import Actor, Gate
from bot.core.refusals import describe
from bot.core.slo import Sli
from bot.core.verdict import Finding

_UNITS: Final = {
    Sli.ERRORS: "share",
    Sli.P95: "seconds",
    Sli.P99: "seconds",
    Sli.READINESS: "components down",
    Sli.LOGS: "log lines",
}


def state_of(canary: Canary, now: datetime, message: str = "") -> State:
    """Everything a pipeline may want to know of it.

    Args:
        canary: as it is.
        now: the wall clock, aware UTC.
        message: the address of its message in Slack, where that is known.

    """
    found = canary.plan.assessment
    cause = _cause(canary)
    state = State(
        id=canary.id,
        version="",
        service=canary.service,
        revision=canary.revision,
        stable_revision=canary.stable_revision,
        phase=canary.phase.kind,
        state=_standing(canary),
        summary=f"{canary.service} {canary.revision} {describe(canary)}",
        weight=canary.target.permille / 10,
        step=canary.phase.step + 1 if isinstance(canary.phase, Exposed) else None,
        steps=len(canary.plan.steps),
        window=_window(canary, now),
        tier=canary.plan.tier,
        reasons=list(canary.plan.reasons),
        assessed=[ReasonBody.model_validate(each, from_attributes=True) for each in found.reasons]
        if found
        else [],
        rollback_safe=None if found is None or not found.seen else found.rollback_is_safe,
        statements=[
            StatementBody.model_validate(each, from_attributes=True) for each in found.statements
        ]
        if found
        else [],
        slos=_slos(canary),
        waiting_for=_waiting(canary),
        cause=cause,
        started_by=_actor(canary.started_by),
        reason=canary.reason,
        created_at=canary.created_at,
        ended_at=_ended_at(canary),
        timeline=[
            EntryBody(at=entry.at, text=entry.text, by=_actor(entry.by) if entry.by else None)
            for entry in canary.timeline
        ],
        links=_links(canary),
    )
    told = hashlib.sha256(state.model_dump_json().encode()).hexdigest()
    # Not every replica knows the workspace at once, and an address is no news of the canary.
    links = state.links | ({"message": message} if message else {})
    return state.model_copy(update={"version": told[:16], "links": links})


def is_news(state: State, seen: str) -> bool:
    """Whether it differs from what was seen: a version, a phase, or a word of `state`."""
    return seen not in {state.version, state.phase, state.state}


def has_ended(state: State) -> bool:
    """Whether it will not change any more."""
    return state.state in {"promoted", "rolled_back", "rejected"}


def _standing(canary: Canary) -> Standing:
    match canary.phase:
        case PendingApproval() | AwaitingDecision():
            return "waiting"
        case Promoted():
            return "promoted"
        case RolledBack():
            return "rolled_back"
        case Rejected():
            return "rejected"
        case Preparing() | Shifting() | Observing() | Paused() | Promoting() | RollingBack():
            return "running"


def _window(canary: Canary, now: datetime) -> WindowBody | None:
    match canary.phase:
        case Observing(since=since, until=until, deadline=deadline, extended=extended):
            return WindowBody(since=since, until=deadline if extended and now >= until else until)
        case _:
            return None


def _ended_at(canary: Canary) -> datetime | None:
    match canary.phase:
        case Promoted(at=at) | RolledBack(at=at) | Rejected(at=at):
            return at
        case _:
            return None


def _waiting(canary: Canary) -> WaitingBody | None:
    plan = canary.plan
    match canary.phase:
        case PendingApproval(expires_at=expires_at, approvals=approvals):
            question, gate, where = "start", plan.start_gate or plan.decision, "may it start"
        case AwaitingDecision(
            step=step, question=question, expires_at=expires_at, approvals=approvals
        ):
            own = plan.promote_gate if question == "promote" else None
            is_last = step + 1 == len(plan.steps)
            where = "may it have all traffic" if is_last else f"may it go on from {canary.target}"
            gate = own or plan.decision
        case _:
            return None
    return WaitingBody(
        question=question,
        text=where,
        approvers=list(gate.approvers),
        needed=_needed(gate),
        approved_by=[_actor(approval.by) for approval in approvals],
        expires_at=expires_at,
    )


def _needed(gate: Gate) -> int:
    return gate.needed


def _cause(canary: Canary) -> CauseBody | None:
    match canary.phase:
        case RollingBack(cause=cause) | RolledBack(cause=cause):
            return _told(cause)
        case Rejected(reason=reason, by=by):
            who = _actor(by) if by else None
            return CauseBody(kind="rejected", text=reason, findings=[], by=who)
        case _:
            return None


def _told(cause: Cause) -> CauseBody:
    return CauseBody(
        kind=cause.kind,
        text=cause.text,
        findings=[_slo(finding) for finding in cause.findings],
        by=_actor(cause.by) if cause.by else None,
    )


def _slos(canary: Canary) -> list[SloBody]:
    if not canary.judge.looks:
        return []
    return [_slo(finding) for finding in judge.verdict(canary.judge).findings]


def _slo(finding: Finding) -> SloBody:
    breached = finding.health.value == "breached"
    return SloBody(
        name=finding.sli.value,
        health=finding.health.value,
        unit=_UNITS[finding.sli],
        canary=_number(finding.canary),
        stable=_number(finding.stable),
        ratio=_number(finding.ratio),
        low=_number(finding.low),
        high=_number(finding.high),
        limit=finding.limit,
        reason=finding.reason,
        confidence=finding.odds if breached else None,
    )


def _number(value: float | None) -> float | None:
    """JSON knows no infinity, and nobody six digits."""
    if value is None or value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - that is NaN
        return None
    return float(f"{value:.6g}")


def _actor(actor: Actor) -> ActorBody:
    return ActorBody(id=actor.id, name=actor.name, via=actor.via)


def _links(canary: Canary) -> dict[str, str]:
    own = f"/v1/canaries/{canary.id}"
    found: dict[str, Any] = {"self": own, "events": f"{own}/events"}
    if canary.plan.assessment is not None and canary.plan.assessment.url:
        found["change"] = canary.plan.assessment.url
    return found
