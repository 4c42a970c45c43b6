"""Rate limits by method tier."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import DEPLOYS, SHOP, People

from bot.workspace import RunningWorkspace, Settings, running_workspace
from bot.workspace.limits import TokenBucket


async def test_one_update_too_many_is_answered_with_429_and_retry_after(
    client: AsyncWebClient, people: People
) -> None:
    """The burst of chat.update passes, the next is refused with whole seconds to wait."""
    posted = await client.chat_postMessage(channel=DEPLOYS, text="0")
    for number in range(20):
        await client.chat_update(channel=DEPLOYS, ts=posted["ts"], text=str(number))
    with pytest.raises(SlackApiError) as caught:
        await client.chat_update(channel=DEPLOYS, ts=posted["ts"], text="x")
    answer = caught.value.response
    assert answer.status_code == 429
    assert answer["error"] == "ratelimited"
    assert int(answer.headers["Retry-After"]) >= 1
    assert (await people.state())["counters"]["rate_limited"] == {"chat.update": 1}
    assert (await people.messages())[0]["text"] == "19"


async def test_posts_are_limited_by_channel(client: AsyncWebClient) -> None:
    """A burst in one channel leaves the other channels alone."""
    for _ in range(5):
        await client.chat_postMessage(channel=DEPLOYS, text="x")
    with pytest.raises(SlackApiError, match="ratelimited"):
        await client.chat_postMessage(channel=DEPLOYS, text="x")
    assert (await client.chat_postMessage(channel=SHOP, text="x"))["ok"]


async def test_slacks_own_retry_handler_gets_through(workspace: RunningWorkspace) -> None:
    """A client that honours Retry-After succeeds in the end."""
    client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    for _ in range(6):
        assert (await client.chat_postMessage(channel=DEPLOYS, text="x"))["ok"]
    assert workspace.workspace.counts.rate_limited["chat.postMessage"] == 1


async def test_limits_can_be_switched_off() -> None:
    """With a scale of 0 nothing is ever refused."""
    async with running_workspace(Settings(rate_limits=0)) as running:
        client = AsyncWebClient(token=running.bot_token, base_url=running.api_url)
        for _ in range(30):
            assert (await client.chat_postMessage(channel=DEPLOYS, text="x"))["ok"]


def test_bucket_refills_with_time() -> None:
    """An empty bucket says how long until the next token, and has it then."""
    bucket = TokenBucket(per_second=0.5, burst=1, tokens=1, filled_at=0.0)
    assert [bucket.take(0.0), bucket.take(0.0), bucket.take(1.0), bucket.take(2.0)] == [0, 2, 1, 0]
