"""What went wrong, as RFC 9457 has it: a type, a title, what and why, and what to do next."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from bot.config.complaints import complaint
from bot.config.units import unknown

MEDIA_TYPE: Final = "application/problem+json"
LONGEST_INPUT: Final = 80
"""Of what was sent, in an answer."""


class ProblemBody(BaseModel):
    """An error: what, why, and what to do."""

    type: str = Field(description="Names the kind of problem; stays the same.")
    title: str = Field(description="The kind of problem, in words.")
    status: int
    detail: str = Field(description="What happened this time, and why.")
    next: str = Field(description="What to do about it.")


class Problem(Exception):  # noqa: N818 - it is an answer, as `Refused` is
    """Becomes the answer wherever it is raised."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        next_: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.next = next_
        self.headers = dict(headers or {})

    def answer(self) -> JSONResponse:
        """As it is sent."""
        body = ProblemBody(
            type=f"urn:canarybot:{self.kind}",
            title=self.kind.replace("-", " "),
            status=self.status,
            detail=self.detail,
            next=self.next,
        )
        return JSONResponse(body.model_dump(), self.status, self.headers, MEDIA_TYPE)


def seconds(span: timedelta) -> str:
    """As a header has it: whole seconds, at least one."""
    return str(max(1, math.ceil(span.total_seconds())))


def away(why: str) -> Problem:
    """The store does not answer."""
    return Problem(
        503,
        "store-away",
        f"The bot cannot reach its store: {why}. Nothing is known to have been done.",
        "Try again; what was asked under an Idempotency-Key is done once.",
        {"Retry-After": "2"},
    )


def crowded() -> Problem:
    """More ask than the store answers."""
    return Problem(
        503,
        "crowded",
        "Too many requests wait for the bot's store at once. Nothing was done.",
        "Try again.",
        {"Retry-After": "2"},
    )


def fault() -> Problem:
    """Ours; what it was stands in the log."""
    return Problem(
        500,
        "fault",
        "The bot has failed at this request; it may have been carried out or not.",
        "Look at the canary before you ask again; the bot's log says what failed.",
    )


def unprocessable(detail: str, next_: str = "Correct the request.") -> Problem:
    """What was sent can be read and makes no sense."""
    return Problem(422, "unusable-request", detail, next_)


def of_http(error: HTTPException) -> Problem:
    """What the framework itself refuses."""
    headers = error.headers or {}
    match error.status_code:
        case 404:
            return Problem(
                404, "not-found", "There is nothing at this path.", "See /openapi.json."
            )
        case 405:
            how = headers.get("Allow") or headers.get("allow") or "another method"
            return Problem(405, "method", f"This path takes {how}.", "See /openapi.json.", headers)
        case 400:
            return unreadable()
        case status:
            phrase = HTTPStatus(status).phrase
            return Problem(status, phrase.lower().replace(" ", "-"), phrase, "", headers)


def unreadable() -> Problem:
    """No JSON."""
    return Problem(
        400,
        "unreadable-request",
        "The body is no JSON that can be read: broken, nested too deep, or with a number too long.",
        "Send one JSON object in UTF-8 with Content-Type: application/json.",
    )


def of_validation(error: RequestValidationError) -> Problem:
    """Every mistake in one sentence each; a mistyped name with the near one."""
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return unreadable()
    told = [_sentence(each) for each in found[:5]]
    more = f" And {len(found) - 5} more." if len(found) > 5 else ""
    return unprocessable(" ".join(told) + more, "Correct these; /openapi.json has the shapes.")


def _sentence(found: Mapping[str, Any]) -> str:
    path = [str(part) for part in found["loc"][1:]]  # without body, query, path or header
    name = _short(".".join(path)) or "the body"
    match found["type"]:
        case "missing":
            return f"{name} is missing."
        case "extra_forbidden":
            known = _known(found)
            return f"{unknown('field', _short(path[-1]), known)}".rstrip(".") + "."
        case "value_error":
            return f"{name}: {found['ctx']['error']}."
        case "string_unicode" | "string_pattern_mismatch":
            return f"{name}: {found['msg']}."
        case _:
            what = complaint(found) or found["msg"]
            return f"{name}: {what} (it says {_short(str(found.get('input')))!r})."


def _known(found: Mapping[str, Any]) -> Sequence[str]:
    from bot.api.requests import fields_at

    return fields_at(found["loc"], found.get("ctx") or {})


def _short(text: str) -> str:
    """Nothing that was sent comes back whole, or in a form that cannot be sent."""
    clean = text.encode("ascii", "backslashreplace").decode()
    return clean if len(clean) <= LONGEST_INPUT else f"{clean[:LONGEST_INPUT]}…"


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: these problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
    common = {400, 401, 403, 408, 413, 422, 429, 500, 503, *statuses}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in sorted(common)
    }
