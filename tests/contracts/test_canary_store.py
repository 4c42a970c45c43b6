"""What every store promises the engine, checked against each of them."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import ADA, GRACE, NOON, a_canary
from redis_server import CLUSTER, REDIS

from adapters.stores.memory import MemoryStore
from adapters.stores.redis import RedisStore
from bot.core.canary import Promoted
from bot.core.effects import OpenThread
from bot.core.freezes import ALL, Freeze, lock_of
from bot.core.plan import Actor
from bot.ports import CanaryStore, Conflict, Happening, PortError, Record, ServiceBusy

SILENCE = timedelta(milliseconds=500)
ENDED = Promoted(NOON)
TO_DO = (OpenThread("C0DEPLOYS"),)


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        """The time it was set to."""
        return self.time


@dataclass
class Bench:
    """A store as two replicas see it.

    Attributes:
        store, other: the same state over two connections.
        wait: let a part of the time pass after which an owner is silent.

    """

    store: CanaryStore
    other: CanaryStore
    wait: Callable[[], Awaitable[None]]


KINDS = [
    "memory",
    CLUSTER,
    *(
        pytest.param(kind, marks=pytest.mark.external_service)
        for kind in (REDIS, "sentinel", "cluster", "tls", "managed")
    ),
]


@pytest.fixture(params=KINDS)
async def bench(
    request: pytest.FixtureRequest, redis_at: Callable[[str], str]
) -> AsyncIterator[Bench]:
    if request.param == "memory":
        clock = SetClock()
        memory = MemoryStore(clock, silence=SILENCE)

        async def move_clock() -> None:
            clock.time += SILENCE / 5

        yield Bench(memory, memory, move_clock)
        return

    async def sleep() -> None:
        await asyncio.sleep(SILENCE.total_seconds() / 5)

    url, prefix = redis_at(request.param), f"canarybot:{secrets.token_hex(4)}"
    store = RedisStore(url, prefix=prefix, silence=SILENCE)
    other = RedisStore(url, prefix=prefix, silence=SILENCE)
    yield Bench(store, other, sleep)
    await store.aclose()
    await other.aclose()


def told(*kinds: str) -> tuple[Happening, ...]:
    """Happenings of these kinds, a second apart."""
    return tuple(
        Happening(NOON + timedelta(seconds=number), kind, f'{{"kind": "{kind}"}}')
        for number, kind in enumerate(kinds)
    )


async def end(store: CanaryStore, record: Record) -> Record:
    """Save the canary as ended with nothing left to do."""
    canary = replace(record.canary, phase=ENDED, intents=())
    return await store.save(replace(record, canary=canary), ())


async def test_a_created_canary_is_loaded_as_it_was(bench: Bench) -> None:
    """What `create` answers and what another replica loads are the same record."""
    created = await bench.store.create(a_canary(), "one", ())
    assert (created.canary, created.version, created.epoch, created.owner) == (
        a_canary(),
        1,
        1,
        "one",
    )
    assert await bench.other.load("shop-k3x9ab") == created


@pytest.mark.parametrize("unknown", ["shop-none00", "no hyphen", "", "a{b}c-1", "-"])
async def test_an_unknown_id_is_none(bench: Bench, unknown: str) -> None:
    """There is no canary of an id that was never created, however odd it looks."""
    await bench.store.create(a_canary(), "one", ())
    assert await bench.store.load(unknown) is None
    assert await bench.store.claim(unknown, "one", 1) is None
    assert await bench.store.happenings(unknown) == ()


async def test_a_save_is_seen_by_everyone_and_raises_the_version(bench: Bench) -> None:
    """A saved canary is what the other replica loads next."""
    created = await bench.store.create(a_canary(), "one", ())
    changed = replace(created.canary, drift="the router is at 7 %")
    saved = await bench.store.save(replace(created, canary=changed), ())
    assert saved == Record(changed, 2, 1, "one", created.chain)
    assert await bench.other.load(changed.id) == saved


async def test_a_stale_version_changes_nothing(bench: Bench) -> None:
    """A write on top of a record that has moved on is refused, stream included."""
    stale = await bench.store.create(a_canary(), "one", told("start"))
    saved = await bench.other.save(stale, told("ticked"))
    with pytest.raises(Conflict, match="version 2"):
        await bench.store.save(replace(stale, canary=a_canary(drift="lost")), told("lost"))
    assert await bench.store.load(stale.canary.id) == saved
    assert [each.kind for each in await bench.store.happenings(stale.canary.id)] == [
        "start",
        "ticked",
    ]


async def test_a_replica_that_lost_its_claim_can_write_nothing(bench: Bench) -> None:
    """After a claim the old owner's record is refused, even when it guesses the version."""
    old = await bench.store.create(a_canary(), "one", ())
    claimed = await bench.other.claim(old.canary.id, "two", 1)
    assert claimed is not None
    assert (claimed.epoch, claimed.owner) == (2, "two")
    for version in (old.version, claimed.version):
        with pytest.raises(Conflict, match="epoch 2 of two"):
            await bench.store.save(replace(old, version=version), told("late"))
    assert await bench.other.save(claimed, ()) == replace(claimed, version=claimed.version + 1)
    assert await bench.store.happenings(old.canary.id) == ()


