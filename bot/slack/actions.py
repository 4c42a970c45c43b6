"""The buttons of the live message: who pressed what, and what the engine says to it."""

from typing import Any, Final

import structlog

from bot.core.canary import Canary
from bot.core.machine import Refused
from bot.slack import desk
from bot.slack.desk import Parts
from bot.slack.permissions import Visit
from bot.slack.views import kit
from bot.slack.views.canary import EXTENSION, Action, Pressed
from bot.slack.views.why import why_message

COMMAND: Final = "/canary"
"""What a button's answer says to type; a click does not tell what the command is called."""

_log = structlog.get_logger()


async def press(parts: Parts, body: dict[str, Any]) -> None:
    """Do what a button asks; the message itself is the answer, only a refusal is told, privately."""
    visit = Visit.of(body)
    clicked = (body.get("actions") or [{}])[0]
    try:
        pressed = Pressed.read(str(clicked.get("value") or ""))
        action = Action(clicked.get("action_id"))
    except ValueError:
        await unknown_button(parts, body)
        return
    canary = await parts.desk.find(pressed.canary_id)
    if canary is None:
        text = f"There is no canary {pressed.canary_id} any more. Nothing changed."
        await parts.replies.privately(visit, kit.private(text))
        return
    if action is Action.WHY:
        await parts.home.learn()
        told = why_message(canary, parts.clock.now(), parts.home.link(canary.thread), COMMAND)
        await parts.replies.privately(visit, told)
        return
    answer = await _ask(parts, visit, canary, action, pressed)
    if isinstance(answer, Refused):
        _log.info("slack.click.refused", canary=canary.id, action=action.value, by=visit.user_id)
        refusal = kit.private(answer.reason, ids=desk.approver_ids(canary))
        await parts.replies.privately(visit, refusal)
        return
    _log.info("slack.click.taken", canary=canary.id, action=action.value, by=visit.user_id)
    parts.board.show(answer, urgent=True)


async def _ask(
    parts: Parts, visit: Visit, canary: Canary, action: Action, pressed: Pressed
) -> Canary | Refused:
    match action:
        case Action.WHY:
            return canary  # answered already: it asks nothing of the engine
        case Action.APPROVE:
            return await desk.approve(parts, visit, canary, pressed.question, pressed.step)
        case Action.ABORT:
            return await desk.abort(parts, visit, canary.id, "")
        case Action.PAUSE:
            return await desk.pause(parts, visit, canary.id)
        case Action.RESUME:
            return await desk.resume(parts, visit, canary.id)
        case Action.PROMOTE:
            return await desk.promote(parts, visit, canary, pressed.step)
        case Action.EXTEND:
            return await desk.extend(parts, visit, canary.id, EXTENSION)
        case Action.FALSE_ALARM:
            return await desk.mark(parts, visit, canary.id, false=True)
        case Action.REAL:
            return await desk.mark(parts, visit, canary.id, false=False)
        case Action.UNDO:
            return await desk.undo(parts, visit, canary.service, "", canary.id)


async def unknown_button(parts: Parts, body: dict[str, Any]) -> None:
    """For a button of another version, or of nobody."""
    text = (
        "This button is not known any more, so nothing changed. "
        "`/canary status` shows how things stand."
    )
    await parts.replies.privately(Visit.of(body), kit.private(text))
