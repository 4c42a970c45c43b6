"""Who did what, why and on which evidence, told from a canary's stream alone.

The messages are taken once more by the machine that took them then. So what is told as the reason
of a decision is what the chain covers, and not what the record claims.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from bot.core import judge
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Entry,
    Observing,
    Paused,
    PendingApproval,
    RollingBack,
)
from bot.core.commands import Command, Found, Start, Undo
from bot.core.effects import Effect, SetWeight, Tell
from bot.core.events import Event, EvidenceGathered, Observed, Paged, ShiftFailed, WeightApplied
from bot.core.machine import Refused, begin, transition
from bot.core.orphans import begin_found
from bot.core.plan import Actor, Gate, Plan, Weight
from bot.core.slo import NoData
from bot.core.undoing import begin_undo
from bot.core.verdict import Finding

BOT: Final = Actor("canarybot", "canarybot")
"""Who decides where no person does."""

_ELSEWHERE: Final = frozenset(
    {"at", "by", "kind", "canary_id", "service", "revision", "plan", "channel", "reason", "ts"}
)
"""Fields of a message that are told apart from its evidence."""

Message = Start | Found | Undo | Command | Event


@dataclass(frozen=True, slots=True)
class Telling:
    """One entry of a stream in words.

    Attributes:
        canary: as it was after the entry, as far as that is known.
        by: a person, a machine, or the bot itself.
        evidence: as JSON has it.
        telling: whether something was decided or done; most looks only watch.

    """

    canary: Canary | None
    by: Actor
    what: str
    why: str
    evidence: Mapping[str, Any]
    telling: bool = True


def tell(canary: Canary | None, message: Message) -> Telling:
    """Take a message as it was taken then, and say what it did.

    Args:
        canary: as the entry before left it; None before the first, or where the first are gone.
        message: the entry.

    """
    match message:
        case Start():
            move = begin(message)
        case Found():
            move = begin_found(message)
        case Undo():
            move = begin_undo(message)
        case _ if canary is None:
            by = getattr(message, "by", BOT)
            return Telling(None, by, _default(message), _reason(message), _asked(message))
        case _:
            answer = transition(_ready(canary, message), message)
            if isinstance(answer, Refused):
                evidence = {**_asked(message), "not_taken": answer.reason}
                what = f"{_default(message)}, once more"  # written twice: an answer was lost
                return Telling(canary, getattr(message, "by", BOT), what, "", evidence)
            move = answer
    return _moved(canary, message, move.canary, move.effects)


def _ready(canary: Canary, message: Command | Event) -> Canary:
    """What is not written down of a tick that only asked for a look."""
    last = canary.last_look_at
    if isinstance(message, Observed) and last is not None and message.at > last:
        return replace(canary, last_look_at=message.since)
    return canary


def _moved(
    before: Canary | None, message: Message, after: Canary, effects: tuple[Effect, ...]
) -> Telling:
    entries = _new_entries(before, after)
    moved = before is None or before.phase.kind != after.phase.kind
    of_people = isinstance(message, Start | Found | Undo | Command)
    done = isinstance(message, WeightApplied | ShiftFailed | EvidenceGathered | Paged)
    evidence = _asked(message)
    if moved:
        evidence["phase"] = after.phase.kind
    evidence |= dict(_evidence(before, message, after, effects, moved=moved))
    by = next((entry.by for entry in entries if entry.by), getattr(message, "by", BOT))
    what = "; ".join(entry.text for entry in entries) or _default(message)
    why = _reason(message) or _cause(after, effects, moved=moved)
    return Telling(
        after,
        getattr(message, "by", by),
        what,
        "" if why == what else why,
        evidence,
        bool(entries) or moved or of_people or done,
    )


def _new_entries(before: Canary | None, after: Canary) -> tuple[Entry, ...]:
    """The lines that the timeline got; it keeps the last few only."""
    known = {id(entry) for entry in before.timeline} if before else set()
    return tuple(entry for entry in after.timeline if id(entry) not in known)


def _default(message: Message) -> str:
    match message:
        case WeightApplied(weight=weight):
            return f"the router carries {weight} on the canary, read back"
        case ShiftFailed(weight=weight):
            return f"the router did not take {weight}"
        case EvidenceGathered():
            return "log lines were gathered"
        case Paged():
            return "somebody was called"
        case _:
            return message.kind.replace("_", " ")


def _reason(message: Message) -> str:
    found = getattr(message, "reason", "")
    return found if isinstance(found, str) else ""


def _cause(after: Canary, effects: tuple[Effect, ...], *, moved: bool) -> str:
    if moved and isinstance(after.phase, RollingBack):
        return after.phase.cause.text
    told = [effect.note.detail for effect in effects if isinstance(effect, Tell)]
    return "; ".join(dict.fromkeys(filter(None, told)))


def _asked(message: Message) -> dict[str, Any]:
    """What was asked for, or what was heard, without what is told apart and without looks."""
    match message:
        case Start() | Found() | Undo():
            found = _fields(message) | settled(message.plan)
        case ShiftFailed() | WeightApplied() | EvidenceGathered():
            found = _fields(message)
        case _ if hasattr(message, "by"):
            found = _fields(message)
        case _:
            found = {}
    return found


def _fields(message: Message) -> dict[str, Any]:
    values = ((each.name, getattr(message, each.name)) for each in fields(message))
    return {
        name: plain(value)
        for name, value in values
        if name not in _ELSEWHERE and value is not None and value not in ("", ())
    }


def settled(plan: Plan) -> dict[str, Any]:
    """What was settled about a canary before it began, and why."""
    found = {
        "tier": plan.tier,
        "reasons": list(plan.reasons),
        "lowered_from": plan.lowered_from,
        "steps": [
            {"weight": str(step.weight), "seconds": step.window.total_seconds()}
            for step in plan.steps
        ],
        "start_gate": _gate(plan.start_gate),
        "promote_gate": _gate(plan.promote_gate),
        "assessment": plain(plan.assessment),
    }
    return {name: value for name, value in found.items() if value}


def _gate(gate: Gate | None) -> dict[str, Any]:
    return {"approvers": list(gate.approvers), "needed": gate.needed} if gate else {}


def _evidence(
    before: Canary | None,
    message: Message,
    after: Canary,
    effects: tuple[Effect, ...],
    *,
    moved: bool,
) -> Iterator[tuple[str, Any]]:
    """On what it was decided, and what was done about it."""
    judged = Observing | Paused | AwaitingDecision
    decided = before is not None and isinstance(before.phase, judged) and moved
    findings: tuple[Finding, ...] = ()
    if decided:
        seen = judge.verdict(after.judge)
        findings = seen.findings
        yield "requests", {"canary": seen.requests, "needed": seen.needed}
    told = [effect.note.findings for effect in effects if isinstance(effect, Tell)]
    findings = next(filter(None, told), findings)
    if moved and isinstance(after.phase, RollingBack):
        findings = after.phase.cause.findings or findings
    if findings:
        yield "findings", [_finding(each) for each in findings]
    if isinstance(after.phase, PendingApproval | AwaitingDecision) and after.phase.approvals:
        yield "approved_by", [approval.by.id for approval in after.phase.approvals]
    asked = [str(effect.weight) for effect in effects if isinstance(effect, SetWeight)]
    if asked:
        yield "set", asked[-1]
    if isinstance(message, Observed) and decided and not isinstance(message.split, NoData):
        yield "router", plain(message.split)


def _finding(finding: Finding) -> dict[str, Any]:
    return {**plain(finding), "odds": finding.odds}


def person(actor: Actor) -> dict[str, Any]:
    """Who it was, with the groups that gave them the right, and what spoke for them."""
    found = {"id": actor.id, "name": actor.name, "groups": list(actor.groups), "via": actor.via}
    return {name: value for name, value in found.items() if value}


def plain(value: Any) -> Any:
    """A value of the core as JSON has it: times in ISO 8601, durations in seconds."""
    match value:
        case Weight():
            return str(value)
        case Actor():
            return person(value)
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(each) for each in value]
        case _ if is_dataclass(value):
            return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        case _:
            return value
