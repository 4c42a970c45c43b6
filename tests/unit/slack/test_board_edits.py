import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from builders import GRACE, NOON, a_canary
from structlog.testing import capture_logs
from unit.slack.fakes import slack_error
from unit.slack.stage import Stage, failing
from unit.slack.support import PHASES, in_phase, posted

from bot.core.canary import Canary, Promoted, RolledBack
from bot.slack.views.canary import live_message


async def test_the_latest_state_wins(stage: Stage) -> None:
    """States that were overtaken before they could be sent are never sent."""
    canary = a_canary()
    stage.board.show(canary)
    await stage.time.settle()
    for number in range(100):
        stage.board.show(replace(canary, drift=f"drift {number}"))
    await stage.time.run_for(10)
    texts = stage.shown(canary)
    assert len(texts) == 2
    assert "drift 99" in texts[-1]


async def test_what_looks_the_same_is_not_sent(stage: Stage) -> None:
    """A tick that changes nothing to be seen costs no call."""
    canary = in_phase("promoted")
    for _ in range(50):
        stage.board.show(canary)
        await stage.time.run_for(10)
    assert len(stage.shown(canary)) == 1


async def test_a_message_moves_at_most_once_an_interval(stage: Stage) -> None:
    """Ticks of a second make an edit every three."""
    canary = a_canary()
    for number in range(60):
        stage.board.show(replace(canary, drift=f"drift {number}"))
        await stage.time.run_for(1)
    times = stage.slack.times("chat.update")
    gaps = [late - early for early, late in pairwise(times)]
    assert min(gaps) >= 3
    assert 15 <= len(times) <= 21


async def test_twenty_live_messages_stay_within_the_limit_and_all_move(stage: Stage) -> None:
    """At most 50 edits in any minute, 45 on average, and nobody is left behind."""
    canaries = [posted(a_canary(), number) for number in range(20)]
    for second in range(300):
        for canary in canaries:
            stage.board.show(replace(canary, drift=f"at {second}"))
        await stage.time.run_for(1)
    times = stage.slack.times("chat.update")
    for begin in times:
        assert sum(begin <= moment < begin + 60 for moment in times) <= 50
    assert len(times) <= 45 * 5 + 5
    counts = [len(stage.shown(canary)) for canary in canaries]
    assert min(counts) >= 9
    assert max(counts) - min(counts) <= 2


async def test_an_end_overtakes_everything(stage: Stage) -> None:
    """With twenty messages waiting, the one that ended is edited next."""
    canaries = [posted(a_canary(), number) for number in range(20)]
    for canary in canaries:
        stage.board.show(canary)
    await stage.time.run_for(40)
    for canary in canaries:
        stage.board.show(replace(canary, drift="moving"))
    stage.board.show(replace(canaries[13], phase=PHASES["rolled_back_breach"]))
    before = len(stage.slack.made("chat.update"))
    await stage.time.run_for(2)
    assert "rolled back" in stage.slack.made("chat.update")[before]["text"]


async def test_a_click_is_answered_at_once(stage: Stage) -> None:
    """A new phase does not wait for the message's interval."""
    canary = a_canary()
    stage.board.show(canary)
    await stage.time.settle()
    paused = replace(in_phase("paused"), thread=canary.thread)
    stage.board.show(paused, urgent=True)
    await stage.time.settle()
    assert "paused" in stage.shown(canary)[-1]


async def test_an_older_state_never_comes_back(stage: Stage) -> None:
    """The answer to a click that the engine has overtaken changes nothing."""
    ended = a_canary(phase=Promoted(NOON + timedelta(minutes=20), GRACE))
    stage.board.show(ended)
    await stage.time.settle()
    stage.board.show(a_canary(), urgent=True)
    stage.board.show(in_phase("rolling_back"), urgent=True)
    await stage.time.run_for(60)
    assert len(stage.shown(ended)) == 1


async def test_the_end_is_shown_although_the_clock_was_set_back(stage: Stage) -> None:
    """By its time it seems to be from before the state that is shown."""
    canary = posted(in_phase("observing"))
    stage.board.show(canary)
    await stage.time.run_for(10)
    ended = posted(in_phase("rolled_back_abort"))
    assert isinstance(ended.phase, RolledBack)
    back = replace(ended.phase, at=ended.phase.at - timedelta(hours=1))
    stage.board.show(replace(ended, phase=back))
    await stage.time.run_for(10)
    assert "rolled back" in stage.shown(canary)[-1].lower()


