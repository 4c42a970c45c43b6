"""The server: Slack's side, the control API and the page, on one port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.base import RequestResponseEndpoint

from bot.workspace.api import api_routes
from bot.workspace.control import control_routes
from bot.workspace.core import Workspace
from bot.workspace.settings import Settings
from bot.workspace.wire import Json, RefusedError

STATIC = Path(__file__).parent / "static"
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' https: data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the server of one workspace; the workspace is `app.state.workspace`."""
    workspace = Workspace(settings or Settings())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await workspace.close()

    app = FastAPI(title="Local workspace", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.workspace = workspace
    _add_errors(app)
    app.include_router(api_routes(workspace))
    app.include_router(control_routes(workspace))
    _add_pages(app, workspace)

    @app.websocket("/link")
    async def link(socket: WebSocket) -> None:
        await workspace.links.serve(socket)

    @app.middleware("http")
    async def remember_own_address(
        request: Request, call_next: RequestResponseEndpoint
    ) -> Response:
        if not workspace.base_url:
            workspace.base_url = str(request.base_url).rstrip("/")
        return await call_next(request)

    return app


def _add_pages(app: FastAPI, workspace: Workspace) -> None:
    @app.get("/")
    async def page() -> FileResponse:
        headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
        return FileResponse(STATIC / "index.html", headers=headers)

    @app.get("/healthz")
    async def healthz() -> Json:
        return {"ok": True, "connections": workspace.links.count}

    app.mount("/static", StaticFiles(directory=STATIC), name="static")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(RefusedError)
    async def refused(_request: Request, error: RefusedError) -> JSONResponse:
        answer = {"ok": False, "error": str(error), **error.extra}
        return JSONResponse(answer, error.status)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        told = [f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors()]
        return JSONResponse({"ok": False, "error": "; ".join(told)}, 422)
