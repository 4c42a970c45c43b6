"""One replica, connected: the engine, Slack, the pipeline's API, and what observes them."""

import asyncio
import os
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import structlog

from adapters.clock import SystemClock
from adapters.paging.webhook import WebhookPager
from adapters.publishing import make_subscribers
from adapters.stores.access import RedisOnce, RedisRates, RedisTokens
from adapters.stores.connection import Link
from adapters.stores.redis import RedisStore
from bot.api.app import make_api
from bot.api.server import ApiServer
from bot.bootstrap.configuration import Configuration, configure, redis_url
from bot.bootstrap.engine import Engine, make_engine, new_canary_id, new_owner
from bot.config import Secrets, Settings
from bot.engine.ownership import is_ours
from bot.observed.guarding import harmless
from bot.observed.health import SLACK_PATIENCE, Health
from bot.observed.ports import metered_pager, metered_store, metered_subscriber
from bot.observed.prometheus import PrometheusMeters
from bot.observed.tracing import Traces, make_traces
from bot.observed.web import asgi, observed_routes
from bot.ports import Clock, Pager, PortError, Subscriber
from bot.ports.meters import Meters
from bot.running import COLLECT_EVERY, collect, spare_collections
from bot.slack.app import SlackEdge, make_client
from bot.slack.http import HttpMode
from bot.slack.limiter import Limiter
from bot.slack.live_message import SlackBoard

log = structlog.get_logger()


class Observation:
    """What this process knows of itself."""

    def __init__(self) -> None:
        self.health = Health()
        self.traces: Traces = make_traces()
        self.metrics = PrometheusMeters(self.health, self.traces)
        self.meters: Meters = harmless(self.metrics)

    def follow(self, engine: Engine, edge: SlackEdge) -> None:
        """Watch these."""
        self.metrics.follow(lambda: [held.canary for held in engine.loop.held.values()])
        self.health.watch("slack", lambda: edge.connected, SLACK_PATIENCE)


@dataclass(frozen=True, slots=True)
class Bot:
    """Everything that is started and stopped together."""

    configuration: Configuration
    engine: Engine
    board: SlackBoard
    edge: SlackEdge
    api: ApiServer | None
    store: RedisStore
    link: Link
    seen: Observation

    async def start(self) -> None:
        """Take over what was left behind, and let people and pipelines in.

        Raises:
            PortError: an address to listen at cannot be had.

        """
        spare_collections()
        self.engine.ticker.repeat("collect", COLLECT_EVERY, collect)
        await self.engine.start()
        try:
            await self.edge.start()
            if self.api is not None:
                await self.api.start()
        except PortError:
            await in_time(3, self.edge.close())
            await in_time(5, self.engine.stop())
            raise
        log.info("bot.started", services=self.configuration.settings.service_names())

    async def stop(self) -> None:
        """Leave within the ten seconds a supervisor waits."""
        log.info("bot.stopping")
        self.seen.health.leave()
        # No new clicks and no new requests; a flip under way goes on meanwhile.
        await asyncio.gather(in_time(3, self.edge.close()), in_time(3, self._close_api()))
        await in_time(5, self.engine.stop())
        await in_time(1, self.board.stop(1))  # last, so that it shows how the flip ended
        await in_time(0.5, self.store.aclose())
        await in_time(0.2, self.link.aclose())
        await in_time(0.3, asyncio.to_thread(self.seen.traces.stop))
        log.info("bot.stopped")

    async def _close_api(self) -> None:
        if self.api is not None:
            await self.api.close()


def make_bot(path: Path, secrets: Secrets, http: httpx.AsyncClient, far: httpx.AsyncClient) -> Bot:
    """Connect everything; nothing is contacted yet.

    Args:
        path: of the configuration.
        secrets: from the environment.
        http, far: ask servers nearby, and on the internet.

    Raises:
        ConfigError: the configuration cannot be used.
        PortError: the address of the store or a subscriber's secret cannot be understood.

    """
    clock, seen = SystemClock(), Observation()
    meters = seen.meters
    configuration = configure(path, http, clock, far)
    settings, url = configuration.settings, redis_url(configuration.settings, secrets)
    redis, link = RedisStore(url), Link(url)
    store = metered_store(redis, meters)
    limiter = Limiter(meters=meters)
    client = make_client(
        secrets.slack_bot_token.get_secret_value(), secrets.slack_api_url, limiter, meters
    )
    owner = new_owner()
    board = SlackBoard(client, limiter, clock, is_ours=partial(is_ours, store, owner))
    engine = make_engine(
        configuration,
        store,
        board,
        clock,
        owner=owner,
        pager=_pager(secrets, http, meters),
        share=limiter.share,
        subscribers=_subscribers(settings, far, clock, meters),
        meters=meters,
        trail=redis.trail,
    )
    edge = SlackEdge(
        client=client,
        app_token=secrets.slack_app_token.get_secret_value(),
        http=_http_mode(settings, secrets),
        limiter=limiter,
        board=board,
        service=engine.service,
        launcher=engine.launcher,
        catalog=settings,
        clock=clock,
        new_canary_id=new_canary_id,
    )
    seen.follow(engine, edge)
    api = _api(settings, engine, edge, link, clock=clock, seen=seen)
    return Bot(configuration, engine, board, edge, api, redis, link, seen)


def _api(
    settings: Settings,
    engine: Engine,
    edge: SlackEdge,
    link: Link,
    *,
    clock: Clock,
    seen: Observation,
) -> ApiServer | None:
    """What pipelines and Prometheus ask; None where nothing is to listen."""
    if settings.api is None:
        return None
    app = make_api(
        desk=engine.service,
        launcher_for=engine.launcher.naming,
        new_canary_id=new_canary_id,
        catalog=settings,
        tokens=RedisTokens(link),
        once=RedisOnce(link, clock),
        rates=RedisRates(link, clock),
        clock=clock,
        settings=settings.api,
        message_url=edge.message_url,
        extra_routes=(observed_routes(seen.metrics, seen.health),),
        middleware=lambda app: asgi(app, seen.meters),
    )
    return ApiServer(app, *settings.api.address)


def _subscribers(
    settings: Settings, http: httpx.AsyncClient, clock: Clock, meters: Meters
) -> dict[str, Subscriber]:
    made = make_subscribers(settings, http, clock, os.environ)
    return {name: metered_subscriber(name, each, meters) for name, each in made.items()}


def _pager(secrets: Secrets, http: httpx.AsyncClient, meters: Meters) -> Pager | None:
    """The webhook, where one is named."""
    url = secrets.canary_webhook_url
    return metered_pager(WebhookPager(url.get_secret_value(), http), meters) if url else None


def _http_mode(settings: Settings, secrets: Secrets) -> HttpMode | None:
    """Where Slack's requests are taken; None in Socket Mode."""
    if settings.slack.mode != "http":
        return None
    host, port = settings.slack.address
    return HttpMode(secrets.slack_signing_secret.get_secret_value(), host, port)


async def in_time(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """Leave whatever hangs: a supervisor kills after ten seconds what has not left by itself."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        log.warning("bot.cut_short", what=str(work))
