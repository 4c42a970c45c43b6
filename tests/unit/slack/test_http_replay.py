import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs
from unit.slack.connected import until
from unit.slack.door import Door, command, opened, signed

from bot.slack.seen import Seen


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A door that is open."""
    async with opened() as found:
        yield found


async def test_a_replay_is_answered_and_not_done(door: Door) -> None:
    """The very same request a second time, and a third: 200, and the listener has heard one."""
    body = command("abort shop")
    headers = signed(body)
    with capture_logs() as logs:
        answers = [await door.send(body, **headers) for _ in range(3)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "")] * 3
    assert [entry["event"] for entry in logs] == ["slack.http.repeated"] * 2
    assert door.heard == ["abort shop"]


async def test_a_replay_of_what_is_being_answered_waits_for_it(door: Door) -> None:
    """Sent many times at once it is done once, and each gets the one answer."""
    door.hold = asyncio.Event()
    body = command("abort shop")
    headers = signed(body)
    sending = [asyncio.create_task(door.send(body, **headers)) for _ in range(5)]
    await until(lambda: door.web._answering == 5)
    door.hold.set()
    assert {(await each).status_code for each in sending} == {200}
    assert door.heard == ["abort shop"]


async def test_what_was_not_taken_may_come_again(door: Door) -> None:
    """A listener that failed before its acknowledgement has done nothing; the next attempt counts."""
    body = command("abort shop")
    headers = signed(body)
    door.fail = True
    assert (await door.send(body, **headers)).status_code == 500
    door.fail = False
    assert (await door.send(body, **headers)).status_code == 200
    assert door.heard == ["abort shop"]


async def test_slacks_own_repetition_of_an_event_is_no_error(door: Door) -> None:
    """Within the same second it has the same signature; it is answered 200 and not done again."""
    inner = {"type": "app_home_opened", "user": "U0ADA0001", "tab": "home"}
    event = {"type": "event_callback", "team_id": "T0CANARY1", "event_id": "Ev1", "event": inner}
    body = json.dumps(event).encode()
    headers = signed(body)
    assert (await door.send(body, kind="application/json", **headers)).status_code == 200
    retry = {"X_Slack_Retry_Num": "1", "X_Slack_Retry_Reason": "http_timeout"}
    again = await door.send(body, kind="application/json", **headers, **retry)
    assert again.status_code == 200
    await until(lambda: door.heard == ["Ev1"])


async def test_signatures_are_remembered_as_long_as_they_would_be_taken_and_no_longer() -> None:
    """One made for later is kept longer; after that the memory is free again."""
    clock = [1000.0]
    seen = Seen(lambda: clock[0])
    seen.remember("past", 900)
    seen.remember("future", 1290)
    clock[0] = 1200
    seen.remember("new", 1200)
    assert seen.outcome("past") is not None
    clock[0] = 1201
    seen.remember("newer", 1201)
    assert seen.outcome("past") is None
    assert seen.outcome("future") is not None
    clock[0] = 1600
    seen.remember("last", 1600)
    assert len(seen) == 1


async def test_the_memory_is_bounded() -> None:
    """At the limit the oldest goes."""
    seen = Seen(lambda: 0.0, most=10)
    for number in range(25):
        seen.remember(f"{number}", 0)
    assert len(seen) == 10
    assert seen.outcome("24") is not None
    assert seen.outcome("14") is None
