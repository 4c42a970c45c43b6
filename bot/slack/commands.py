"""The slash command: from its words to the engine, and back to whoever typed it."""

from typing import Any, Final, Literal

from bot.core.canary import Canary
from bot.core.commands import Start
from bot.core.machine import Refused
from bot.slack import desk
from bot.slack.desk import Parts
from bot.slack.grammar import Asked, Known, Misread, parse
from bot.slack.permissions import Visit
from bot.slack.text import clip, name
from bot.slack.views import help as views
from bot.slack.views import kit
from bot.slack.views.canary import subject
from bot.slack.views.kit import Message, words

Order = Literal["abort", "approve", "pause", "resume"]

RECENT: Final = 10
LONGEST_REASON: Final = 300

_DONE: Final[dict[Order, str]] = {
    "abort": "Aborted {what}: its traffic goes back to stable.",
    "approve": "Approved {what}.",
    "pause": "Paused {what} at {weight}; it is still judged and still rolled back.",
    "resume": "Resumed {what}.",
}


async def run_command(parts: Parts, body: dict[str, Any]) -> None:
    """Do what a command asks and answer privately; the message itself shows the change."""
    visit = Visit.of(body)
    command = name(str(body.get("command") or "/canary"), 40)
    catalog = parts.catalog
    known = Known(catalog.service_names(), catalog.tier_names())
    asked = parse(str(body.get("text") or ""), known)
    if isinstance(asked, Misread):
        answer = _misread(asked, command)
    else:
        answer = await _do(parts, visit, asked, command)
    await parts.replies.privately(visit, answer)


def _misread(asked: Misread, command: str) -> Message:
    more = f"Nothing changed. `{command} help` shows every use."
    said = [_sentence(part) for part in (asked.reason, asked.hint) if part]
    return kit.private(" ".join([*said, more]))


def _sentence(text: str) -> str:
    """A capital first and a full stop last, so that one does not run into the next."""
    first = text if text.startswith(("`", "“")) else text[:1].upper() + text[1:]
    return first if first.endswith((".", "?", "!")) else f"{first}."


async def _do(parts: Parts, visit: Visit, asked: Asked, command: str) -> Message:
    match asked.verb:
        case "help":
            catalog = parts.catalog
            return views.help_message(command, catalog.service_names(), catalog.tier_names())
        case "start":
            return await _start(parts, visit, asked)
        case "list":
            return await _list(parts)
        case "status":
            return await _status(parts, visit, asked, command)
        case "abort" | "approve" | "pause" | "resume":
            return await _order(parts, visit, asked, command, asked.verb)


async def _start(parts: Parts, visit: Visit, asked: Asked) -> Message:
    service = asked.target or ""
    try:
        plan = parts.catalog.plan_for(
            service, tier=asked.tier, percent=asked.percent, window=asked.window
        )
    except ValueError as error:
        return kit.private(f"Not started: {error}")
    channel = parts.catalog.channel_of(service)
    start = Start(
        canary_id=parts.new_canary_id(service),
        service=service,
        revision=asked.revision,
        plan=plan,
        channel=channel,
        by=visit.actor(),
        at=parts.clock.now(),
    )
    answer = await parts.desk.start(start)
    if isinstance(answer, Refused):
        return kit.private(answer.reason)
    parts.board.show(answer, urgent=True)
    text = f"Starting {subject(answer)}. How it goes stands in"
    place = {"type": "channel", "channel_id": channel}
    message = kit.private(f"{text} its channel: {answer.id}.")
    line = [words(f"{text} "), place, words(": "), kit.code(answer.id)]
    return Message(message.text, [kit.rich(line)])


async def _list(parts: Parts) -> Message:
    running = await parts.desk.all_live()
    recent = await parts.desk.recent(None, RECENT)
    await parts.home.learn()
    return views.list_message(running, recent, [parts.home.link(c.thread) for c in running])


async def _status(parts: Parts, visit: Visit, asked: Asked, command: str) -> Message:
    found = await _find(parts, visit, asked, command)
    if isinstance(found, Message) and asked.target in parts.catalog.service_names():
        last = await parts.desk.recent(asked.target, 1)
        found = last[0] if last else found
    if isinstance(found, Message):
        return found
    await parts.home.learn()
    return views.status_message(found, parts.clock.now(), parts.home.link(found.thread))


async def _order(parts: Parts, visit: Visit, asked: Asked, command: str, order: Order) -> Message:
    canary = await _find(parts, visit, asked, command)
    if isinstance(canary, Message):
        return canary
    if order == "abort":
        reason = clip(asked.reason, LONGEST_REASON)
        answer = await desk.abort(parts, visit, canary.id, reason)
    elif order == "approve":
        answer = await desk.approve(parts, visit, canary, None)
    elif order == "pause":
        answer = await desk.pause(parts, visit, canary.id)
    else:
        answer = await desk.resume(parts, visit, canary.id)
    if isinstance(answer, Refused):
        return kit.private(answer.reason, ids=desk.approver_ids(canary))
    parts.board.show(answer, urgent=True)
    return kit.private(_DONE[order].format(what=subject(answer), weight=answer.target))


async def _find(parts: Parts, visit: Visit, asked: Asked, command: str) -> Canary | Message:
    """The canary that is meant, or the answer to give instead."""
    target = asked.target
    if target is None:
        everywhere = await parts.desk.all_live()
        here = [canary for canary in everywhere if canary.channel == visit.channel]
        match here:
            case [canary]:
                return canary
            case []:
                return views.none_here(everywhere, asked.verb, command)
            case _:
                return views.several(here, asked.verb, command)
    if target in parts.catalog.service_names():
        live = await parts.desk.live(target)
        if live is not None:
            return live
        return kit.private(
            f"No canary of {target} is live, so nothing changed. "
            f"`{command} list` shows the last ones."
        )
    found = await parts.desk.find(target)
    if found is not None:
        return found
    return kit.private(
        f"There is no canary {target}. Nothing changed; `{command} list` shows what there is."
    )
