"""The one place that chooses adapters and connects objects."""

import asyncio
import os
import secrets as random
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, get_args

import httpx
import structlog
from pydantic import ValidationError

from adapters import registry
from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.paging.webhook import WebhookPager
from adapters.registry import BrokenAdapter, Surroundings, UnknownAdapter
from adapters.stores.codec import encode_message, observed
from adapters.stores.redis import RedisStore
from bot.config import AdapterSettings, ConfigError, Problem, Secrets, Settings, load
from bot.config.loading import Lines, problems_of
from bot.core.events import Observed, Prepared
from bot.engine import guard as guarding
from bot.engine.effects import EffectRunner
from bot.engine.loop import Loop
from bot.engine.orphans import EVERY, Home, Orphans
from bot.engine.ownership import Ownership, is_ours
from bot.engine.service import CanaryService
from bot.engine.ticker import Ticker
from bot.ports import CanaryStore, Clock, Pager, PortError, ServicePorts, Services, StatusBoard
from bot.running import COLLECT_EVERY, collect, spare_collections
from bot.slack.app import SlackEdge, make_client
from bot.slack.http import HttpMode
from bot.slack.limiter import Limiter
from bot.slack.live_message import SlackBoard

Port = Literal["traffic", "metrics", "logs", "readiness"]

BEAT: Final = timedelta(seconds=1)
ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""Letters and digits that are not taken for one another when read aloud."""


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checked file with everything it names."""

    path: Path
    settings: Settings
    services: Services


def configure(path: Path, http: httpx.AsyncClient, clock: Clock) -> Configuration:
    """Read the file and make every service's adapters; nothing is contacted yet.

    Raises:
        ConfigError: with every problem, each with its line and the known choices.

    """
    settings, lines = load(path)
    problems: list[Problem] = []
    services: dict[str, ServicePorts] = {}
    for name, service in settings.services.items():
        surroundings = Surroundings(name, clock, http, path.resolve().parent)
        made: dict[str, Any] = {}
        for port in get_args(Port):
            wanted: AdapterSettings | None = getattr(service, port)
            if wanted is None:
                continue
            try:
                made[port] = registry.make(port, wanted.adapter, wanted.options, surroundings)
            except (UnknownAdapter, BrokenAdapter) as error:
                where = ("services", name, port, "adapter")
                problems.append(Problem(lines.of(where), ".".join(where), str(error)))
            except ValidationError as error:
                problems += _option_problems(error, lines, name, port, wanted.adapter)
        if "traffic" in made:
            services[name] = ServicePorts(
                made["traffic"], made.get("metrics"), made.get("logs"), made.get("readiness")
            )
    if problems:
        raise ConfigError(path, problems)
    return Configuration(path, settings, services)


def _option_problems(
    error: ValidationError, lines: Lines, service: str, port: Port, adapter: str
) -> list[Problem]:
    known = ("adapter", *registry.options_of(port, adapter).model_fields)
    return problems_of(error, lines, ("services", service, port), known)


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine, connected: what the edges use, and what must be started and stopped."""

    service: CanaryService
    ownership: Ownership
    loop: Loop
    ticker: Ticker
    orphans: Orphans

    async def start(self) -> None:
        """Take over what was left behind, and begin to tick."""
        self.ticker.start()
        self.ticker.repeat("beat", BEAT, self.ownership.beat)
        self.ticker.repeat("sweep", BEAT, self.loop.sweep)
        self.ticker.repeat("orphans", EVERY, self.orphans.look)
        await self.ownership.beat()

    async def stop(self) -> None:
        """Finish the flips under way, and leave everything else, which is saved, to the others."""
        self.ticker.stop()
        await self.service.stop()
        await self.ownership.resign()


def make_engine(
    configuration: Configuration,
    store: CanaryStore,
    board: StatusBoard,
    clock: Clock,
    *,
    owner: str,
    pager: Pager | None = None,
    share: Callable[[int], None] | None = None,
) -> Engine:
    """Connect the engine to its ports; `share` hears how many replicas share Slack's limits."""
    services, settings = configuration.services, configuration.settings
    ticker = Ticker(clock)
    runner = EffectRunner(services, board, clock, pager, past=partial(_seen, store))
    loop = Loop(
        store=store,
        runner=runner,
        show=board.show,
        ticker=ticker,
        clock=clock,
        encode=encode_message,
    )
    service = CanaryService(store, loop, clock, owner)
    homes = {name: Home(settings.plan_for(name), settings.channel_of(name)) for name in services}
    orphans = Orphans(
        store=store,
        runner=runner,
        service=service,
        clock=clock,
        homes=homes,
        new_canary_id=new_canary_id,
    )
    ownership = Ownership(store, service, owner, share)
    return Engine(service, ownership, loop, ticker, orphans)


