"""A board on a fake Slack, in time that is owned."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from builders import NOON
from unit.slack.fakes import FakeSlack, VirtualTime, Wall
from unit.slack.support import spoken

from bot.core.canary import Canary
from bot.ports import PortError
from bot.slack.limiter import Limiter
from bot.slack.live_message import SlackBoard


class Stage:
    """A board on a fake Slack, in time that is owned."""

    def __init__(self) -> None:
        self.wall = Wall(NOON)
        self.time = VirtualTime(self.wall)
        self.slack = FakeSlack(now=self.time.now)
        self.limiter = Limiter(now=self.time.now, sleep=self.time.sleep)
        self.ours, self.store_away = True, False
        self.board = SlackBoard(
            self.slack,
            self.limiter,
            self.wall,
            is_ours=self.is_ours,
            now=self.time.now,
            sleep=self.time.sleep,
        )

    async def is_ours(self, _canary_id: str) -> bool:
        """Whether no other replica has the canary."""
        if self.store_away:
            raise PortError("Redis cannot be reached")
        return self.ours

    def shown(self, canary: Canary) -> list[str]:
        """What this canary's message has looked like, in order."""
        assert canary.thread is not None
        ts = canary.thread.ts
        return [spoken(u["blocks"]) for u in self.slack.made("chat.update") if u["ts"] == ts]


@contextmanager
def failing(stage: Stage, error: Callable[[], Exception | None]) -> Iterator[None]:
    """Let every edit fail for a while."""
    stage.slack.fail = lambda method, _: error() if method == "chat.update" else None
    yield
    stage.slack.fail = lambda _method, _arguments: None
