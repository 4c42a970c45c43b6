"""Silent connections end, and keep nobody out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bot.api import ApiServer, connections
from bot.api.bodies import Message, Receive, Scope, Send
from bot.api.connections import HEAD_BYTES, MOST_PIECES, Silent, Timely

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Open = Callable[[], Awaitable[Connection]]


class App:
    """Answers, once it may, as much as it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.go.set()
        self.begun = 0
        self.gone = 0
        self.parts: list[bytes] = [b"ok"]
        self.reads = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun += 1
        try:
            if scope["path"] == "/slow":
                await self.go.wait()
            while self.reads:
                message: Message = await receive()
                if not message.get("more_body"):
                    break
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for part in self.parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self.gone += 1


@asynccontextmanager
async def served(per_address: int = 200) -> AsyncIterator[tuple[App, ApiServer, Open]]:
    """A server of it, and how to connect to that."""
    app, opened = App(), list[Connection]()
    app.state = type("State", (), {"connections_per_address": per_address})  # type: ignore[attr-defined] # as an application's
    server = ApiServer(app, "127.0.0.1", 0)
    await server.start()

    async def connect() -> Connection:
        made = await asyncio.open_connection("127.0.0.1", server.port)
        opened.append(made)
        return made

    try:
        yield app, server, connect
    finally:
        app.go.set()
        for _, writer in opened:
            writer.close()
        await server.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def ended(connection: Connection) -> bytes:
    """What comes before the server hangs up."""
    told = b""
    async with asyncio.timeout(10):
        try:
            while more := await connection[0].read(65536):
                told += more
        except ConnectionResetError:
            pass
    return told


async def status(server: ApiServer) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"http://127.0.0.1:{server.port}/healthz")).status_code


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HT",
        b"GET /healthz HTTP/1.1\r\nhost: a\r\nx: ",
        b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\n",
    ],
)
async def test_whoever_does_not_send_a_whole_head_is_hung_up_on(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing, with a part of it, and with a part of a later one."""
    monkeypatch.setattr(connections, "HEAD_PATIENCE", 0.2)
    async with served() as (_, server, connect):
        slow = await connect()
        if sent.count(b"GET") == 2:
            first, second = sent[: sent.rindex(b"GET")], sent[sent.rindex(b"GET") :]
            slow[1].write(first)
            await slow[0].readuntil(b"0\r\n\r\n")
            sent = second
        slow[1].write(sent)

        assert await ended(slow) == b""
        assert await status(server) == 200


async def test_a_head_in_drops_gets_no_more_time_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow loris keeps its connection no longer than a silent one."""
    monkeypatch.setattr(connections, "HEAD_PATIENCE", 0.3)
    async with served() as (app, _, connect):
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\n")
        hung_up = asyncio.create_task(ended((reader, writer)))
        sent = 0
        while not hung_up.done() and sent < 500:
            writer.write(b"x: y\r\n")
            sent += 1
            await asyncio.sleep(0.02)

        assert await hung_up == b""
        assert sent < 500
        assert app.begun == 0


@pytest.mark.parametrize("reads", [True, False])
async def test_a_body_in_drops_ends_too(reads: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is still read, or was answered before it came."""
    monkeypatch.setattr(connections, "BODY_PATIENCE", 0.3)
    async with served() as (app, _, connect):
        app.reads = reads
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999\r\n\r\n")
        hung_up = asyncio.create_task(ended((reader, writer)))
        sent = 0
        while not hung_up.done() and sent < 500:
            writer.write(b"x")
            sent += 1
            await asyncio.sleep(0.02)

        assert (await hung_up == b"") is reads
        assert sent < 500


async def test_whoever_reads_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """So no answer waits for ever to be taken."""
    monkeypatch.setattr(connections, "READ_PATIENCE", 0.2)
    async with served() as (app, _, connect):
        app.parts = [b"x" * 1024 * 1024] * 64
        _, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")

        await until(lambda: app.gone == 1)


async def test_more_silent_connections_than_are_kept_turn_nobody_away() -> None:
    """The oldest one goes for each that is too many; a request under way stays."""
    async with served(per_address=3) as (app, server, connect):
        app.go.clear()
        busy = await connect()
        busy[1].write(b"GET /slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        await until(lambda: app.begun == 1)
        held = [await connect() for _ in range(10)]
        for each in held[:7]:
            assert await ended(each) == b""

        assert await status(server) == 200
        app.go.set()
        assert b"200 OK" in await ended(busy)


async def test_hundreds_of_silent_connections_leave_room_for_health() -> None:
    """Of one address so many are kept, and whoever asks is answered."""
    async with served() as (_, server, connect):
        held = [await connect() for _ in range(400)]

        assert [await status(server) for _ in range(3)] == [200, 200, 200]
        assert await ended(held[0]) == b""


async def test_many_requests_under_way_are_no_reason_to_refuse_another_one() -> None:
    """What is under way is bounded by its kind, and never by the number of connections."""
    async with served(per_address=1) as (app, server, connect):
        app.go.clear()
        for _ in range(60):
            _, writer = await connect()
            writer.write(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
            await writer.drain()
            before = app.begun
            await until(lambda before=before: app.begun > before)  # type: ignore[misc] # the loop's own

        assert await status(server) == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n" + b"a:\r\n" * HEAD_BYTES,
        b"GET /" + b"x" * 2 * HEAD_BYTES,
        b"\0\r\n\r\n",
    ],
)
async def test_a_head_that_is_too_long_or_none_is_refused(sent: bytes) -> None:
    """400, and the connection is closed."""
    async with served() as (app, _, connect):
        slow = await connect()
        slow[1].write(sent)

        told = await ended(slow)  # nothing where the rest of it met a closed door
        assert told == b"" or told.startswith(b"HTTP/1.1 400")
        assert app.begun == 0


@pytest.mark.parametrize("reads", [True, False])
async def test_a_body_in_crumbs_is_given_up(reads: bool) -> None:
    """Chunks of one byte cost a hundred times what they bring."""
    async with served() as (app, server, connect):
        app.reads = reads
        slow = await connect()
        slow[1].write(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        await until(lambda: app.begun == 1)
        slow[1].write(b"1\r\nx\r\n" * (MOST_PIECES + 5000))

        await ended(slow)
        assert await status(server) == 200


class _Held:
    """A connection as the register sees it."""

    def __init__(self) -> None:
        self.transport = self
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def test_one_address_does_not_push_out_another_one() -> None:
    """Only where all together are too many does the oldest of all go."""
    silent = Silent(per_address=2, most=4)
    held: dict[str, Any] = {}
    for name in ("a1", "b1", "b2", "b3", "c1", "c2"):
        held[name] = _Held()
        silent.add(held[name], name[0])

    assert [name for name, one in held.items() if one.aborted] == ["a1", "b1"]
    assert len(silent) == 4
    silent.remove(held["c2"])
    silent.remove(held["c2"])
    assert len(silent) == 3
    assert issubclass(Timely, asyncio.Protocol)
