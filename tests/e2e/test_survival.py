"""A canary outlives the bot and its store, and does not outlive everybody."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from stage import on_stage

from bot.bootstrap import guard
from bot.config import Secrets
from bot.demo.blocks import headline
from bot.demo.config import write_config

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def test_a_killed_bot_goes_on_in_the_same_message(tmp_path: Path) -> None:
    """The window is not begun anew, nothing is posted twice, and it ends promoted."""
    with on_stage(tmp_path, "healthy", window=30) as stage:
        stage.start()
        stage.until("observing", lambda: stage.says("👀"))
        before = stage.live()

        stage.kill("bot")
        assert stage.split() == {"blue": 90, "green": 10}
        stage.start_bot()
        stage.until("promoted", lambda: stage.says("promoted"), 90)

        after = stage.live()
        assert after["ts"] == before["ts"]
        assert after["edits"] > before["edits"]
        stage.until("the picture", lambda: any(m.get("files") for m in stage.replies()))
        assert len(stage.replies()) == 3, "that it began, that it was promoted, and the picture"
        assert stage.split() == {"blue": 0, "green": 100}


def test_a_breach_while_the_bot_is_dead_is_found_when_it_is_back(tmp_path: Path) -> None:
    """What v2 did meanwhile is in the counters, and the traffic goes back."""
    with on_stage(tmp_path, "errors", window=60) as stage:
        stage.start()
        stage.until("observing", lambda: stage.says("👀"))

        stage.kill("bot")
        stage.start_bot()
        stage.until("rolled back", lambda: stage.says("rolled back"), 90)

        assert stage.split() == {"blue": 100, "green": 0}
        assert len(stage.lives()) == 1


def test_a_killed_redis_is_survived_too(tmp_path: Path) -> None:
    """Judged on from memory while Redis is away; a breach still flips the traffic."""
    with on_stage(tmp_path, "errors", window=60) as stage:
        stage.start()
        stage.until("observing", lambda: stage.says("👀"))

        stage.kill("valkey")
        stage.until("0 % on the canary", lambda: stage.split() == {"blue": 100, "green": 0}, 90)

        assert (
            "rolled back" in headline(stage.live()).lower()
            or stage.says("rolling back")
            or (stage.says("👀"))
        )


def test_a_canary_whose_record_is_gone_is_found_at_the_router(tmp_path: Path) -> None:
    """Redis lost everything in mid-window: the split is reported, and an abort takes it down."""
    with on_stage(tmp_path, "healthy", window=600) as stage:
        stage.start()
        stage.until("observing", lambda: stage.says("👀"))

        with redis.Redis(port=stage.places.valkey) as store:
            store.flushall()
        stage.until("a question", lambda: stage.says("whose is it?"), 60)
        assert stage.split() == {"blue": 90, "green": 10}
        assert len(stage.lives()) == 2
        stage.start("/canary abort shop nobody knows it")
        stage.until("0 % on the canary", lambda: stage.split() == {"blue": 100, "green": 0})


def test_the_guard_takes_a_canary_down_when_the_bot_is_dead(tmp_path: Path) -> None:
    """Beside the router, with the same configuration, it waits for the limit and then acts."""
    with on_stage(tmp_path, "healthy", window=600) as stage:
        stage.start()
        stage.until("observing", lambda: stage.says("👀"))
        config = write_config(stage.places, stage.scenario, stage.pace)

        async def guarded() -> None:
            stop = asyncio.Event()
            running = asyncio.create_task(guard(config, Secrets(), timedelta(seconds=3), stop))
            await asyncio.sleep(8)
            assert stage.split() == {"blue": 90, "green": 10}, "the bot is alive"
            stage.kill("bot")
            async with asyncio.timeout(40):
                while stage.split() != {"blue": 100, "green": 0}:
                    await asyncio.sleep(0.5)
            stop.set()
            await running

        asyncio.run(guarded())
