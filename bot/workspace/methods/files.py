"""files.*: uploads in three steps, the last of them done in the background."""

import asyncio
import mimetypes

from bot.workspace import render
from bot.workspace.core import Workspace
from bot.workspace.methods.registry import Call, method
from bot.workspace.store import File, Message
from bot.workspace.wire import Json, SlackError, new_id

LARGEST = 50_000_000


@method("files.getUploadURLExternal", "T4", "files:write")
def get_upload_url(call: Call) -> Json:
    """Announce an upload."""
    length = call.number("length", 0)
    if length <= 0:
        raise SlackError("invalid_arguments", ["length must be greater than 0"])
    if length > LARGEST:
        raise SlackError("file_upload_size_restricted")
    file = File(new_id("F"), call.need("filename"), length, call.text("alt_txt"))
    call.workspace.store.files[file.id] = file
    return {"upload_url": f"{call.workspace.base_url}/upload/v1/{file.id}", "file_id": file.id}


@method("files.completeUploadExternal", "T4", "files:write")
def complete_upload(call: Call) -> Json:
    """Finish uploads; they are processed and shared a little later."""
    workspace = call.workspace
    wanted = call.json("files")
    if not isinstance(wanted, list) or not wanted:
        raise SlackError("invalid_arguments", ["missing required field: files"])
    files = [_uploaded(workspace, entry) for entry in wanted]
    channels = [c for c in (call.text("channel_id") or call.text("channels")).split(",") if c]
    for channel in channels:
        if workspace.settings.bot_user_id not in workspace.store.channel(channel).members:
            raise SlackError("not_in_channel")
    thread_ts = call.text("thread_ts") or None
    for channel in channels:
        if thread_ts and thread_ts not in workspace.store.channel(channel).messages:
            raise SlackError("thread_not_found")
    work = _process(workspace, files, channels, call.text("initial_comment"), thread_ts)
    workspace.in_background(work)
    return {"files": [render.file(f, workspace.settings, workspace.base_url) for f in files]}


def _uploaded(workspace: Workspace, entry: object) -> File:
    file = workspace.store.files.get(entry.get("id", "")) if isinstance(entry, dict) else None
    if file is None or file.content is None:
        raise SlackError("file_not_found")
    assert isinstance(entry, dict)
    file.title = str(entry.get("title") or "")
    return file


async def _process(
    workspace: Workspace,
    files: list[File],
    channels: list[str],
    comment: str,
    thread_ts: str | None,
) -> None:
    store = workspace.store  # a reset while this waits leaves the new store alone
    await asyncio.sleep(workspace.settings.file_seconds)
    for file in files:
        file.mimetype = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    for wanted in channels:
        channel = store.channel(wanted)
        message = Message(
            channel=channel.id,
            ts=store.clock.next(),
            user=workspace.settings.bot_user_id,
            text=comment,
            thread_ts=thread_ts,
            files=[file.id for file in files],
        )
        store.add(message)
        for file in files:
            file.shares.setdefault(channel.id, []).append(message.ts)
    for file in files:
        store.processed(file)
    workspace.live.change()


@method("files.info", "T4", "files:read")
def info(call: Call) -> Json:
    """Describe an upload; it has a mimetype once it is processed."""
    file = call.workspace.store.files.get(call.text("file"))
    if file is None or file.content is None:
        raise SlackError("file_not_found")
    return {"file": render.file(file, call.workspace.settings, call.workspace.base_url)}
