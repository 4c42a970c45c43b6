"""One replica whose engine tells meters how it does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from world import Now, Outside

from adapters.stores.codec import encode_message
from bot.core.canary import Canary
from bot.engine.effects import EffectRunner
from bot.engine.loop import Loop
from bot.engine.ownership import Ownership
from bot.engine.service import CanaryService
from bot.engine.ticker import Ticker
from bot.observed import metered_services, metered_store
from bot.ports import CanaryStore, ServicePorts
from bot.ports.meters import Meters


@dataclass
class Replica:
    """What a test asks of it."""

    service: CanaryService
    loop: Loop
    ownership: Ownership

    async def until(self, canary_id: str, is_so: Callable[[Canary], bool]) -> Canary:
        """Wait until the canary is as wanted."""
        async with asyncio.timeout(20):
            while True:
                canary = await self.service.find(canary_id)
                if canary is not None and is_so(canary):
                    return canary
                await asyncio.sleep(0.01)


@asynccontextmanager
async def replica(outside: Outside, store: CanaryStore, meters: Meters) -> AsyncIterator[Replica]:
    """Wired as `bot.bootstrap` does it."""
    clock = Now()
    ticker = Ticker(clock, meters)
    services = metered_services({"shop": ServicePorts(outside, outside, outside, outside)}, meters)
    metered = metered_store(store, meters)
    runner = EffectRunner(services, outside, clock, meters=meters)
    loop = Loop(
        store=metered,
        runner=runner,
        show=outside.show,
        ticker=ticker,
        clock=clock,
        encode=encode_message,
        meters=meters,
    )
    service = CanaryService(metered, loop, clock, "one")
    ownership = Ownership(metered, service, "one", meters=meters)
    ticker.start()
    await ownership.beat()
    try:
        yield Replica(service, loop, ownership)
    finally:
        ticker.stop()
        await loop.stop(0)