async def _seen(store: CanaryStore, canary_id: str) -> Sequence[Prepared | Observed]:
    """What was seen of a canary; what another version of the bot wrote cannot be drawn."""
    try:
        happenings = await store.happenings(canary_id)
        return await asyncio.to_thread(observed, happenings)  # of a long day it takes a second
    except ValueError as error:
        log.warning("canary.not_drawn", canary_id=canary_id, reason=str(error))
        return ()


def _pager(secrets: Secrets, http: httpx.AsyncClient) -> Pager | None:
    """The webhook, where one is named."""
    url = secrets.canary_webhook_url
    return WebhookPager(url.get_secret_value(), http) if url else None


def _http_mode(settings: Settings, secrets: Secrets) -> HttpMode | None:
    """Where Slack's requests are taken; None in Socket Mode."""
    if settings.slack.mode != "http":
        return None
    host, port = settings.slack.address
    return HttpMode(secrets.slack_signing_secret.get_secret_value(), host, port)


def redis_url(settings: Settings, secrets: Secrets) -> str:
    """The environment's address wins, since it may hold a password."""
    hidden = secrets.canary_redis_url
    return hidden.get_secret_value() if hidden else settings.redis


def new_canary_id(service: str) -> str:
    """A short name that can be read aloud: the service and six letters."""
    return f"{service}-{''.join(random.choice(ALPHABET) for _ in range(6))}"


@asynccontextmanager
async def http_client() -> AsyncIterator[httpx.AsyncClient]:
    """The one client all adapters share."""
    client = new_client()
    try:
        yield client
    finally:
        await client.aclose()


async def serve(path: Path, secrets: Secrets, stop: asyncio.Event) -> None:
    """Run the bot until `stop` is set.

    Raises:
        ConfigError: the configuration cannot be used.
        PortError: the address of the store or of the webhook cannot be understood, or the one for
            Slack's requests cannot be had.

    """
    clock = SystemClock()
    async with http_client() as http:
        configuration = configure(path, http, clock)
        store = RedisStore(redis_url(configuration.settings, secrets))
        limiter = Limiter()
        client = make_client(
            secrets.slack_bot_token.get_secret_value(), secrets.slack_api_url, limiter
        )
        owner = new_owner()
        board = SlackBoard(client, limiter, clock, is_ours=partial(is_ours, store, owner))
        engine = make_engine(
            configuration,
            store,
            board,
            clock,
            owner=owner,
            pager=_pager(secrets, http),
            share=limiter.share,
        )
        edge = SlackEdge(
            client=client,
            app_token=secrets.slack_app_token.get_secret_value(),
            http=_http_mode(configuration.settings, secrets),
            limiter=limiter,
            board=board,
            service=engine.service,
            catalog=configuration.settings,
            clock=clock,
            new_canary_id=new_canary_id,
        )
        spare_collections()
        engine.ticker.repeat("collect", COLLECT_EVERY, collect)
        await engine.start()
        try:
            await edge.start()
        except PortError:
            await _in_time(5, engine.stop())
            raise
        log.info("bot.started", services=configuration.settings.service_names())
        await stop.wait()
        log.info("bot.stopping")
        await _in_time(3, edge.close())  # no new clicks; a flip under way goes on meanwhile
        await _in_time(5, engine.stop())
        await _in_time(1, board.stop(1))  # last, so that it shows how the flip ended
        await _in_time(0.5, store.aclose())
        log.info("bot.stopped")


async def _in_time(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """Leave whatever hangs: a supervisor kills after ten seconds what has not left by itself."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        log.warning("bot.cut_short", what=str(work))


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


def new_owner() -> str:
    """A name for this process that no other one has or had."""
    return f"{socket.gethostname()}-{os.getpid()}-{random.token_hex(3)}"
