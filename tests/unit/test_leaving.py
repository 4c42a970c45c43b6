"""A process that is told to leave leaves, whatever hangs."""

import asyncio

from structlog.testing import capture_logs

from bot.bootstrap.bot import in_time


async def test_what_hangs_is_left_behind_and_named() -> None:
    """A supervisor would kill the process otherwise, and nobody would know why."""

    async def hanging_redis() -> None:
        await asyncio.sleep(3600)

    with capture_logs() as logs:
        await in_time(0.01, hanging_redis())

    (entry,) = logs
    assert entry["event"] == "bot.cut_short"
    assert "hanging_redis" in entry["what"]
