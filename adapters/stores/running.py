"""Running the scripts: by their digests, and behind Sentinels until a replica has what they wrote."""

import hashlib
import time
from functools import cache
from typing import Any, Final

from redis.exceptions import NoScriptError, ResponseError

from adapters.stores.address import Kind
from adapters.stores.connection import Link
from bot.ports import PortError

COPIES: Final = 1
"""Replicas that must have a write: of several, the Sentinels promote the one that has most."""

COPIED_WITHIN: Final = 500
"""Milliseconds a replica may take."""

ALONE_FOR: Final = 5.0
"""Seconds for which a primary that has no replica is not asked to wait for one."""


class Scripts:
    """Runs scripts on one Redis.

    Replication is asynchronous: a failover loses what no replica had yet, its answer included. So
    behind Sentinels a write counts once a replica has it. A primary that has no replica at all
    cannot be waited for; nothing could follow it either.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._alone_until = 0.0

    async def run(self, script: str, keys: list[str], arguments: list[Any]) -> list[Any]:
        """Run a script; send it whole when the server does not know it (any more).

        Not by redis-py's own way, which asks for the right to SCRIPT LOAD as well.

        Raises:
            PortError: not done, or done and perhaps lost with the primary: it is to be done again.

        """
        digest = _digest(script)
        copied = self._link.kind is Kind.SENTINEL and time.monotonic() >= self._alone_until
        async with self._link.asking() as redis:
            send = self._copied if copied else _once
            try:
                return await send(redis, "EVALSHA", digest, len(keys), *keys, *arguments)
            except NoScriptError:
                return await send(redis, "EVAL", script, len(keys), *keys, *arguments)

    async def _copied(self, redis: Any, *command: Any) -> list[Any]:
        async with redis.pipeline(transaction=False) as pipe:
            pipe.execute_command(*command)
            pipe.execute_command("WAIT", COPIES, COPIED_WITHIN)
            answer, copies = await pipe.execute(raise_on_error=False)
        for each in (answer, copies):
            if isinstance(each, Exception):
                raise each
        if copies < COPIES and await self._has_replicas(redis):
            raise PortError(
                f"{self._link.place} has not passed a write on to any replica within "
                f"{COPIED_WITHIN} ms, and may lose it; it is written again"
            )
        return list(answer)

    async def _has_replicas(self, redis: Any) -> bool:
        try:
            role = await redis.execute_command("ROLE")
        except ResponseError:  # it is not allowed to ask
            return True
        if role[0] == b"master" and not role[2]:
            self._alone_until = time.monotonic() + ALONE_FOR
            return False
        return True


@cache
def _digest(script: str) -> str:
    """What the server knows a script by; there are four, and one of them runs at every look."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


async def _once(redis: Any, *command: Any) -> list[Any]:
    return list(await redis.execute_command(*command))
