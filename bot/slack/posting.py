"""Posting into a channel or a thread: within the limiter, and failing with words."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bot.ports import PortError
from bot.slack.faults import BAD_BLOCKS, BROKEN, error_code, explain, retry_after
from bot.slack.limiter import Limiter, Priority, TooLong
from bot.slack.views.kit import Message

PATIENCE: Final = 20.0
"""Seconds a post may wait for its turn; whoever wants it posted tries again later."""


class MessageClient(Protocol):
    """The calls of the Web API that messages need; `AsyncWebClient` has them."""

    @property
    def chat_postMessage(self) -> Any:  # noqa: N802 - the SDK's own name
        """Post; the answer holds `channel` and `ts`."""
        ...

    @property
    def chat_update(self) -> Any:
        """Edit a message."""
        ...

    @property
    def chat_delete(self) -> Any:
        """Delete a message of one's own."""
        ...

    @property
    def conversations_history(self) -> Any:
        """Read a channel."""
        ...

    @property
    def conversations_replies(self) -> Any:
        """Read a thread."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, or a thread in it."""

    channel: str
    thread_ts: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """What is to be posted, whatever its words and its place.

    Attributes:
        what: begins the sentence of a failure.
        metadata: what it is known by.
        confirm: asked last, when its turn has come.

    """

    what: str
    metadata: dict[str, Any]
    priority: Priority
    confirm: Callable[[], Awaitable[None]]


class BadBlocks(Exception):  # noqa: N818 - answered at once with plainer blocks
    """Slack does not take these blocks."""


class NoThread(Exception):  # noqa: N818 - answered at once by posting to the channel
    """The message the thread hangs on is gone."""


class Poster:
    """Posts one message at a time of its turn."""

    def __init__(self, client: MessageClient, limiter: Limiter) -> None:
        self._client = client
        self._limiter = limiter

    async def post(self, post: Post, message: Message, to: Place) -> Any:
        """Post and give Slack's answer.

        Raises:
            BadBlocks, NoThread: as they say; nothing was posted.
            PortError: nothing was posted, or Slack did not say.
            Conflict: somebody else is to post it; nothing was posted.

        """
        what = post.what
        arguments: dict[str, Any] = {"blocks": message.blocks} if message.blocks else {}
        if to.thread_ts is not None:
            arguments |= {"thread_ts": to.thread_ts, "reply_broadcast": message.broadcast}
        try:
            await self._limiter.take("chat.postMessage", to.channel, post.priority, PATIENCE)
            await post.confirm()
            return await self._client.chat_postMessage(
                channel=to.channel,
                text=message.text,
                metadata=post.metadata,
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
                **arguments,
            )
        except TooLong as error:
            raise PortError(f"{what}: {error}. It can be tried again then.") from error
        except BROKEN as error:
            wait, code = retry_after(error), error_code(error)
            if wait is not None:
                self._limiter.pause("chat.postMessage", wait + 0.5)
            if code in BAD_BLOCKS and message.blocks:
                raise BadBlocks(code) from error
            if code == "thread_not_found" and to.thread_ts is not None:
                raise NoThread(code) from error
            raise PortError(explain(what, error)) from error

    async def delete(self, what: str, channel: str, ts: str) -> None:
        """Delete a message of ours.

        Raises:
            PortError: it stands still, or Slack did not say.

        """
        try:
            await self._limiter.take("chat.delete", None, Priority.NORMAL, PATIENCE)
            await self._client.chat_delete(channel=channel, ts=ts)
        except TooLong as error:
            raise PortError(f"{what} was not taken back: {error}.") from error
        except BROKEN as error:
            if error_code(error) != "message_not_found":
                raise PortError(explain(f"{what} was not taken back", error)) from error
