"""Freezes and locks: said in public, for they concern everybody who wants to deploy."""

from datetime import timedelta
from typing import Final

from bot.core.canary import Canary
from bot.core.freezes import ALL, Freeze, Kind, lock_of
from bot.slack.desk import Parts
from bot.slack.grammar import Asked, Verb
from bot.slack.permissions import Visit
from bot.slack.text import clip
from bot.slack.views import freezes as views
from bot.slack.views import kit
from bot.slack.views.kit import Message

USUAL: Final = timedelta(hours=24)
"""How long a freeze lasts where nothing was said; a lock and a stopped line last until lifted."""

LONGEST_REASON: Final = 300

SETTING: Final[frozenset[Verb]] = frozenset({"freeze", "stop-the-line", "lock"})
LIFTING: Final[frozenset[Verb]] = frozenset({"unfreeze", "resume-the-line", "unlock"})


async def run(parts: Parts, visit: Visit, asked: Asked, command: str) -> tuple[Message, bool]:
    """Set or lift it: the answer, and whether everybody in the channel should see it."""
    refusal = await parts.home.refuse_freezing(visit, lifting=asked.verb in LIFTING)
    if refusal:
        return kit.private(refusal), False
    if asked.verb == "lock":
        return await _lock(parts, visit, asked, command)
    if asked.verb in SETTING:
        return await _freeze(parts, visit, asked, command), True
    return await _lift(parts, visit, asked, command)


def _wanted(parts: Parts, visit: Visit, asked: Asked) -> Freeze:
    now = parts.clock.now()
    until = asked.until
    if until is None and asked.verb == "freeze":
        until = now + USUAL
    reason = clip(asked.reason, LONGEST_REASON)
    kind: Kind = "lock" if asked.verb == "lock" else "freeze"
    return Freeze(asked.target or ALL, visit.actor(), reason, now, until, kind)


async def _freeze(parts: Parts, visit: Visit, asked: Asked, command: str) -> Message:
    freeze = _wanted(parts, visit, asked)
    before = _of(freeze.key, await parts.desk.freezes())
    await parts.desk.freeze(freeze)
    live = [one for one in await parts.desk.all_live() if freeze.scope in {ALL, one.service}]
    stopped = asked.verb == "stop-the-line"
    return views.frozen(freeze, before, live, command, stopped=stopped)


async def _lock(parts: Parts, visit: Visit, asked: Asked, command: str) -> tuple[Message, bool]:
    """Of two who lock a service in the same moment the store takes one; the other is told."""
    lock = _wanted(parts, visit, asked)
    before = _of(lock.key, await parts.desk.freezes())
    await parts.desk.freeze(lock)
    stands = _of(lock.key, await parts.desk.freezes())
    if stands is not None and stands.by.id != lock.by.id:
        return views.locked_already(stands, command), False
    live: Canary | None = await parts.desk.live(lock.scope)
    return views.locked(lock, before, live, command), True


async def _lift(parts: Parts, visit: Visit, asked: Asked, command: str) -> tuple[Message, bool]:
    scope = asked.target or ALL
    key = lock_of(scope) if asked.verb == "unlock" else scope
    lifted = await parts.desk.unfreeze(key, visit.actor())
    left = await parts.desk.freezes()
    if lifted is None or lifted.is_over(parts.clock.now()):
        return views.not_frozen(scope, left, command, lock=asked.verb == "unlock"), False
    return views.lifted(lifted, visit.actor(), _touching(scope, left)), True


def _of(key: str, freezes: tuple[Freeze, ...]) -> Freeze | None:
    return next((one for one in freezes if one.key == key), None)


def _touching(scope: str, left: tuple[Freeze, ...]) -> list[Freeze]:
    """What still holds what was lifted, or a part of it."""
    return [one for one in left if ALL in {scope, one.scope} or scope == one.scope]
