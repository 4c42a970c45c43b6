"""A thread on a running workspace, and what puts pictures into it."""

import sys
from dataclasses import replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from unit.core.windows import Seen, breach
from unit.slack.connected import until

from bot.core.canary import Canary, Thread
from bot.slack.app import make_client
from bot.slack.limiter import Limiter
from bot.slack.pictures.upload import Pictures
from bot.workspace import RunningWorkspace
from bot.workspace.faults import Fault
from bot.workspace.store import File, Message

CHANNEL = "C0DEPLOYS"
PNG = (sys.executable, "-c", r"import sys; sys.stdout.buffer.write(b'\x89PNG dot')")
"""Draws faster than a drawing."""


class Wall:
    """A thread on a running workspace, and what puts pictures into it."""

    def __init__(self, workspace: RunningWorkspace, thread: Thread, **options: Any) -> None:
        self.running = workspace
        self.canary, self.seen = with_thread(thread)
        self.limiter = Limiter()
        self.client = make_client(workspace.bot_token, workspace.api_url, self.limiter)
        self.options = {"command": PNG, "sleep": self.processed, **options}

    def pictures(self, client: Any = None, **options: Any) -> Pictures:
        """Those of another bot, which remembers nothing."""
        return Pictures(client or self.client, self.limiter, **{**self.options, **options})

    async def processed(self, _seconds: float = 0.0) -> None:
        """Wait until what was uploaded is shared."""
        await until(lambda: not self.running.workspace._tasks)

    @property
    def ts(self) -> str:
        """The thread's."""
        assert self.canary.thread is not None
        return self.canary.thread.ts

    @property
    def replies(self) -> list[Message]:
        """What stands in the thread."""
        return self.running.workspace.store.channels[CHANNEL].replies(self.ts)

    @property
    def files(self) -> list[File]:
        """The files in the thread."""
        store = self.running.workspace.store
        return [store.files[name] for reply in self.replies for name in reply.files]

    def fail(self, **fault: Any) -> None:
        """Let the next call go wrong."""
        self.running.workspace.faults.add(Fault(**fault))


def with_thread(thread: Thread | None) -> tuple[Canary, Seen]:
    """A canary that was rolled back, and what was seen of it."""
    canary, seen = breach("errors")
    return replace(canary, thread=thread), seen


async def opened(client: AsyncWebClient) -> Thread:
    """A message with a thread."""
    answer = await client.chat_postMessage(channel=CHANNEL, text="shop v2")
    return Thread(str(answer["channel"]), str(answer["ts"]))
