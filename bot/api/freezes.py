"""`/v1/freezes`: what keeps services from being started."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from bot.api.desk import Called, Parts, With
from bot.api.doorkeeper import Caller
from bot.api.problems import Problem, responses, unprocessable
from bot.api.requests import FreezeBody, Service, moment, span
from bot.api.shapes import ActorBody
from bot.core.freezes import ALL, Freeze

USUAL: Final = timedelta(hours=24)
LONGEST: Final = timedelta(days=90)
router = APIRouter(tags=["freezes"])


class FreezeState(BaseModel):
    """A freeze; `kind` is `freeze`, `lock` (one person may start), or `calendar` (configured)."""

    scope: str
    kind: str
    reason: str
    by: ActorBody
    since: datetime
    until: datetime | None


class Frozen(BaseModel):
    """What is frozen now."""

    freezes: list[FreezeState]


def told(freeze: Freeze) -> FreezeState:
    """As a pipeline is told."""
    by = ActorBody(id=freeze.by.id, name=freeze.by.name, via=freeze.by.via)
    return FreezeState(
        scope=freeze.scope,
        kind=freeze.kind,
        reason=freeze.reason,
        by=by,
        since=freeze.since,
        until=freeze.until,
    )


def seen_by(caller: Caller, freezes: tuple[Freeze, ...]) -> list[Freeze]:
    """Those that hold something the caller may know of."""
    return [one for one in freezes if one.scope == ALL or caller.token.sees(one.scope)]


@router.get("/freezes", responses=responses(), summary="What is frozen")
async def listed(parts: With, caller: Called) -> Frozen:
    """Of everything, and of the services that the token is for."""
    caller.need("read")
    return Frozen(freezes=[told(one) for one in seen_by(caller, await parts.desk.freezes())])


@router.post("/freezes", status_code=201, responses=responses(404), summary="Freeze")
async def freeze(parts: With, caller: Called, body: FreezeBody) -> FreezeState:
    """Nothing of this scope is started until then; live canaries go on."""
    caller.need("freeze")
    scope = _scope(parts, caller, body.scope)
    now = parts.clock.now()
    if body.until is not None and body.for_ is not None:
        raise unprocessable("until and for say the same thing twice.", "Send one of them.")
    try:
        until = moment(body.until, span(body.for_) or USUAL, now)
    except ValueError as error:
        raise unprocessable(f"for: {error}.") from error
    if until is None or not now < until <= now + LONGEST:
        raise unprocessable(
            "The freeze would not end between now and in 90 days.", "Send another end."
        )
    made = Freeze(scope, caller.actor, body.reason, now, until)
    await parts.desk.freeze(made)
    return told(made)


@router.delete(
    "/freezes/{scope}", status_code=204, responses=responses(404), summary="Lift a freeze"
)
async def lift(parts: With, caller: Called, scope: Annotated[Service, Path()]) -> Response:
    """What the calendar or a lock holds cannot be lifted here."""
    caller.need("freeze")
    scope = _scope(parts, caller, scope)
    lifted = await parts.desk.unfreeze(scope, caller.actor)
    if lifted is None:
        raise Problem(
            404,
            "not-frozen",
            f"{scope} has no freeze that can be lifted here; those of the calendar and locks cannot.",
            "GET /v1/freezes lists what holds.",
        )
    return Response(status_code=204)


def _scope(parts: Parts, caller: Caller, scope: str) -> str:
    if scope != ALL:
        return parts.service(caller, scope)
    if caller.token.sees_everything:
        return ALL
    raise Problem(
        403,
        "not-permitted",
        f"The token {caller.name} is not for all services, so it can neither freeze nor lift "
        "everything. Nothing was done.",
        "Freeze one service, or use a token made with --all-services.",
    )
