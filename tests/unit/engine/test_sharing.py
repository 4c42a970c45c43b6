from datetime import timedelta

from builders import a_canary
from world import Bot, Now, Outside

from adapters.stores.memory import MemoryStore
from bot.engine.ownership import Ownership
from bot.ports import PortError


class Away(MemoryStore):
    """A store that can be away."""

    away = False

    async def beat(self, owner: str) -> None:
        if self.away:
            raise PortError("the store is away")
        await super().beat(owner)


async def test_every_beat_says_how_many_share_slack() -> None:
    """Replicas with unfinished canaries count; while the store is away the last number holds."""
    store, told = Away(Now(), silence=timedelta(hours=1)), list[int]()
    bot = Bot(Outside(), store, "one")
    ownership = Ownership(store, bot.service, "one", told.append)
    await ownership.beat()
    await store.beat("two")
    await store.beat("three")
    await store.create(a_canary(id="pay-1", service="pay"), "two", ())
    await store.create(a_canary(id="mail-1", service="mail"), "three", ())
    await ownership.beat()
    store.away = True
    await ownership.beat()
    assert told == [1, 2]
    await bot.die()
