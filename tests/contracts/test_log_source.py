"""What every log source promises the engine, checked against each of them."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from builders import ARMS, NOON

from adapters.logs.file import FileLogs, FileLogsOptions
from adapters.logs.memory import MemoryLogs
from adapters.registry import Surroundings
from bot.core.slo import Arms, LogCounts, NoData
from bot.ports import LogSource

MINUTE = timedelta(minutes=1)
COLUMN = 'psycopg.errors.UndefinedColumn: column "discount" does not exist'


class NoonClock:
    """A clock that stands at the end of the minute after noon."""

    def now(self) -> datetime:
        """A minute after noon."""
        return NOON + MINUTE


class Bench(Protocol):
    """A log source, and a pen to write its log with."""

    source: LogSource

    def write(self, backend: str, text: str, level: str, at: datetime) -> None:
        """Log a line."""

    def lose(self) -> None:
        """Make the log unreadable."""


class MemoryBench:
    """The log in memory."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.logs = MemoryLogs(surroundings=surroundings)
        self.source: LogSource = self.logs

    def write(self, backend: str, text: str, level: str, at: datetime) -> None:
        """Log a line."""
        self.logs.write(backend, text, level=level, at=at)

    def lose(self) -> None:
        """Make the log unreadable."""
        self.logs.down = "the log is down"


class FileBench:
    """JSON lines in one file an arm."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.folder = surroundings.folder
        options = FileLogsOptions(path="{backend}.log", lag=timedelta(0))
        self.source: LogSource = FileLogs(options, surroundings)
        for backend in (ARMS.canary, ARMS.stable):
            (self.folder / f"{backend}.log").touch()

    def write(self, backend: str, text: str, level: str, at: datetime) -> None:
        """Log a line."""
        record = {"ts": at.isoformat(), "level": level, "msg": text}
        with (self.folder / f"{backend}.log").open("a") as file:
            file.write(json.dumps(record) + "\n")

    def lose(self) -> None:
        """Make the log unreadable."""
        (self.folder / f"{ARMS.stable}.log").unlink()


class SharedFileBench(FileBench):
    """JSON lines of both arms in one file."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.folder = surroundings.folder
        options = FileLogsOptions(path="all.log", arm_field="pod.color", lag=timedelta(0))
        self.source = FileLogs(options, surroundings)
        (self.folder / "all.log").touch()

    def write(self, backend: str, text: str, level: str, at: datetime) -> None:
        """Log a line."""
        record = {
            "@timestamp": at.timestamp(),
            "log": {"level": level},
            "message": text,
            "pod": {"color": backend},
        }
        with (self.folder / "all.log").open("a") as file:
            file.write(json.dumps(record) + "\n")

    def lose(self) -> None:
        """Make the log unreadable."""
        (self.folder / "all.log").unlink()


@pytest.fixture(params=[MemoryBench, FileBench, SharedFileBench])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with httpx.AsyncClient() as http:
        yield request.param(Surroundings("shop", NoonClock(), http, tmp_path))


async def events(bench: Bench, since: datetime, until: datetime) -> Arms[LogCounts]:
    """The events of a window that can be read."""
    found = await bench.source.events(ARMS, since, until)
    assert not isinstance(found, NoData)
    return found


async def test_an_empty_log_is_zero_events_and_not_no_data(bench: Bench) -> None:
    """Nothing went wrong is something else than nothing could be read."""
    assert await events(bench, NOON, NOON + MINUTE) == Arms({}, {})


async def test_errors_are_counted_by_signature_and_arm(bench: Bench) -> None:
    """Each arm's errors are its own; lines of one fault are one signature."""
    for number in range(3):
        bench.write(
            "green", f"order {number}: {COLUMN}", "error", NOON + timedelta(seconds=number)
        )
    bench.write("green", "mail to bob@example.com bounced", "ERROR", NOON)
    bench.write("blue", "disk is slow", "critical", NOON)
    bench.write("blue", "all is well", "info", NOON)
    found = await events(bench, NOON, NOON + MINUTE)
    assert {name: each.count for name, each in found.canary.items()} == {
        f"order <n>: {COLUMN}": 3,
        "mail to <email> bounced": 1,
    }
    assert {name: each.count for name, each in found.stable.items()} == {"disk is slow": 1}


async def test_a_traceback_counts_at_any_level(bench: Bench) -> None:
    """A poller that logs its failure as information is heard all the same."""
    text = (
        f'poll failed\nTraceback (most recent call last):\n  File "a", line 1, in poll\n{COLUMN}'
    )
    bench.write("green", text, "info", NOON)
    found = await events(bench, NOON, NOON + MINUTE)
    assert list(found.canary) == [f"{COLUMN} [in poll]"]


async def test_windows_that_tile_count_every_line_once(bench: Bench) -> None:
    """A line at a border belongs to the later window, whenever the windows are asked for."""
    for second in range(60):
        bench.write("green", "broken", "error", NOON + timedelta(seconds=second))
    total = 0
    for start in range(0, 60, 10):
        since = NOON + timedelta(seconds=start)
        found = await events(bench, since, since + timedelta(seconds=10))
        assert found.canary["broken"].count == 10
        total += found.canary["broken"].count
    assert total == 60
    whole = await events(bench, NOON, NOON + MINUTE)
    assert whole.canary["broken"].count == 60


async def test_asking_again_gives_the_same_answer(bench: Bench) -> None:
    """A window read twice holds the same, and lines written between show in their own window."""
    bench.write("green", "first", "error", NOON)
    once = await events(bench, NOON, NOON + timedelta(seconds=10))
    bench.write("green", "second", "error", NOON + timedelta(seconds=15))
    assert await events(bench, NOON, NOON + timedelta(seconds=10)) == once
    later = await events(bench, NOON + timedelta(seconds=10), NOON + timedelta(seconds=20))
    assert list(later.canary) == ["second"]


async def test_examples_and_lines_hold_no_secrets(bench: Bench) -> None:
    """Whatever leaves the source is redacted."""
    bench.write("green", "login failed: password=hunter2xyz", "error", NOON)
    found = await events(bench, NOON, NOON + MINUTE)
    lines = await bench.source.lines(ARMS, NOON, NOON + MINUTE, 10)
    assert "hunter2xyz" not in repr((found, lines))
    assert lines == ("login failed: password=<secret>",)


async def test_lines_are_the_canarys_newest_errors_newest_last(bench: Bench) -> None:
    """As many as asked for, of the window and the canary only, in order."""
    for number in range(9):
        bench.write("green", f"error {number}", "error", NOON + timedelta(seconds=number))
    bench.write("green", "all is well", "info", NOON + timedelta(seconds=9))
    bench.write("blue", "other arm", "error", NOON + timedelta(seconds=9))
    bench.write("green", "too late", "error", NOON + MINUTE)
    lines = await bench.source.lines(ARMS, NOON + timedelta(seconds=2), NOON + MINUTE, 3)
    assert lines == ("error 6", "error 7", "error 8")
    assert await bench.source.lines(ARMS, NOON, NOON + MINUTE, 0) == ()


async def test_a_log_that_cannot_be_read_is_no_data_with_a_reason(bench: Bench) -> None:
    """One arm's log missing is no data for both, and lines are best effort."""
    bench.lose()
    found = await bench.source.events(ARMS, NOON, NOON + MINUTE)
    assert isinstance(found, NoData)
    assert found.reason
    assert await bench.source.lines(ARMS, NOON, NOON + MINUTE, 3) == ()
