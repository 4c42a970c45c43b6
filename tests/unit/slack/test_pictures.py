"""A canary's picture stands in its thread once, and its lack stops nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from builders import AGAIN, FIRST
from structlog.testing import capture_logs
from unit.core.windows import aborted
from unit.slack.connected import until
from unit.slack.fakes import slack_error
from unit.slack.wall import CHANNEL, Wall, opened, with_thread

from bot.ports import Conflict, PortError, Turn
from bot.slack.app import make_client
from bot.slack.limiter import Limiter
from bot.slack.pictures.upload import Pictures
from bot.workspace import RunningWorkspace, Settings, running_workspace

"""Slack's edge answers 5xx with a page of text."""


@pytest.fixture
async def wall(workspace: RunningWorkspace) -> Wall:
    """A thread on a workspace that shares a file a second after it was uploaded."""
    client = make_client(workspace.bot_token, workspace.api_url, Limiter())
    return Wall(workspace, await opened(client))


async def test_the_picture_stands_in_the_thread(wall: Wall) -> None:
    """Really drawn, shared by Slack, with a name, a title and words for a screen reader."""
    pictures = Pictures(wall.client, wall.limiter)

    await pictures.post(wall.canary, wall.seen, FIRST)
    await until(lambda: wall.files)

    [file] = wall.files
    await until(lambda: file.mimetype)
    assert (file.name, file.mimetype) == ("canary-shop-k3x9ab.png", "image/png")
    assert file.title == "shop v2 rolled back: errors"
    assert "Canary against stable: Errors" in file.alt_text
    assert file.content is not None
    assert file.content.startswith(b"\x89PNG")
    assert len(file.content) < 500_000


async def test_however_often_it_is_posted_it_stands_once(wall: Wall) -> None:
    """Also when it is looked for before Slack has shared it."""
    await wall.pictures().post(wall.canary, wall.seen, FIRST)
    for _ in range(3):
        await wall.pictures().post(wall.canary, wall.seen, AGAIN)
    await wall.processed()

    assert len(wall.files) == 1
    assert len(wall.running.workspace.store.files) == 1


async def test_what_does_not_stand_is_posted(wall: Wall) -> None:
    """The lost call had not been done; another's file is not it."""
    await wall.client.files_upload_v2(
        channel=CHANNEL, thread_ts=wall.ts, filename="canary-shop-zzz.png", content=b"x"
    )
    await wall.pictures().post(wall.canary, wall.seen, AGAIN)
    await wall.processed()

    assert sorted(file.name for file in wall.files) == [
        "canary-shop-k3x9ab.png",
        "canary-shop-zzz.png",
    ]


async def test_a_picture_whose_answer_was_lost_is_found_again(wall: Wall) -> None:
    """Slack had taken it."""
    wall.fail(method="files.completeUploadExternal", lose_answer=True)

    with pytest.raises(PortError, match="The picture of shop was not posted: Slack cannot be"):
        await wall.pictures().post(wall.canary, wall.seen, FIRST)
    await wall.pictures().post(wall.canary, wall.seen, AGAIN)

    assert len(wall.files) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "files.getUploadURLExternal", "error": "internal_error"},
        {"method": "files.getUploadURLExternal", "status": 503},
        {"method": "files.completeUploadExternal", "status": 429, "retry_after": 60},
        {"method": "files.completeUploadExternal", "error": "invalid_auth"},
    ],
)
async def test_what_slack_cannot_do_now_is_tried_again_later(
    wall: Wall, fault: dict[str, Any]
) -> None:
    """It says why, and the next time it works."""
    wall.fail(**fault)
    with pytest.raises(PortError, match="The picture of shop was not posted: "):
        await wall.pictures().post(wall.canary, wall.seen, FIRST)

    wall.limiter = Limiter()
    await wall.pictures().post(wall.canary, wall.seen, AGAIN)
    await wall.processed()

    assert len(wall.files) == 1


async def test_nothing_is_posted_while_nobody_knows_whether_it_stands(wall: Wall) -> None:
    """Better late than twice."""
    wall.fail(method="conversations.replies", status=500)

    with pytest.raises(PortError):
        await wall.pictures().post(wall.canary, wall.seen, AGAIN)

    assert not wall.running.workspace.store.files


