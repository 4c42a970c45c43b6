"""Every way a read can fail is a sentence, without a secret in it."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from servers import Reply, Web, web

import adapters.http as module
from adapters.http import HttpError, masked, new_client, read, read_json


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with new_client() as client:
        yield client


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a:1/x", "http://a:1/x"),
        ("https://me:pass@a/x?token=t&b=&usedonly#f", "https://***@a/x?token=***&b=***&usedonly"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("http://me:pass@a:99x", "an address that cannot be read"),
    ],
)
def test_secrets_of_an_address_are_masked(url: str, shown: str) -> None:
    """User, password, values and fragment are not shown; place and path are."""
    assert masked(url) == shown


async def test_what_is_read_is_what_was_sent(http: httpx.AsyncClient) -> None:
    """A good answer is its body and its type; JSON is decoded."""
    async with web(lambda *_: (200, "Application/JSON", '{"a": [1]}')) as server:
        answer = await read(http, server.url, what="it")
        assert (answer.text, answer.content_type) == ('{"a": [1]}', "application/json")
        assert await read_json(http, server.url, what="it") == {"a": [1]}
        assert server.headers[0]["user-agent"] == "canarybot"


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "check the token or password"),
        (404, "check the path"),
        (429, "asked too often"),
        (418, "check the address and its options"),
        (503, "look into its log"),
        (302, "a redirect to another place"),
    ],
)
async def test_a_refusal_says_what_to_do(http: httpx.AsyncClient, status: int, says: str) -> None:
    """Every status that is no success is an error with its number, its body and a next step."""
    async with web(lambda *_: (status, "text/plain", "why")) as server:
        with pytest.raises(
            HttpError, match=f"it at http://.* answered {status} .*{says}"
        ) as caught:
            await read(http, f"{server.url}/p?key=hidden", what="it")
    assert (caught.value.status, caught.value.body) == (status, "why")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://a/x", "no valid address"),
        ("a/x", "no valid address"),
        ("http://a:99x/", "no valid address"),
        ("http://none.invalid/", "cannot be reached"),
    ],
)
async def test_a_bad_address_says_so(http: httpx.AsyncClient, url: str, says: str) -> None:
    """An address that cannot be used is an error like any other."""
    with pytest.raises(HttpError, match=says):
        await read(http, url, what="it")


async def test_a_bad_header_is_not_told(http: httpx.AsyncClient) -> None:
    """A token that HTTP forbids is refused without being shown, in the text or its causes."""
    async with web(lambda *_: (200, "text/plain", "")) as server:
        for token in ("s3cret\n", "s3cret é"):
            with pytest.raises(HttpError, match=r"cannot be asked: .* HTTP forbids") as caught:
                await read(http, server.url, what="it", headers={"Authorization": token})
            assert caught.value.__suppress_context__
            assert "s3cret" not in str(caught.value)


async def test_what_is_not_json_is_an_error(http: httpx.AsyncClient) -> None:
    """A web page in place of JSON says what came instead."""
    async with web(lambda *_: (200, "text/html", "<html>")) as server:
        with pytest.raises(HttpError, match="answered with text/html that is not JSON"):
            await read_json(http, server.url, what="it")


async def test_too_much_is_an_error(http: httpx.AsyncClient) -> None:
    """An answer above the limit is not read to its end."""
    async with web(lambda *_: (200, "text/plain", "x" * 101)) as server:
        assert len((await read(http, server.url, what="it", largest=101)).body) == 101
        with pytest.raises(HttpError, match="sent more than"):
            await read(http, server.url, what="it", largest=100)


async def test_a_slow_answer_is_an_error(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that never ends its answer is given up on."""
    monkeypatch.setattr(module, "LONGEST", 0.05)
    never = asyncio.Event()

    async def answer(*_: object) -> Reply:
        await never.wait()
        return 200, "text/plain", ""

    async with web(answer) as server:
        with pytest.raises(HttpError, match=r"took longer than 0\.05 s"):
            await read(http, server.url, what="it")
        never.set()


@pytest.mark.parametrize(("losses", "works"), [(1, True), (2, False)])
async def test_a_lost_connection_is_tried_once_more(
    http: httpx.AsyncClient, losses: int, works: bool
) -> None:
    """A read whose connection breaks is repeated once, and only once."""
    server: Web

    async def answer(*_: object) -> Reply:
        if len(server.asked) <= losses:
            raise ConnectionResetError
        return 200, "text/plain", "here"

    async with web(answer) as server:
        if works:
            assert (await read(http, server.url, what="it")).text == "here"
        else:
            with pytest.raises(HttpError, match="broke the connection"):
                await read(http, server.url, what="it")
        assert len(server.asked) == 2
