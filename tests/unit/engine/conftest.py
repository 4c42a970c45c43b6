"""An outside that does as it is told, a store, and one replica between them."""

from collections.abc import AsyncIterator

import pytest
from world import Bot, Outside, a_store

from adapters.stores.memory import MemoryStore


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def store() -> MemoryStore:
    return a_store()


@pytest.fixture
async def bot(outside: Outside, store: MemoryStore) -> AsyncIterator[Bot]:
    made = Bot(outside, store, "one")
    await made.ownership.beat()
    yield made
    await made.die()
