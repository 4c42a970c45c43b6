"""Files are followed through rotation, half lines, odd bytes and restarts."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders import ARMS, NOON
from pydantic import ValidationError

from adapters.logs.file import FileLogs, FileLogsOptions
from adapters.registry import Surroundings
from bot.core.slo import NoData

SECOND = timedelta(seconds=1)


class Stage:
    """Two log files, and a clock that moves ten seconds at every look."""

    def __init__(self, http: httpx.AsyncClient, folder: Path) -> None:
        self.folder = folder
        self.time = NOON
        self.green = folder / "green.log"
        self.blue = folder / "blue.log"
        self.green.touch()
        self.blue.touch()
        self._around = Surroundings("shop", self, http, folder)
        self.logs = self.open()

    def now(self) -> datetime:
        """The time of the last look."""
        return self.time

    def open(self, **options: Any) -> FileLogs:
        """A source that has seen nothing yet, as after a restart of the bot."""
        given = (
            options if {"path", "paths"} & set(options) else {"path": "{backend}.log"} | options
        )
        self.logs = FileLogs(FileLogsOptions(**({"lag": "0s"} | given)), self._around)
        return self.logs

    def write(self, text: str, *, after: float = 5.0, path: Path | None = None) -> None:
        """Append a line whose time lies so many seconds after the last look."""
        at = self.time + timedelta(seconds=after)
        self.append(json.dumps({"ts": at.isoformat(), "level": "error", "msg": text}) + "\n", path)

    def append(self, text: str | bytes, path: Path | None = None) -> None:
        """Append to the canary's log as it is."""
        with (path or self.green).open("ab") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    async def look(self) -> dict[str, int]:
        """What the canary logged in the ten seconds since the last look."""
        since, self.time = self.time, self.time + 10 * SECOND
        found = await self.logs.events(ARMS, since, self.time)
        assert not isinstance(found, NoData), found.reason
        return {name: each.count for name, each in found.canary.items()}

    async def reason(self) -> str:
        """Why the next look has no data."""
        since, self.time = self.time, self.time + 10 * SECOND
        found = await self.logs.events(ARMS, since, self.time)
        assert isinstance(found, NoData)
        return found.reason


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with httpx.AsyncClient() as http:
        yield Stage(http, tmp_path)


async def test_a_renamed_file_is_read_to_its_end(stage: Stage) -> None:
    """Rotation by rename loses no line and counts none twice."""
    stage.write("one")
    assert await stage.look() == {"one": 1}
    stage.write("two")
    stage.green.rename(stage.folder / "green.log.1")
    stage.write("three")
    assert await stage.look() == {"two": 1, "three": 1}
    assert await stage.look() == {}


async def test_a_file_matched_under_its_old_and_new_name_is_counted_once(stage: Stage) -> None:
    """A pattern that matches rotated files as well counts no line twice."""
    stage.open(paths={"green": "green.log*", "blue": ["blue.log"]})
    stage.write("one")
    assert await stage.look() == {"one": 1}
    stage.write("two")
    stage.green.rename(stage.folder / "green.log.1")
    stage.write("three")
    assert await stage.look() == {"two": 1, "three": 1}
    stage.write("four", path=stage.folder / "green.log.1")
    assert await stage.look() == {"four": 1}


async def test_a_file_that_was_cut_is_read_from_its_beginning(stage: Stage) -> None:
    """Copytruncate loses nothing that was written after it, even when it has grown past before."""
    stage.write("one")
    assert await stage.look() == {"one": 1}
    shutil.copy(stage.green, stage.folder / "green.log.1")
    os.truncate(stage.green, 0)
    stage.write("two")
    assert await stage.look() == {"two": 1}
    os.truncate(stage.green, 0)
    for _ in range(5):
        stage.write("three, which is longer")
    assert await stage.look() == {"three, which is longer": 5}


async def test_half_a_line_waits_for_its_other_half(stage: Stage) -> None:
    """A line that is being written is counted when it is whole, in the window of its time."""
    stage.append('{"level": "error", "msg": "whole')
    assert await stage.look() == {}
    stage.append(' again"}\n')
    assert await stage.look() == {"whole again": 1}


async def test_a_last_line_without_an_end_is_counted_when_it_stays_so(stage: Stage) -> None:
    """The last word of a process that died is heard at the second look."""
    await stage.look()
    stage.append("panic: out of cheese")
    assert await stage.look() == {}
    assert await stage.look() == {"panic: out of cheese": 1}
    assert await stage.look() == {}


