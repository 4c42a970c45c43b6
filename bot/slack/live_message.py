"""The status board in Slack: one message a canary, edited in place, and its thread."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bot.core.canary import Canary, Thread
from bot.core.effects import Note, Topic
from bot.core.events import Observed, Prepared
from bot.ports import Clock, PortError, Turn
from bot.slack.edits import Edits, IsOurs, always
from bot.slack.limiter import Limiter, Priority
from bot.slack.pictures.upload import FileClient, Pictures
from bot.slack.posting import BadBlocks, NoThread, Place, Post, Poster
from bot.slack.standing import Standing, note_metadata, root_metadata
from bot.slack.views.canary import live_message
from bot.slack.views.kit import Message
from bot.slack.views.thread import note_message

NOTES_KEPT: Final = 2000
URGENT_TOPICS: Final = frozenset(
    {Topic.BREACH, Topic.FLIP_OVERDUE, Topic.ONCALL, Topic.DECISION_NEEDED}
)


class SlackBoard:
    """Posts at once, each message once; edits in the background."""

    def __init__(
        self,
        client: FileClient,
        limiter: Limiter,
        clock: Clock,
        *,
        is_ours: IsOurs = always,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._poster = Poster(client, limiter)
        self._standing = Standing(client, limiter)
        self._edits = Edits(client, limiter, clock, is_ours=is_ours, now=now, sleep=sleep)
        self._pictures = Pictures(client, limiter)
        self._clock = clock
        self._told: dict[tuple[str, int], None] = {}

    async def open(self, canary: Canary, turn: Turn) -> Thread:
        """Post the canary's message; its state is kept up to date by `show` from then on.

        Raises:
            PortError: not posted; what, why and what to do next.
            Conflict: it is another replica's turn.

        """
        if turn.again and (standing := await self._standing.message(canary)) is not None:
            return standing
        message = live_message(canary, self._clock.now())
        what = f"The message about {canary.service} was not posted to {canary.channel}"
        post = Post(what, root_metadata(canary), Priority.URGENT, turn.confirm)
        to = Place(canary.channel)
        try:
            answer = await self._poster.post(post, message, to)
        except BadBlocks:
            message = live_message(canary, self._clock.now(), plain=True)
            answer = await self._poster.post(post, message, to)
        return Thread(str(answer["channel"]), str(answer["ts"]))

    async def tell(self, canary: Canary, note: Note, turn: Turn) -> None:
        """Post a note into the canary's thread, once however often it is asked.

        Raises:
            PortError: not posted; what, why and what to do next.
            Conflict: it is another replica's turn.

        """
        thread, key = canary.thread, (canary.id, note.number)
        what = f"Note {note.number} about {canary.service} was not posted"
        if key in self._told:
            return
        if thread is None:
            raise PortError(f"{what}: the canary's message is not posted yet. Post that first.")
        if not (turn.again and await self._standing.notes(canary, thread, note)):
            priority = Priority.URGENT if note.topic in URGENT_TOPICS else Priority.NORMAL
            post = Post(what, note_metadata(canary, note), priority, turn.confirm)
            await self._tell(post, note_message(canary, note), Place(thread.channel, thread.ts))
        self._told[key] = None
        while len(self._told) > NOTES_KEPT:
            del self._told[next(iter(self._told))]

    async def _tell(self, post: Post, message: Message, to: Place) -> None:
        try:
            await self._poster.post(post, message, to)
        except BadBlocks:
            words = Message(message.text, broadcast=message.broadcast)
            await self._poster.post(post, words, to)
        except NoThread:  # somebody deleted the message; what needs eyes still has to be seen
            await self._poster.post(post, message, Place(to.channel))

    async def retract(self, canary: Canary, note: Note | None) -> None:
        """Take back the canary's message, or this note, where it stands twice; the older stays.

        Raises:
            PortError: it cannot be seen or deleted now.

        """
        if note is None:
            found = await self._standing.messages(canary)
        elif canary.thread is not None:
            found = await self._standing.notes(canary, canary.thread, note)
        else:
            return
        for ts in found[1:]:
            await self._poster.delete(
                f"A second message about {canary.service}", canary.channel, ts
            )

    def show(self, canary: Canary, *, urgent: bool = False) -> None:
        """Bring the message up to this state, soon; `urgent` for the answer to a click."""
        self._edits.show(canary, urgent=urgent)

    async def settle(self, canary: Canary, turn: Turn) -> None:
        """Wait until the message shows this state, or is gone for good."""
        await self._edits.settle(canary, turn)

    async def picture(
        self, canary: Canary, seen: Sequence[Prepared | Observed], turn: Turn
    ) -> None:
        """Put a picture of what was seen into the thread, unless it stands there.

        Raises:
            PortError: not now; what, why and what to do next.
            Conflict: it is another replica's turn.

        """
        await self._pictures.post(canary, seen, turn)

    async def stop(self, patience: float = 2.0) -> None:
        """Send what is urgent for up to `patience` seconds, then end."""
        await self._edits.stop(patience)
