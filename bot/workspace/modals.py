"""Modals as people use them: fill in, submit, close."""

from bot.workspace import payloads
from bot.workspace.blocks import check_view
from bot.workspace.core import Workspace
from bot.workspace.delivery import INTERACTION
from bot.workspace.filling import complaints, fill_in
from bot.workspace.interactions import find_person, undelivered, visible_view
from bot.workspace.methods.views import STACK, change, make_view
from bot.workspace.store import View
from bot.workspace.wire import Json, RefusedError, SlackError, choices

TROUBLE = "We had some trouble connecting. Try again?"


def _open_modal(workspace: Workspace, user: str, view_id: str) -> View:
    stack = workspace.store.stacks[user]
    if not stack or stack[-1].id != view_id:
        known = choices([v.id for v in stack[-1:]])
        raise RefusedError(f"{view_id!r} is not the modal on top; it is: {known}", status=409)
    return stack[-1]


def fill(workspace: Workspace, user: str, view_id: str, values: Json) -> Json:
    """Type into the inputs of a modal or the home tab; the app hears nothing of it."""
    view = visible_view(workspace, find_person(workspace, user), view_id)
    fill_in(workspace, view, values)
    return {"ok": True, "values": view.values}


async def submit(workspace: Workspace, user: str, view_id: str, values: Json) -> Json:
    """Submit the modal on top, and do what the app answers."""
    user = find_person(workspace, user)
    view = _open_modal(workspace, user, view_id)
    fill_in(workspace, view, values)
    view.errors = complaints(view)
    if view.errors:
        workspace.live.change()
        return {"ok": False, "error": "incomplete", "errors": view.errors}
    workspace.counts.delivered[INTERACTION] += 1
    try:
        answer = await workspace.delivery.send(INTERACTION, payloads.submission(workspace, view))
        _do(workspace, view, answer)
    except SlackError as error:
        undelivered(workspace, error)
        workspace.tell(user, None, TROUBLE)
        return {"ok": False, "error": error.error, "shown": TROUBLE}
    workspace.live.change()
    if view.errors:
        return {"ok": False, "error": "refused_by_app", "errors": view.errors}
    return {"ok": True}


def _do(workspace: Workspace, view: View, answer: Json) -> None:
    """Follow a response_action; an answer Slack could not follow leaves the modal open."""
    stack = workspace.store.stacks[view.user]
    action = answer.get("response_action")
    if action is None:
        if view in stack:
            stack.remove(view)
    elif action == "clear":
        stack.clear()
    elif action == "errors":
        errors = answer.get("errors")
        inputs = {b["block_id"] for b in view.body["blocks"] if b["type"] == "input"}
        if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
            raise SlackError("dispatch_unknown_error")
        view.errors = {block: str(words) for block, words in errors.items()}
    elif action in ("update", "push"):
        body = answer.get("view")
        check_view(body, "modal")
        assert isinstance(body, dict)
        if action == "update":
            change(view, body)
        elif len(stack) < STACK:
            stack.append(make_view(view.user, body, view.root, view.id))
        else:
            raise SlackError("push_limit_reached")
    else:
        raise SlackError("dispatch_unknown_error")


async def close(workspace: Workspace, user: str, view_id: str, *, clear: bool = False) -> Json:
    """Close the modal on top, or all; the app hears of it if it asked to."""
    user = find_person(workspace, user)
    view = _open_modal(workspace, user, view_id)
    stack = workspace.store.stacks[user]
    gone = list(stack) if clear or view.body.get("clear_on_close") else [view]
    for each in gone:
        stack.remove(each)
    workspace.live.change()
    for each in gone:
        if each.body.get("notify_on_close"):
            workspace.in_background(_tell_closed(workspace, each, cleared=len(gone) > 1))
    return {"ok": True}


async def _tell_closed(workspace: Workspace, view: View, *, cleared: bool) -> None:
    workspace.counts.delivered[INTERACTION] += 1
    try:
        payload = payloads.closed(workspace, view, cleared=cleared)
        await workspace.delivery.send(INTERACTION, payload)
    except SlackError as error:
        undelivered(workspace, error)
