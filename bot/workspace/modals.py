"""Modals as people use them: fill in, submit, close."""

from typing import Any

from bot.workspace import payloads
from bot.workspace.blocks import check_view
from bot.workspace.core import Workspace
from bot.workspace.delivery import INTERACTION
from bot.workspace.elements import chosen_state, complaint
from bot.workspace.interactions import find_person, undelivered
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


def _fill_in(view: View, values: Json) -> None:
    """Put values, by block_id and action_id or by action_id alone, into the inputs."""
    inputs = {
        (b["block_id"], b["element"]["action_id"]): b["element"]
        for b in view.body["blocks"]
        if b["type"] == "input"
    }
    given: dict[tuple[str, str], Any] = {}
    for name, value in values.items():
        named = {k: e for k, e in inputs.items() if k[0] == name}
        if isinstance(value, dict) and named:
            given |= {(name, action): inner for action, inner in value.items()}
        else:
            matches = [key for key in inputs if key[1] == name]
            given |= dict.fromkeys(matches[:1], value) or {("", name): value}
    for key, value in given.items():
        if key not in inputs:
            known = choices([action for _, action in inputs])
            raise RefusedError(f"there is no input {key[1]!r}; there is: {known}")
        view.values.setdefault(key[0], {})[key[1]] = chosen_state(inputs[key], value)


def _complaints(view: View) -> dict[str, str]:
    found: dict[str, str] = {}
    for block in view.body["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = view.values[block["block_id"]][element["action_id"]]
        words = complaint(element, state, optional=bool(block.get("optional")))
        if words is not None:
            found[block["block_id"]] = words
    return found


async def submit(workspace: Workspace, user: str, view_id: str, values: Json) -> Json:
    """Submit the modal on top, and do what the app answers."""
    user = find_person(workspace, user)
    view = _open_modal(workspace, user, view_id)
    _fill_in(view, values)
    view.errors = _complaints(view)
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
