"""Runs the bot, and the dead man's switch beside a router."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import structlog

from adapters.clock import SystemClock
from adapters.stores.redis import RedisStore
from bot.bootstrap.bot import make_bot
from bot.bootstrap.configuration import configure, http_client, redis_url
from bot.config import Secrets
from bot.engine import guard as guarding

log = structlog.get_logger()


async def serve(path: Path, secrets: Secrets, stop: asyncio.Event) -> None:
    """Run the bot until `stop` is set.

    Raises:
        ConfigError: the configuration cannot be used.
        PortError: an address or a secret cannot be understood, or an address to listen at cannot
            be had.

    """
    async with http_client() as http, http_client(far=True) as far:
        bot = make_bot(path, secrets, http, far)
        await bot.start()
        await stop.wait()
        await bot.stop()


async def guard(path: Path, secrets: Secrets, after: timedelta, stop: asyncio.Event) -> None:
    """Run the dead man's switch until `stop` is set.

    Raises:
        ConfigError: the configuration cannot be used.
        PortError: the address of the store cannot be understood.

    """
    clock = SystemClock()
    async with http_client() as http:
        configuration = configure(path, http, clock)
        store = RedisStore(redis_url(configuration.settings, secrets))
        watch = guarding.Guard(configuration.services, store, clock, after)
        log.info("guard.started", services=configuration.settings.service_names())
        while not stop.is_set():
            await watch.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), guarding.EVERY.total_seconds())
        await store.aclose()
