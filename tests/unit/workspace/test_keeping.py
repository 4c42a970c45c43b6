"""A workspace that outlives its process."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from servers import LOOPBACK, Server, free_port, launch, wait_ready
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from unit.workspace.support import DEPLOYS, RANDOM

from bot.workspace import Settings, create_app, running_workspace

TOKEN = Settings().bot_token
METADATA = {"event_type": "canary", "event_payload": {"canary_id": "shop-abcdef"}}


@asynccontextmanager
async def process(keep: Path) -> AsyncIterator[tuple[Server, AsyncWebClient]]:
    """A workspace in a process of its own, killed at the end."""
    port = free_port()
    argv = [sys.executable, "-m", "bot.workspace", "--port", str(port), "--keep", str(keep)]
    server = launch(argv, keep.parent / "workspace.log", {"PYTHONPATH": str(Path.cwd())})
    try:
        await wait_ready(server, f"http://{LOOPBACK}:{port}/healthz")
        yield server, AsyncWebClient(token=TOKEN, base_url=f"http://{LOOPBACK}:{port}/api/")
    finally:
        server.kill()


async def test_what_was_said_outlives_a_kill(tmp_path: Path) -> None:
    """After kill -9 the messages, edits, threads, metadata and deletions are as they were."""
    keep = tmp_path / "kept.jsonl"
    async with process(keep) as (_, client):
        root = await client.chat_postMessage(channel=DEPLOYS, text="first", metadata=METADATA)
        reply = await client.chat_postMessage(channel=DEPLOYS, text="re", thread_ts=root["ts"])
        gone = await client.chat_postMessage(channel=DEPLOYS, text="wrong")
        await client.chat_delete(channel=DEPLOYS, ts=gone["ts"])
        await client.chat_update(channel=DEPLOYS, ts=root["ts"], text="second")
        direct = await client.chat_postMessage(channel="U0GRACE01", text="for you")
        await client.conversations_join(channel=RANDOM)

    async with process(keep) as (_, client):
        history = await client.conversations_history(channel=DEPLOYS, include_all_metadata=True)
        (message,) = history["messages"]
        assert (message["ts"], message["text"]) == (root["ts"], "second")
        assert message["metadata"] == METADATA
        replies = await client.conversations_replies(channel=DEPLOYS, ts=root["ts"])
        assert [m["ts"] for m in replies["messages"]] == [root["ts"], reply["ts"]]
        spoken = await client.conversations_history(channel=direct["channel"])
        assert [m["text"] for m in spoken["messages"]] == ["for you"]
        later = await client.chat_postMessage(channel=RANDOM, text="still a member")
        assert later["ts"] > gone["ts"]


async def test_the_clock_never_gives_a_ts_twice(tmp_path: Path) -> None:
    """Even where the machine's clock stood at a later time before."""
    keep = tmp_path / "kept.jsonl"
    async with running_workspace(Settings(keep=keep)) as running:
        running.workspace.store.clock.not_before("9000000000.000001")
        client = AsyncWebClient(token=TOKEN, base_url=running.api_url)
        first = await client.chat_postMessage(channel=DEPLOYS, text="from the future")
    async with running_workspace(Settings(keep=keep)) as running:
        client = AsyncWebClient(token=TOKEN, base_url=running.api_url)
        second = await client.chat_postMessage(channel=DEPLOYS, text="after it")
    assert first["ts"] == "9000000000.000002"
    assert second["ts"] == "9000000000.000003"


async def test_a_line_cut_off_was_not_said(tmp_path: Path) -> None:
    """The end of the process in the middle of a write loses that write and nothing else."""
    keep = tmp_path / "kept.jsonl"
    async with running_workspace(Settings(keep=keep)) as running:
        client = AsyncWebClient(token=TOKEN, base_url=running.api_url)
        await client.chat_postMessage(channel=DEPLOYS, text="whole")
    whole = keep.read_bytes()
    keep.write_bytes(whole + whole[: len(whole) // 2])
    async with running_workspace(Settings(keep=keep)) as running:
        messages = running.workspace.store.channels[DEPLOYS].messages.values()
        assert [message.text for message in messages] == ["whole"]
    assert keep.read_bytes() == whole


async def test_a_reset_forgets_what_was_kept(tmp_path: Path) -> None:
    """What was said before a reset does not come back with the next start."""
    keep = tmp_path / "kept.jsonl"
    async with running_workspace(Settings(keep=keep)) as running:
        client = AsyncWebClient(token=TOKEN, base_url=running.api_url)
        old = await client.chat_postMessage(channel=DEPLOYS, text="old")
        running.workspace.reset()
        with pytest.raises(SlackApiError):
            await client.chat_update(channel=DEPLOYS, ts=old["ts"], text="gone")
        await client.chat_postMessage(channel=DEPLOYS, text="new")
    async with running_workspace(Settings(keep=keep)) as running:
        messages = running.workspace.store.channels[DEPLOYS].messages.values()
        assert [message.text for message in messages] == ["new"]


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    """With its line, and what to do."""
    keep = tmp_path / "kept.jsonl"
    keep.write_text("dear diary\n")
    with pytest.raises(ValueError, match=r"line 1 of .* is no journal of a workspace"):
        create_app(Settings(keep=keep))