async def test_a_429_holds_all_calls_of_that_method(wall: Wall) -> None:
    """And the answer says how long."""
    wall.fail(method="files.getUploadURLExternal", status=429, retry_after=60)

    with pytest.raises(PortError, match="Slack asks to wait 60 s"):
        await wall.pictures().post(wall.canary, wall.seen, FIRST)
    with pytest.raises(PortError, match="rate limit asks to wait"):
        await wall.pictures().post(wall.canary, wall.seen, FIRST)

    assert wall.running.workspace.counts.calls["files.getUploadURLExternal"] == 1


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("files.getUploadURLExternal", "missing_scope"),
        ("files.getUploadURLExternal", "file_type_not_allowed"),
        ("files.completeUploadExternal", "thread_not_found"),
        ("files.completeUploadExternal", "not_in_channel"),
    ],
)
async def test_what_will_never_work_is_left_out(wall: Wall, method: str, code: str) -> None:
    """With one warning that says why."""
    wall.fail(method=method, error=code)

    with capture_logs() as logs:
        await wall.pictures().post(wall.canary, wall.seen, FIRST)

    assert [entry["event"] for entry in logs] == ["slack.picture.none"]
    assert code in logs[0]["reason"]
    assert not wall.replies


async def test_an_app_without_the_scope_does_without() -> None:
    """As Slack answers it, not as a fault."""
    few = ("commands", "chat:write", "channels:history")
    async with running_workspace(Settings(scopes=few)) as running:
        client = make_client(running.bot_token, running.api_url, Limiter())
        wall = Wall(running, await opened(client))

        with capture_logs() as logs:
            await wall.pictures().post(wall.canary, wall.seen, AGAIN)

    assert "the app lacks a scope" in logs[0]["reason"]


async def test_a_bot_that_may_not_read_posts(wall: Wall) -> None:
    """A picture twice is better than none."""
    for _ in range(2):
        wall.fail(method="conversations.replies", error="missing_scope")

    await wall.pictures().post(wall.canary, wall.seen, AGAIN)
    await wall.processed()

    assert len(wall.files) == 1


async def test_a_thread_that_is_gone_gets_no_picture(wall: Wall) -> None:
    """Somebody deleted the canary's message."""
    await wall.client.chat_delete(channel=CHANNEL, ts=wall.ts)

    with capture_logs() as logs:
        await wall.pictures().post(wall.canary, wall.seen, FIRST)
        await wall.pictures().post(wall.canary, wall.seen, AGAIN)

    assert len(logs) == 2
    assert "thread_not_found" in logs[0]["reason"]


async def test_it_is_asked_last_whose_turn_it_is(wall: Wall) -> None:
    """After the drawing, the canary may have become another replica's; nobody sees a thing."""

    async def lost() -> None:
        raise Conflict("another replica's")

    with pytest.raises(Conflict):
        await wall.pictures().post(wall.canary, wall.seen, Turn(again=False, confirm=lost))

    counts = wall.running.workspace.counts.calls
    assert counts["files.getUploadURLExternal"] == 1
    assert counts["files.completeUploadExternal"] == 0
    assert not wall.replies


async def test_without_a_thread_or_a_look_nothing_is_drawn() -> None:
    """Slack is not even asked."""

    class Untouched:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    pictures = Pictures(Untouched(), Limiter(), command=("false",))
    canary, seen = with_thread(None)
    with capture_logs() as logs:
        await pictures.post(canary, seen, FIRST)
        await pictures.post(*aborted([]), FIRST)

    assert "there is no thread" in logs[0]["reason"]
    assert "nothing was seen" in logs[1]["reason"]


async def test_an_upload_that_is_refused_for_good_is_left_out(wall: Wall) -> None:
    """One that fails on the way is tried again."""
    statuses = iter([413, 503])

    class Elsewhere:
        proxy = None
        ssl = None

        def __init__(self, url: Callable[[], str]) -> None:
            self._url = url

        async def files_getUploadURLExternal(self, **_: Any) -> Any:  # noqa: N802 - the SDK's own name
            return {"upload_url": self._url(), "file_id": "F1"}

        async def files_completeUploadExternal(self, **_: Any) -> Any:  # noqa: N802 - the SDK's own name
            raise slack_error("not_reached")

        async def conversations_replies(self, **_: Any) -> Any:
            return {"messages": []}

    wall.fail(method="upload", status=next(statuses))
    wall.fail(method="upload", status=next(statuses))
    elsewhere = Elsewhere(lambda: f"{wall.running.api_url}upload")

    with capture_logs() as logs:
        await wall.pictures(elsewhere).post(wall.canary, wall.seen, FIRST)
    assert "status 413" in logs[0]["reason"]
    with pytest.raises(PortError, match="status 503"):
        await wall.pictures(elsewhere).post(wall.canary, wall.seen, FIRST)
