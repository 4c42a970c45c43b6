"""Two whole replicas of the bot on one Redis and one router, with a workspace in the test's hand."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import aiohttp
import httpx
import yaml
from aiohttp import web
from redis_server import VALKEY, RedisServer
from servers import (
    LOOPBACK,
    Envoy,
    Reply,
    Server,
    envoy,
    free_port,
    launch,
    two_backends,
    wait_until,
)
from unit.slack.support import spoken
from unit.workspace.support import People

from adapters.stores.codec import decode_message
from adapters.stores.redis import RedisStore
from adapters.traffic.runtime_file import RUNTIME
from bot.core.canary import Canary
from bot.core.commands import Abort
from bot.slack.http import PATH
from bot.workspace import RunningWorkspace, Settings, running_workspace
from bot.workspace.settings import RequestUrls

Mode = Literal["socket", "http"]
Json = dict[str, Any]
ROOT: Final = Path(__file__).resolve().parents[2]
NAMES: Final = ("a", "b")
ADA, LINUS = "U0ADA0001", "U0LINUS01"
WEIGHTS = yaml.safe_dump(
    {
        "resources": [
            {
                "@type": RUNTIME,
                "name": "rt",
                "layer": {"canary.shop.blue": 10_000, "canary.shop.green": 0},
            }
        ]
    }
)


@dataclass
class Entrance:
    """One address for all replicas: each request to the next one that takes a connection."""

    ports: list[int]
    asked: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    session: aiohttp.ClientSession | None = None

    async def take(self, request: web.Request) -> web.Response:
        """Pass a request on; only where no connection came about is another replica tried."""
        body, headers = await request.read(), dict(request.headers)
        self.asked.append((body, headers))
        self.ports.append(self.ports.pop(0))
        for port in tuple(self.ports):
            try:
                return await self.send(port, body, headers)
            except aiohttp.ClientConnectorError:
                continue
            except aiohttp.ClientError:
                return web.Response(status=502)
        return web.Response(status=503)

    async def send(self, port: int, body: bytes, headers: dict[str, str]) -> web.Response:
        """Send a request to one replica, as it is."""
        assert self.session is not None
        kept = {n: v for n, v in headers.items() if n.startswith("X-Slack") or n == "Content-Type"}
        url = f"http://{LOOPBACK}:{port}{PATH}"
        async with self.session.post(url, data=body, headers=kept) as answer:
            return web.Response(status=answer.status, body=await answer.read())


@asynccontextmanager
async def entrance(ports: list[int], at: int) -> AsyncIterator[Entrance]:
    """Serve it."""
    made = Entrance(ports)
    app = web.Application()
    app.router.add_post(PATH, made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, at).start()
    connector = aiohttp.TCPConnector(force_close=True)
    try:
        async with aiohttp.ClientSession(connector=connector) as made.session:
            yield made
    finally:
        await runner.cleanup()


@dataclass
class Town:
    """A workspace, two replicas, and what they share."""

    mode: Mode
    folder: Path
    workspace: RunningWorkspace
    people: People
    store: RedisStore
    redis: str
    ports: dict[str, int]
    entrance: Entrance
    backends: dict[str, int]
    bots: dict[str, Server] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a replica; `ready` waits for it."""
        settings = self.workspace.workspace.settings
        secret = {
            "socket": {"SLACK_APP_TOKEN": settings.app_token},
            "http": {"SLACK_SIGNING_SECRET": settings.signing_secret},
        }
        more = {"SLACK_BOT_TOKEN": settings.bot_token, "SLACK_API_URL": self.workspace.api_url}
        more |= {"PYTHONPATH": str(ROOT), "CANARY_REDIS_URL": self.redis} | secret[self.mode]
        argv = [sys.executable, "-m", "bot", "serve", "-c", str(self.folder / f"{name}.yaml")]
        (self.folder / f"{name}.log").unlink(missing_ok=True)
        self.bots[name] = launch(argv, self.folder / f"{name}.log", more)

    async def ready(self, *names: str) -> None:
        """Wait until these replicas take clicks."""
        word = "slack.http.up" if self.mode == "http" else "slack.socket.up"
        for name in names:
            bot = self.bots[name]
            await wait_until(lambda bot=bot: word in bot.output or not bot.is_running, name, 40)  # type: ignore[misc] # mypy cannot infer a lambda's default
            assert bot.is_running, bot.output

    def tails(self) -> str:
        """What the replicas said last."""
        return "\n".join(f"--- {name}\n{bot.output[-3000:]}" for name, bot in self.bots.items())

    async def restart(self, name: str) -> None:
        """Ask a replica to leave, wait until it has, and start it again."""
        self.bots[name].process.terminate()
        await wait_until(lambda: not self.bots[name].is_running, f"{name} leaves", 12)
        assert self.bots[name].process.returncode == 0, self.tails()
        self.start(name)
        await self.ready(name)

    async def stop(self) -> None:
        """End the replicas; the workspace goes on meanwhile."""
        await asyncio.gather(*(asyncio.to_thread(bot.stop) for bot in self.bots.values()))

    async def begin(self, text: str, phase: type[Any]) -> Canary:
        """Start a canary by command, as ada, and wait for this phase and its message."""
        answer = await self.people.command(f"/canary start shop v2 {text}")
        assert answer["ok"], f"{answer}\n{self.tails()}"
        await self.until(lambda canary: isinstance(canary.phase, phase) and canary.thread)
        live = await self.store.live("shop")
        assert live is not None
        return live.canary

    async def until(self, is_so: Callable[[Canary], object]) -> Canary:
        """Wait until the last canary is so."""

        async def look() -> bool:
            return bool((found := await self.store.recent("shop", 1)) and is_so(found[0]))

        try:
            await wait_until(look, "the canary comes to that", 40)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.private(ADA)}\n{self.tails()}") from None
        return (await self.store.recent("shop", 1))[0]

    async def click(self, canary: Canary, action: str, user: str) -> Json:
        """Click on a canary's message."""
        assert canary.thread is not None
        return await self.people.click(canary.thread.ts, action, user=user)

    def private(self, user: str) -> list[str]:
        """What only this person was told."""
        channel = self.workspace.workspace.store.channels["C0DEPLOYS"]
        return [spoken(m.blocks) for m in channel.messages.values() if m.only_for == user]

    async def aborts(self, canary: Canary) -> list[Abort]:
        """Every abort in the canary's record."""
        happenings = await self.store.happenings(canary.id)
        messages = [decode_message(happening.data) for happening in happenings]
        return [message for message in messages if isinstance(message, Abort)]


