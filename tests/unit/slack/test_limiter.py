import asyncio
from typing import Any

import pytest
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from unit.slack.fakes import VirtualTime

from bot.slack.limiter import Limiter, PausingRetry, Priority, Rate, TooLong


def a_limiter(time: VirtualTime, **rates: Any) -> Limiter:
    """One update a second and three at once; one post a second in each channel."""
    given = {
        "methods": {"update": Rate(60, 3), "post": Rate(600, 20)},
        "channels": {"post": Rate(60, 1)},
    }
    return Limiter(**{**given, **rates}, now=time.now, sleep=time.sleep)


async def start(limiter: Limiter, log: list[Any], mark: object, *args: Any, **more: Any) -> None:
    """Take a turn and write down whose it was."""
    await limiter.take(*args, **more)
    log.append(mark)


async def test_a_burst_passes_and_the_rest_waits_for_its_turn() -> None:
    """Three at once, then one a second, in the order they came."""
    time, order = VirtualTime(), list[Any]()
    limiter = a_limiter(time)
    tasks = [asyncio.create_task(start(limiter, order, n, "update")) for n in range(6)]
    await time.settle()
    assert order == [0, 1, 2]
    await time.run_for(1.01)
    assert order == [0, 1, 2, 3]
    await time.run_for(2.01)
    assert order == [0, 1, 2, 3, 4, 5]
    await asyncio.gather(*tasks)


async def test_urgent_calls_go_first() -> None:
    """Whoever waits with a higher priority is next, however late they came."""
    time, order = VirtualTime(), list[Any]()
    limiter = a_limiter(time)
    for _ in range(3):
        await limiter.take("update")
    tasks = [asyncio.create_task(start(limiter, order, n, "update")) for n in range(3)]
    await time.settle()
    urgent = start(limiter, order, "urgent", "update", priority=Priority.URGENT)
    tasks.append(asyncio.create_task(urgent))
    await time.run_for(1.01)
    assert order == ["urgent"]
    await time.run_for(5)
    assert order == ["urgent", 0, 1, 2]
    await asyncio.gather(*tasks)


async def test_a_full_channel_holds_up_no_other() -> None:
    """Posts to a busy channel wait; posts elsewhere pass them."""
    time, order = VirtualTime(), list[Any]()
    limiter = a_limiter(time)
    tasks = [asyncio.create_task(start(limiter, order, n, "post", "busy")) for n in range(3)]
    tasks.append(asyncio.create_task(start(limiter, order, "other", "post", "quiet")))
    await time.settle()
    assert order == [0, "other"]
    await time.run_for(3)
    assert order == [0, "other", 1, 2]
    await asyncio.gather(*tasks)


async def test_a_pause_holds_the_whole_method() -> None:
    """After a 429 nobody calls this method until its time; other methods go on."""
    time, order = VirtualTime(), list[Any]()
    limiter = a_limiter(time)
    limiter.pause("update", 30)
    limiter.pause("update", 10)  # a shorter pause does not end a longer one
    tasks = [
        asyncio.create_task(start(limiter, order, "update", "update")),
        asyncio.create_task(start(limiter, order, "post", "post", "C")),
    ]
    await time.run_for(29)
    assert order == ["post"]
    await time.run_for(2)
    assert order == ["post", "update"]
    await asyncio.gather(*tasks)


