"""The control API under /_/: what people do, what they see, and what shall go wrong."""

from typing import Any, Literal

from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ConfigDict

from bot.workspace import interactions, modals, options
from bot.workspace.core import Workspace
from bot.workspace.faults import Fault
from bot.workspace.snapshot import message_for_tests, snapshot
from bot.workspace.wire import Json


class _Request(BaseModel):
    """A misspelt key is an error."""

    model_config = ConfigDict(extra="forbid")


class CommandRequest(_Request):
    """A slash command, with its slash."""

    user: str
    channel: str
    text: str
    thread_ts: str | None = None


class ClickRequest(_Request):
    """A click on an element of a message or of a view; `values` is what else is typed there."""

    user: str
    action_id: str
    channel: str | None = None
    message_ts: str | None = None
    view_id: str | None = None
    block_id: str | None = None
    value: Any = None
    values: Json = {}


class OptionsRequest(_Request):
    """What is typed into an external select, in a message or in a view."""

    user: str
    action_id: str
    value: str = ""
    channel: str | None = None
    message_ts: str | None = None
    view_id: str | None = None
    block_id: str | None = None


class SubmitRequest(_Request):
    """A modal's inputs, by block_id and action_id or by action_id alone."""

    user: str
    view_id: str
    values: Json = {}


class CloseRequest(_Request):
    """The modal to close; `clear` closes all below it too."""

    user: str
    view_id: str
    clear: bool = False


class HomeRequest(_Request):
    """Whose home tab is opened."""

    user: str


class PostRequest(_Request):
    """Plain words of a person."""

    user: str
    channel: str
    text: str
    thread_ts: str | None = None


class DisconnectRequest(_Request):
    """How connections end, and how many at most."""

    how: Literal["refresh", "warning", "drop", "cut"]
    most: int = 100


def control_routes(workspace: Workspace) -> APIRouter:
    """Give the routes of the control API."""
    routes = APIRouter(prefix="/_")
    _add_actions(routes, workspace)
    _add_views(routes, workspace)
    _add_faults(routes, workspace)
    return routes


def _add_actions(routes: APIRouter, workspace: Workspace) -> None:
    @routes.post("/command")
    async def command(request: CommandRequest) -> Json:
        return await interactions.send_command(workspace, **request.model_dump())

    @routes.post("/click")
    async def click(request: ClickRequest) -> Json:
        return await interactions.click(workspace, request.model_dump())

    @routes.post("/options")
    async def suggest(request: OptionsRequest) -> Json:
        return await options.suggest(workspace, request.model_dump())

    @routes.post("/fill")
    async def fill(request: SubmitRequest) -> Json:
        return modals.fill(workspace, **request.model_dump())

    @routes.post("/submit")
    async def submit(request: SubmitRequest) -> Json:
        return await modals.submit(workspace, **request.model_dump())

    @routes.post("/close_view")
    async def close_view(request: CloseRequest) -> Json:
        return await modals.close(workspace, **request.model_dump())

    @routes.post("/home")
    async def home(request: HomeRequest) -> Json:
        return await interactions.open_home(workspace, request.user)

    @routes.post("/post")
    async def post(request: PostRequest) -> Json:
        return interactions.say(workspace, **request.model_dump())


def _add_views(routes: APIRouter, workspace: Workspace) -> None:
    @routes.get("/state")
    async def state(user: str | None = None) -> Json:
        found = interactions.find_person(workspace, user) if user else None
        return snapshot(workspace, found)

    @routes.get("/messages")
    async def messages(channel: str, since: str = "") -> Json:
        found = interactions.find_channel(workspace, channel)
        shown = [message_for_tests(m, workspace) for m in found.messages.values() if m.ts >= since]
        return {"ok": True, "messages": shown}

    @routes.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await workspace.live.serve(socket)


def _add_faults(routes: APIRouter, workspace: Workspace) -> None:
    @routes.post("/disconnect")
    async def disconnect(request: DisconnectRequest) -> Json:
        ended = await workspace.links.disconnect(request.how, workspace.cut, request.most)
        return {"ok": True, "connections": ended}

    @routes.post("/faults")
    async def faults(fault: Fault) -> Json:
        workspace.faults.add(fault)
        return {"ok": True, "pending": [f.model_dump() for f in workspace.faults.pending()]}

    @routes.post("/reset")
    async def reset() -> Json:
        workspace.reset()
        return {"ok": True}