async def test_two_claims_leave_one_owner(bench: Bench) -> None:
    """Of two replicas that adopt the same canary only the later one can write."""
    await bench.store.create(a_canary(), "one", ())
    first = await bench.store.claim("shop-k3x9ab", "two", 1)
    second = await bench.other.claim("shop-k3x9ab", "three", 2)
    assert first is not None
    assert second is not None
    assert second.epoch == first.epoch + 1
    with pytest.raises(Conflict):
        await bench.store.save(first, ())
    await bench.other.save(second, ())


async def test_of_two_that_adopt_in_the_same_moment_one_does(bench: Bench) -> None:
    """Who claims an epoch that is gone by now is told so, and has changed nothing."""
    await bench.store.create(a_canary(), "one", ())
    answers = await asyncio.gather(
        *(
            each.claim("shop-k3x9ab", name, 1)
            for each, name in (
                (bench.store, "two"),
                (bench.other, "three"),
            )
        ),
        return_exceptions=True,
    )
    record = await bench.store.load("shop-k3x9ab")

    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Record"]
    assert record is not None
    assert record.epoch == 2
    assert record in answers


async def test_fifty_saves_at_once_have_one_winner_each_round(bench: Bench) -> None:
    """Of fifty concurrent writes on one version one wins, and only its happening is kept."""
    record = await bench.store.create(a_canary(), "one", ())
    for round_ in range(3):
        answers = await asyncio.gather(
            *(
                store.save(
                    replace(record, canary=replace(record.canary, notes=number)),
                    told(f"{round_}.{number}"),
                )
                for number, store in enumerate([bench.store, bench.other] * 25)
            ),
            return_exceptions=True,
        )
        winners = [answer for answer in answers if isinstance(answer, Record)]
        assert len(winners) == 1
        assert sum(isinstance(answer, Conflict) for answer in answers) == 49
        record = winners[0]
        assert await bench.store.load(record.canary.id) == record
        kinds = [each.kind for each in await bench.store.happenings(record.canary.id)]
        assert kinds[-1] == f"{round_}.{record.canary.notes}"
        assert len(kinds) == round_ + 1


async def test_a_service_has_one_live_canary(bench: Bench) -> None:
    """A second canary of a busy service is refused, names the first, and leaves no trace."""
    await bench.store.create(a_canary(), "one", ())
    with pytest.raises(ServiceBusy, match="shop-k3x9ab") as refusal:
        await bench.other.create(a_canary(id="shop-second"), "two", told("start"))
    assert refusal.value.canary_id == "shop-k3x9ab"
    assert await bench.store.load("shop-second") is None
    assert await bench.store.happenings("shop-second") == ()
    assert [canary.id for canary in await bench.store.recent("shop", 9)] == ["shop-k3x9ab"]


async def test_of_creations_at_once_one_wins(bench: Bench) -> None:
    """When two replicas start canaries of one service, one is live and the rest hear of it."""
    answers = await asyncio.gather(
        *(
            store.create(a_canary(id=f"shop-{number:06}"), "one", ())
            for number, store in enumerate([bench.store, bench.other] * 10)
        ),
        return_exceptions=True,
    )
    winners = [answer for answer in answers if isinstance(answer, Record)]
    assert len(winners) == 1
    busy = [answer for answer in answers if isinstance(answer, ServiceBusy)]
    assert {each.canary_id for each in busy} == {winners[0].canary.id}
    assert len(busy) == 19


