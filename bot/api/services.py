"""`GET /v1/services`, one of them, and `POST /v1/classify`: what can be started, and what it would mean."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from bot.api.desk import Called, With
from bot.api.freezes import FreezeState, told
from bot.api.problems import responses
from bot.api.requests import ClassifyBody, sent_along
from bot.api.shapes import ReasonBody, StatementBody
from bot.core.freezes import ALL, Freeze

ServiceName = Annotated[str, Path(max_length=100, examples=["shop"])]
router = APIRouter(tags=["services"])


class ServiceState(BaseModel):
    """A service; `live` is the id of its live canary."""

    name: str
    live: str | None
    freezes: list[FreezeState]


class ServiceDetail(ServiceState):
    """A service, looked at closely."""

    stable_revision: str | None = Field(
        description="What a canary would be compared with; null where nobody can tell."
    )


class Services(BaseModel):
    """The services that the token is for."""

    services: list[ServiceState]


class Classified(BaseModel):
    """What the classifier found."""

    tier: str
    reasons: list[ReasonBody]
    statements: list[StatementBody]
    rollback_safe: bool | None = Field(description="null where the change cannot be seen.")
    seen: bool
    summary: str


@router.get("/services", responses=responses(), summary="What can be started")
async def listed(parts: With, caller: Called) -> Services:
    """With what is live there, and what keeps it from being started."""
    caller.need("read")
    live = {one.service: one.id for one in await parts.desk.all_live()}
    freezes = await parts.desk.freezes()
    return Services(
        services=[
            ServiceState(name=name, live=live.get(name), freezes=_of(name, freezes))
            for name in parts.visible(caller)
        ]
    )


@router.get("/services/{name}", responses=responses(404), summary="One of them")
async def detailed(parts: With, caller: Called, name: ServiceName) -> ServiceDetail:
    """With the revision that is stable: from there a change is counted that is sent along."""
    caller.need("read", "start")
    service = parts.service(caller, name)
    live = await parts.desk.live(service)
    return ServiceDetail(
        name=service,
        live=live.id if live else None,
        freezes=_of(service, await parts.desk.freezes()),
        stable_revision=await parts.launcher_for("").stable(service),
    )


def _of(service: str, freezes: Sequence[Freeze]) -> list[FreezeState]:
    return [told(freeze) for freeze in freezes if freeze.scope in {ALL, service}]


@router.post("/classify", responses=responses(404), summary="The tier of a change")
async def classify(parts: With, caller: Called, body: ClassifyBody) -> Classified:
    """Without starting anything."""
    caller.need("read")
    service = parts.service(caller, body.service)
    sent = await sent_along(body.change)
    found = await parts.launcher_for("").assess(service, body.revision, sent)
    return Classified(
        tier=found.tier,
        reasons=[ReasonBody.model_validate(each, from_attributes=True) for each in found.reasons],
        statements=[
            StatementBody.model_validate(each, from_attributes=True) for each in found.statements
        ],
        rollback_safe=found.rollback_is_safe if found.seen else None,
        seen=found.seen,
        summary=found.summary,
    )
