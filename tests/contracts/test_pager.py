"""What every pager promises: an alarm arrives, twice is harmless, a failure says why."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import httpx
import pytest
from builders import NOON
from servers import Reply, free_port, web

from adapters.http import new_client
from adapters.paging.memory import MemoryPager
from adapters.paging.webhook import WebhookPager
from bot.ports import Alarm, Pager, PortError

ALARM = Alarm("shop-k3x9ab-rollback", "shop", "v2", "shop-k3x9ab", NOON, "not confirmed")


@dataclass
class Rig:
    """A pager, what has arrived by key, and a way to let it fail."""

    pager: Pager
    arrived: Callable[[], dict[str, str]]
    fail: Callable[[], None]


@pytest.fixture(params=["memory", "webhook"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    if request.param == "memory":
        memory = MemoryPager()
        yield Rig(
            memory,
            lambda: {key: alarm.text for key, alarm in memory.alarms.items()},
            lambda: setattr(memory, "trouble", "it is away"),
        )
        return
    taken: dict[str, str] = {}
    status = [200]

    def answer(method: str, _path: str, body: bytes) -> Reply:
        if status[0] == 200:
            alarm = json.loads(body)
            taken[alarm["key"]] = alarm["text"]
        assert method == "POST"
        return status[0], "text/plain", "ok"

    async with web(answer) as server, new_client() as http:
        yield Rig(
            WebhookPager(f"{server.url}/hooks/s3cret", http),
            lambda: taken,
            lambda: status.__setitem__(0, 503),
        )


async def test_an_alarm_arrives_once_by_its_key(rig: Rig) -> None:
    """Sent again it is the same alarm; another key is another."""
    await rig.pager.page(ALARM)
    await rig.pager.page(ALARM)
    await rig.pager.page(replace(ALARM, key="other"))

    assert {"shop-k3x9ab-rollback": "not confirmed", "other": "not confirmed"} == rig.arrived()


async def test_an_alarm_that_is_not_taken_is_a_port_error(rig: Rig) -> None:
    """It says for which service, and no secret of the address."""
    rig.fail()
    with pytest.raises(PortError, match="alarm about shop was not") as failed:
        await rig.pager.page(ALARM)
    assert "s3cret" not in str(failed.value)


async def test_a_webhook_that_cannot_be_reached_says_so() -> None:
    """With the host, and where its address is set."""
    async with new_client() as http:
        pager = WebhookPager(f"http://127.0.0.1:{free_port()}/hooks/s3cret", http)
        with pytest.raises(PortError, match="CANARY_WEBHOOK_URL") as failed:
            await pager.page(ALARM)
    assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize("url", ["", "hooks.example", "ftp://hooks.example/x", "http://", "\x00"])
async def test_an_address_that_is_none_is_refused_at_the_start(url: str) -> None:
    """Not at three in the morning."""
    async with httpx.AsyncClient() as http:
        with pytest.raises(PortError, match="http:// or https://"):
            WebhookPager(url, http)
