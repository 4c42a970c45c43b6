"""Drawing a picture neither stops the bot nor outlives it, and gets nothing it has no use for."""

import asyncio
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import FIRST
from structlog.testing import capture_logs
from unit.core.windows import Arm, Moment, Seen, aborted, window
from unit.slack.connected import until
from unit.slack.wall import Wall, opened
from world import Now

from adapters.stores.memory import MemoryStore
from bot.bootstrap import engine as bootstrap
from bot.core.canary import Canary
from bot.slack.app import make_client
from bot.slack.limiter import Limiter
from bot.slack.pictures import upload
from bot.workspace import RunningWorkspace


@pytest.fixture
async def wall(workspace: RunningWorkspace) -> Wall:
    """A thread on a workspace that shares a file a second after it was uploaded."""
    client = make_client(workspace.bot_token, workspace.api_url, Limiter())
    return Wall(workspace, await opened(client))


def endless(path: Path) -> tuple[str, ...]:
    """A drawing that never ends, and says who it is."""
    return ("sh", "-c", f"echo $$ > {path}; exec sleep 600")


def gone(path: Path) -> bool:
    """Whether the process that wrote its number there is no more."""
    try:
        os.kill(int(path.read_text()), 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_drawing_that_hangs_is_killed(wall: Wall, tmp_path: Path) -> None:
    """And the thread does without."""
    path = tmp_path / "pid"
    with capture_logs() as logs:
        await wall.pictures(command=endless(path), patience=1).post(wall.canary, wall.seen, FIRST)

    assert "longer than 1 s" in logs[0]["reason"]
    assert gone(path)


async def test_a_bot_that_stops_leaves_no_drawing_behind(wall: Wall, tmp_path: Path) -> None:
    """Whoever waits for it is cancelled."""
    path = tmp_path / "pid"
    pictures = wall.pictures(command=endless(path))
    posting = asyncio.create_task(pictures.post(wall.canary, wall.seen, FIRST))
    await until(lambda: path.exists() and path.read_text())

    posting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await posting

    assert gone(path)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("/nowhere/at/all",), "it cannot be drawn"),
        ((sys.executable, "-c", "raise SystemExit('no ink')"), "no ink"),
        ((sys.executable, "-c", "print('a drawing')"), "no picture came"),
    ],
)
async def test_a_drawing_that_fails_is_left_out(
    wall: Wall, command: tuple[str, ...], reason: str
) -> None:
    """With the child's last words."""
    with capture_logs() as logs:
        await wall.pictures(command=command).post(wall.canary, wall.seen, FIRST)

    assert reason in logs[0]["reason"]


async def test_the_child_gets_none_of_the_bots_secrets(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no use for a token."""
    monkeypatch.setenv("CANARYBOT_SLACK_BOT_TOKEN", "xoxb-secret")
    code = "import os, sys; sys.exit(' '.join(os.environ.values()))"

    with capture_logs() as logs:
        pictures = wall.pictures(command=(sys.executable, "-c", code))
        await pictures.post(wall.canary, wall.seen, FIRST)

    assert "xoxb-secret" not in logs[0]["reason"]


async def test_one_is_drawn_at_a_time(wall: Wall, tmp_path: Path) -> None:
    """Twenty canaries that end together take one core and the memory of one drawing."""
    path = tmp_path / "drawing"
    code = (
        "import os, sys, time; "
        f"os.mkdir({str(path)!r}); time.sleep(0.2); os.rmdir({str(path)!r}); "
        r"sys.stdout.buffer.write(b'\x89PNG dot')"
    )
    pictures = wall.pictures(command=(sys.executable, "-c", code))
    others = [replace(wall.canary, id=f"shop-{number}") for number in range(3)]

    await asyncio.gather(*(pictures.post(other, wall.seen, FIRST) for other in others))
    await wall.processed()

    assert len(wall.files) == 3


async def test_a_canary_with_thousands_of_looks_does_not_stop_the_bot(wall: Wall) -> None:
    """They are judged again beside the event loop, which goes on meanwhile."""
    seen = window([Moment(Arm(20), Arm(40))] * 1500)
    canary = replace(aborted(seen)[0], thread=wall.canary.thread)
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    beating = asyncio.create_task(beat())
    await wall.pictures().post(canary, seen, FIRST)
    beating.cancel()
    await wall.processed()

    assert beats > 5
    assert len(wall.files) == 1


async def test_one_is_judged_again_at_a_time(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many that end together not all are in the threads that everything else needs."""
    real, lock, crowded = upload._told, threading.Lock(), list[bool]()

    def told(canary: Canary, seen: Seen) -> Any:
        crowded.append(not lock.acquire(blocking=False))
        time.sleep(0.1)
        try:
            return real(canary, seen)
        finally:
            if not crowded[-1]:
                lock.release()

    monkeypatch.setattr(upload, "_told", told)
    pictures = wall.pictures()
    others = [replace(wall.canary, id=f"shop-{number}") for number in range(3)]
    await asyncio.gather(*(pictures.post(other, wall.seen, FIRST) for other in others))
    await wall.processed()

    assert crowded == [False] * 3


async def test_a_stream_is_decoded_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a day it takes so long that no click would be answered in time."""
    where: list[threading.Thread] = []

    def decode(_happenings: Any) -> list[Any]:
        where.append(threading.current_thread())
        return []

    monkeypatch.setattr(bootstrap, "observed", decode)
    assert await bootstrap._seen(MemoryStore(Now()), "shop-k3x9ab") == []

    assert where
    assert threading.main_thread() not in where
