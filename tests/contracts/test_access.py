"""What keeps tokens, answers and rates promises the API, in memory and in every kind of Redis."""

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from builders import NOON
from redis_server import CLUSTER, REDIS

from adapters.stores.access import RedisOnce, RedisRates, RedisTokens
from adapters.stores.access_memory import MemoryOnce, MemoryRates, MemoryTokens
from adapters.stores.connection import Link
from bot.ports import PortError
from bot.ports.access import (
    Answered,
    Busy,
    Different,
    Key,
    Mine,
    NameTaken,
    Once,
    Rate,
    Rates,
    Token,
    Tokens,
)

KINDS = [
    "memory",
    CLUSTER,
    *(
        pytest.param(kind, marks=pytest.mark.external_service)
        for kind in (REDIS, "sentinel", "cluster", "managed")
    ),
]
CI = Token("ci", ("start", "read"), ("shop",), NOON, (Key("a" * 64),), NOON + timedelta(days=9))
SECOND = timedelta(seconds=1)


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        """The time it was set to."""
        return self.time


@dataclass
class Bench:
    """All three as two replicas see them, and their clock."""

    clock: SetClock
    tokens: Tokens
    once: Once
    rates: Rates
    other: "Bench | None" = None

    @property
    def elsewhere(self) -> "Bench":
        """Another replica's."""
        return self.other or self


@pytest.fixture(params=KINDS)
async def bench(
    request: pytest.FixtureRequest, redis_at: Callable[[str], str]
) -> AsyncIterator[Bench]:
    clock = SetClock()
    if request.param == "memory":
        yield Bench(clock, MemoryTokens(), MemoryOnce(clock), MemoryRates(clock))
        return
    prefix = f"canarybot:{secrets.token_hex(4)}"
    links = [Link(redis_at(request.param)) for _ in range(2)]
    one, two = (
        Bench(
            clock, RedisTokens(link, prefix), RedisOnce(link, clock, prefix),
            RedisRates(link, clock, prefix),
        )
        for link in links
    )  # fmt: skip
    one.other = two
    yield one
    for link in links:
        await link.aclose()


async def test_a_token_is_seen_by_every_replica_as_it_was_added(bench: Bench) -> None:
    """With its times, its services and what it may do."""
    await bench.tokens.add(CI)
    await bench.tokens.add(replace(CI, name="audit"))

    assert await bench.elsewhere.tokens.all() == (replace(CI, name="audit"), CI)


async def test_a_second_token_of_a_name_is_refused_and_the_first_one_stays(bench: Bench) -> None:
    """A call whose answer was lost may come twice."""
    await bench.tokens.add(CI)
    await bench.tokens.add(CI)

    with pytest.raises(NameTaken):
        await bench.tokens.add(replace(CI, permissions=("freeze",)))
    assert await bench.tokens.all() == (CI,)


async def test_a_token_is_changed_only_by_who_has_seen_what_it_is(bench: Bench) -> None:
    """Of two who rotate it in the same moment, one is told."""
    await bench.tokens.add(CI)
    new = replace(CI, keys=(Key("b" * 64), Key("a" * 64, NOON)))
    await bench.tokens.change(CI, new)
    await bench.tokens.change(CI, new)

    with pytest.raises(NameTaken):
        await bench.elsewhere.tokens.change(CI, replace(CI, keys=(Key("c" * 64),)))
    assert await bench.tokens.all() == (new,)


async def test_a_revoked_token_is_gone_everywhere_with_its_traces(bench: Bench) -> None:
    """Once; a second time there is none."""
    await bench.tokens.add(CI)
    await bench.tokens.touch("ci", NOON)
    assert await bench.elsewhere.tokens.used() == {"ci": NOON}

    assert await bench.tokens.revoke("ci")
    assert not await bench.elsewhere.tokens.revoke("ci")
    assert await bench.elsewhere.tokens.all() == ()
    assert await bench.elsewhere.tokens.used() == {}