async def test_who_can_wait_leaves_a_reserve() -> None:
    """What is in the background takes only what is above it, and what is urgent takes it all."""
    time, order = VirtualTime(), list[Any]()
    limiter = a_limiter(time, methods={"update": Rate(60, 5, reserve=4)})

    async def begin(mark: object, priority: Priority, calls: int) -> list[asyncio.Task[None]]:
        started = [start(limiter, order, mark, "update", priority=priority) for _ in range(calls)]
        tasks = [asyncio.create_task(each) for each in started]
        await time.settle()
        return tasks

    tasks = await begin("background", Priority.BACKGROUND, 3)
    assert order == ["background"]
    tasks += await begin("normal", Priority.NORMAL, 3)
    assert order[1:] == ["normal", "normal"]
    tasks += await begin("urgent", Priority.URGENT, 3)
    assert order[3:] == ["urgent", "urgent"]
    await time.run_for(1.01)
    assert order[5:] == ["urgent"]
    await time.run_for(3.01)
    assert order[6:] == ["normal"]
    await time.run_for(8)
    assert order[7:] == ["background", "background"]
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("by", [2, 3, 7])
async def test_replicas_together_use_no_more_than_one(by: int) -> None:
    """Each uses its part of the rate, and its part of what may go at once, but for one call."""
    time, taken = VirtualTime(), list[float]()
    limiters = [Limiter(now=time.now, sleep=time.sleep) for _ in range(by)]

    async def edit(limiter: Limiter) -> None:
        await limiter.take("chat.update", priority=Priority.BACKGROUND)
        taken.append(time.now())

    for limiter in limiters:
        await limiter.take("chat.update")  # what was used before counts
        limiter.share(by)
    tasks = [asyncio.create_task(edit(each)) for each in limiters for _ in range(60)]
    await time.run_for(600)
    for begin in taken:
        assert sum(begin <= moment < begin + 60 for moment in taken) <= 45 + max(5, by)
    assert len(taken) >= min(450, 60 * by) - 5 * by
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_replica_that_is_alone_again_uses_all() -> None:
    """What is shared is given back."""
    time = VirtualTime()
    limiter = a_limiter(time)
    limiter.share(3)
    await limiter.take("update", at_most=0)
    with pytest.raises(TooLong):
        await limiter.take("update", at_most=0)
    limiter.share(1)
    await time.run_for(3)
    for _ in range(3):
        await limiter.take("update", at_most=0)


async def test_who_will_not_wait_so_long_takes_nothing() -> None:
    """A bounded wait fails at once and leaves its turn to others."""
    time = VirtualTime()
    limiter = a_limiter(time)
    limiter.pause("update", 60)
    with pytest.raises(TooLong, match="60 s"):
        await limiter.take("update", at_most=5)
    await time.run_for(60)
    for _ in range(3):
        await limiter.take("update", at_most=0.1)


async def test_who_gives_up_holds_up_nobody() -> None:
    """A cancelled caller's turn goes to the next."""
    time, order = VirtualTime(), list[Any]()
    limiter = a_limiter(time)
    for _ in range(3):
        await limiter.take("update")
    first = asyncio.create_task(start(limiter, order, "first", "update"))
    second = asyncio.create_task(start(limiter, order, "second", "update"))
    await time.settle()
    first.cancel()
    await time.run_for(3)
    assert order == ["second"]
    await second


async def test_no_minute_holds_more_than_slack_allows() -> None:
    """With everything waiting, any 60 s see at most the rate and the burst: 50 edits."""
    time, at = VirtualTime(), list[float]()
    limiter = Limiter(now=time.now, sleep=time.sleep)

    async def edit() -> None:
        await limiter.take("chat.update")
        at.append(time.now())

    tasks = [asyncio.create_task(edit()) for _ in range(200)]
    await time.run_for(300)
    await asyncio.gather(*tasks)
    for begin in at:
        assert sum(begin <= moment < begin + 60 for moment in at) <= 50


@pytest.mark.parametrize(("seconds", "again"), [("3", True), ("60", False)])
async def test_a_429_pauses_the_method_for_everybody(seconds: str, again: bool) -> None:
    """The net tries a short wait once more itself, and leaves a long one to the caller."""
    time = VirtualTime()
    limiter = a_limiter(time)
    request = HttpRequest(method="POST", url="https://slack.com/api/update", headers={})
    answer = HttpResponse(status_code=429, headers={"Retry-After": [seconds]})
    net = PausingRetry(limiter)
    state = RetryState()
    assert await net.can_retry_async(state=state, request=request, response=answer) is again
    with pytest.raises(TooLong):
        await limiter.take("update", at_most=float(seconds) - 1)