@asynccontextmanager
async def town(mode: Mode, folder: Path) -> AsyncIterator[Town]:
    """Start everything, and stop it by process id in the end."""
    at, *ports = (free_port() for _ in range(3))
    url = f"http://{LOOPBACK}:{at}{PATH}"
    urls = RequestUrls(commands=url, interactivity=url, events=url) if mode == "http" else None
    settings = Settings(request_urls=urls, ack_seconds=1.5, event_retry_seconds=())
    (folder / "redis").mkdir()
    redis = RedisServer(VALKEY, folder / "redis")
    async with AsyncExitStack() as stack:
        redis.start()
        stack.callback(redis.kill)
        backends = await stack.enter_async_context(two_backends(healthy))
        ends = {name: backend.port for name, backend in backends.items()}
        router = await stack.enter_async_context(envoy(folder, ends, first=WEIGHTS))
        workspace = await stack.enter_async_context(running_workspace(settings))
        http = await stack.enter_async_context(patient_client(workspace))
        store = RedisStore(redis.url)
        stack.push_async_callback(store.aclose)
        door = await stack.enter_async_context(entrance(list(ports), at))
        by_name = dict(zip(NAMES, ports, strict=True))
        made = Town(mode, folder, workspace, People(http), store, redis.url, by_name, door, ends)
        stack.push_async_callback(made.stop)
        for name in NAMES:
            (folder / f"{name}.yaml").write_text(configuration(made, router, by_name[name]))
            made.start(name)
        await made.ready(*NAMES)
        yield made


def healthy(name: str) -> Reply:
    """What a backend says of itself: blue is stable and runs v1."""
    revision = "v1" if name == "blue" else "v2"
    return 200, "application/json", json.dumps({"status": "ok", "revision": revision})


def patient_client(workspace: RunningWorkspace) -> httpx.AsyncClient:
    """For many people who click at once."""
    limits = httpx.Limits(max_connections=200)
    return httpx.AsyncClient(
        base_url=workspace.base_url, trust_env=False, timeout=30, limits=limits
    )


def configuration(made: Town, router: Envoy, port: int) -> str:
    """A replica's file: one service behind Envoy, with a tier whose start grace approves."""
    slack: Json = {"channel": "C0DEPLOYS", "mode": made.mode}
    if made.mode == "http":
        slack["listen"] = f"{LOOPBACK}:{port}"
    arms = {"blue": "blue", "green": "green"}
    traffic = {"adapter": "envoy", "runtime_file": str(router.runtime), "key": "canary.shop"}
    metrics = {"adapter": "openmetrics", "preset": "envoy", "url": router.admin, "backends": arms}
    urls = {name: f"http://{LOOPBACK}:{port}/health" for name, port in made.backends.items()}
    change = {"files": [{"path": "shop/greeting.py", "added": 1, "removed": 1}]}
    shop = {
        "tier": "safe",
        "readiness": {"adapter": "http", "urls": urls},
        "changes": {"adapter": "memory", "changes": {"v2": change}},
        "traffic": {**traffic, "admin": router.admin, "backends": arms},
        "metrics": metrics,
    }
    gate = {"start": "approval", "approvers": ["U0GRACE01"], "window": "10m"}
    tiers = {"safe": {"window": "10m"}, "risky": gate}
    whole = {"slack": slack, "tick": "1s", "tiers": tiers, "services": {"shop": shop}}
    return yaml.safe_dump(whole, sort_keys=False)
