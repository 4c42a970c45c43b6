"""`GET /v1/canaries…`: what there is, and waiting for what comes of it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from bot.api.desk import Called, CanaryId, With
from bot.api.problems import responses
from bot.api.requests import Service, Span, span
from bot.api.shapes import State
from bot.api.watching import Events, news, seat

router = APIRouter(tags=["canaries"])
MOST = 100


class Listed(BaseModel):
    """Canaries, the newest first."""

    canaries: list[State]


@router.get("/canaries", responses=responses(404), summary="List canaries")
async def listed(
    parts: With,
    caller: Called,
    service: Annotated[Service | None, Query()] = None,
    live: Annotated[bool | None, Query(description="Only those that have not ended.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 20,
) -> Listed:
    """Of the services that the token is for."""
    caller.need("read")
    if service is not None:
        parts.service(caller, service)
    if live:
        found = await parts.desk.all_live()
        mine = [one for one in found if service in {None, one.service}]
    elif service is None and not caller.token.sees_everything:
        mine = []
        for name in parts.visible(caller):
            mine += await parts.desk.recent(name, limit)
        mine.sort(key=lambda one: (one.created_at, one.id), reverse=True)
    else:
        mine = list(await parts.desk.recent(service, limit))
    if live is False:
        mine = [one for one in mine if one.is_ended]
    seen = [one for one in mine if caller.token.sees(one.service)]
    return Listed(canaries=[parts.told(one) for one in seen[:limit]])


@router.get("/canaries/{canary_id}", responses=responses(404), summary="One canary, now or later")
async def one(
    parts: With,
    caller: Called,
    canary_id: CanaryId,
    wait: Annotated[
        Span | None, Query(description="How long to wait for news; cut to what is configured.")
    ] = None,
    seen: Annotated[
        str, Query(max_length=64, description="A version, phase or state that is no news.")
    ] = "",
) -> State:
    """With `wait`: once it differs from `seen`, or has ended, or after that time as it is."""
    caller.need("read")
    canary = await parts.canary(caller, canary_id)
    if wait is None:
        return parts.told(canary)
    patience = _cut(wait, parts.settings.longest_wait)
    seen = seen or parts.told(canary).version
    with seat(parts, caller, "waits"):
        return await news(parts, canary, seen, patience.total_seconds())


def _cut(wait: str, longest: timedelta) -> timedelta:
    try:
        return min(span(wait) or longest, longest)
    except ValueError:  # longer than any span that is meant
        return longest


@router.get(
    "/canaries/{canary_id}/events",
    response_class=StreamingResponse,
    responses={
        **responses(404),
        200: {"description": "Server-sent events", "content": {"text/event-stream": {}}},
    },
    summary="A canary's changes as they happen",
)
async def events(
    parts: With,
    caller: Called,
    canary_id: CanaryId,
    last: Annotated[str, Header(alias="Last-Event-ID", max_length=64)] = "",
) -> StreamingResponse:
    """`state` at each change and `end` at the last one, each with the whole canary."""
    caller.need("read")
    canary = await parts.canary(caller, canary_id)
    return Events(parts, caller, canary, last)
