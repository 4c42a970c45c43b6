import aiohttp
import pytest
from builders import FIRST, a_canary
from unit.slack.fakes import slack_error
from unit.slack.stage import Stage
from unit.slack.support import NOTES, Json, in_phase

from bot.ports import PortError, StatusBoard
from bot.slack.live_message import SlackBoard


def a_board_is_a_status_board(board: SlackBoard) -> StatusBoard:
    """Checked by mypy."""
    return board


async def test_opening_posts_the_message_and_names_its_place(stage: Stage) -> None:
    """The root carries the canary's id, and neither links nor names are expanded."""
    thread = await stage.board.open(in_phase("preparing"), FIRST)
    (post,) = stage.slack.made("chat.postMessage")
    assert thread.channel == "C0DEPLOYS"
    assert post["metadata"]["event_payload"] == {"canary_id": "shop-k3x9ab"}
    assert (post["unfurl_links"], post["unfurl_media"], post["link_names"]) == (False,) * 3
    assert "Getting shop v2 ready" in post["text"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("not_in_channel", "/invite @canary"),
        ("channel_not_found", "Check the channel id"),
        ("invalid_auth", "xoxb-"),
        ("is_archived", "another channel"),
        ("something_new", "Slack refused it (something_new)"),
    ],
)
async def test_a_message_that_cannot_be_posted_says_why(
    stage: Stage, code: str, said: str
) -> None:
    """What, why and what to do next."""
    stage.slack.fail = lambda _method, _arguments: slack_error(code)
    with pytest.raises(PortError, match="not posted to C0DEPLOYS") as failed:
        await stage.board.open(in_phase("preparing"), FIRST)
    assert said in str(failed.value)


async def test_an_unreachable_slack_is_a_port_error(stage: Stage) -> None:
    """A broken network is told as such."""
    stage.slack.fail = lambda _method, _arguments: aiohttp.ClientConnectionError("refused")
    with pytest.raises(PortError, match="cannot be reached"):
        await stage.board.open(in_phase("preparing"), FIRST)


async def test_posts_after_a_429_wait_or_fail_with_words(stage: Stage) -> None:
    """The whole method is paused, and whoever cannot wait so long is told."""
    stage.slack.fail = lambda _method, _arguments: slack_error("ratelimited", 60)
    with pytest.raises(PortError, match="wait 60 s"):
        await stage.board.open(in_phase("preparing"), FIRST)
    with pytest.raises(PortError, match="asks to wait"):
        await stage.board.tell(a_canary(), NOTES["drift"], FIRST)
    assert len(stage.slack.calls) == 1


async def test_a_note_is_told_once(stage: Stage) -> None:
    """Asked again after it was posted, it is not posted again."""
    for _ in range(3):
        await stage.board.tell(a_canary(), NOTES["breach"], FIRST)
    (post,) = stage.slack.made("chat.postMessage")
    assert post["thread_ts"] == "1772452800.000100"
    assert post["reply_broadcast"] is True
    assert post["metadata"] == {
        "event_type": "canary_note",
        "event_payload": {"canary_id": "shop-k3x9ab", "number": NOTES["breach"].number},
    }


async def test_a_note_needs_its_message(stage: Stage) -> None:
    """Before the message stands there is no thread to post into."""
    with pytest.raises(PortError, match="not posted yet"):
        await stage.board.tell(a_canary(thread=None), NOTES["breach"], FIRST)


async def test_an_alert_is_seen_even_if_its_thread_was_deleted(stage: Stage) -> None:
    """Then it goes to the channel."""

    def gone(_method: str, arguments: Json) -> Exception | None:
        return slack_error("thread_not_found") if "thread_ts" in arguments else None

    stage.slack.fail = gone
    await stage.board.tell(a_canary(), NOTES["breach"], FIRST)
    assert "thread_ts" not in stage.slack.made("chat.postMessage")[-1]


async def test_an_alert_is_seen_even_if_its_blocks_are_refused(stage: Stage) -> None:
    """Then its sentence goes alone."""
    stage.slack.fail = lambda _m, arguments: (
        slack_error("invalid_blocks") if "blocks" in arguments else None
    )
    await stage.board.tell(a_canary(), NOTES["breach"], FIRST)
    assert "breach. Errors 5.20 %" in stage.slack.made("chat.postMessage")[-1]["text"]


async def test_a_message_without_new_blocks_is_better_than_none(stage: Stage) -> None:
    """A workspace that takes no tables gets lines instead, when posting and when editing."""

    def no_tables(_method: str, arguments: Json) -> Exception | None:
        tables = [block for block in arguments["blocks"] if block["type"] == "table"]
        return slack_error("invalid_blocks") if tables else None

    stage.slack.fail = no_tables
    await stage.board.open(in_phase("observing"), FIRST)
    stage.board.show(in_phase("observing"))
    await stage.time.run_for(5)
    assert "Errors* 🟢 healthy" in stage.shown(in_phase("observing"))[-1]
