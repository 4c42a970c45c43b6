"""Freezing and unfreezing: said in public, for it concerns everybody who wants to deploy."""

from datetime import timedelta
from typing import Final

from bot.core.canary import Canary
from bot.core.freezes import ALL, Freeze
from bot.slack.desk import Parts
from bot.slack.grammar import Asked
from bot.slack.permissions import Visit
from bot.slack.text import clip
from bot.slack.views import freezes as views
from bot.slack.views import kit
from bot.slack.views.kit import Message

USUAL: Final = timedelta(hours=24)
"""How long a freeze lasts where nothing was said."""

LONGEST_REASON: Final = 300


async def run(parts: Parts, visit: Visit, asked: Asked, command: str) -> tuple[Message, bool]:
    """Freeze or lift a freeze: the answer, and whether everybody in the channel should see it."""
    refusal = await parts.home.refuse_freezing(visit, lifting=asked.verb == "unfreeze")
    if refusal:
        return kit.private(refusal), False
    scope = asked.target or ""
    if asked.verb == "freeze":
        return await _freeze(parts, visit, scope, asked, command), True
    lifted = await parts.desk.unfreeze(scope, visit.actor())
    left = await parts.desk.freezes()
    if lifted is None or lifted.is_over(parts.clock.now()):
        return views.not_frozen(scope, left, command), False
    return views.lifted(lifted, visit.actor(), _touching(scope, left)), True


async def _freeze(parts: Parts, visit: Visit, scope: str, asked: Asked, command: str) -> Message:
    now = parts.clock.now()
    until, reason = asked.until or now + USUAL, clip(asked.reason, LONGEST_REASON)
    before = next((one for one in await parts.desk.freezes() if one.scope == scope), None)
    freeze = Freeze(scope, visit.actor(), reason, now, until)
    await parts.desk.freeze(freeze)
    live = [one for one in await parts.desk.all_live() if _concerns(scope, one)]
    return views.frozen(freeze, before, live, command)


def _concerns(scope: str, canary: Canary) -> bool:
    return scope in {ALL, canary.service}


def _touching(scope: str, left: tuple[Freeze, ...]) -> list[Freeze]:
    """Freezes that still hold what was lifted, or a part of it."""
    return [one for one in left if ALL in {scope, one.scope}]
