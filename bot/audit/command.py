"""What `canary audit` does: export, check, or verify an export."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from adapters.clock import SystemClock
from adapters.stores.redis import KEPT, RedisStore
from bot.audit.checking import Checked, check
from bot.audit.export import Wanted, export
from bot.bootstrap import redis_url
from bot.config import Secrets, load
from bot.config.units import duration
from bot.core.ledger import Verified, verify

RANGE: Final = timedelta(days=30)
"""How far back an export goes unless it is said."""

_SHOWN: Final = 20
"""Notes of one check that are worth a line each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of an export, as they were typed."""

    since: str = ""
    until: str = ""
    service: str = ""
    canary: str = ""
    looks: bool = False


def wanted(asked: Asked, now: datetime) -> Wanted:
    """What these options mean now; one canary is told whole unless it is said otherwise.

    Raises:
        ValueError: a time cannot be read, or the range is empty.

    """
    first = datetime.min.replace(tzinfo=UTC) if asked.canary else now - RANGE
    since = moment("--since", asked.since, now) if asked.since else first
    until = moment("--until", asked.until, now) if asked.until else now
    if since >= until:
        raise ValueError(f"--since {asked.since} is not before --until {asked.until or 'now'}")
    return Wanted(since, until, asked.service, asked.canary, asked.looks)


def moment(option: str, text: str, now: datetime) -> datetime:
    """A time: so long ago, or a date, with a time of day if need be; UTC unless it says more.

    Raises:
        ValueError: it is none of these.

    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now - duration(text)
        except ValueError:
            raise ValueError(
                f"{option} {text}: write how long ago (30d, 12h) or when (2026-03-01, "
                "2026-03-01T12:00)"
            ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def run_export(path: Path, secrets: Secrets, asked: Asked, output: Path | None) -> str:
    """Write an export; the sentence that says what was written.

    Raises:
        ConfigError, PortError: the store cannot be found or reached.
        ValueError: the options cannot be used.
        OSError: the file cannot be written.

    """

    async def work() -> str:
        told = wanted(asked, SystemClock().now())
        async with _store(path, secrets) as store:
            with _writing(output) as write:
                writer = await export(store, store.trail, told, write)
        where = f"to {output}" if output else "here"
        return f"{writer.count - 1} lines written {where}; the last hash is {writer.last}"

    return asyncio.run(work())


@contextmanager
def _writing(output: Path | None) -> Iterator[Callable[[str], object]]:
    if output is None:
        yield lambda line: sys.stdout.write(f"{line}\n")
        return
    with output.open("x", encoding="utf-8", newline="\n") as file:
        yield lambda line: file.write(f"{line}\n")


def run_check(path: Path, secrets: Secrets) -> Checked:
    """Follow every chain in the store; errors as of `run_export`."""

    async def work() -> Checked:
        async with _store(path, secrets) as store:
            return await check(store, store.trail, KEPT, SystemClock().now())

    return asyncio.run(work())


@asynccontextmanager
async def _store(path: Path, secrets: Secrets) -> AsyncIterator[RedisStore]:
    settings, _ = load(path)
    store = RedisStore(redis_url(settings, secrets))
    try:
        yield store
    finally:
        await store.aclose()


def run_verify(file: Path) -> Verified:
    """Verify an export.

    Raises:
        ValueError: it is none.
        OSError: it cannot be read.

    """
    with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        return verify(line.removesuffix("\n") for line in lines)


def told_of_export(file: Path, found: Verified) -> list[str]:
    """What was found in an export, in plain words."""
    if not found.flaws:
        of = f"{found.lines} lines, {found.canaries} chains"
        return [f"{file} is whole: {of}; the last hash is {found.last}"]
    lines = [f"line {flaw.line} {flaw.text}" if flaw.line else flaw.text for flaw in found.flaws]
    return [f"{file} is not as it was written:", *lines]


def told_of_check(found: Checked) -> list[str]:
    """What was found in the store, in plain words."""
    of = f"{found.canaries} canaries with {found.entries} entries"
    notes = list(found.notes[:_SHOWN])
    if len(found.notes) > _SHOWN:
        notes.append(f"… and {len(found.notes) - _SHOWN} more notes")
    if not found.broken:
        return [f"all chains are whole: {of}", *notes]
    return [f"{len(found.broken)} things are wrong with {of}:", *found.broken, *notes]
