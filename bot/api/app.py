"""The application: every route, its errors, and the OpenAPI document that tells of both."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from bot.api import canaries, freezes, orders, services, starting
from bot.api.bodies import App
from bot.api.desk import Catalog, Desk, Launching, Parts
from bot.api.doorkeeper import Access, Doorkeeper
from bot.api.entrance import Entrance
from bot.api.problems import Problem, ProblemBody, away, of_http, of_validation
from bot.config.api import ApiSettings
from bot.core.canary import Canary
from bot.ports import Clock, PortError
from bot.ports.access import Once, Rates, Tokens

DESCRIPTION: Final = """\
Start a canary, wait for its end, and decide about it. Errors are problem+json (RFC 9457) with a
`detail` that says what and why, and a `next` that says what to do. A service that a token is not
for looks like one that does not exist.
"""


def make_api(
    *,
    desk: Desk,
    launcher_for: Callable[[str], Launching],
    new_canary_id: Callable[[str], str],
    catalog: Catalog,
    tokens: Tokens,
    once: Once,
    rates: Rates,
    clock: Clock,
    settings: ApiSettings,
    message_url: Callable[[Canary], str] = lambda _canary: "",
    extra_routes: Sequence[APIRouter] = (),
    middleware: Callable[[App], App] | None = None,
) -> FastAPI:
    """Make the application.

    Args:
        desk: the engine.
        launcher_for: a launcher whose next canary has this id.
        new_canary_id: one that nobody has yet, for a service.
        catalog: what is configured.
        tokens, once, rates: what is kept of callers, for all replicas.
        clock: the wall clock.
        settings: the section `api`.
        message_url: where a canary's message is; empty where there is none yet.
        extra_routes: served to everybody, without a token.
        middleware: put around all of it.

    """
    app = FastAPI(
        title="canarybot",
        version="1",
        description=DESCRIPTION,
        docs_url=None,  # both pages load from other hosts
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    parts = Parts(desk, launcher_for, new_canary_id, catalog, once, clock, settings, message_url)
    app.state.parts, app.state.leaving = parts, parts.leaving
    app.state.connections_per_address = settings.connections_per_address
    for each in (starting, canaries, orders, services, freezes):
        app.include_router(each.router, prefix="/v1")
    for routes in extra_routes:
        app.include_router(routes)
    _explain(app)
    doorkeeper = Doorkeeper(Access(tokens, rates), clock, settings)
    app.add_middleware(_entering, doorkeeper=doorkeeper)
    if middleware is not None:
        app.add_middleware(middleware)
    generated = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(generated())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # the way FastAPI documents it
    return app


def _entering(app: App, doorkeeper: Doorkeeper) -> App:
    return Entrance(app, doorkeeper)


def _explain(app: FastAPI) -> None:
    """Every error leaves as a problem."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return error.answer()

    @app.exception_handler(PortError)
    async def port(_: Request, error: PortError) -> Response:
        return away(str(error)).answer()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return of_validation(error).answer()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            headers = {**(error.headers or {}), "Allow": _allowed(request)}
            error = HTTPException(error.status_code, error.detail, headers)
        return of_http(error).answer()


def _allowed(request: Request) -> str:
    """Every method of this path; the framework names those of its first route only."""
    routes = (one for one in request.app.routes if isinstance(one, Route))
    same = (one for one in routes if one.matches(request.scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for one in same for method in one.methods or ()}))


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["ProblemBody"] = ProblemBody.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document
