"""Commands that only look: what is live, what was, how it stands and why."""

from collections.abc import Sequence
from typing import Final

from bot.core.canary import Canary
from bot.slack.desk import Parts
from bot.slack.finding import latest_one, live_one
from bot.slack.grammar import Asked
from bot.slack.permissions import Visit
from bot.slack.views import listing, record
from bot.slack.views.kit import Message
from bot.slack.views.why import why_message

RECENT: Final = 10
PAST: Final = 15
LOOKED_BACK: Final = 40
"""Of the last canaries, live ones among them."""


async def answer(parts: Parts, visit: Visit, asked: Asked, command: str) -> Message:
    """What was asked for."""
    match asked.verb:
        case "list":
            return await _list(parts, asked)
        case "history":
            return await _history(parts, asked, command)
        case _:
            return await _one(parts, visit, asked, command)


async def _one(parts: Parts, visit: Visit, asked: Asked, command: str) -> Message:
    # Of a channel without a live canary, `status` alone says so; its last one is no status.
    find = live_one if asked.verb == "status" and asked.target is None else latest_one
    found = await find(parts, visit, asked, command)
    if isinstance(found, Message):
        return found
    await parts.home.learn()
    now, link = parts.clock.now(), parts.home.link(found.thread)
    match asked.verb:
        case "why":
            return why_message(found, now, link, command)
        case "show":
            return record.show_message(found, now, link, command)
        case _:
            return record.status_message(found, now, link)


async def _list(parts: Parts, asked: Asked) -> Message:
    service = asked.target
    everywhere = await parts.desk.all_live()
    running = [canary for canary in everywhere if service in {None, canary.service}]
    recent = await parts.desk.recent(service, RECENT)
    freezes = await parts.desk.freezes()
    return listing.list_message(running, recent, await _links(parts, running), freezes)


async def _history(parts: Parts, asked: Asked, command: str) -> Message:
    recent = await parts.desk.recent(asked.target, LOOKED_BACK)
    past = [canary for canary in recent if canary.is_ended][:PAST]
    return listing.history_message(past, await _links(parts, past), asked.target, command)


async def _links(parts: Parts, canaries: Sequence[Canary]) -> list[str]:
    await parts.home.learn()
    return [parts.home.link(canary.thread) for canary in canaries]
