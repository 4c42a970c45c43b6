"""Which canary is meant: the one that is named, or the one of the channel."""

from typing import Final

from bot.core.canary import Canary
from bot.slack.desk import Parts
from bot.slack.grammar import Asked
from bot.slack.permissions import Visit
from bot.slack.views import help as views
from bot.slack.views import kit
from bot.slack.views.kit import Message

LOOKED_BACK: Final = 50
"""Of the last canaries, among which the channel's own are looked for."""


async def live_one(parts: Parts, visit: Visit, asked: Asked, command: str) -> Canary | Message:
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
            f"`{command} history {target}` shows how the last ones ended."
        )
    found = await parts.desk.find(target)
    if found is not None:
        return found
    return kit.private(
        f"There is no canary {target}. Nothing changed; `{command} list` shows what there is."
    )


async def latest_one(parts: Parts, visit: Visit, asked: Asked, command: str) -> Canary | Message:
    """As `live_one`, but where none is live the last one, of the service or of this channel."""
    found = await live_one(parts, visit, asked, command)
    if not isinstance(found, Message):
        return found
    target = asked.target
    if target is None:
        everywhere = await parts.desk.all_live()
        if any(canary.channel == visit.channel for canary in everywhere):
            return found  # several
        recent = await parts.desk.recent(None, LOOKED_BACK)
        return next((canary for canary in recent if canary.channel == visit.channel), found)
    if target not in parts.catalog.service_names():
        return found
    recent = await parts.desk.recent(target, 1)
    return recent[0] if recent else found
