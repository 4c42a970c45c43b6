"""What is sent is read within bounds, whatever it holds."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from types import FrameType
from typing import Any

import pytest
from unit.api.apiroom import Room, room

from bot.api.bodies import MOST_BYTES, MOST_DEPTH, MOST_VALUES, USUAL_BYTES, Message, Scope, whole
from bot.api.problems import Problem
from bot.api.requests import MOST_COMMITS, MOST_FILES, MOST_LABELS

CHANGE: dict[str, Any] = {"base": "v1", "head": "v2"}


@pytest.fixture
async def here() -> AsyncIterator[Room]:
    async with room() as made:
        yield made


def a_scope(method: str = "POST", path: str = "/v1/canaries", **headers: str) -> Scope:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": path, "headers": named}


async def taken(*parts: bytes, **where: str) -> bytes:
    """The body as it is handed on."""
    left = list(parts)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return bytes((await (await whole(a_scope(**where), receive))())["body"])


async def steps(body: bytes) -> int:
    """How many lines of ours are run through for it."""
    count = 0

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count
        if frame.f_globals.get("__name__") != "bot.api.bodies":
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        await taken(body)
    except Problem:
        pass
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "unit", [rb"\"", rb"\\", b'"', b"x", b" ", rb"\u0022", b"1", b'"a",'], ids=repr
)
async def test_what_a_body_costs_does_not_follow_from_what_its_strings_hold(unit: bytes) -> None:
    """An unclosed string of escapes takes as many steps as a short one."""
    few, many = [b'{"a":"' + unit * count for count in (100, 100_000)]

    assert await steps(many) <= await steps(few) + 20


@pytest.mark.parametrize(
    "text",
    [
        rb'{"a":"\"[[[[[[[[[[[[[[[[[[[[[[[["}',
        rb'{"a":"\\","b":"[[[[[[[[[[[[[[[[[[[[[[[["}',
        rb'{"a":"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[","b":1}',
        b'{"a":"' + b"9" * 200 + b'"}',
        b"[" * MOST_DEPTH + b"]" * MOST_DEPTH,
        b"",
        b"no json",
    ],
)
async def test_brackets_and_digits_in_strings_are_letters(text: bytes) -> None:
    """What stands there is left to the parser, byte for byte."""
    assert await taken(text) == text


@pytest.mark.parametrize(
    "text",
    [
        b"[" * (MOST_DEPTH + 1),
        rb'{"a":"\\",' + b'"b":' + b"[" * MOST_DEPTH,
        rb'{"a\"":' + b"[" * MOST_DEPTH,
        b"[" + b"1," * (MOST_VALUES + 1),
        b"[" + b"[]," * MOST_VALUES,
        b'"' * (4 * MOST_VALUES + 1),
        b'{"a":' + b"9" * 65 + b"}",
        '{"a":[]}'.encode("utf-16"),
        b'{"a":"\0"}',
    ],
)
async def test_what_nobody_would_write_is_not_parsed(text: bytes) -> None:
    """Too deep, too many values, a number too long, no UTF-8: 400."""
    with pytest.raises(Problem) as refused:
        await taken(text)

    assert (refused.value.status, refused.value.kind) == (400, "unreadable-request")


async def test_a_body_is_put_together_of_its_parts() -> None:
    """However they were cut."""
    text = json.dumps({"service": "shop", "revision": "é"}).encode()

    assert await taken(*(text[at : at + 1] for at in range(len(text)))) == text


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD"])
async def test_where_no_body_is_taken_none_is_read(method: str) -> None:
    """Not even waited for."""

    async def never() -> Message:
        raise AssertionError

    assert await whole(a_scope(method, content_length="25000"), never) is never


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v1/canaries", MOST_BYTES),
        ("/v1/classify", MOST_BYTES),
        ("/v1/canaries/shop-1/pause", USUAL_BYTES),
        ("/v1/freezes", USUAL_BYTES),
    ],
)
async def test_only_a_change_may_be_large(path: str, most: int) -> None:
    """Declared or not."""
    assert len(await taken(b" " * most, path=path)) == most
    for sent, declared in ((b" " * (most + 1), {}), (b"", {"content_length": "9" * 5000})):
        with pytest.raises(Problem) as refused:
            await taken(sent, path=path, **declared)
        assert refused.value.status == 413


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"files": [{"path": "a"}] * (MOST_FILES + 1)}, "change.files"),
        ({"commits": [{"id": "a"}] * (MOST_COMMITS + 1)}, "change.commits"),
        ({"labels": ["a"] * (MOST_LABELS + 1)}, "change.labels"),
        ({"files": [{"path": "a" * 1025}]}, "files.0.path"),
        ({"files": [{"path": "a", "previous_path": "a" * 1025}]}, "files.0.previous_path"),
        ({"files": [{"path": "a", "after": "a" * (512 * 1024 + 1)}]}, "files.0.after"),
        ({"files": [{"path": "a", "before": "a" * (512 * 1024 + 1)}]}, "files.0.before"),
        ({"owners": "a" * (512 * 1024 + 1)}, "change.owners"),
        ({"files": [{"path": "a"} | {f"x{at}": 0 for at in range(50)}]}, "at most 40 fields"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_change_has_bounds_that_are_named(
    here: Room, change: dict[str, Any], words: str
) -> None:
    """For a start and for a classification alike; nothing is classified."""
    ci = await here.token()
    body = {"service": "shop", "revision": "v2", "change": CHANGE | change}
    for path in ("/v1/canaries", "/v1/classify"):
        refused = await here.http.post(path, json=body, headers=ci)
        assert refused.status_code == 422
        assert words in refused.json()["detail"]
        assert len(refused.content) < 2000
    assert here.assessor.sent is None


async def test_a_change_at_all_its_bounds_is_taken(here: Room) -> None:
    """They fit together, and into what a body may hold."""
    file = {"path": "a" * 100, "status": "renamed", "previous_path": "b", "added": 1, "removed": 2}
    commit = {"id": "c", "author": "ada", "title": "Change it", "at": "2026-01-01T00:00:00Z"}
    change = CHANGE | {
        "files": [file | {"before": "x", "after": "y"}] * MOST_FILES,
        "commits": [commit] * MOST_COMMITS,
        "labels": ["one"] * MOST_LABELS,
    }
    sent = {"service": "shop", "revision": "v2", "change": change}
    answer = await here.http.post("/v1/classify", json=sent, headers=await here.token())

    assert answer.status_code == 200, answer.text
    assert here.assessor.sent is not None
    assert len(here.assessor.sent.files) == MOST_FILES


async def test_a_mistake_in_each_of_many_files_is_told_once(here: Room) -> None:
    """The first one is enough to go on with."""
    change = CHANGE | {"files": [{"path": "a", "x": 1}] * MOST_FILES}
    sent = {"service": "shop", "revision": "v2", "change": change}
    refused = await here.http.post("/v1/classify", json=sent, headers=await here.token())

    assert refused.status_code == 422
    assert "And " not in refused.json()["detail"]


async def test_one_token_has_so_many_waits_and_streams_and_others_have_theirs(
    here: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """429 with when to come back; aborts and plain looks are not counted, and ends make room."""
    monkeypatch.setattr("bot.api.watching.MOST_SEATS", {"streams": 1, "waits": 2})
    ci, other = await here.token(), await here.token("other")
    begun = (await here.start(ci)).json()["id"]
    await here.bot.until(begun, lambda canary: canary.phase.kind == "observing")
    path, seats = f"/v1/canaries/{begun}", here.server._app.state.parts.seats
    params = {"wait": "30s", "seen": "running"}
    waits = [asyncio.create_task(here.http.get(path, params=params, headers=ci)) for _ in range(2)]
    events = asyncio.create_task(here.http.get(f"{path}/events", headers=ci))
    async with asyncio.timeout(10):
        while seats != {("ci", "waits"): 2, ("ci", "streams"): 1}:
            await asyncio.sleep(0.01)

    refused = [
        await here.http.get(path, params=params, headers=ci),
        await here.http.get(f"{path}/events", headers=ci),
    ]
    looked = await here.http.get(path, headers=ci)
    others = await here.http.get(path, params={"wait": "50ms", "seen": "running"}, headers=other)
    aborted = await here.http.post(f"{path}/abort", headers=ci)

    assert [each.status_code for each in refused] == [429, 429]
    assert all(each.headers["Retry-After"] == "5" for each in refused)
    assert "2 waits under way" in refused[0].json()["detail"]
    assert [each.status_code for each in (looked, others, aborted)] == [200, 200, 200]
    assert [(await each).status_code for each in (*waits, events)] == [200, 200, 200]
    assert not seats
