"""What every store promises whoever audits it, checked against each of them."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import ADA, GRACE, NOON, a_canary
from redis_server import CLUSTER, REDIS, RedisServer
from typer.testing import CliRunner

from adapters.stores.audit import MemoryAuditLog
from adapters.stores.keys import Keys
from adapters.stores.memory import MemoryStore
from adapters.stores.redis import KEPT, RedisStore
from bot.audit.checking import Checked, check
from bot.cli import app
from bot.core.canary import Promoted
from bot.engine.held import write
from bot.ports import AuditLog, Conflict, Deed, Happening, Record

FROZEN = Deed(NOON, ADA, "freeze.set", "shop", "stock-taking \u202e", {"until": "18:00"})
LATER = NOON + timedelta(days=1)
KINDS = ["memory", CLUSTER, pytest.param(REDIS, marks=pytest.mark.external_service)]


class StoppedClock:
    def now(self) -> Any:
        return NOON


@dataclass
class Bench:
    """A store and its trail, over two connections."""

    store: Any
    other: Any
    trail: AuditLog
    others: AuditLog

    async def checked(self) -> Checked:
        """What a check finds a day later."""
        return await check(self.store, self.trail, KEPT, LATER)

    async def broken(self) -> str:
        """All that it finds broken."""
        return "\n".join((await self.checked()).broken)


@pytest.fixture(params=KINDS)
async def bench(
    request: pytest.FixtureRequest, redis_at: Callable[[str], str]
) -> AsyncIterator[Bench]:
    if request.param == "memory":
        memory, trail = MemoryStore(StoppedClock()), MemoryAuditLog()
        yield Bench(memory, memory, trail, trail)
        return
    url, prefix = redis_at(request.param), f"canarybot:{secrets.token_hex(4)}"
    store, other = RedisStore(url, prefix=prefix), RedisStore(url, prefix=prefix)
    yield Bench(store, other, store.trail, other.trail)
    await store.aclose()
    await other.aclose()


@pytest.fixture
async def real(redis_at: Callable[[str], str]) -> AsyncIterator[Bench]:
    """A store in a Redis that somebody gets at by hand."""
    store = RedisStore(redis_at(CLUSTER), prefix=f"canarybot:{secrets.token_hex(4)}")
    yield Bench(store, store, store.trail, store.trail)
    await store.aclose()


def told(*kinds: str) -> tuple[Happening, ...]:
    """Happenings of these kinds."""
    return tuple(Happening(NOON, kind, f'{{"kind": "{kind} ü"}}') for kind in kinds)


async def ended(store: Any, record: Record) -> Record:
    """The same canary, ended with nothing left to do."""
    canary = replace(record.canary, phase=Promoted(NOON), intents=())
    found: Record = await store.save(replace(record, canary=canary), told("weight_applied"))
    return found


async def test_every_write_is_chained_whoever_makes_it(bench: Bench) -> None:
    """Over create, save and claim by two replicas, with several entries at once or with none."""
    record = await bench.store.create(a_canary(), "one", told("start", "prepared"))
    record = await bench.store.save(record, ())
    record = await bench.store.save(record, told("observed", "abort"))
    claimed = await bench.other.claim(record.canary.id, "two", 1)
    assert claimed is not None
    assert claimed.chain == record.chain
    record = await bench.other.save(claimed, told("told"))

    found = await bench.checked()
    assert (found.canaries, found.entries, found.broken, found.notes) == (1, 5, (), ())
    entries = await bench.store.happenings(record.canary.id)
    assert record.chain == entries[-1].hash
    assert len({entry.hash for entry in entries}) == 5
    assert await bench.store.load(record.canary.id) == record


async def test_a_refused_write_leaves_the_chain_alone(bench: Bench) -> None:
    """Of many writes at once one is chained; the others change nothing."""
    record = await bench.store.create(a_canary(), "one", told("start"))
    saves = (bench.store.save(record, told(str(number))) for number in range(20))
    answers = await asyncio.gather(*saves, return_exceptions=True)

    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    assert (await bench.checked()).broken == ()


async def test_a_write_whose_answer_was_lost_is_chained_when_it_is_made_again(
    bench: Bench,
) -> None:
    """Who knows its own write again goes on with the chain as it stands, not as it remembers it."""
    record = await bench.store.create(a_canary(), "one", told("start"))
    await bench.other.save(record, told("observed"))  # nobody heard the answer
    record = await write(bench.store, record, told("observed", "abort"))

    entries = await bench.store.happenings(record.canary.id)
    assert [entry.kind for entry in entries] == ["start", "observed", "observed", "abort"]
    assert (await bench.checked()).broken == ()
    assert (await bench.store.load(record.canary.id)) == record


async def test_a_canary_names_the_one_before_it(bench: Bench) -> None:
    """Of the same service only; with its id and when it was created."""
    first = await bench.store.create(a_canary(), "one", told("start"))
    await bench.store.create(a_canary(id="mail-1", service="mail"), "one", told("start"))
    await ended(bench.store, first)
    second = await bench.other.create(
        a_canary(id="shop-second", created_at=NOON + timedelta(minutes=1)), "one", told("start")
    )
    assert first.previous == ""
    assert second.previous == f"{first.canary.id} {NOON.isoformat()}"
    assert list(await bench.store.created())[-1] == "shop-second"
    assert (await bench.checked()).broken == ()


async def test_deeds_are_kept_in_the_order_they_were_written(bench: Bench) -> None:
    """By any replica, many at once, and chained."""
    assert await bench.trail.deeds() == ()
    await bench.trail.append(FROZEN)
    lifted = Deed(LATER, GRACE, "freeze.lifted", "shop")
    await bench.others.append(lifted)
    assert await bench.trail.deeds() == (FROZEN, lifted)
    assert await bench.others.deeds(LATER) == (lifted,)
    logs = [bench.trail, bench.others] * 8
    await asyncio.gather(*(log.append(FROZEN) for log in logs))

    assert len(await bench.trail.deeds()) == 18
    assert (await bench.checked()).broken == ()


async def _raw(store: RedisStore, *command: Any) -> Any:
    async with store._link.asking() as redis:
        return await redis.execute_command(*command)


async def _rewritten(
    store: RedisStore, key: str, change: Callable[[list[Any]], list[Any]]
) -> None:
    """Write a stream anew, as somebody would who covers his traces."""
    rows = [fields for _, fields in await _raw(store, "XRANGE", key, "-", "+")]
    await _raw(store, "DEL", key)
    for fields in change(rows):
        await _raw(store, "XADD", key, "*", *(text for pair in fields.items() for text in pair))


def _edited(rows: list[Any], number: int, field: bytes, text: bytes) -> list[Any]:
    return [{**row, field: text} if at == number else row for at, row in enumerate(rows)]


def _bare(rows: list[Any]) -> list[Any]:
    return [{name: text for name, text in row.items() if name != b"hash"} for row in rows]


@pytest.mark.parametrize(
    ("change", "entry"),
    [
        (lambda rows: _edited(rows, 1, b"data", b'{"kind": "approve"}'), "entry 2 (observed)"),
        (lambda rows: _edited(rows, 1, b"kind", b"promote"), "entry 2 (promote)"),
        (lambda rows: _edited(rows, 1, b"at", b"2026-03-02T11:00:00+00:00"), "entry 2"),
        (lambda rows: _edited(rows, 1, b"hash", b"0" * 64), "entry 2"),
        (lambda rows: [rows[0], *rows[2:]], "entry 2 (abort) was changed"),
        (lambda rows: [rows[1], rows[0], *rows[2:]], "entry 1"),
        (lambda rows: [rows[0], rows[0], *rows[1:]], "entry 2"),
        (lambda rows: rows[:-1], "what followed is missing"),
        (lambda rows: [], "what followed is missing"),
        (_bare, "lost"),
    ],
)
async def test_a_hand_in_redis_is_found(
    real: Bench, change: Callable[[list[Any]], list[Any]], entry: str
) -> None:
    """An entry that was changed, taken out, moved, doubled; and the last one gone."""
    record = await real.store.create(a_canary(), "one", told("start", "observed", "abort"))
    key = real.store._keys.of("shop").stream(record.canary.id)
    assert await real.broken() == ""
    await _rewritten(real.store, key, change)

    assert f"{record.canary.id}: " in await real.broken()
    assert entry in await real.broken()


async def test_a_canary_that_vanished_is_missed_by_the_next(real: Bench) -> None:
    """Its record alone, or with it every index that it stood in."""
    first = await real.store.create(a_canary(), "one", told("start"))
    await ended(real.store, first)
    later = a_canary(id="shop-second", created_at=NOON + timedelta(minutes=1))
    await real.store.create(later, "one", told("start"))
    keys = real.store._keys.of("shop")
    await _raw(real.store, "DEL", keys.record(first.canary.id), keys.stream(first.canary.id))
    assert "its record is gone" in await real.broken()
    for index in (keys.history, keys.shard.history):
        await _raw(real.store, "ZREM", index, first.canary.id)
    assert "shop-k3x9ab: it has vanished; shop-second says" in await real.broken()

    long_after = await check(real.store, real.trail, KEPT, NOON + KEPT + timedelta(days=1))
    assert long_after.broken == ()  # by then it has expired


async def test_a_deed_that_was_changed_is_found(real: Bench) -> None:
    """And one that is missing, and the trail as a whole."""
    for _ in range(3):
        await real.trail.append(FROZEN)
    key = real.store._keys.trail
    await _rewritten(real.store, key, lambda rows: _edited(rows, 1, b"kind", b"freeze.lifted"))
    assert await real.broken() != ""
    assert "deeds: entry 2" in await real.broken()
    await _raw(real.store, "DEL", key)
    assert "what followed is missing" in await real.broken()


async def test_a_canary_from_before_there_were_chains_is_read_and_chained_from_then_on(
    real: Bench,
) -> None:
    """What was written then is marked, and no fault."""
    record = await real.store.create(a_canary(), "one", told("start", "prepared"))
    keys = real.store._keys.of("shop")
    await _raw(real.store, "HDEL", keys.record(record.canary.id), "chain", "previous")
    await _rewritten(real.store, keys.stream(record.canary.id), _bare)
    old = await real.store.load(record.canary.id)
    assert (old.chain, old.previous) == ("", "")
    found = await real.checked()
    assert (found.broken, len(found.notes)) == ((), 1)

    await real.store.save(old, told("abort"))
    found = await real.checked()
    assert found.broken == ()
    assert "2 entries are from before there were chains" in found.notes[0]


async def test_a_chain_goes_on_after_a_write_from_a_wrong_one(real: Bench) -> None:
    """What the caller says of the chain is a guess; the store knows."""
    record = await real.store.create(a_canary(), "one", told("start"))
    record = await real.store.save(replace(record, chain="0" * 64), told("abort"))
    with contextlib.suppress(Conflict):
        await real.store.save(replace(record, chain="", version=7), told("late"))

    assert await real.broken() == ""


def test_the_command_exports_checks_and_verifies_without_a_bot(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads Redis by itself, changes nothing there, and leaves no file half overwritten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANARY_REDIS_URL", server.url)
    runner = CliRunner()

    def run(*words: str) -> tuple[int, str]:
        found = runner.invoke(app, list(words))
        return found.exit_code, found.output

    async def fill() -> None:
        store = RedisStore(server.url)
        await store.create(a_canary(created_at=datetime.now(UTC)), "one", told("start", "abort"))
        await store.trail.append(replace(FROZEN, at=datetime.now(UTC)))
        await store.aclose()

    assert run("init")[0] == 0
    asyncio.run(fill())
    before = server.ask("DBSIZE"), server.ask("INFO", "persistence")["rdb_changes_since_last_save"]
    code, text = run("audit", "--since", "1d", "--output", "audit.jsonl")
    assert (code, "lines written to audit.jsonl" in text) == (0, True)
    assert run("audit", "--since", "1d", "--output", "audit.jsonl")[0] == 2
    assert run("audit", "--verify", "audit.jsonl")[0] == 0
    assert run("audit", "--canary", "shop-k3x9a")[0] == 2
    code, text = run("audit", "--check")
    assert (code, "all chains are whole: 1 canaries with 2 entries" in text) == (0, True)
    after = server.ask("DBSIZE"), server.ask("INFO", "persistence")["rdb_changes_since_last_save"]
    assert after == before

    with server.admin() as admin:
        admin.hset(Keys("canarybot").of("shop").record("shop-k3x9ab"), "chain", "0" * 64)
    code, text = run("audit", "--check")
    assert (code, "shop-k3x9ab: entry 2 (abort) is not the last" in text) == (1, True)
