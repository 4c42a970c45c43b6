"""The control API: what people do, what goes wrong on demand, and errors in plain words."""

import asyncio
from typing import Any

import aiohttp
import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import ADA, DEPLOYS, People, actions, button


@pytest.mark.parametrize(
    ("action", "body", "status", "words"),
    [
        ("command", {"user": "bob", "channel": "deploys", "text": "/canary"}, 404, "ada, grace"),
        ("command", {"user": "ada", "channel": "prod", "text": "/canary"}, 404, "deploys, random"),
        ("command", {"user": "ada", "channel": "deploys", "text": "/x"}, 400, "known: /canary"),
        ("command", {"user": "ada", "text": "/canary"}, 422, "channel: Field required"),
        ("command", {"user": "ada", "chanel": "x", "text": "/canary"}, 422, "chanel: Extra"),
        ("click", {"user": "ada", "channel": "deploys", "action_id": "go"}, 404, "no message"),
        ("click", {"user": "ada", "view_id": "V1", "action_id": "go"}, 404, "no open view V1"),
        ("submit", {"user": "ada", "view_id": "V1"}, 409, "not the modal on top"),
        ("disconnect", {"how": "explode"}, 422, "'refresh', 'warning', 'drop' or 'cut'"),
        ("faults", {"method": "chat.update", "times": 0}, 422, "times"),
        ("post", {"user": "ada", "channel": "deploys", "text": " "}, 400, "nothing to post"),
    ],
)
async def test_errors_are_plain_words_with_what_is_known(
    people: People, action: str, body: dict[str, Any], status: int, words: str
) -> None:
    """A wrong request says what is wrong and what would have been right."""
    answer = await people.http.post(f"/_/{action}", json=body)
    assert answer.status_code == status
    assert words in answer.json()["error"]


async def test_click_is_refused_when_the_button_is_gone(
    client: AsyncWebClient, people: People
) -> None:
    """A click on what an update has removed, or with an old value, changes nothing."""
    posted = await client.chat_postMessage(
        channel=DEPLOYS, text="x", blocks=[actions(button("abort", value="1"))]
    )
    stale = await people.click(posted["ts"], "abort", value="0")
    assert "holds '1' now" in stale["error"]
    await client.chat_update(channel=DEPLOYS, ts=posted["ts"], text="done")
    gone = await people.click(posted["ts"], "abort")
    assert gone["error"] == "there is no 'abort' to click now; there is: none"
    assert (await people.state())["counters"]["delivered"] == {}


async def test_click_needs_a_block_id_when_an_action_is_there_twice(
    client: AsyncWebClient, people: People
) -> None:
    """Two buttons with one action_id are told apart by their block."""
    rows = [actions(button(), block_id="one"), actions(button(), block_id="two")]
    posted = await client.chat_postMessage(channel=DEPLOYS, text="x", blocks=rows)
    assert "say block_id: one, two" in (await people.click(posted["ts"]))["error"]
    chosen = await people.click(posted["ts"], block_id="two")
    assert chosen["error"] == "dispatch_failed"


async def test_commands_do_not_work_in_threads(client: AsyncWebClient, people: People) -> None:
    """A slash command typed in a thread is refused in Slack's words."""
    posted = await client.chat_postMessage(channel=DEPLOYS, text="x")
    where = {"channel": "deploys", "thread_ts": posted["ts"]}
    answer = await people.do("command", user="ada", text="/canary", **where)
    assert answer["shown"] == "/canary is not supported in threads. Sorry!"


async def test_what_people_write_is_escaped_and_linked(people: People) -> None:
    """Words of a person cannot carry markup, but names and URLs become links."""
    text = "<!channel> @grace see #shop https://x.test/a & @nobody"
    await people.do("post", user="ada", channel="deploys", text=text)
    (message,) = await people.messages()
    assert message["text"] == (
        "&lt;!channel&gt; <@U0GRACE01> see <#C0SHOP001> <https://x.test/a> &amp; @nobody"
    )


async def test_ephemerals_are_seen_by_one_person(client: AsyncWebClient, people: People) -> None:
    """The state of another person does not hold an ephemeral message."""
    await client.chat_postEphemeral(channel=DEPLOYS, user=ADA, text="secret")
    seen = {}
    for user in ("ada", "grace"):
        state = await people.state(user)
        (deploys,) = [c for c in state["channels"] if c["id"] == DEPLOYS]
        seen[user] = [m["text"] for m in deploys["messages"]]
    assert seen == {"ada": ["secret"], "grace": []}


async def test_fault_with_an_error_does_no_work_and_passes(
    client: AsyncWebClient, people: People
) -> None:
    """A planned error comes as often as planned and posts nothing."""
    await people.do("faults", method="chat.postMessage", error="fatal_error", times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError, match="fatal_error"):
            await client.chat_postMessage(channel=DEPLOYS, text="x")
    await client.chat_postMessage(channel=DEPLOYS, text="y")
    assert [m["text"] for m in await people.messages()] == ["y"]


@pytest.mark.parametrize(("status", "header"), [(503, None), (429, "7")])
async def test_fault_with_a_status(
    client: AsyncWebClient, people: People, status: int, header: str | None
) -> None:
    """A planned status is answered, 429 with the planned Retry-After."""
    await people.do("faults", method="*", status=status, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=DEPLOYS, text="x")
    response = caught.value.response
    headers = response["headers"] if isinstance(response, dict) else response.headers
    assert headers.get("Retry-After") == header


async def test_lost_answer_has_done_its_work(client: AsyncWebClient, people: People) -> None:
    """With lose_answer the message is posted and the caller sees a broken connection."""
    client.retry_handlers.clear()
    await people.do("faults", method="chat.postMessage", lose_answer=True)
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=DEPLOYS, text="x")
    assert [m["text"] for m in await people.messages()] == ["x"]


async def test_slow_answer_comes_late(client: AsyncWebClient, people: People) -> None:
    """A planned delay holds one call back and no other."""
    await people.do("faults", method="auth.test", delay=0.2)
    loop = asyncio.get_running_loop()
    before = loop.time()
    await client.auth_test()
    middle = loop.time()
    await client.auth_test()
    assert middle - before >= 0.2
    assert loop.time() - middle < 0.2


async def test_reset_forgets_everything(client: AsyncWebClient, people: People) -> None:
    """After a reset there are no messages, faults or counts."""
    await client.chat_postMessage(channel=DEPLOYS, text="x")
    await people.do("faults", method="chat.postMessage", error="fatal_error")
    await people.do("reset")
    assert await people.messages() == []
    state = await people.state()
    assert state["counters"]["calls"] == {}
    assert (await client.chat_postMessage(channel=DEPLOYS, text="y"))["ok"]


async def test_page_allows_no_foreign_script(people: People) -> None:
    """The page comes with a policy that runs its own scripts only; health is answered."""
    page = await people.http.get("/")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    health: httpx.Response = await people.http.get("/healthz")
    assert health.json() == {"ok": True, "connections": 0}