async def test_odd_bytes_do_not_stop_the_reading(stage: Stage) -> None:
    """What is no UTF-8, NULs, empty lines and broken JSON are read as far as they can be."""
    stage.append(b"\x00\x00\xff\xfe ERROR odd\n\n\n{broken json, level=error\n[1]\n{}\n\r\n")
    stage.append(b'{"level": "error", "msg": "half \\ud83d pair"}\r\n')
    stage.write("fine")
    stage.open()
    assert "fine" in await stage.look()


async def test_lines_without_a_time_count_when_they_are_first_seen(stage: Stage) -> None:
    """They are counted once, at the look that sees them; those from before the start are not."""
    stage.append("ERROR from long ago\n")
    assert await stage.look() == {}
    stage.append("ERROR new\n")
    assert await stage.look() == {"ERROR new": 1}
    assert await stage.look() == {}
    stage.append("ERROR newer\n")
    await stage.logs.lines(ARMS, NOON, stage.time, 5)
    assert await stage.look() == {"ERROR newer": 1}


TRACEBACK = """Traceback (most recent call last):
  File "/app/shop.py", line 4, in pay
    total()
DataError: bad value
"""


async def test_a_plain_traceback_is_one_error(stage: Stage) -> None:
    """Alone, below a line with a time, or below JSON, a traceback is one event."""
    await stage.look()
    stage.append(TRACEBACK)
    stage.append(TRACEBACK)
    stage.append("listening on :8080\n")
    assert await stage.look() == {"DataError: bad value [in pay]": 2}
    stage.append(f"{stage.time + SECOND:%Y-%m-%d %H:%M:%S},123 ERROR pay failed\n{TRACEBACK}")
    assert await stage.look() == {"DataError: bad value [in pay]": 1}
    at = (stage.time + SECOND).isoformat()
    stage.append(f'{{"ts": "{at}", "level": "info", "msg": "well"}}\n{TRACEBACK}')
    stage.append(f'{{"ts": "{at}", "level": "info", "msg": "well"}}\n')
    assert await stage.look() == {"DataError: bad value [in pay]": 1}


async def test_a_chained_traceback_is_one_error(stage: Stage) -> None:
    """What was raised while something else was handled belongs to it."""
    await stage.look()
    link = "\nDuring handling of the above exception, another exception occurred:\n\n"
    stage.append(TRACEBACK + link + TRACEBACK.replace("DataError: bad", "ValueError: no"))
    assert await stage.look() == {"ValueError: no value [in pay]": 1}


async def test_after_a_restart_a_window_is_read_from_the_end_of_a_huge_file(stage: Stage) -> None:
    """A new source answers for its window, and reads no more than it may of what is older."""
    old = json.dumps(
        {"ts": (NOON - timedelta(days=1)).isoformat(), "level": "error", "msg": "old"}
    )
    stage.append((old + "\n") * 60_000)
    stage.write("one")
    stage.write("two")
    stage.open(max_bytes=100_000)
    assert await stage.look() == {"one": 1, "two": 1}


async def test_of_a_flood_the_newest_is_read(stage: Stage) -> None:
    """More than `max_bytes` at once is cut off at its beginning, on a whole line."""
    stage.open(max_bytes=65_536)
    await stage.look()
    stage.write("first")
    for _ in range(2000):
        stage.write("flood")
    stage.write("last")
    found = await stage.look()
    assert found["last"] == 1
    assert 100 < found["flood"] < 2000
    assert "first" not in found
    stage.write("after")
    assert await stage.look() == {"after": 1}


async def test_a_line_written_late_is_counted_within_the_lag(stage: Stage) -> None:
    """Windows are looked at later by the lag, so a buffered line is not lost."""
    stage.open(lag="2s")
    await stage.look()
    stage.write("late", after=-1.0)
    assert await stage.look() == {"late": 1}


async def test_a_missing_file_is_no_data_until_it_is_there(stage: Stage) -> None:
    """The reason names the file; a file that appears later is read from its beginning."""
    stage.blue.unlink()
    assert str(stage.blue) in await stage.reason()
    stage.blue.touch()
    stage.green.unlink()
    assert str(stage.green) in await stage.reason()
    stage.append("ERROR born\n")
    assert await stage.look() == {"ERROR born": 1}


async def test_a_file_that_may_not_be_read_is_no_data(stage: Stage) -> None:
    """A folder in place of a file is told with its name and reason."""
    stage.blue.unlink()
    stage.blue.mkdir()
    reason = await stage.reason()
    assert str(stage.blue) in reason
    assert "cannot be read" in reason