async def test_a_kept_answer_is_given_to_whoever_asks_the_same(bench: Bench) -> None:
    """On every replica, and for a day."""
    assert await bench.once.reserve("ci:1", "f", "shop-1", "one") == Mine("shop-1")
    await bench.once.keep("ci:1", "one", '{"status": 201}')

    answer = await bench.elsewhere.once.reserve("ci:1", "f", "shop-2", "two")
    assert answer == Answered('{"status": 201}')


async def test_another_request_under_the_same_key_is_told_so(bench: Bench) -> None:
    """While the first one is under way, and after it."""
    await bench.once.reserve("ci:1", "f", "shop-1", "one")

    assert await bench.once.reserve("ci:1", "g", "shop-2", "two") == Different()
    assert await bench.once.reserve("ci:2", "g", "shop-2", "two") == Mine("shop-2")


async def test_of_two_attempts_at_once_the_second_is_asked_to_wait(bench: Bench) -> None:
    """Not for longer than an attempt can take."""
    await bench.once.reserve("ci:1", "f", "shop-1", "one")
    busy = await bench.elsewhere.once.reserve("ci:1", "f", "shop-2", "two")

    assert busy == Busy(timedelta(seconds=60))


async def test_an_attempt_after_a_crash_is_told_what_the_first_was_going_to_make(
    bench: Bench,
) -> None:
    """So that it can look whether that was made, and makes no second one."""
    await bench.once.reserve("ci:1", "f", "shop-1", "one")
    bench.clock.time += timedelta(seconds=61)

    again = await bench.elsewhere.once.reserve("ci:1", "f", "shop-2", "two")
    assert again == Mine("shop-1", again=True)
    await bench.once.keep("ci:1", "one", "late")
    assert isinstance(await bench.once.reserve("ci:1", "f", "shop-3", "three"), Busy)


async def test_a_released_request_can_be_tried_at_once_and_keeps_its_mark(bench: Bench) -> None:
    """What failed is not kept."""
    await bench.once.reserve("ci:1", "f", "shop-1", "one")
    await bench.once.release("ci:1", "two")
    assert isinstance(await bench.once.reserve("ci:1", "f", "shop-2", "two"), Busy)
    await bench.once.release("ci:1", "one")

    assert await bench.once.reserve("ci:1", "f", "shop-2", "two") == Mine("shop-1", again=True)


async def test_a_rate_is_shared_by_all_replicas_and_fills_again(bench: Bench) -> None:
    """Three a minute, wherever they come in; then one in twenty seconds."""
    rate = Rate(3, timedelta(minutes=1))
    here = [(await bench.rates.take("t", rate)).left for _ in range(2)]
    there = await bench.elsewhere.rates.take("t", rate)
    refused = await bench.rates.take("t", rate)

    assert (here, there.allowed, there.left) == ([2, 1], True, 0)
    assert not refused.allowed
    assert abs(refused.again - timedelta(seconds=20)) < SECOND
    bench.clock.time += timedelta(seconds=21)
    assert (await bench.elsewhere.rates.take("t", rate)).allowed
    assert not (await bench.rates.take("t", rate)).allowed
    assert (await bench.rates.take("another", rate)).allowed


async def test_a_clock_that_is_behind_gains_nothing(bench: Bench) -> None:
    """Nor does it lose what is there."""
    rate = Rate(2, timedelta(minutes=1))
    await bench.rates.take("t", rate)
    bench.clock.time -= timedelta(minutes=5)

    assert (await bench.rates.take("t", rate)).allowed
    assert not (await bench.rates.take("t", rate)).allowed


async def test_a_redis_that_is_away_is_a_sentence() -> None:
    """For each of the three."""
    clock, link = SetClock(), Link("redis://127.0.0.1:1")
    with pytest.raises(PortError, match="cannot be reached"):
        await RedisTokens(link).all()
    with pytest.raises(PortError, match="cannot be reached"):
        await RedisOnce(link, clock).reserve("k", "f", "m", "h")
    with pytest.raises(PortError, match="cannot be reached"):
        await RedisRates(link, clock).take("k", Rate(1, SECOND))
    await link.aclose()
