"""Reads a service's log from files: JSON lines or plain text, one file an arm or one for both."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, ClassVar, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adapters.durations import Duration
from adapters.logs.counting import ErrorLine, counted
from adapters.logs.journal import Journal, Unseen
from adapters.logs.parsing import (
    EXCEPTION_FIELDS,
    LEVEL_FIELDS,
    MESSAGE_FIELDS,
    TIME_FIELDS,
    Fields,
)
from adapters.registry import Surroundings
from bot.core.slo import Arms, LogCounts, NoData

_ARM: Final = "{backend}"
_INSTANT: Final = timedelta(microseconds=1)


class FileLogsOptions(BaseModel):
    """Where the files are, and what their fields are called.

    Attributes:
        path: a file, or a pattern with `*`; with `{backend}` in it each backend has its own,
            without it `arm_field` tells them apart.
        paths: a file or pattern, or several, by backend; in place of `path`.
        arm_field: the JSON field that names the backend, where both arms write one file. Lines
            without it are nobody's.
        time_field, level_field, message_field, exception_field: names of JSON fields; left out,
            the common ones are tried. `log.level` goes into an object.
        timezone: where times without a zone were written, such as "Europe/Berlin".
        lag: how late a line may be written and still be counted: every window is looked at that
            much later, so it must be shorter than the time between two looks.
        max_bytes: bytes of a file that are read at one look; of more than that the newest.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | None = None
    paths: dict[str, str | tuple[str, ...]] = Field(default={})
    arm_field: str = ""
    time_field: str | None = None
    level_field: str | None = None
    message_field: str | None = None
    exception_field: str | None = None
    timezone: str = "UTC"
    lag: Duration = timedelta(seconds=1)
    max_bytes: Annotated[int, Field(ge=65_536)] = 4_000_000

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            _zone(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name!r} is no time zone; write for example UTC") from None
        return name

    @model_validator(mode="after")
    def _tells_the_arms_apart(self) -> Self:
        if (self.path is None) == (not self.paths):
            raise ValueError("give either `path` or, by backend, `paths`")
        if self.path is not None and (_ARM in self.path) == bool(self.arm_field):
            raise ValueError(
                f"`path` needs {_ARM} where the backend's name stands, or else `arm_field`, the "
                "JSON field that names the backend"
            )
        if self.paths and self.arm_field:
            raise ValueError("`arm_field` is for one `path`; `paths` tells the arms apart already")
        return self

    def fields(self) -> Fields:
        """The fields to look for, in order."""

        def of(name: str | None, common: tuple[str, ...]) -> tuple[str, ...]:
            return common if name is None else (name,)

        return Fields(
            time=of(self.time_field, TIME_FIELDS),
            level=of(self.level_field, LEVEL_FIELDS),
            message=of(self.message_field, MESSAGE_FIELDS),
            exception=of(self.exception_field, EXCEPTION_FIELDS),
            arm=self.arm_field,
            zone=_zone(self.timezone),
        )

    def patterns(self, backend: str) -> tuple[str, ...]:
        """Where a backend's files are; none when that is not configured."""
        if self.path is not None:
            return (self.path.replace(_ARM, backend),)
        found = self.paths.get(backend, ())
        return (found,) if isinstance(found, str) else found


class FileLogs:
    """A `LogSource` that follows files.

    A line belongs to the window its own time falls into. A line without a time belongs to the one
    that was asked for when it was first seen; such lines from before the bot's start are ignored,
    because nobody knows when they were written. So windows that tile count nothing twice.

    A file that is missing or cannot be read is `NoData`; an empty one is a log without errors.
    """

    Options: ClassVar[type[BaseModel]] = FileLogsOptions

    def __init__(self, options: FileLogsOptions, surroundings: Surroundings) -> None:
        self._options = options
        self._folder: Path = surroundings.folder
        self._clock = surroundings.clock
        self._journals: dict[str, Journal] = {}
        self._counted_until: datetime | None = None
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, f"logs-{surroundings.service}")

    async def events(
        self, arms: Arms[str], since: datetime, until: datetime
    ) -> Arms[LogCounts] | NoData:
        """See `LogSource.events`; the window is shifted back by `lag`."""
        since, until = since - self._options.lag, until - self._options.lag
        async with self._lock:
            try:
                found = await self._in_thread(arms, since, until)
            except Unseen as unseen:
                return NoData(str(unseen))
            self._counted_until = max(until, self._counted_until or until)
        return Arms(
            canary=counted(_within(found.canary, since, until)),
            stable=counted(_within(found.stable, since, until)),
        )

    async def lines(
        self, arms: Arms[str], since: datetime, until: datetime, limit: int
    ) -> tuple[str, ...]:
        """See `LogSource.lines`."""
        canary = Arms(arms.canary, arms.canary)
        async with self._lock:
            try:
                lag = self._options.lag
                found = await self._in_thread(canary, since - lag, until - lag)
            except Unseen:
                return ()
        errors = sorted(_within(found.canary, since, until), key=lambda error: error.at)
        return tuple(error.example for error in errors[-limit:]) if limit > 0 else ()

    async def _in_thread(
        self, arms: Arms[str], since: datetime, until: datetime
    ) -> Arms[list[ErrorLine]]:
        """Read in a thread of our own: a file system that hangs must take nobody else's."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._read, arms, since, until)

    def _read(self, arms: Arms[str], since: datetime, until: datetime) -> Arms[list[ErrorLine]]:
        """All errors in mind, after reading what is new; runs in a thread."""
        # What is seen now for the first time must not fall into a window already counted.
        arrival = max(until - _INSTANT, self._counted_until or since)
        now = self._clock.now()
        reasons: list[str] = []
        for backend in dict.fromkeys((arms.canary, arms.stable)):
            try:
                self._journal(backend).read(since, arrival, now)
            except Unseen as unseen:
                reasons += [] if str(unseen) in reasons else [str(unseen)]
        if reasons:
            raise Unseen("; ".join(reasons))
        return Arms(canary=self._errors(arms.canary), stable=self._errors(arms.stable))

    def _errors(self, backend: str) -> list[ErrorLine]:
        arm = backend if self._options.arm_field else ""
        return [error for by, error in self._journal(backend).errors() if by == arm]

    def _journal(self, backend: str) -> Journal:
        """The files of a backend; both share them where a field tells the arms apart."""
        key = "" if self._options.arm_field else backend
        if key not in self._journals:
            patterns = self._options.patterns(backend)
            if not patterns:
                known = ", ".join(self._options.paths)
                raise Unseen(f"no log file is configured for {backend}; `paths` has: {known}")
            places = tuple(str(self._folder / pattern) for pattern in patterns)
            self._journals[key] = Journal(places, self._options.fields(), self._options.max_bytes)
        return self._journals[key]


def _zone(name: str) -> tzinfo:
    """UTC needs no database of time zones, which small containers do not have."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _within(errors: Iterable[ErrorLine], since: datetime, until: datetime) -> list[ErrorLine]:
    return [error for error in errors if since <= error.at < until]
