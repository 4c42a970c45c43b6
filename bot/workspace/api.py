"""The HTTP side that an app sees: methods, uploads, files and response URLs."""

import asyncio
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse

from bot.workspace.core import Workspace
from bot.workspace.faults import Fault
from bot.workspace.methods import METHODS, Call, RateLimitedError
from bot.workspace.methods.chat import use_response_url
from bot.workspace.methods.registry import Method
from bot.workspace.wire import Json, SlackError

# Only these are shown in the page; anything else could be a page of its own.
SHOWN_INLINE = ("image/png", "image/jpeg", "image/gif", "image/webp")


async def _arguments(request: Request) -> Json:
    """Read the arguments: the query, then a JSON or form body."""
    args: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "application/json":
        try:
            body = await request.json()
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        args |= body
    elif kind == "multipart/form-data":
        args |= {k: v for k, v in (await request.form()).items() if isinstance(v, str)}
    else:
        text = (await request.body()).decode("utf-8", "replace")
        args |= dict(parse_qsl(text, keep_blank_values=True))
    return args


def _authorize(workspace: Workspace, found: Method, request: Request, args: Json) -> None:
    """Refuse a call without the right token or scope."""
    if found.caller is None:
        return
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else args.get("token")
    if not token:
        raise SlackError("not_authed")
    settings = workspace.settings
    tokens = {"bot": settings.bot_token, "app": settings.app_token}
    if token not in tokens.values():
        raise SlackError("invalid_auth")
    if token != tokens[found.caller]:
        raise SlackError("not_allowed_token_type")
    if found.scope is not None and found.scope not in settings.scopes:
        raise SlackError("missing_scope", needed=found.scope, provided=",".join(settings.scopes))


def _too_many(workspace: Workspace, name: str, seconds: int) -> Response:
    workspace.counts.rate_limited[name] += 1
    return JSONResponse(
        {"ok": False, "error": "ratelimited"}, 429, headers={"Retry-After": str(seconds)}
    )


def _faulty(workspace: Workspace, name: str, fault: Fault) -> Response:
    """Answer as the fault says, with nothing done."""
    if fault.status == 429:
        return _too_many(workspace, name, fault.retry_after or 1)
    workspace.counts.errors[name] += 1
    if fault.status is not None:
        return PlainTextResponse("upstream connect error", fault.status)
    return JSONResponse({"ok": False, "error": fault.error})


async def _answer(workspace: Workspace, name: str, request: Request) -> Response:
    """Do the work of one call."""
    found = METHODS.get(name)
    try:
        if found is None:
            raise SlackError("unknown_method", req_method=name)  # noqa: TRY301 - one way out for all refusals
        args = await _arguments(request)
        _authorize(workspace, found, request, args)
        seconds = workspace.limits.wait(name, found.tier)
        if seconds:
            raise RateLimitedError(seconds)  # noqa: TRY301 - one way out for all refusals
        answer = {"ok": True, **found.handler(Call(workspace, args))}
    except RateLimitedError as error:
        return _too_many(workspace, name, error.seconds)
    except SlackError as error:
        workspace.counts.errors[name] += 1
        answer = error.wire()
    scopes = ",".join(workspace.settings.scopes)
    return JSONResponse(answer, headers={"x-oauth-scopes": scopes})


def api_routes(workspace: Workspace) -> APIRouter:
    """Give the routes an app uses."""
    routes = APIRouter()

    @routes.api_route("/api/{name}", methods=["GET", "POST"])
    async def call(name: str, request: Request) -> Response:
        workspace.counts.calls[name] += 1
        fault = workspace.faults.take(name)
        if fault is None:
            return await _answer(workspace, name, request)
        await asyncio.sleep(fault.delay)
        if fault.refuses:
            return _faulty(workspace, name, fault)
        answer = await _answer(workspace, name, request)
        if fault.lose_answer:
            workspace.cut(request)
        return answer

    @routes.post("/actions/{team}/{middle}/{key}")
    @routes.post("/commands/{team}/{middle}/{key}")
    async def respond(team: str, middle: str, key: str, request: Request) -> Response:
        del team, middle
        workspace.counts.calls["response_url"] += 1
        try:
            use_response_url(Call(workspace, await _arguments(request)), key)
        except SlackError as error:
            workspace.counts.errors["response_url"] += 1
            gone = error.error in ("expired_url", "used_url")
            return JSONResponse(error.wire(), 404 if gone else 400)
        return PlainTextResponse("ok")

    _add_file_routes(routes, workspace)
    return routes


def _add_file_routes(routes: APIRouter, workspace: Workspace) -> None:
    @routes.post("/upload/v1/{file_id}")
    async def upload(file_id: str, request: Request) -> Response:
        file = workspace.store.files.get(file_id)
        if file is None or file.content is not None:
            return PlainTextResponse("no such upload", 404)
        content = await request.body()
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            parts = (await request.form()).values()
            content = b"".join([await p.read() for p in parts if not isinstance(p, str)])
        if len(content) != file.length:
            return PlainTextResponse(f"announced {file.length} bytes, got {len(content)}", 400)
        file.content = content
        return PlainTextResponse(f"OK - {len(content)}")

    @routes.get("/files/{key}/{name}")
    async def download(key: str, name: str) -> Response:
        del name
        file = workspace.store.files.get(key.removeprefix(f"{workspace.settings.team_id}-"))
        if file is None or file.content is None:
            return PlainTextResponse("no such file", 404)
        shown = file.mimetype in SHOWN_INLINE
        return Response(
            file.content,
            media_type=file.mimetype if shown else "application/octet-stream",
            headers={
                "Content-Disposition": "inline" if shown else "attachment",
                "Content-Security-Policy": "sandbox",
                "X-Content-Type-Options": "nosniff",
            },
        )

    @routes.get("/archives/{channel}/p{digits}")
    async def permalink(channel: str, digits: str, thread_ts: str = "") -> Response:
        ts = f"{digits[:-6]}.{digits[-6:]}"
        place = f"thread/{thread_ts}" if thread_ts else f"message/{ts}"
        return RedirectResponse(f"/#{channel}/{place}")