async def test_after_a_429_nothing_is_edited_until_the_time_is_over(stage: Stage) -> None:
    """The pause holds for all messages, and then the last states are sent."""
    canaries = [posted(a_canary(), number) for number in range(5)]
    with failing(stage, lambda: slack_error("ratelimited", 30)):
        for canary in canaries:
            stage.board.show(canary)
        await stage.time.run_for(29)
        assert len(stage.slack.made("chat.update")) == 1
    for canary in canaries:
        stage.board.show(replace(canary, drift="last words"))
    await stage.time.run_for(30)
    assert all("last words" in stage.shown(canary)[-1] for canary in canaries)


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ClientConnectionError("refused"),
        TimeoutError(),
        slack_error("internal_error"),
        slack_error("service_unavailable"),
        slack_error("invalid_auth"),
        slack_error("invalid_blocks"),
        slack_error("ratelimited", 7),
    ],
    ids=lambda error: str(error) or "timeout",
)
async def test_the_last_state_is_sent_however_long_slack_is_down(
    stage: Stage, error: Exception
) -> None:
    """Half an hour of failure costs few calls, and the end is shown after it."""
    canary = a_canary()
    ended = a_canary(phase=PHASES["rolled_back_breach"])
    with failing(stage, lambda: error):
        stage.board.show(canary)
        await stage.time.run_for(60)
        stage.board.show(ended)
        await stage.time.run_for(1800)
    calls = len(stage.slack.made("chat.update"))
    assert calls <= 300
    await stage.time.run_for(130)
    assert "All traffic is back on stable" in stage.shown(ended)[-1]


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message"])
async def test_a_deleted_message_is_given_up_and_said_once(stage: Stage, code: str) -> None:
    """It cannot come back, so nothing is tried again; other messages go on."""
    canary, other = posted(a_canary(), 1), posted(a_canary(), 2)
    with capture_logs() as logs, failing(stage, lambda: slack_error(code)):
        for number in range(5):
            stage.board.show(replace(canary, drift=f"{number}"))
            await stage.time.run_for(60)
    assert len(stage.shown(canary)) == 1
    assert [entry["event"] for entry in logs] == ["slack.message.gone"]
    stage.board.show(other)
    await stage.time.run_for(5)
    assert len(stage.shown(other)) == 1


async def test_showing_never_waits_and_never_fails(stage: Stage) -> None:
    """With Slack hanging, a thousand states are taken and the last one is sent in the end."""
    stage.slack.hold = asyncio.Event()
    canary = a_canary()
    for number in range(1000):
        stage.board.show(replace(canary, drift=f"drift {number}"))
    await stage.time.run_for(60)
    stage.slack.hold.set()
    await stage.time.run_for(60)
    assert "drift 999" in stage.shown(canary)[-1]


async def test_many_messages_that_look_the_same_are_rarely_rendered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large quiet fleet some twenty messages a second are looked at, and none is sent."""
    canaries = [posted(in_phase("pending_approval"), number) for number in range(200)]
    for canary in canaries:
        stage.board.show(canary)
    await stage.time.run_for(300)
    sent, rendered = len(stage.slack.calls), list[str]()

    def render(canary: Canary, *args: Any, **more: Any) -> Any:
        rendered.append(canary.id)
        return live_message(canary, *args, **more)

    monkeypatch.setattr("bot.slack.edits.live_message", render)
    for _ in range(60):
        for canary in canaries:
            stage.board.show(canary)
        await stage.time.run_for(1)
    assert len(stage.slack.calls) == sent == 200
    assert 600 <= len(rendered) <= 60 * 20 + 200


async def test_what_comes_while_slack_answers_is_no_more_urgent_than_it_is(stage: Stage) -> None:
    """The tick during the edit that answers a click waits its turn; the next click does not."""
    canary = a_canary()
    stage.slack.hold = asyncio.Event()
    stage.board.show(canary, urgent=True)
    await stage.time.settle()
    stage.board.show(replace(canary, drift="a tick"))
    stage.slack.hold.set()
    await stage.time.run_for(2)
    assert len(stage.shown(canary)) == 1
    stage.board.show(replace(canary, drift="a click"), urgent=True)
    await stage.time.settle()
    assert "a click" in stage.shown(canary)[-1]


async def test_a_canary_without_a_message_is_not_shown(stage: Stage) -> None:
    """There is nothing to edit yet; the state after the post comes by itself."""
    stage.board.show(a_canary(thread=None))
    await stage.time.run_for(10)
    assert not stage.slack.calls


async def test_stopping_sends_what_is_urgent() -> None:
    """The last phase is shown before the bot ends, if Slack takes it in time."""
    stage = Stage()
    stage.board.show(in_phase("rolled_back_breach"))
    stopping = asyncio.create_task(stage.board.stop())
    await stage.time.run_for(3)
    await stopping
    assert len(stage.slack.made("chat.update")) == 1
