"""A log in this process: a test or a demo writes lines, the bot reads them."""

from collections import defaultdict
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from adapters.clock import SystemClock
from adapters.logs.counting import ErrorLine, counted, error_line
from adapters.registry import Surroundings
from bot.core.logs import is_error
from bot.core.slo import Arms, LogCounts, NoData
from bot.ports import Clock


class MemoryLogsOptions(BaseModel):
    """Nothing that must be configured.

    Attributes:
        down: why the log cannot be read, to see what becomes of that; empty when it can.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    down: str = ""


class MemoryLogs:
    """A `LogSource` that is written to by `write`.

    Attributes:
        down: why the log cannot be read; empty when it can.

    """

    Options: ClassVar[type[BaseModel]] = MemoryLogsOptions

    def __init__(
        self,
        options: MemoryLogsOptions | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.down = options.down if options else ""
        self._clock: Clock = surroundings.clock if surroundings else SystemClock()
        self._errors: defaultdict[str, list[ErrorLine]] = defaultdict(list)

    def write(
        self, backend: str, text: str, *, level: str = "error", at: datetime | None = None
    ) -> None:
        """Log a line, now unless told otherwise."""
        if is_error(level, text):
            self._errors[backend].append(error_line(at or self._clock.now(), text))

    async def events(
        self, arms: Arms[str], since: datetime, until: datetime
    ) -> Arms[LogCounts] | NoData:
        """See `LogSource.events`."""
        if self.down:
            return NoData(self.down)
        return Arms(
            canary=counted(self._between(arms.canary, since, until)),
            stable=counted(self._between(arms.stable, since, until)),
        )

    async def lines(
        self, arms: Arms[str], since: datetime, until: datetime, limit: int
    ) -> tuple[str, ...]:
        """See `LogSource.lines`."""
        if self.down or limit <= 0:
            return ()
        errors = self._between(arms.canary, since, until)
        return tuple(error.example for error in errors[-limit:])

    def _between(self, backend: str, since: datetime, until: datetime) -> list[ErrorLine]:
        found = [error for error in self._errors[backend] if since <= error.at < until]
        return sorted(found, key=lambda error: error.at)
