"""The Web API through Slack's own client."""

import asyncio
from typing import Any

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import (
    ADA,
    DEPLOYS,
    GRACE,
    RANDOM,
    People,
    actions,
    button,
    mrkdwn,
    until,
)

from bot.workspace import RunningWorkspace, Settings, running_workspace

SECTION = {"type": "section", "text": mrkdwn("hello")}


async def error_of(client: AsyncWebClient, method: str, **arguments: Any) -> str:
    """Call a method which fails and give Slack's name of the error."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json=arguments)
    return str(caught.value.response["error"])


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("no.such", {}, "unknown_method"),
    ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": RANDOM, "text": "x"}, "not_in_channel"),
    ("chat.postMessage", {"channel": DEPLOYS}, "no_text"),
    ("chat.postMessage", {"channel": DEPLOYS, "blocks": "{"}, "invalid_blocks_format"),
    (
        "chat.postMessage",
        {"channel": DEPLOYS, "text": "x", "thread_ts": "1.000001"},
        "thread_not_found",
    ),
    (
        "chat.postMessage",
        {"channel": DEPLOYS, "text": "x", "markdown_text": "y"},
        "markdown_text_conflict",
    ),
    (
        "chat.postMessage",
        {"channel": DEPLOYS, "text": "x", "metadata": {"event_type": 1}},
        "invalid_metadata_format",
    ),
    (
        "chat.postMessage",
        {
            "channel": DEPLOYS,
            "text": "x",
            "metadata": {"event_type": "t", "event_payload": {"a": "x" * 8000}},
        },
        "metadata_too_large",
    ),
    ("chat.update", {"channel": DEPLOYS, "ts": "1.000001", "text": "x"}, "message_not_found"),
    ("chat.update", {"channel": DEPLOYS, "text": "x"}, "invalid_arguments"),
    ("chat.delete", {"channel": DEPLOYS, "ts": "1.000001"}, "message_not_found"),
    (
        "chat.postEphemeral",
        {"channel": DEPLOYS, "user": "U0NOBODY1", "text": "x"},
        "user_not_found",
    ),
    ("conversations.history", {"channel": RANDOM}, "not_in_channel"),
    ("conversations.replies", {"channel": DEPLOYS, "ts": "1.000001"}, "thread_not_found"),
    ("conversations.list", {"cursor": "bad"}, "invalid_cursor"),
    ("users.info", {"user": "U0NOBODY1"}, "user_not_found"),
    ("usergroups.users.list", {"usergroup": "S0NOTHING"}, "no_such_subteam"),
    ("views.open", {"trigger_id": "x", "view": {"type": "modal"}}, "invalid_arguments"),
    ("files.info", {"file": "F0NOTHING1"}, "file_not_found"),
    ("files.getUploadURLExternal", {"filename": "a", "length": 0}, "invalid_arguments"),
    ("api.test", {"error": "my_error"}, "my_error"),
]


async def test_mistakes_have_slacks_own_error_names(client: AsyncWebClient) -> None:
    """Each mistake is answered with HTTP 200 and the name Slack has for it."""
    answers = [(m, a, await error_of(client, m, **a)) for m, a, _ in MISTAKES]
    assert answers == MISTAKES


async def test_tokens_are_checked(workspace: RunningWorkspace, client: AsyncWebClient) -> None:
    """No token, a wrong one and one of the wrong kind are three different errors."""
    async with httpx.AsyncClient(base_url=workspace.api_url, trust_env=False) as http:
        none = await http.post("auth.test")
        wrong = await http.post("auth.test", data={"token": "xoxb-other"})
        kind = await http.post("apps.connections.open", data={"token": workspace.bot_token})
    assert [r.json()["error"] for r in (none, wrong, kind)] == [
        "not_authed",
        "invalid_auth",
        "not_allowed_token_type",
    ]
    assert (await client.auth_test())["user_id"] == workspace.workspace.settings.bot_user_id


async def test_missing_scope_names_what_is_needed() -> None:
    """A method outside of the granted scopes says which one it needs."""
    async with running_workspace(Settings(scopes=("chat:write",))) as running:
        client = AsyncWebClient(token=running.bot_token, base_url=running.api_url)
        with pytest.raises(SlackApiError) as caught:
            await client.users_info(user=ADA)
    answer = caught.value.response
    assert (answer["error"], answer["needed"]) == ("missing_scope", "users:read")


async def test_update_keeps_the_ts_and_drops_blocks_that_are_left_out(
    client: AsyncWebClient,
) -> None:
    """Text alone removes the blocks and marks the message; with blocks there is no mark."""
    posted = await client.chat_postMessage(channel=DEPLOYS, text="one", blocks=[SECTION])
    ts = posted["ts"]
    again = await client.chat_update(channel=DEPLOYS, ts=ts, text="two", blocks=[SECTION])
    assert again["ts"] == ts
    assert "edited" not in again["message"]
    bare = await client.chat_update(channel=DEPLOYS, ts=ts, text="three")
    assert "blocks" not in bare["message"]
    assert "edited" in bare["message"]


async def test_only_own_messages_can_be_changed(client: AsyncWebClient, people: People) -> None:
    """What a person wrote can be neither edited nor deleted by the bot."""
    said = await people.do("post", user="ada", channel="deploys", text="hi")
    update = {"channel": DEPLOYS, "ts": said["ts"], "text": "x"}
    assert await error_of(client, "chat.update", **update) == "cant_update_message"
    delete = {"channel": DEPLOYS, "ts": said["ts"]}
    assert await error_of(client, "chat.delete", **delete) == "cant_delete_message"


async def test_long_texts_are_cut_or_refused(client: AsyncWebClient) -> None:
    """A post is cut at 40,000 characters; an update over 4,000 is refused."""
    posted = await client.chat_postMessage(channel=DEPLOYS, text="x" * 50_000)
    assert len(posted["message"]["text"]) == 40_000
    update = {"channel": DEPLOYS, "ts": posted["ts"], "text": "x" * 4001}
    assert await error_of(client, "chat.update", **update) == "msg_too_long"


async def test_thread_and_broadcast(client: AsyncWebClient) -> None:
    """Replies are counted under the first message; only broadcasts show in the channel."""
    root = await client.chat_postMessage(channel=DEPLOYS, text="root")
    quiet = await client.chat_postMessage(channel=DEPLOYS, text="quiet", thread_ts=root["ts"])
    await client.chat_postMessage(
        channel=DEPLOYS, text="loud", thread_ts=quiet["ts"], reply_broadcast=True
    )
    history = await client.conversations_history(channel=DEPLOYS)
    assert [m["text"] for m in history["messages"]] == ["loud", "root"]
    assert history["messages"][1]["reply_count"] == 2
    replies = await client.conversations_replies(channel=DEPLOYS, ts=root["ts"])
    assert [m["text"] for m in replies["messages"]] == ["root", "quiet", "loud"]


async def test_metadata_is_kept_by_updates_and_shown_when_asked_for(
    client: AsyncWebClient,
) -> None:
    """Metadata survives an update without metadata and hides unless it is asked for."""
    metadata = {"event_type": "canary", "event_payload": {"run": "r1"}}
    posted = await client.chat_postMessage(channel=DEPLOYS, text="one", metadata=metadata)
    await client.chat_update(channel=DEPLOYS, ts=posted["ts"], text="two")
    plain_history = await client.conversations_history(channel=DEPLOYS)
    assert "metadata" not in plain_history["messages"][0]
    full = await client.conversations_history(channel=DEPLOYS, include_all_metadata=True)
    assert full["messages"][0]["metadata"] == metadata


async def test_history_is_paged(client: AsyncWebClient) -> None:
    """A cursor leads to the next page until has_more is false."""
    for number in range(3):
        await client.chat_postMessage(channel=DEPLOYS, text=str(number))
    first = await client.conversations_history(channel=DEPLOYS, limit=2)
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_history(channel=DEPLOYS, limit=2, cursor=cursor)
    assert [m["text"] for m in (*first["messages"], *second["messages"])] == ["2", "1", "0"]
    assert (first["has_more"], second["has_more"]) == (True, False)


async def test_message_to_a_person_opens_direct_messages(
    client: AsyncWebClient, people: People
) -> None:
    """Posting to a user id lands in a D channel which only that person sees."""
    posted = await client.chat_postMessage(channel=GRACE, text="psst")
    assert str(posted["channel"]).startswith("D")
    opened = await client.conversations_open(users=GRACE)
    assert opened["channel"]["id"] == posted["channel"]
    seen = [c["id"] for c in (await people.state("ada"))["channels"]]
    assert posted["channel"] not in seen


async def test_joining_makes_the_bot_a_member(client: AsyncWebClient) -> None:
    """After conversations.join the bot may post."""
    await client.conversations_join(channel=RANDOM)
    assert (await client.chat_postMessage(channel=RANDOM, text="hi"))["ok"]
    members = await client.conversations_members(channel=RANDOM)
    assert "U0CANARY1" in members["members"]


async def test_people_channels_and_groups_are_listed(client: AsyncWebClient) -> None:
    """The lists hold the people, channels and groups of the settings."""
    users = await client.users_list()
    assert {u["name"] for u in users["members"]} == {"ada", "grace", "linus", "canary"}
    channels = await client.conversations_list()
    assert {c["name"]: c["is_member"] for c in channels["channels"]} == {
        "deploys": True,
        "shop": True,
        "random": False,
    }
    groups = await client.usergroups_list(include_users=True)
    assert groups["usergroups"][0]["users"] == [GRACE]
    assert (await client.usergroups_users_list(usergroup="S0APPROVE"))["users"] == [GRACE]
    assert (await client.users_info(user=ADA))["user"]["real_name"] == "Ada Lovelace"
    assert (await client.conversations_info(channel=DEPLOYS))["channel"]["is_member"] is True


async def test_upload_is_processed_a_little_later(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """files_upload_v2 answers at once; the type, and the share in the thread, come later."""
    slow = workspace.workspace.settings.model_copy(update={"file_seconds": 1.0})
    workspace.workspace.settings = slow
    root = await client.chat_postMessage(channel=DEPLOYS, text="root")
    uploaded = await client.files_upload_v2(
        channel=DEPLOYS, thread_ts=root["ts"], content=b"\x89PNG", filename="p95.png", alt_txt="p"
    )
    file_id = uploaded["file"]["id"]
    assert uploaded["file"]["mimetype"] == ""
    image = {"type": "image", "alt_text": "p", "slack_file": {"id": file_id}}
    early = await error_of(client, "chat.postMessage", channel=DEPLOYS, blocks=[image])
    assert early == "invalid_blocks"
    await until(lambda: workspace.workspace.store.files[file_id].mimetype)
    info = await client.files_info(file=file_id)
    assert info["file"]["mimetype"] == "image/png"
    assert (await client.chat_postMessage(channel=DEPLOYS, text="p", blocks=[image]))["ok"]
    replies = await client.conversations_replies(channel=DEPLOYS, ts=root["ts"])
    assert replies["messages"][1]["files"][0]["id"] == file_id
    content = await people.http.get(info["file"]["url_private"])
    assert content.content == b"\x89PNG"
    assert content.headers["content-security-policy"] == "sandbox"


async def test_permalink_leads_to_the_page(client: AsyncWebClient, people: People) -> None:
    """A permalink opens the message in the page."""
    posted = await client.chat_postMessage(channel=DEPLOYS, text="one")
    link = await client.chat_getPermalink(channel=DEPLOYS, message_ts=posted["ts"])
    answer = await people.http.get(link["permalink"])
    assert answer.headers["location"] == f"/#{DEPLOYS}/message/{posted['ts']}"


async def test_reaction_is_added_once(client: AsyncWebClient) -> None:
    """The second time the same reaction is refused."""
    posted = await client.chat_postMessage(channel=DEPLOYS, text="one")
    arguments = {"channel": DEPLOYS, "timestamp": posted["ts"], "name": "eyes"}
    await client.api_call("reactions.add", json=arguments)
    assert await error_of(client, "reactions.add", **arguments) == "already_reacted"


async def test_deleted_message_is_gone(client: AsyncWebClient, people: People) -> None:
    """A deleted message cannot be clicked any more."""
    posted = await client.chat_postMessage(channel=DEPLOYS, text="x", blocks=[actions(button())])
    await client.chat_delete(channel=DEPLOYS, ts=posted["ts"])
    assert "there is no message" in (await people.click(posted["ts"]))["error"]


async def test_picture_in_a_thread_has_its_words(
    workspace: RunningWorkspace, client: AsyncWebClient, people: People
) -> None:
    """An upload into a thread has name, title, alt text and address in conversations.replies."""
    root = (await client.chat_postMessage(channel=DEPLOYS, text="root"))["ts"]
    await client.files_upload_v2(
        channel=DEPLOYS,
        thread_ts=root,
        content=b"png",
        filename="errors.png",
        title="Errors",
        alt_txt="Errors rise",
    )
    async with asyncio.timeout(5):
        while len(await people.messages()) < 2:
            await asyncio.sleep(0.01)
    replies = await client.conversations_replies(channel=DEPLOYS, ts=root)
    (file,) = replies["messages"][1]["files"]
    assert (file["name"], file["title"], file["alt_txt"]) == (
        "errors.png",
        "Errors",
        "Errors rise",
    )
    assert file["url_private"].startswith(workspace.base_url)
    assert (await people.http.get(file["url_private"])).content == b"png"
