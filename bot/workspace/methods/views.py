"""views.*: modals in stacks of three, and the home tab."""

from typing import Any

from bot.workspace import render
from bot.workspace.blocks import check_view, complete, interactive
from bot.workspace.core import Workspace
from bot.workspace.elements import initial_value
from bot.workspace.methods.registry import Call, method
from bot.workspace.store import View
from bot.workspace.wire import Json, SlackError, new_id, short_id

STACK = 3


def make_view(
    user: str,
    raw: Json,
    root: str | None = None,
    previous: str | None = None,
    keep: Json | None = None,
) -> View:
    """Make a view out of a checked body; what was typed stays where the ids are the same."""
    body = {**raw, "blocks": complete(raw["blocks"])}
    values: Json = {}
    for block_id, element in interactive(body["blocks"]):
        value = initial_value(element)
        if value is not None:
            typed = (keep or {}).get(block_id, {}).get(element["action_id"])
            same = typed is not None and typed["type"] == value["type"]
            values.setdefault(block_id, {})[element["action_id"]] = typed if same else value
    view_id = new_id("V")
    return View(
        view_id, user, body, f"{new_id('', 9)}.{short_id()}", root or view_id, previous, values
    )


def check_external_id(workspace: Workspace, body: Json, own: str | None = None) -> None:
    """Refuse an external_id that another open view has."""
    external_id = body.get("external_id")
    found = workspace.store.view(external_id) if external_id else None
    if found is not None and found.id != own:
        raise SlackError("duplicate_external_id")


def _body(call: Call, *kinds: str) -> Any:
    body = call.json("view")
    check_view(body, *kinds)
    return body


@method("views.open", "T4")
def open_(call: Call) -> Json:
    """Open a modal for whoever set off the trigger."""
    body = _body(call, "modal")
    check_external_id(call.workspace, body)
    trigger = call.workspace.store.use_trigger(call.text("trigger_id"))
    view = make_view(trigger.user, body)
    call.workspace.store.stacks[trigger.user] = [view]
    return _answer(call, view)


@method("views.push", "T4")
def push(call: Call) -> Json:
    """Put a modal on top of the one that was clicked in."""
    body = _body(call, "modal")
    check_external_id(call.workspace, body)
    trigger = call.workspace.store.use_trigger(call.text("trigger_id"))
    stack = call.workspace.store.stacks[trigger.user]
    if trigger.view is None or not stack:
        raise SlackError("invalid_trigger_id")
    if len(stack) >= STACK:
        raise SlackError("push_limit_reached")
    view = make_view(trigger.user, body, stack[0].id, stack[-1].id)
    stack.append(view)
    return _answer(call, view)


@method("views.update", "T4")
def update(call: Call) -> Json:
    """Change an open modal; with a hash only if nobody has changed it since."""
    body = _body(call, "modal", "home")
    view = call.workspace.store.view(call.text("view_id") or call.text("external_id"))
    if view is None:
        raise SlackError("not_found")
    if body["type"] != view.body["type"]:
        raise SlackError("invalid_arguments", ["the type of a view cannot change"])
    if call.text("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")
    check_external_id(call.workspace, body, view.id)
    change(view, body)
    return _answer(call, view)


def change(view: View, body: Json) -> None:
    """Give an open view a new body."""
    fresh = make_view(view.user, body, keep=view.values)
    view.body, view.hash, view.values = fresh.body, fresh.hash, fresh.values
    view.errors = {}


@method("views.publish", "T4")
def publish(call: Call) -> Json:
    """Set the home tab of one person."""
    user = call.need("user_id")
    call.workspace.store.person(user)
    body = _body(call, "home")
    home = call.workspace.store.homes.get(user)
    if home is not None and call.text("hash") and call.text("hash") != home.hash:
        raise SlackError("hash_conflict")
    if home is None:
        home = make_view(user, body)
        call.workspace.store.homes[user] = home
    else:
        change(home, body)
    return _answer(call, home)


def _answer(call: Call, view: View) -> Json:
    call.workspace.live.change()
    # What people have typed is told with interactions only.
    shown = render.view(view, call.workspace.settings) | {"state": {"values": {}}}
    return {"view": shown}
