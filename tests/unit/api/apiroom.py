"""A served API on a real engine, whose outside is in the test's hand."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
from world import Bot, Now, Outside, a_start, a_store

from adapters.stores.access_memory import MemoryOnce, MemoryRates, MemoryTokens
from bot.api import ApiServer, make_api
from bot.api.secrets import digest, draw
from bot.config.api import ApiSettings
from bot.config.units import unknown
from bot.core.assessment import Assessment, Impact, Reason, Statement
from bot.core.change import Change
from bot.core.plan import Gate, Plan
from bot.engine.launching import Launcher
from bot.ports import CanaryStore
from bot.ports.access import EVERY_SERVICE, PERMISSIONS, Key, Once, Rates, Token, Tokens

FOUND = Assessment(
    "risky",
    (Reason("risky", "It drops a column.", "migrations"),),
    (
        Statement(
            "db/2.sql", 3, "DROP COLUMN x", Impact.NOT_ADDITIVE, "Stable reads it.", "Later."
        ),
    ),
    migrations=1,
    url="https://git.example/compare",
)


@dataclass
class Planner:
    """Two services, of which one is served, and two tiers."""

    gate: Gate | None = None
    window: timedelta = timedelta(minutes=20)
    keeper: Gate = field(default_factory=lambda: Gate(("U0GRACE01",), timedelta(minutes=5)))

    def service_names(self) -> tuple[str, ...]:
        return ("cart", "shop")

    def channel_of(self, service: str) -> str:
        return "C0DEPLOYS"

    def plan_for(self, service: str, **asked: Any) -> Plan:
        tier = asked["tier"] or "safe"
        if tier not in {"safe", "risky"}:
            raise ValueError(unknown("tier", tier, ("safe", "risky")))
        plan = a_start(window=self.window, start_gate=self.gate).plan
        return replace(plan, tier=tier, assessment=asked["assessment"])

    def keepers(self, service: str) -> Gate:
        return self.keeper


@dataclass
class Assessor:
    """Finds what it is told to."""

    sent: Change | None = None
    found: Assessment = FOUND

    async def stable(self, service: str) -> str | None:
        """What a canary would be compared with."""
        return "v1"

    async def assess(self, service: str, revision: str, sent: Change | None = None) -> Assessment:
        self.sent = sent
        return self.found


@dataclass
class Room:
    """What a test has in its hand.

    Attributes:
        http: a client without a token, at the server's address.

    """

    bot: Bot
    outside: Outside
    planner: Planner
    assessor: Assessor
    tokens: Tokens
    once: Once
    server: ApiServer
    http: httpx.AsyncClient

    async def token(self, name: str = "ci", **changes: Any) -> dict[str, str]:
        """Make a token that may do everything; the header that shows it."""
        secret = draw()
        token = Token(name, PERMISSIONS, (EVERY_SERVICE,), Now().now(), (Key(digest(secret)),))
        await self.tokens.add(replace(token, **changes))
        return {"Authorization": f"Bearer {secret}"}

    async def start(self, headers: dict[str, str], **body: Any) -> httpx.Response:
        """Ask for a start."""
        sent = {"service": "shop", "revision": "v2", **body}
        return await self.http.post("/v1/canaries", json=sent, headers=headers)


def new_canary_id(service: str) -> str:
    """One that nobody has yet."""
    return f"{service}-{secrets.token_hex(3)}"


@asynccontextmanager
async def room(
    *,
    store: CanaryStore | None = None,
    access: tuple[Tokens, Once, Rates] | None = None,
    port: int = 0,
    outside: Outside | None = None,
    planner: Planner | None = None,
    **settings: Any,
) -> AsyncIterator[Room]:
    """Serve it, until the test is over."""
    outside, planner, assessor = outside or Outside(), planner or Planner(), Assessor()
    bot = Bot(outside, store or a_store(), "one")
    await bot.ownership.beat()
    clock = Now()
    tokens, once, rates = access or (MemoryTokens(), MemoryOnce(clock), MemoryRates(clock))
    app = make_api(
        desk=bot.service,
        launcher_for=lambda canary_id: Launcher(
            starter=bot.service,
            planner=planner,
            assessor=assessor,
            clock=clock,
            new_canary_id=lambda _: canary_id,
        ),
        new_canary_id=new_canary_id,
        catalog=planner,
        tokens=tokens,
        once=once,
        rates=rates,
        clock=clock,
        settings=ApiSettings.model_validate(
            {"rate": "10000/s", "failed_rate": "10000/s"} | settings
        ),
    )
    server = ApiServer(app, "127.0.0.1", port)
    await server.start()
    base = f"http://127.0.0.1:{server.port}"
    try:
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=20) as http:
            yield Room(bot, outside, planner, assessor, tokens, once, server, http)
    finally:
        await server.close()
        await bot.die()
