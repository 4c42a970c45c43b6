"""`POST /v1/canaries`: started once, however often a pipeline asks."""

import asyncio
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse

from bot.api.desk import Called, Parts, With
from bot.api.doorkeeper import Caller
from bot.api.problems import MEDIA_TYPE, Problem, responses, seconds, unprocessable
from bot.api.requests import StartBody, sent_along
from bot.api.shapes import State
from bot.core.canary import Canary
from bot.core.moves import Refused
from bot.engine.launching import Wish
from bot.ports import PortError
from bot.ports.access import Answered, Busy, Different, Mine

REPLAYED: Final = "Idempotency-Replayed"
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="The same key and body, but for `change`, within 24 hours are the same canary.",
    ),
]
_log = structlog.get_logger()
router = APIRouter(tags=["canaries"])


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is sent, and kept."""

    status: int
    body: dict[str, Any]
    location: str = ""

    def response(self, **headers: str) -> Response:
        if self.location:
            headers["Location"] = self.location
        kind = "application/json" if self.status < 400 else MEDIA_TYPE
        return JSONResponse(self.body, self.status, headers, kind)

    def text(self) -> str:
        return json.dumps([self.status, self.body, self.location])


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One try to carry out a request with a key."""

    canary_id: str
    key: str
    holder: str
    again: bool


@router.post(
    "/canaries",
    status_code=201,
    response_model=State,
    responses=responses(404, 409),
    summary="Start a canary",
)
async def start(
    parts: With, caller: Called, body: StartBody, key: IdempotencyKey = None
) -> Response:
    """Looks at the change, makes the plan, and begins; waits for nothing.

    409 where the service has a live canary, is frozen, or this is refused for another reason.
    """
    caller.need("start")
    parts.service(caller, body.service)
    new_id = parts.new_canary_id(body.service)
    if key is None:
        return (await _started(parts, caller, body, new_id)).response()
    kept = f"{caller.name}:{hashlib.sha256(key.encode()).hexdigest()}"
    fingerprint = await asyncio.to_thread(_fingerprint, body)
    holder = secrets.token_hex(8)
    match await parts.once.reserve(kept, fingerprint, new_id, holder):
        case Answered(answer=answer):
            status, content, location = json.loads(answer)
            return _Answer(status, content, location).response(**{REPLAYED: "true"})
        case Different():
            raise unprocessable(
                "This Idempotency-Key was used for another request within the last 24 hours. "
                "Nothing was done.",
                "Use a new key for a new request, or send the same body.",
            )
        case Busy(for_=left):
            raise Problem(
                409,
                "in-flight",
                "The first request with this Idempotency-Key is still under way.",
                "Ask again; the answer will be the same canary.",
                {"Retry-After": seconds(min(left, parts.settings.longest_wait) / 30)},
            )
        case Mine(mark=canary_id, again=again):
            return await _once(parts, caller, body, _Attempt(canary_id, kept, holder, again))


def _fingerprint(body: StartBody) -> str:
    """The same for bodies that want the same; its digest is made while others go on.

    What is said about the change is evidence: it begins elsewhere once stable has moved on, and
    whoever asks again still means the same canary.
    """
    return hashlib.sha256(body.model_dump_json(exclude={"change"}).encode()).hexdigest()


async def _once(parts: Parts, caller: Caller, body: StartBody, attempt: _Attempt) -> Response:
    """Start the canary of this id, unless an earlier attempt has, and keep the answer.

    The id is settled before anything is started, and the store takes each id once: two attempts
    cannot start two canaries, wherever the first one was cut off.
    """
    try:
        before = await parts.desk.find(attempt.canary_id) if attempt.again else None
        if before is not None:
            answer = _created(parts, before)
        else:
            answer = await _started(parts, caller, body, attempt.canary_id)
    except BaseException:
        await _let_go(parts, attempt)
        raise
    if answer.status == 409:  # the next attempt may find the freeze lifted
        await _let_go(parts, attempt)
        return answer.response()
    try:
        await parts.once.keep(attempt.key, attempt.holder, answer.text())
    except PortError as error:  # it has begun; the mark leads the next attempt to it
        _log.warning("api.answer_not_kept", canary_id=attempt.canary_id, reason=str(error))
    return answer.response(**({REPLAYED: "true"} if before is not None else {}))


async def _let_go(parts: Parts, attempt: _Attempt) -> None:
    try:
        await parts.once.release(attempt.key, attempt.holder)
    except PortError as error:  # its lease ends by itself
        _log.info("api.not_released", reason=str(error))


async def _started(parts: Parts, caller: Caller, body: StartBody, canary_id: str) -> _Answer:
    wish = Wish(
        service=body.service,
        revision=body.revision,
        by=caller.speaking_for(body.on_behalf_of) if body.on_behalf_of else caller.actor,
        tier=body.tier,
        percent=body.percent,
        window=body.window,
        reason=body.reason,
        override=body.override,
        change=await sent_along(body.change),
    )
    try:
        begun = await parts.launcher_for(canary_id).launch(wish)
    except ValueError as error:
        raise unprocessable(f"Not started: {error}.".replace("..", ".")) from error
    if isinstance(begun, Refused):
        # Refused as busy with itself: an attempt whose answer was lost has begun it.
        mine = await parts.desk.find(canary_id)
        if mine is None:
            return _refused(begun)
        begun = mine
    _log.info("api.started", canary_id=begun.id, service=begun.service)
    return _created(parts, begun)


def _created(parts: Parts, canary: Canary) -> _Answer:
    state = parts.told(canary)
    return _Answer(201, state.model_dump(mode="json"), state.links["self"])


def _refused(refused: Refused) -> _Answer:
    problem = Problem(409, "refused", refused.reason, "Do what it says, then ask again.")
    return _Answer(409, json.loads(bytes(problem.answer().body)))
