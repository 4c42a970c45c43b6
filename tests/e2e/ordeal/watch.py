"""Envoy, asked ten times a second what it really carries."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from ordeal.layout import ARMS, LOOPBACK, Layout, Shop

EVERY: Final = 0.1
LATE: Final = 3.0
"""Seconds within which a flip that a stopped replica finishes when it wakes must be taken back."""

Shares = dict[str, int]


@dataclass(slots=True)
class Watch:
    """What one service's canary arm may carry now, and whether it does.

    Attributes:
        arm: the canary's; empty while nothing has been started.
        allowed: the shares it may have, in percent.
        seen: the shares it has had since it was started.
        late: how often it had another one for a moment; `wrong` tells of longer ones.

    """

    shop: Shop
    arm: str = ""
    allowed: frozenset[int] = frozenset()
    shares: Shares = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    late: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    since: float | None = None
    told: bool = False

    def expect(self, arm: str, *shares: int) -> None:
        """From now on the arm carries one of these."""
        if arm != self.arm:
            self.seen = set()
        self.arm, self.allowed, self.since, self.told = arm, frozenset(shares), None, False

    def saw(self, shares: Shares, at: float) -> None:
        """Take a look; `at` is monotonic."""
        self.shares = shares
        share = shares.get(self.arm, 0)
        self.seen.add(share)
        if not self.arm or share in self.allowed:
            if self.since is not None and not self.told:
                self.late.append(f"{self.shop.name}: for {at - self.since:.1f} s")
            self.since, self.told = None, False
            return
        if self.since is None:
            self.since = at
        if at - self.since > LATE and not self.told:
            self.told = True
            allowed = sorted(self.allowed)
            self.wrong.append(
                f"{self.shop.name}: {self.arm} carried {share} % for more than {LATE:g} s where "
                f"only {allowed} is right"
            )


class Watcher:
    """Asks Envoy, whenever it answers."""

    def __init__(self, layout: Layout) -> None:
        self.watches = {shop.name: Watch(shop) for shop in layout.shops}
        self._http = httpx.AsyncClient(
            base_url=f"http://{LOOPBACK}:{layout.admin}", timeout=1, trust_env=False
        )

    async def run(self) -> None:
        """Look on for ever."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(EVERY)
        finally:
            await self._http.aclose()

    async def look(self) -> None:
        """Look once."""
        try:
            entries: dict[str, Any] = (await self._http.get("/runtime")).json()["entries"]
        except (httpx.HTTPError, ValueError, KeyError):
            return
        at = time.monotonic()
        for watch in self.watches.values():
            shares = _shares(entries, watch.shop)
            if shares:
                watch.saw(shares, at)

    async def split(self, shop: Shop) -> Shares:
        """What Envoy says now, as soon as it answers."""
        watch = self.watches[shop.name]
        watch.shares = {}
        async with asyncio.timeout(60):
            while not watch.shares:
                await asyncio.sleep(EVERY / 2)
        return watch.shares


def _shares(entries: dict[str, Any], shop: Shop) -> Shares:
    keys = {arm: f"{shop.key}.{shop.clusters[arm]}" for arm in ARMS}
    if any(key not in entries for key in keys.values()):
        return {}  # it has just started and not read its file yet
    weights = {arm: int(entries[key]["final_value"] or 0) for arm, key in keys.items()}
    total = sum(weights.values())
    return {arm: round(100 * weight / total) for arm, weight in weights.items()} if total else {}
