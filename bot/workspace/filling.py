"""Filling in a view: what was typed, by block and action, and what it is missing."""

from typing import Any

from bot.workspace import picking
from bot.workspace.core import Workspace
from bot.workspace.elements import complaint
from bot.workspace.store import View
from bot.workspace.wire import Json, RefusedError, choices


def _inputs(view: View) -> dict[tuple[str, str], Json]:
    return {
        (b["block_id"], b["element"]["action_id"]): b["element"]
        for b in view.body["blocks"]
        if b["type"] == "input"
    }


def _given(inputs: dict[tuple[str, str], Json], values: Json) -> dict[tuple[str, str], Any]:
    """Find the inputs that are meant by block_id and action_id, or by action_id alone."""
    given: dict[tuple[str, str], Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and any(block == name for block, _ in inputs):
            given |= {(name, action): inner for action, inner in value.items()}
            continue
        meant = [key for key in inputs if key[1] == name]
        if len(meant) > 1:
            known = choices([block for block, _ in meant])
            raise RefusedError(f"{name!r} is there more than once; say block_id: {known}")
        given[meant[0] if meant else ("", name)] = value
    for block, action in given:
        if (block, action) not in inputs:
            known = choices([one for _, one in inputs])
            raise RefusedError(f"there is no input {action!r}; there is: {known}")
    return given


def fill_in(workspace: Workspace, view: View, values: Json) -> None:
    """Put values into the inputs of a view; one that cannot be there changes nothing."""
    inputs = _inputs(view)
    states = {}
    for (block, action), value in _given(inputs, values).items():
        now = view.values.get(block, {}).get(action)
        place = (view.id, block, action)
        states[block, action] = picking.filled(
            workspace.store, place, inputs[block, action], value, now
        )
    for (block, action), state in states.items():
        view.values.setdefault(block, {})[action] = state


def complaints(view: View) -> dict[str, str]:
    """Say by block what the form itself complains about before it is sent."""
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