async def test_other_services_are_not_busy(bench: Bench) -> None:
    """Each service has a live canary of its own, names with hyphens and braces included."""
    for service in ("shop", "shop-api", "a{b}c", "größe"):
        canary = a_canary(id=f"{service}-000001", service=service)
        created = await bench.store.create(canary, "one", ())
        assert await bench.other.live(service) == created
    assert await bench.store.live("nobody") is None


async def test_an_ended_canary_frees_its_service(bench: Bench) -> None:
    """The next canary may begin as soon as the last one has ended, even with notes to post."""
    record = await bench.store.create(a_canary(), "one", ())
    ended = replace(record.canary, phase=ENDED, intents=TO_DO)
    await bench.store.save(replace(record, canary=ended), ())
    assert await bench.other.live("shop") is None
    second = await bench.other.create(a_canary(id="shop-second"), "two", ())
    assert await bench.store.live("shop") == second


async def test_a_late_save_of_an_ended_canary_does_not_free_its_successor(bench: Bench) -> None:
    """Only the live canary itself ends the service's claim."""
    record = await bench.store.create(a_canary(), "one", ())
    ended = replace(record.canary, phase=ENDED, intents=TO_DO)
    record = await bench.store.save(replace(record, canary=ended), ())
    second = await bench.other.create(a_canary(id="shop-second"), "two", ())
    await end(bench.store, record)
    assert await bench.store.live("shop") == second


async def nobody_is_orphaned(store: CanaryStore, owner: str) -> bool:
    """Whether a beat of this owner leaves no orphans; a slow machine may need several."""
    for _ in range(20):
        await store.beat(owner)
        if await store.orphans() == {}:
            return True
    return False


async def test_a_canary_of_a_silent_owner_is_an_orphan(bench: Bench) -> None:
    """Whoever stops beating loses its canaries; a new owner that beats has them."""
    await bench.store.create(a_canary(), "one", ())
    assert tuple(await bench.other.orphans()) == ("shop-k3x9ab",)
    assert await nobody_is_orphaned(bench.store, "one")
    async with asyncio.timeout(20):
        while not await bench.other.orphans():
            await bench.wait()
    assert tuple(await bench.other.orphans()) == ("shop-k3x9ab",)
    await bench.other.claim("shop-k3x9ab", "two", 1)
    assert await nobody_is_orphaned(bench.other, "two")


async def test_who_resigns_leaves_its_canaries_at_once(bench: Bench) -> None:
    """Nobody waits for the silence of a replica that has said that it goes."""
    await bench.store.create(a_canary(), "one", ())
    await bench.store.beat("one")
    await bench.other.beat("two")
    assert await bench.other.orphans() == {}

    assert await bench.other.anyone()

    await bench.store.resign("one")
    await bench.store.resign("one")

    assert tuple(await bench.other.orphans()) == ("shop-k3x9ab",)
    await bench.other.beat("two")
    assert await bench.store.anyone()
    await bench.other.resign("two")
    assert not await bench.store.anyone()


async def sharers_seen_by(store: CanaryStore, *beating: str) -> int:
    """How many replicas share, once all these have said that they live, and a look was taken."""
    for name in beating:
        await store.beat(name)
    await store.orphans()
    return await store.sharers()


async def test_who_lives_and_has_unfinished_canaries_is_a_sharer(bench: Bench) -> None:
    """Counted at each look for orphans; before the first, and without any, there is one."""
    assert await bench.other.sharers() == 1
    record = await bench.store.create(a_canary(), "one", ())
    for name, service in (("one", "cart"), ("two", "mail"), ("silent", "pay")):
        await bench.store.create(a_canary(id=f"{service}-1", service=service), name, ())
    assert await sharers_seen_by(bench.other, "one", "two", "idle") == 2

    await bench.store.resign("two")
    assert await bench.other.sharers() == 2
    assert await sharers_seen_by(bench.other, "one", "idle") == 1

    await bench.other.claim("mail-1", "idle", 1)
    assert await sharers_seen_by(bench.other, "one", "idle") == 2
    await end(bench.store, record)
    cart = await bench.store.load("cart-1")
    assert cart is not None
    await end(bench.store, cart)
    assert await sharers_seen_by(bench.other, "one", "idle") == 1