async def test_an_unknown_backend_lists_the_known_ones(stage: Stage) -> None:
    """A backend without a path is no data, and the configured ones are named."""
    stage.open(paths={"red": "red.log", "blue": "blue.log"})
    reason = await stage.reason()
    assert "no log file is configured for green; `paths` has: red, blue" in reason


async def test_times_that_cannot_be_true_are_no_data(stage: Stage) -> None:
    """A service that logs in local time is told so instead of looking well."""
    await stage.look()
    stage.write("an hour ago", after=-3600)
    assert "-1.00 h off the bot's clock" in await stage.reason()
    stage.write("now")
    assert await stage.look() == {"now": 1}


async def test_a_time_zone_is_taken_into_account(stage: Stage) -> None:
    """Times without a zone are read as those of the configured place."""
    stage.open(timezone="Europe/Berlin")
    local = NOON + timedelta(hours=1, seconds=5)
    stage.append(f"{local:%Y-%m-%d %H:%M:%S} ERROR local\n")
    stage.append(f"{NOON + 5 * SECOND:%Y-%m-%dT%H:%M:%S}Z ERROR absolute\n")
    assert await stage.look() == {"ERROR local": 1, "ERROR absolute": 1}


@pytest.mark.parametrize(
    "record",
    [
        {"ts": "{iso}", "level": "error", "msg": "broken"},
        {"time": "{epoch}", "lvl": "ERROR", "message": "broken"},
        {"timestamp": "{millis}", "severity": "CRITICAL", "event": "broken"},
        {"@timestamp": "{iso}", "log": {"level": "error"}, "message": "broken"},
        {"@timestamp": "{iso}", "log.level": "error", "message": "broken"},
        {"time": "{millis}", "level": 50, "msg": "broken"},
        {"ts": "{nanos}", "level": "info", "msg": "x", "exception": "ValueError: broken"},
        {"ts": "{iso}", "level": "info", "err": {"type": "ValueError", "message": "broken"}},
        {"ts": "{iso}", "level": "error", "error": {"stack": "Error: broken\n    at a (b:1:1)"}},
    ],
)
async def test_common_json_logs_are_understood(stage: Stage, record: dict[str, Any]) -> None:
    """Names and units of the fields of common loggers need no configuration."""
    at = NOON + 5 * SECOND
    times = {
        "{iso}": at.isoformat().replace("+00:00", "Z"),
        "{epoch}": at.timestamp(),
        "{millis}": int(at.timestamp() * 1e3),
        "{nanos}": int(at.timestamp() * 1e9),
    }
    filled = {
        name: times.get(value, value) if isinstance(value, str) else value
        for name, value in record.items()
    }
    stage.append(json.dumps(filled) + "\n")
    found = await stage.look()
    assert len(found) == 1
    assert "broken" in next(iter(found))


async def test_field_names_can_be_told(stage: Stage) -> None:
    """Unusual names are read where they are configured."""
    stage.open(time_field="w.hen", level_field="bad", message_field="what", exception_field="why")
    at = (NOON + 5 * SECOND).isoformat()
    record = {"w": {"hen": at}, "bad": "error", "what": "it", "why": "DataError: x", "msg": "no"}
    stage.append(json.dumps(record) + "\n")
    assert await stage.look() == {"it DataError: x": 1}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "either `path` or"),
        ({"path": "x.log"}, "needs {backend}"),
        ({"path": "{backend}.log", "arm_field": "a"}, "needs {backend}"),
        ({"paths": {"a": "x"}, "arm_field": "a"}, "tells the arms apart already"),
        ({"path": "{backend}.log", "paths": {"a": "x"}}, "either `path` or"),
        ({"path": "{backend}.log", "timezone": "Mars/Base"}, "no time zone"),
        ({"path": "{backend}.log", "lag": "soon"}, "write for example 250ms"),
        ({"path": "{backend}.log", "lag": "-1s"}, "not a duration"),
        ({"path": "{backend}.log", "max_bytes": 10}, "65536"),
        ({"path": "{backend}.log", "colour": "red"}, "colour"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], reason: str) -> None:
    """Each mistake is told with what to write instead."""
    with pytest.raises(ValidationError, match=reason):
        FileLogsOptions(**options)


def test_a_lag_may_be_written_in_seconds_or_with_units() -> None:
    """`1h30m`, `250ms` and plain seconds are understood."""
    for text, lag in (("1h30m", 5400), ("250ms", 0.25), ("2", 2), (1.5, 1.5), ("0s", 0)):
        options = FileLogsOptions.model_validate({"path": "{backend}", "lag": text})
        assert options.lag == timedelta(seconds=lag)
