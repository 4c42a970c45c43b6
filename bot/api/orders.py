"""`POST /v1/canaries/{id}/…`: what a pipeline asks of a canary."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import structlog
from fastapi import APIRouter, Body

from bot.api.desk import Called, CanaryId, Parts, With
from bot.api.doorkeeper import Caller
from bot.api.problems import Problem, responses, unprocessable
from bot.api.requests import MarkBody, OrderBody, span
from bot.api.shapes import State
from bot.core.canary import AwaitingDecision, Canary, PendingApproval
from bot.core.commands import (
    Abort,
    Approve,
    Command,
    Extend,
    MarkAlarm,
    Pause,
    Promote,
    Resume,
)
from bot.core.moves import Refused
from bot.core.plan import Actor

Order = Literal["abort", "promote", "approve", "pause", "resume", "extend"]

EXTENSION: Final = timedelta(minutes=10)
"""How much longer where nothing was said."""

_log = structlog.get_logger()
router = APIRouter(tags=["orders"])
Sent = Annotated[OrderBody | None, Body()]


@router.post("/canaries/{canary_id}/mark", responses=responses(404, 409), summary="False alarm?")
async def mark(parts: With, caller: Called, canary_id: CanaryId, body: MarkBody) -> State:
    """Says of a rollback, afterwards, whether the canary was to blame."""
    caller.need("decide")
    canary = await parts.canary(caller, canary_id)
    said = MarkAlarm(caller.actor, parts.clock.now(), body.false, body.reason)
    return await _given(parts, caller, canary, said)


@router.post("/canaries/{canary_id}/abort", responses=responses(404, 409), summary="Abort")
async def abort(parts: With, caller: Called, canary_id: CanaryId, body: Sent = None) -> State:
    """All traffic goes back to stable; 409 where it is over."""
    caller.need("abort")
    reason = body.reason if body else ""
    canary = await parts.canary(caller, canary_id)
    return await _given(parts, caller, canary, Abort(caller.actor, parts.clock.now(), reason))


def _add(order: Order, summary: str, about: str) -> None:
    """One route an order, for each has a name and a meaning of its own."""

    async def ordered(
        parts: With, caller: Called, canary_id: CanaryId, body: Sent = None
    ) -> State:
        caller.need("decide")
        canary = await parts.canary(caller, canary_id)
        command = _command(parts, caller, canary, order, body or OrderBody())
        return await _given(parts, caller, canary, command)

    ordered.__doc__ = about
    ordered.__name__ = order
    path = f"/canaries/{{canary_id}}/{order}"
    router.post(path, responses=responses(404, 409), summary=summary)(ordered)


_add("promote", "Go on", "To the next step or 100 %, or yes to what is being asked.")
_add("approve", "Approve", "Yes to what is being asked; the token must be named as an approver.")
_add("pause", "Pause", "Holds the weight, `for` so long; it is still judged and rolled back.")
_add("resume", "Resume", "Goes on after a pause.")
_add("extend", "Watch longer", "By `for`, or by 10 minutes, before anything is decided.")


def _command(
    parts: Parts, caller: Caller, canary: Canary, order: Order, body: OrderBody
) -> Command:
    by, now = caller.actor, parts.clock.now()
    match order:
        case "abort":
            return Abort(by, now, body.reason)
        case "pause":
            return Pause(by, now, _length(body))
        case "resume":
            return Resume(by, now)
        case "extend":
            return Extend(by, now, _length(body) or EXTENSION)
        case "approve":
            return _approve(by, now, canary, body)
        case "promote" if isinstance(canary.phase, AwaitingDecision):
            return _approve(by, now, canary, body)
        case "promote":
            return Promote(by, now, _step(body, getattr(canary.phase, "step", None)))


def _length(body: OrderBody) -> timedelta | None:
    try:
        return span(body.for_)
    except ValueError as error:
        raise unprocessable(f"for: {error}.") from error


def _approve(by: Actor, now: datetime, canary: Canary, body: OrderBody) -> Approve:
    """Yes to what was seen or, where that is not said, to what is asked now; to nothing later."""
    match canary.phase:
        case PendingApproval():
            return Approve(by, now, body.question or "start", _step(body, None))
        case AwaitingDecision(question=question, step=step):
            return Approve(by, now, body.question or question, _step(body, step))
        case _:
            return Approve(by, now, body.question, _step(body, None))


def _step(body: OrderBody, current: int | None) -> int | None:
    """As the engine counts, from 0."""
    return current if body.step is None else body.step - 1


async def _given(parts: Parts, caller: Caller, canary: Canary, command: Command) -> State:
    answer = await parts.desk.command(canary.id, command)
    if isinstance(answer, Refused):
        _log.info("api.refused", canary_id=canary.id, order=command.kind, by=caller.name)
        how = "GET it to see how it stands."
        raise Problem(409, "refused", answer.reason, how)
    _log.info("api.ordered", canary_id=canary.id, order=command.kind, by=caller.name)
    return parts.told(answer)