async def test_an_ended_canary_is_an_orphan_until_its_last_note_is_told(bench: Bench) -> None:
    """Ended with something left to do is unfinished; finished is nobody's orphan."""
    record = await bench.store.create(a_canary(), "one", ())
    ended = replace(record.canary, phase=ENDED, intents=TO_DO)
    record = await bench.store.save(replace(record, canary=ended), ())
    assert tuple(await bench.other.orphans()) == ("shop-k3x9ab",)
    await end(bench.store, record)
    assert await bench.other.orphans() == {}
    await bench.other.claim("shop-k3x9ab", "two", 1)
    assert await bench.other.orphans() == {}


async def test_recent_is_newest_first_and_no_longer_than_asked(bench: Bench) -> None:
    """History is ordered by creation, within a service and over all of them."""
    for number, service in enumerate(["shop", "mail", "shop", "mail", "shop"]):
        canary = a_canary(
            id=f"{service}-{number:06}",
            service=service,
            created_at=NOON + timedelta(microseconds=number),
        )
        await end(bench.store, await bench.store.create(canary, "one", ()))
    assert [each.id for each in await bench.other.recent(None, 4)] == [
        "shop-000004",
        "mail-000003",
        "shop-000002",
        "mail-000001",
    ]
    assert [each.id for each in await bench.other.recent("shop", 2)] == [
        "shop-000004",
        "shop-000002",
    ]
    assert len(await bench.other.recent("mail", 100)) == 2
    assert await bench.other.recent("nobody", 3) == ()
    assert await bench.other.recent(None, 0) == ()


async def test_happenings_are_kept_in_the_order_they_were_written(bench: Bench) -> None:
    """The stream holds every write's happenings, oldest first, as they were."""
    record = await bench.store.create(a_canary(), "one", told("start", "ticked"))
    for number in range(6):
        store = (bench.store, bench.other)[number % 2]
        record = await store.save(record, told(*(f"{number}.{each}" for each in range(100))))
    expected = told("start", "ticked")
    for number in range(6):
        expected += told(*(f"{number}.{each}" for each in range(100)))
    assert await bench.other.happenings(record.canary.id) == expected


async def test_the_unfinished_are_told_but_for_those_one_has(store: CanaryStore) -> None:
    """Ended ones whose words wait are among them; finished ones are not."""
    await store.create(a_canary(), "one", ())
    await store.create(a_canary(id="cart-aaaaaa", service="cart"), "two", ())
    await store.create(
        a_canary(id="pay-aaaaaa", service="pay", phase=ENDED, intents=TO_DO), "o", ()
    )
    await store.create(a_canary(id="old-aaaaaa", service="old", phase=ENDED), "one", ())

    every = {canary.id for canary in await store.unfinished()}
    others = {canary.id for canary in await store.unfinished({"shop-k3x9ab"})}

    assert every == {"shop-k3x9ab", "cart-aaaaaa", "pay-aaaaaa"}
    assert others == {"cart-aaaaaa", "pay-aaaaaa"}


FROZEN = Freeze("shop", ADA, "stock-taking: 5 % \u202eoff", NOON, NOON + timedelta(hours=1))


async def test_a_freeze_is_kept_for_all_until_it_is_lifted(bench: Bench) -> None:
    """As it was written, by scope, those that are over too; lifting one tells which it was."""
    assert await bench.other.freezes() == ()
    everything = replace(FROZEN, scope=ALL, by=GRACE, until=NOON - timedelta(days=1))
    await bench.store.freeze(FROZEN)
    await bench.store.freeze(everything)
    assert await bench.other.freezes() == (everything, FROZEN)

    assert await bench.other.unfreeze("shop") == FROZEN
    assert await bench.store.unfreeze("shop") is None
    assert await bench.store.unfreeze("never") is None
    assert await bench.store.freezes() == (everything,)


async def test_only_the_freeze_that_is_meant_is_lifted(bench: Bench) -> None:
    """One that was set since it was seen stays; lifting any asks for no time."""
    await bench.store.freeze(FROZEN)
    later = replace(FROZEN, by=GRACE, since=NOON + timedelta(microseconds=1))
    await bench.other.freeze(later)

    assert await bench.store.unfreeze("shop", FROZEN.since) is None
    assert await bench.store.freezes() == (later,)
    assert await bench.store.unfreeze("shop", later.since) == later
    assert await bench.store.unfreeze("shop", later.since) is None
    assert await bench.other.freezes() == ()


