"""The slash command: from its words to the engine, and back to whoever typed it."""

from typing import Any, Final

from bot.core.canary import PendingApproval
from bot.core.machine import Refused
from bot.engine.launching import Wish
from bot.slack import asking, desk, freezing, orders
from bot.slack.desk import Parts
from bot.slack.grammar import Asked, Known, Misread, parse
from bot.slack.permissions import Visit
from bot.slack.starting import open_start
from bot.slack.text import clip, name
from bot.slack.views import help as views
from bot.slack.views import kit
from bot.slack.views.canary import subject
from bot.slack.views.kit import Message, words

LONGEST_REASON: Final = 300


async def run_command(parts: Parts, body: dict[str, Any]) -> None:
    """Do what a command asks and answer privately; the message itself shows the change.

    Freezes and locks are answered in public, for they concern everybody; a form that opens needs no
    answer.
    """
    visit = Visit.of(body)
    command = name(str(body.get("command") or "/canary"), 40)
    asked = parse(str(body.get("text") or ""), _known(parts), parts.clock.now())
    if isinstance(asked, Misread):
        await parts.replies.privately(visit, views.misread_message(asked, command))
        return
    if asked.verb == "start" and not asked.revision:
        trigger = str(body.get("trigger_id") or "")
        unopened = await open_start(parts, visit, trigger, service=asked.target or "")
        if unopened is not None:
            await parts.replies.privately(visit, unopened)
        return
    if asked.verb in freezing.SETTING | freezing.LIFTING:
        answer, public = await freezing.run(parts, visit, asked, command)
        tell = parts.replies.in_public if public else parts.replies.privately
        await tell(visit, answer)
        return
    await parts.replies.privately(visit, await _do(parts, visit, asked, command))


def _known(parts: Parts) -> Known:
    catalog = parts.catalog
    services = catalog.service_names()
    channels = {service: catalog.channel_of(service) for service in services}
    return Known(services, catalog.tier_names(), channels)


async def _do(parts: Parts, visit: Visit, asked: Asked, command: str) -> Message:
    match asked.verb:
        case "start":
            return await _start(parts, visit, asked, command)
        case "list" | "history" | "status" | "show" | "why":
            return await asking.answer(parts, visit, asked, command)
        case "abort" | "approve" | "promote" | "pause" | "resume" | "extend":
            return await orders.run(parts, visit, asked, asked.verb, command)
        case "undo":
            return await orders.undo(parts, visit, asked, command)
        case (
            "help"
            | "freeze"
            | "unfreeze"
            | "stop-the-line"
            | "resume-the-line"
            | "lock"
            | "unlock"
        ):
            catalog = parts.catalog
            return views.help_message(command, catalog.service_names(), catalog.tier_names())


async def _start(parts: Parts, visit: Visit, asked: Asked, command: str) -> Message:
    service = asked.target or ""
    wish = Wish(
        service=service,
        revision=asked.revision,
        by=visit.actor(),
        tier=asked.tier,
        percent=asked.percent,
        window=asked.window,
        reason=clip(asked.reason, LONGEST_REASON),
        override=clip(asked.override or "", LONGEST_REASON),
    )
    try:
        answer = await desk.launch(parts, visit, wish)
    except ValueError as error:
        why = str(error).rstrip(".")
        return kit.private(f"Not started: {why}. Nothing changed.")
    if isinstance(answer, Refused):
        live = await parts.desk.live(service)
        in_the_way = live if live is not None and live.id in answer.reason else None
        return orders.refused(answer.reason, in_the_way, "start", command)
    parts.board.show(answer, urgent=True)
    asked_for = isinstance(answer.phase, PendingApproval)
    doing = f"{subject(answer)} waits for approval, and no traffic moves until then"
    text = f"{doing if asked_for else f'Starting {subject(answer)}'}. How it goes stands in"
    place = {"type": "channel", "channel_id": answer.channel}
    message = kit.private(f"{text} its channel: {answer.id}.")
    line = [words(f"{text} "), place, words(": "), kit.code(answer.id)]
    return Message(message.text, [kit.rich(line)])
