import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from servers import LOOPBACK, free_port
from slack_bolt.request.async_request import AsyncBoltRequest
from structlog.testing import capture_logs
from unit.slack.connected import until
from unit.slack.door import FORM, SECRET, Door, command, opened, signed

from bot.ports import PortError
from bot.slack.http import HEALTH, MOST_BYTES, PATH, HttpMode, Web


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A door that is open."""
    async with opened() as found:
        yield found


async def test_a_signed_command_is_heard(door: Door) -> None:
    """It is acknowledged with nothing, and its listener has it."""
    answer = await door.command("status")
    assert (answer.status_code, answer.text) == (200, "")
    await until(lambda: door.heard == ["status"])


@pytest.mark.parametrize("off", [-290, 290])
async def test_within_five_minutes_a_request_is_taken(door: Door, off: float) -> None:
    """Clocks differ, either way."""
    assert (await door.command("status", off)).status_code == 200


@pytest.mark.parametrize("off", [-310, 310, -86400])
async def test_outside_the_window_a_right_signature_is_refused(door: Door, off: float) -> None:
    """What was caught long ago, or made for later, is of no use; the log blames the clock."""
    with capture_logs() as logs:
        assert (await door.command("status", off)).status_code == 401
    assert "s off; is this machine's clock right?" in logs[0]["why"]
    assert not door.heard


async def test_only_the_raw_body_that_was_signed_is_taken(door: Door) -> None:
    """The same values in another writing are another body."""
    body = command("a b")
    headers = signed(body)
    assert (await door.send(body.replace(b"a+b", b"a%20b"), **headers)).status_code == 401
    assert (await door.send(body + b"&x=1", **headers)).status_code == 401
    assert not door.heard
    assert (await door.send(body, **headers)).status_code == 200


NOW = "now"
"""Put in when the test runs, which may be long after it was collected."""


@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        (command("x"), {}, "not signed"),
        (command("x"), {"X_Slack_Request_Timestamp": NOW}, "not signed"),
        (command("x"), {"secret": "another"}, "SLACK_SIGNING_SECRET"),
        (command("x"), {"X_Slack_Request_Timestamp": "soon", "X_Slack_Signature": "v0=1"}, "malf"),
        (command("x"), {"X_Slack_Request_Timestamp": NOW, "X_Slack_Signature": "v0=\xe9"}, "malf"),
        (b"\xff\xfe", {"X_Slack_Request_Timestamp": NOW, "X_Slack_Signature": "v0=1"}, "malform"),
        (b"ssl_check=1&token=x", {}, "not signed"),
    ],
    ids=["bare", "half", "another-secret", "no-number", "no-ascii", "no-utf8", "ssl-check"],
)
async def test_what_slack_has_not_signed_never_reaches_a_listener(
    door: Door, body: bytes, headers: dict[str, str], why: str
) -> None:
    """Whatever is wrong with it: 401, a word in the log, and nothing else."""
    sent = signed(body, secret=headers["secret"]) if "secret" in headers else headers
    now = str(int(time.time()))
    raw = [
        (name.replace("_", "-").encode(), (now if v == NOW else v).encode("latin-1"))
        for name, v in sent.items()
    ]
    raw.append((b"Content-Type", FORM.encode()))
    with capture_logs() as logs:
        answer = await door.http.post(PATH, content=body, headers=raw)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid request"})
    assert [entry["event"] for entry in logs] == ["slack.http.refused"]
    assert why in logs[0]["why"]
    assert not door.heard


async def test_a_flood_of_wrong_signatures_is_one_line(door: Door) -> None:
    """Anybody can send them, and the log is not theirs to fill."""
    with capture_logs() as logs:
        for number in range(30):
            assert (await door.command(f"{number}", secret="wrong")).status_code == 401
    assert len(logs) == 1
    assert logs[0]["requests"] == 1
    assert len(door.web._seen) == 0


async def test_bolt_checks_the_signature_itself(door: Door) -> None:
    """Past our own check there is the library's."""
    body = command("x")
    headers = {name.replace("_", "-"): v for name, v in signed(body, secret="wrong").items()}
    request = AsyncBoltRequest(body=body.decode(), headers=dict(headers))
    assert (await door.app.async_dispatch(request)).status == 401
    assert not door.heard