async def test_a_freeze_set_while_another_is_lifted_is_not_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sets it between the look and the lifting keeps it; lifting whichever lifts it too."""
    if not isinstance(bench.store, RedisStore):
        return  # in one process nothing comes in between
    await bench.store.freeze(FROZEN)
    later = replace(FROZEN, by=GRACE, since=NOON + timedelta(hours=1))
    scripts = bench.store._scripts
    run, between = scripts.run, [later]

    async def late(script: str, keys: list[str], arguments: list[Any]) -> list[Any]:
        while between:
            await bench.other.freeze(between.pop())
        return await run(script, keys, arguments)

    monkeypatch.setattr(scripts, "run", late)
    assert await bench.store.unfreeze("shop", FROZEN.since) is None
    assert await bench.other.freezes() == (later,)
    between.append(replace(later, reason="anew"))
    assert await bench.store.unfreeze("shop") == replace(later, reason="anew")
    assert await bench.other.freezes() == ()


async def test_a_second_freeze_of_a_scope_takes_the_place_of_the_first(bench: Bench) -> None:
    """Whoever froze it last says until when."""
    await bench.store.freeze(FROZEN)
    later = replace(FROZEN, by=GRACE, reason="", until=NOON + timedelta(days=2))
    await bench.other.freeze(later)
    assert await bench.store.freezes() == (later,)


LOCK = replace(FROZEN, by=GRACE, until=None, kind="lock")


async def test_a_freeze_and_a_lock_of_a_service_are_kept_side_by_side(bench: Bench) -> None:
    """Without an end, too; lifting one leaves the other."""
    everything = replace(FROZEN, scope=ALL, until=None)
    for freeze in (FROZEN, LOCK, everything):
        assert await bench.store.freeze(freeze) == freeze
    assert await bench.other.freezes() == (everything, LOCK, FROZEN)
    assert await bench.other.unfreeze("shop") == FROZEN
    assert await bench.store.unfreeze(lock_of("shop"), LOCK.since) == LOCK
    assert await bench.other.freezes() == (everything,)


async def test_of_two_who_lock_a_service_one_has_it(bench: Bench) -> None:
    """The other is told whose it is; its holder may set it anew, anybody once it is over."""
    mine = replace(LOCK, by=ADA)
    answers = await asyncio.gather(*(bench.store.freeze(mine), bench.other.freeze(LOCK)) * 3)
    (held,) = await bench.store.freezes()
    assert set(answers) == {held}

    anew = replace(held, reason="anew", since=NOON + timedelta(minutes=1))
    assert await bench.other.freeze(replace(anew, until=NOON + timedelta(hours=1))) != held
    other = replace(LOCK, by=Actor("U0LINUS01"), since=NOON + timedelta(hours=1))
    assert await bench.store.freeze(other) == other
    assert await bench.other.freezes() == (other,)


async def test_a_freeze_that_was_written_before_there_were_locks_is_read(bench: Bench) -> None:
    """As a freeze, which it was."""
    if not isinstance(bench.store, RedisStore):
        return  # nothing in memory was written by another version
    async with bench.store._link.asking() as redis:
        before = (
            '{"scope":"shop","by":{"id":"U0ADA0001","name":"ada","groups":[]},'
            '"reason":"sale","since":"2026-03-02T12:00:00Z","until":"2026-03-02T13:00:00Z"}'
        )
        await redis.hset(bench.store._keys.freezes, "shop", before)
    read = replace(FROZEN, reason="sale")
    assert await bench.other.freezes() == (read,)
    assert await bench.other.unfreeze("shop") == read


async def test_a_freeze_that_cannot_be_read_is_an_error(bench: Bench) -> None:
    """It says which key it is and what to do; to take it for none would start what is frozen."""
    await bench.store.freeze(FROZEN)
    if not isinstance(bench.store, RedisStore):
        assert await bench.store.freezes() == (FROZEN,)
        return  # values in memory cannot become unreadable
    key = bench.store._keys.freezes
    async with bench.store._link.asking() as redis:
        await redis.hset(key, "cart", b'{"scope": "cart"}')
    with pytest.raises(PortError, match=f"{key} cannot be read .* delete that key"):
        await bench.other.freezes()
