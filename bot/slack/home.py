"""The Home tab: published when it is opened, after a click in it, and while somebody looks."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import structlog

from bot.core.canary import AwaitingDecision, Canary, PendingApproval
from bot.core.freezes import Freeze
from bot.core.moves import gate_of
from bot.ports import PortError
from bot.slack import actions
from bot.slack.desk import Parts
from bot.slack.limiter import Limiter
from bot.slack.permissions import Visit, groups_to_ask
from bot.slack.reply import Replies
from bot.slack.starting import open_start
from bot.slack.views import kit
from bot.slack.views.home import MOST_RESULTS, Lift, Scene, home_page
from bot.slack.views.kit import Message

LOOKING: Final = 600.0
"""Seconds after opening for which somebody is taken to look."""

EVERY: Final = 30.0
"""Seconds between two publications to one person, but for answers to a click."""

AFTER_A_CLICK: Final = 2.0
"""Seconds until what a click has set going is looked at again."""

LOOK: Final = 5.0
PATIENCE: Final = 5.0
NOTICE: Final = 60.0
"""Seconds for which the answer to a click stands."""

MOST_LOOKERS: Final = 500

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to show, the same for everybody."""

    live: tuple[Canary, ...] = ()
    ended: tuple[Canary, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    trouble: str = ""


@dataclass(slots=True)
class _Looker:
    """Somebody who has opened the tab lately; times by the monotonic clock.

    Attributes:
        read_at: when what is shown was read.

    """

    visit: Visit
    opened_at: float
    due_at: float
    shown_at: float = 0.0
    same: str = ""
    read_at: float = 0.0
    notice: Message | None = None
    notice_until: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Kept(Replies):
    """Keeps what would be said privately, for the tab itself to say."""

    def __init__(self) -> None:
        super().__init__(None, Limiter())
        self.said: dict[str, Message] = {}

    async def privately(self, visit: Visit, message: Message) -> bool:
        """Keep it, by person."""
        self.said[visit.user_id] = message
        return True


class HomeTab:
    """Publishes everybody's own Home tab, and takes what is pressed in it."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        every: float = EVERY,
        look: float = LOOK,
    ) -> None:
        self._now = now
        self._every = every
        self._look = look
        self._lookers: dict[str, _Looker] = {}
        self._watching: asyncio.Task[None] | None = None

    def start(self, parts: Parts) -> None:
        """Keep the tabs of those who look up to date."""
        self._watching = asyncio.get_running_loop().create_task(self._watch(parts))

    async def stop(self) -> None:
        """Publish nothing more by itself."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def opened(self, parts: Parts, body: dict[str, Any]) -> None:
        """Somebody opened the app: show the tab, unless it is another one they look at."""
        event = body.get("event") or {}
        if event.get("tab") != "home" or not event.get("user"):
            return
        visit = replace(Visit.of(body), user_id=str(event["user"]), channel="")
        await self._publish(parts, self._looker(visit))

    async def press(self, parts: Parts, body: dict[str, Any]) -> None:
        """A canary's button, here or in its message; here the tab is the answer."""
        if (body.get("view") or {}).get("type") != "home":
            await actions.press(parts, body)
            return
        kept, visit = _Kept(), Visit.of(body)
        try:
            await actions.press(replace(parts, replies=kept), body)
        except PortError as error:
            kept.said[visit.user_id] = kit.private(f"That could not be done now. {error}")
        await self._answer(parts, visit, kept.said.get(visit.user_id))

    async def begin(self, parts: Parts, body: dict[str, Any]) -> None:
        """Open the form that starts a canary."""
        visit = Visit.of(body)
        told = await open_start(parts, visit, str(body.get("trigger_id") or ""))
        if told is not None:
            await self._answer(parts, visit, told)

    async def unfreeze(self, parts: Parts, body: dict[str, Any]) -> None:
        """Lift the freeze that was shown, and no other."""
        visit = Visit.of(body)
        clicked = (body.get("actions") or [{}])[0]
        try:
            told = await _lift(parts, visit, Lift.read(str(clicked.get("value") or "")))
        except ValueError:
            told = "This button is not known any more, so nothing changed."
        except PortError as error:
            told = f"That could not be done now. {error}"
        await self._answer(parts, visit, kit.private(told))

    def _looker(self, visit: Visit) -> _Looker:
        now = self._now()
        known = self._lookers.pop(visit.user_id, None)
        looker = known or _Looker(visit, now, now)
        looker.visit, looker.opened_at, looker.same = visit, now, ""
        self._lookers[visit.user_id] = looker
        while len(self._lookers) > MOST_LOOKERS:
            del self._lookers[next(iter(self._lookers))]
        return looker

    async def _answer(self, parts: Parts, visit: Visit, told: Message | None) -> None:
        """Show the tab with the answer to a click; privately where it cannot be shown."""
        looker = self._looker(visit)
        looker.notice, looker.notice_until = told, self._now() + NOTICE
        try:
            await self._publish(parts, looker)
        except PortError:
            if told is not None:
                await parts.replies.privately(visit, told)
            return
        looker.due_at = self._now() + AFTER_A_CLICK

    async def _watch(self, parts: Parts) -> None:
        while True:
            await asyncio.sleep(self._look if not self._hurried() else self._look / 5)
            now = self._now()
            for user_id in [
                u for u, one in self._lookers.items() if now - one.opened_at > LOOKING
            ]:
                del self._lookers[user_id]
            due = [looker for looker in self._lookers.values() if looker.due_at <= now]
            if due:
                await self._refresh(parts, due)

    def _hurried(self) -> bool:
        soon = self._now() + self._look
        return any(looker.due_at < soon for looker in self._lookers.values())

    async def _refresh(self, parts: Parts, due: Iterable[_Looker]) -> None:
        try:
            read = self._now(), await look_up(parts)
            for looker in due:
                with suppress(PortError):
                    await self._publish(parts, looker, read)
                looker.due_at = max(looker.shown_at + self._every, self._now() + self._look)
        except Exception as error:  # noqa: BLE001 - the next look must come, whatever this one met
            _log.error("slack.home.failed", exc_info=error)

    async def _publish(
        self, parts: Parts, looker: _Looker, read: tuple[float, Seen] | None = None
    ) -> None:
        """Show this person's tab, unless it looks like that already.

        Read anew within the person's turn; or as it was `read` for many at that time, unless
        something newer is shown by now.
        """
        async with looker.turn:
            read_at, seen = read or (self._now(), await look_up(parts))
            if read_at < looker.read_at:
                return
            looker.read_at = read_at
            notice = looker.notice if self._now() < looker.notice_until else None
            waiting = [c for c in seen.live if await waits_for(parts, looker.visit, c)]
            links = {c.id: parts.home.link(c.thread) for c in (*seen.live, *seen.ended)}
            scene = Scene(
                waiting=waiting,
                live=[canary for canary in seen.live if canary not in waiting],
                freezes=seen.freezes,
                ended=seen.ended,
                links=links,
                trouble=seen.trouble,
                notice=notice,
            )
            page = home_page(scene, parts.clock.now())
            if page.same == looker.same:
                return
            await parts.views.publish(looker.visit.user_id, page.view)
            looker.same, looker.shown_at = page.same, self._now()
            looker.due_at = looker.shown_at + self._every


async def look_up(parts: Parts) -> Seen:
    """Everything there is to show; a store that is away is said instead."""
    try:
        async with asyncio.timeout(PATIENCE):
            live, recent, freezes = await asyncio.gather(
                parts.desk.all_live(),
                parts.desk.recent(None, 3 * MOST_RESULTS),
                parts.desk.freezes(),
            )
            await parts.home.learn()
    except (PortError, TimeoutError) as error:
        why = str(error) or "The store does not answer."
        return Seen(trouble=f"How things stand cannot be read now. {why}")
    ended = tuple(canary for canary in recent if canary.is_ended)
    return Seen(live, ended[:MOST_RESULTS], freezes)


async def waits_for(parts: Parts, visit: Visit, canary: Canary) -> bool:
    """Whether an open question of this canary is this person's to answer, and not answered yet."""
    phase = canary.phase
    if not isinstance(phase, PendingApproval | AwaitingDecision):
        return False
    gate = gate_of(canary, phase.question if isinstance(phase, AwaitingDecision) else "start")
    if not gate.author and visit.user_id == canary.started_by.id:
        return False
    if any(approval.by.id == visit.user_id for approval in phase.approvals):
        return False
    member = await parts.groups.of(visit.user_id, groups_to_ask(canary.plan, visit.user_id))
    return gate.admits(visit.actor(member.groups))


async def _lift(parts: Parts, visit: Visit, lift: Lift) -> str:
    """What became of the wish to lift it."""
    refusal = await parts.home.refuse_freezing(visit, lifting=True)
    if refusal:
        return refusal
    since = datetime.fromisoformat(lift.since)
    lifted = await parts.desk.unfreeze(lift.key, visit.actor(), since)
    if lifted is None:
        return "That freeze was lifted or changed meanwhile, so nothing changed."
    what = "Every service" if lifted.what == "everything" else lifted.what
    kind = "lock" if lifted.kind == "lock" else "freeze"
    return f"{what} can be started again: you lifted the {kind}."
