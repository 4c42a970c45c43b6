"""A post whose answer was lost is found again, and nothing is said in another replica's turn."""

import aiohttp
import pytest
from builders import AGAIN, FIRST, a_canary
from unit.slack.fakes import slack_error
from unit.slack.stage import Stage
from unit.slack.support import NOTES, Json, in_phase, posted

from bot.core.canary import Canary, Thread
from bot.ports import Conflict, PortError, Turn
from bot.slack.standing import note_metadata, root_metadata

NOTE = NOTES["breach"]


def root(canary: Canary, ts: str) -> Json:
    """The canary's message as Slack tells it."""
    return {"ts": ts, "text": "whatever", "metadata": root_metadata(canary)}


async def test_a_first_post_asks_nothing(stage: Stage) -> None:
    """What cannot have been posted before costs one call."""
    await stage.board.open(in_phase("preparing"), FIRST)
    await stage.board.tell(a_canary(), NOTE, FIRST)

    assert [method for _, method, _ in stage.slack.calls] == ["chat.postMessage"] * 2


async def test_a_message_that_stands_is_found_and_not_posted_again(stage: Stage) -> None:
    """Wherever it is among others', on whichever page; of two the older one is the canary's."""
    canary, other = a_canary(thread=None), a_canary(id="shop-zzzzzz")
    mine = [root(canary, "1700000009.000100"), root(canary, "1700000008.000100")]
    stage.slack.standing = [[{"ts": "9.9", "text": "hi"}, root(other, "8.8")], mine]

    assert await stage.board.open(canary, AGAIN) == Thread("C0DEPLOYS", "1700000008.000100")

    assert [] == stage.slack.made("chat.postMessage")
    first, second = stage.slack.made("conversations.history")
    assert first["include_all_metadata"] is True
    assert float(first["oldest"]) < canary.created_at.timestamp()
    assert "1" == second["cursor"]


async def test_a_message_that_does_not_stand_is_posted(stage: Stage) -> None:
    """The lost call had not been done."""
    await stage.board.open(a_canary(thread=None), AGAIN)
    await stage.board.tell(a_canary(), NOTE, AGAIN)

    assert 2 == len(stage.slack.made("chat.postMessage"))


async def test_a_note_that_stands_is_not_posted_again(stage: Stage) -> None:
    """Known by its number; the other notes of the thread are not it."""
    canary = a_canary()
    stage.slack.standing = [
        [root(canary, "1.1"), {"ts": "1.2", "metadata": note_metadata(canary, NOTES["drift"])}],
        [{"ts": "1.3", "metadata": note_metadata(canary, NOTE)}],
    ]

    await stage.board.tell(canary, NOTE, AGAIN)

    assert [] == stage.slack.made("chat.postMessage")


async def test_a_note_is_looked_for_in_the_channel_when_its_thread_is_gone(stage: Stage) -> None:
    """There it was posted if its answer was lost after the thread had been deleted."""
    canary = a_canary()
    stage.slack.standing = [[{"ts": "1.3", "metadata": note_metadata(canary, NOTE)}]]
    stage.slack.fail = lambda method, _: (
        slack_error("thread_not_found") if method == "conversations.replies" else None
    )

    await stage.board.tell(canary, NOTE, AGAIN)

    assert [] == stage.slack.made("chat.postMessage")


@pytest.mark.parametrize(
    "error", [aiohttp.ClientConnectionError("reset"), slack_error("ratelimited", 60)]
)
async def test_nothing_is_posted_while_nobody_knows(stage: Stage, error: Exception) -> None:
    """An answer that is lost again is asked for again; better late than twice."""
    stage.slack.fail = lambda _method, _arguments: error

    with pytest.raises(PortError, match="is not known"):
        await stage.board.open(a_canary(thread=None), AGAIN)

    assert [] == stage.slack.made("chat.postMessage")


@pytest.mark.parametrize("code", ["missing_scope", "not_in_channel"])
async def test_a_bot_that_may_not_read_posts(stage: Stage, code: str) -> None:
    """A message twice is better than none."""
    stage.slack.fail = lambda method, _: (
        slack_error(code) if method.startswith("conversations.") else None
    )

    await stage.board.open(a_canary(thread=None), AGAIN)

    assert 1 == len(stage.slack.made("chat.postMessage"))


