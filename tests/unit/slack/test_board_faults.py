"""Messages that cannot be rendered, reached or owned any more hold up no other."""

from dataclasses import replace
from typing import Any

import pytest
from builders import FIRST, a_canary
from structlog.testing import capture_logs
from unit.slack.fakes import slack_error
from unit.slack.stage import Stage, failing
from unit.slack.support import PHASES, posted

from bot.core.canary import Canary
from bot.slack.views.canary import live_message


def ts_of(canary: Canary) -> str:
    """Of its message."""
    assert canary.thread is not None
    return canary.thread.ts


async def test_one_message_that_cannot_be_rendered_stops_no_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of a view is logged; the board goes on."""
    real = live_message

    def render(canary: Canary, *args: Any, **more: Any) -> Any:
        if canary.drift == "broken":
            raise KeyError("a view's fault")
        return real(canary, *args, **more)

    monkeypatch.setattr("bot.slack.edits.live_message", render)
    good, bad = posted(a_canary(), 1), posted(a_canary(drift="broken"), 2)
    with capture_logs() as logs:
        stage.board.show(bad)
        stage.board.show(good)
        await stage.time.run_for(30)
    assert len(stage.shown(good)) == 1
    assert "slack.message.not_rendered" in {entry["event"] for entry in logs}


@pytest.mark.parametrize(
    "fault", [KeyError("a view's fault"), ValueError("no such day")], ids=repr
)
async def test_an_end_that_cannot_be_rendered_costs_only_its_own_looks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """It is said in bare words, whoever waits for it goes on, and no other message is held up."""
    real = live_message

    def render(canary: Canary, *args: Any, **more: Any) -> Any:
        if canary.is_ended:
            raise fault
        return real(canary, *args, **more)

    monkeypatch.setattr("bot.slack.edits.live_message", render)
    ended = posted(a_canary(phase=PHASES["rolled_back_breach"]), 1)
    live = [posted(a_canary(), number) for number in range(2, 7)]
    with capture_logs() as logs:
        settling = stage.time.start(stage.board.settle(ended, FIRST))
        for second in range(60):
            for canary in live:
                stage.board.show(replace(canary, drift=f"at {second}"))
            await stage.time.run_for(1)
    assert settling.done()
    (said,) = [u["text"] for u in stage.slack.made("chat.update") if u["ts"] == ts_of(ended)]
    assert "shop v2 was rolled back at " in said
    assert "/canary show shop-000001" in said
    assert all(len(stage.shown(canary)) >= 5 for canary in live)
    assert [entry["event"] for entry in logs] == ["slack.message.not_rendered"]


async def test_a_view_that_fails_with_its_table_keeps_its_buttons(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aborting must stay one click while the plain message can be rendered."""
    real = live_message

    def render(canary: Canary, *args: Any, plain: bool = False, **more: Any) -> Any:
        if not plain:
            raise KeyError("a table's fault")
        return real(canary, *args, plain=plain, **more)

    monkeypatch.setattr("bot.slack.edits.live_message", render)
    canary = a_canary()
    with capture_logs() as logs:
        for second in range(10):
            stage.board.show(replace(canary, drift=f"at {second}"))
            await stage.time.run_for(1)
    assert "[Abort]" in stage.shown(canary)[-1]
    assert [entry["event"] for entry in logs] == ["slack.message.not_rendered"]


@pytest.mark.parametrize("code", ["is_archived", "not_in_channel"])
async def test_an_end_that_is_kept_out_for_hours_is_given_up(stage: Stage, code: str) -> None:
    """So its record can be finished; one that is let in within an hour is still shown."""
    late, soon = (posted(a_canary(phase=PHASES["rolled_back_breach"]), n) for n in (1, 2))
    with failing(stage, lambda: slack_error(code)):
        waiting = stage.time.start(stage.board.settle(soon, FIRST))
        await stage.time.run_for(3600)
        assert not waiting.done()
    await stage.time.run_for(60)
    assert waiting.done()
    with capture_logs() as logs, failing(stage, lambda: slack_error(code)):
        giving_up = stage.time.start(stage.board.settle(late, FIRST))
        await stage.time.run_for(6 * 3600)
    assert giving_up.done()
    assert (logs[-1]["event"], logs[-1]["canary"]) == ("slack.message.gone", late.id)


async def test_what_another_replica_took_is_forgotten(stage: Stage) -> None:
    """A live one that nobody shows any more counts no longer, and its memory is let go."""
    taken, kept = posted(a_canary(), 1), posted(a_canary(), 2)
    waiting = stage.board._edits._waiting
    stage.board.show(taken)
    for second in range(700):
        stage.board.show(replace(kept, drift=f"at {second}"))
        await stage.time.run_for(1)
        if second == 500:
            assert waiting.live() == 2
    assert list(waiting.shown) == [kept.id]
    assert waiting.live() == 1
    stage.board.show(replace(taken, drift="back again"))
    await stage.time.run_for(10)
    assert "back again" in stage.shown(taken)[-1]