async def test_slacks_own_checks_are_answered(door: Door) -> None:
    """The challenge of a new request URL comes back; a certificate check gets its 200."""
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode()
    answer = await door.send(body, kind="application/json", **signed(body))
    assert (answer.status_code, answer.json()) == (200, {"challenge": "abc"})
    check = b"ssl_check=1&token=x"
    assert (await door.send(check, **signed(check))).status_code == 200
    assert not door.heard


async def test_there_is_one_path_and_one_method(door: Door) -> None:
    """Everything else is not there, and no answer says what the server is made of."""
    answers = {
        "get": await door.http.get(PATH),
        "put": await door.http.put(PATH),
        "other": await door.http.post("/slack/else"),
        "root": await door.http.get("/"),
        "health": await door.http.get(HEALTH),
        "health-post": await door.http.post(HEALTH),
        "unsigned": await door.http.post(PATH),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "get": 405, "put": 405, "other": 404, "root": 404, "health": 200, "health-post": 405,
        "unsigned": 401,
    }  # fmt: skip
    assert not [name for name, answer in answers.items() if "server" in answer.headers]
    assert answers["health"].json() == {"ok": True}


@pytest.mark.parametrize("raw", [b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nBad Header: 1\r\n\r\n"])
async def test_what_is_no_http_fills_no_log(
    door: Door, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever scans the port gets a 400 or nothing, and leaves no traceback."""
    reader, writer = await asyncio.open_connection(LOOPBACK, door.web.port)
    writer.write(raw)
    answer = await reader.read(12)
    writer.close()
    await writer.wait_closed()
    assert answer in {b"", b"HTTP/1.0 400", b"HTTP/1.1 400"}
    assert not caplog.records


async def test_a_signed_body_that_cannot_be_read_is_an_error_and_logged(door: Door) -> None:
    """Slack shows its own error to the person, and we see what came."""
    body = b"{not json"
    with capture_logs() as logs:
        answer = await door.send(body, kind="application/json", **signed(body))
    assert answer.status_code == 500
    assert "slack.http.failed" in [entry["event"] for entry in logs]
    assert len(door.web._seen) == 0


async def test_a_body_that_is_too_long_is_not_read(door: Door) -> None:
    """Right at the limit it is looked at, one byte more is 413, announced or in chunks."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 65536

    assert (await door.send(b"x" * MOST_BYTES)).status_code == 401
    assert (await door.send(b"x" * (MOST_BYTES + 1))).status_code == 413
    assert (await door.http.post(PATH, content=chunks())).status_code == 413


async def test_what_is_packed_is_not_unpacked(door: Door) -> None:
    """What was signed is the text, and a small bomb stays small."""
    body = command("x")
    answer = await door.send(gzip.compress(body), Content_Encoding="gzip", **signed(body))
    assert answer.status_code == 401


async def test_stopping_answers_what_has_come_and_takes_nothing_new() -> None:
    """The one under way is acknowledged; on a connection kept open the next one is told to go."""
    async with opened() as door:
        await asyncio.gather(*(door.http.get(HEALTH) for _ in range(3)))  # connections are kept
        assert door.web.connected
        door.hold = asyncio.Event()
        under_way = asyncio.create_task(door.command("first"))
        await until(lambda: door.web._answering == 1)
        stopping = asyncio.create_task(door.web.stop())
        await until(lambda: not door.web.connected)
        late = await door.command("second")
        assert (await door.http.get(HEALTH)).status_code == 503
        door.hold.set()
        assert (await under_way).status_code == 200
        await stopping
        assert late.status_code == 503
        with pytest.raises(httpx.ConnectError):
            await door.command("third")
        assert door.heard == ["first"]


async def test_a_taken_port_is_said_in_words() -> None:
    """With the setting that changes it."""
    async with opened() as door:
        second = Web(door.app, HttpMode(SECRET, LOOPBACK, door.web.port))
        with pytest.raises(PortError, match=r"address already in use.*slack\.listen"):
            await second.start()
        assert not second.connected
        await second.stop()


async def test_a_door_that_is_closed_twice_stays_closed() -> None:
    """Stopping is safe at any moment."""
    async with opened() as door:
        await door.web.stop()
        await door.web.stop()
        assert not door.web.connected


async def test_a_port_that_is_named_is_the_one_that_is_bound() -> None:
    """What stands in the configuration is where Slack's proxy will look."""
    port = free_port()
    async with opened() as door:
        web = Web(door.app, HttpMode(SECRET, LOOPBACK, port))
        await web.start()
        try:
            assert web.port == port
        finally:
            await web.stop()