@pytest.mark.parametrize("again", [False, True])
async def test_it_is_asked_last_whose_turn_it_is(stage: Stage, again: bool) -> None:
    """After a wait for the rate limit, the canary may have become another replica's."""

    async def lost() -> None:
        raise Conflict("another replica's")

    with pytest.raises(Conflict):
        await stage.board.open(a_canary(thread=None), Turn(again, lost))
    with pytest.raises(Conflict):
        await stage.board.tell(a_canary(), NOTE, Turn(again, lost))

    assert [] == stage.slack.made("chat.postMessage")


async def test_what_stands_twice_is_taken_back_but_for_the_older_one(stage: Stage) -> None:
    """Of the message and of a note; what stands once stays."""
    canary = a_canary()
    note = {"metadata": note_metadata(canary, NOTE)}
    stage.slack.standing = [[{"ts": "3.3", **note}, root(canary, "2.2"), {"ts": "1.3", **note}]]

    await stage.board.retract(canary, None)
    assert [] == stage.slack.made("chat.delete")
    await stage.board.retract(canary, NOTE)

    assert [{"channel": "C0DEPLOYS", "ts": "3.3"}] == stage.slack.made("chat.delete")


async def test_an_old_state_is_not_written_over_another_replicas(stage: Stage) -> None:
    """A replica that was stopped wakes with an edit to send, of a canary it has lost."""
    canary = posted(in_phase("observing"))
    stage.ours = False
    stage.board.show(canary)
    await stage.time.run_for(10)
    assert [] == stage.shown(canary)

    stage.ours = True  # it was taken back since
    stage.board.show(canary)
    await stage.time.run_for(10)
    assert 1 == len(stage.shown(canary))


async def test_settling_waits_until_the_end_is_shown(stage: Stage) -> None:
    """While Slack refuses, the end is not shown; nothing else would ever edit it again."""
    canary = posted(in_phase("rolled_back_abort"))
    stage.slack.fail = lambda _method, _arguments: slack_error("internal_error")
    settling = stage.time.start(stage.board.settle(canary, FIRST))
    await stage.time.run_for(30)
    assert not settling.done()

    stage.slack.fail = lambda _method, _arguments: None
    await stage.time.run_for(60)
    assert settling.done()
    assert "rolled back" in stage.shown(canary)[-1].lower()


async def test_the_last_edit_is_made_again_after_a_takeover(stage: Stage) -> None:
    """An edit of the owner before may have landed upon it."""
    canary = posted(in_phase("promoted"))
    stage.board.show(canary)
    await stage.time.run_for(10)
    settling = stage.time.start(stage.board.settle(canary, AGAIN))
    await stage.time.run_for(10)

    assert settling.done()
    assert 2 == len(stage.shown(canary))


async def test_nothing_is_edited_while_nobody_knows_whose_it_is(stage: Stage) -> None:
    """A store that is away may be away for this replica alone; the edit is made when it is back."""
    canary = posted(in_phase("observing"))
    stage.store_away = True
    stage.board.show(canary)
    await stage.time.run_for(30)
    assert [] == stage.shown(canary)

    stage.store_away = False
    await stage.time.run_for(10)
    assert 1 == len(stage.shown(canary))


@pytest.mark.parametrize("code", ["message_not_found", ""])
async def test_settling_ends_where_there_is_nothing_to_show(stage: Stage, code: str) -> None:
    """The message was deleted, or shows the end already."""
    canary = posted(in_phase("promoted"))
    if code:
        stage.slack.fail = lambda _method, _arguments: slack_error(code)
    else:
        stage.board.show(canary)
        await stage.time.run_for(10)

    settling = stage.time.start(stage.board.settle(canary, FIRST))
    await stage.time.run_for(5)

    assert settling.done()


async def test_settling_a_canary_without_a_message_is_done_at_once(stage: Stage) -> None:
    """There is nothing to bring up to date."""
    await stage.board.settle(a_canary(thread=None), FIRST)
