"""Classifies changes in a process of its own: `python -m bot.engine.classifying`.

What a change holds is anybody's text, and reading it may take long. The bot's own threads share
its interpreter with the event loop, so a slow reading there would keep a rollback waiting; a
process of its own is slower by itself only, and is killed when it takes too long.
"""

import asyncio
import os
import pickle
import resource
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import structlog
from pydantic import TypeAdapter

from bot.core.assessment import Assessment
from bot.core.change import Seen, Unseen
from bot.core.risk import History, Policy, assess

PATIENCE: Final = 10.0
"""Seconds for one change; the usual one takes milliseconds."""

QUEUE_PATIENCE: Final = 25.0
"""Seconds until a change has its turn: one is read at a time."""

MOST_MEMORY: Final = 1 << 30
MOST_TEXT: Final = 4_000_000
"""Characters of all the texts of a change; of a larger one too little would be seen."""

_LENGTH: Final = struct.Struct(">Q")
_ASSESSMENT: Final = TypeAdapter(Assessment)

log = structlog.get_logger()


class Classifier:
    """A process that classifies, begun when it is first needed; `close` ends it."""

    def __init__(self, module: str = "bot.engine.classifying") -> None:
        self._module = module
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def assess(self, seen: Seen, history: History, policy: Policy) -> Assessment:
        """As `bot.core.risk.assess`; what cannot be classified in time counts as unseen."""
        if not isinstance(seen, Unseen) and _size(seen) > MOST_TEXT:
            seen = Unseen("it holds more text than can be read")
        if not isinstance(seen, Unseen):
            try:
                async with asyncio.timeout(QUEUE_PATIENCE):
                    await self._turn.acquire()
                try:
                    return await self._told(seen, history, policy)
                finally:
                    self._turn.release()
            except TimeoutError:
                seen = Unseen("reading it took too long")
            except (OSError, EOFError, ValueError) as error:
                log.warning("change.not_classified", reason=repr(error))
                seen = Unseen("it could not be read to its end")
        return assess(seen, history, policy)

    async def _told(self, seen: Seen, history: History, policy: Policy) -> Assessment:
        answered = False
        try:
            async with asyncio.timeout(PATIENCE):
                found = await self._asked(pickle.dumps((seen, history, policy)))
            answered = True
            return _ASSESSMENT.validate_json(found)
        finally:
            if not answered:  # its next answer would be to this question
                await self.close()

    async def _asked(self, question: bytes) -> bytes:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await self._begun()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(_LENGTH.pack(len(question)))
        process.stdin.write(question)
        await process.stdin.drain()
        (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
        return await process.stdout.readexactly(length)

    async def _begun(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", self._module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],  # where `bot` is, whether it is installed or not
        )

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _size(seen: Seen) -> int:
    if isinstance(seen, Unseen):
        return 0
    texts = (text for file in (*seen.files, *seen.earlier) for text in (file.before, file.after))
    return len(seen.owners) + sum(len(text) for text in texts if text)


def main() -> None:
    """Answer questions until there are no more, and take nothing away from those who watch."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    while (question := _next(incoming)) is not None:
        # From the bot itself, which has made it of its own values; the answer is JSON.
        seen, history, policy = pickle.loads(question)  # noqa: S301 - as said
        answer = _ASSESSMENT.dump_json(assess(seen, history, policy))
        outgoing.write(_LENGTH.pack(len(answer)) + answer)
        outgoing.flush()


def _next(incoming: BinaryIO) -> bytes | None:
    head = incoming.read(_LENGTH.size)
    return incoming.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else None


if __name__ == "__main__":
    main()
