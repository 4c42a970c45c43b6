"""What a message may hold, whether by a method, an acknowledgement or a response_url."""

import json
from dataclasses import dataclass
from typing import Any

from bot.workspace.blocks import check_message, complete
from bot.workspace.core import Workspace
from bot.workspace.store import Message
from bot.workspace.wire import Json, SlackError

TEXT_KEPT = 40_000
UPDATE_TEXT = 4_000
METADATA_BYTES = 8_000


@dataclass(frozen=True, slots=True)
class Content:
    """The checked content of a message."""

    text: str
    blocks: list[Json] | None
    metadata: Json | None


def parsed(value: Any, error: str) -> Any:
    """Read what may come as JSON or as JSON within a form field."""
    if not isinstance(value, str):
        return value
    if not value:
        return None
    try:
        return json.loads(value)
    except ValueError:
        raise SlackError(error) from None


def read_content(workspace: Workspace, args: Json) -> Content:
    """Check the text, blocks and metadata of a message to be."""
    text, blocks = args.get("text") or "", parsed(args.get("blocks"), "invalid_blocks_format")
    if not isinstance(text, str):
        raise SlackError("invalid_arguments", ["text must be a string"])
    markdown = args.get("markdown_text")
    if markdown:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        text, blocks = markdown, [{"type": "markdown", "text": markdown}]
    if parsed(args.get("attachments"), "invalid_arguments"):
        raise SlackError("invalid_attachments", ["legacy attachments are not supported here"])
    if blocks:
        check_message(blocks)
        _check_files(workspace, blocks)
    if not text.strip() and not blocks:
        raise SlackError("no_text")
    return Content(text[:TEXT_KEPT], complete(blocks) if blocks else None, read_metadata(args))


def read_metadata(args: Json) -> Json | None:
    """Check the metadata of a message to be."""
    metadata = parsed(args.get("metadata"), "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return {"event_type": metadata["event_type"], "event_payload": metadata["event_payload"]}


def _check_files(workspace: Workspace, blocks: list[Json]) -> None:
    """Refuse an image whose file is unknown or not yet processed."""
    for place, block in enumerate(blocks):
        for name, found in (("", block), ("/accessory", block.get("accessory"))):
            wanted = (found or {}).get("slack_file")
            if not wanted:
                continue
            file_id = (
                wanted.get("id")
                or wanted.get("url", "")
                .partition(f"/files/{workspace.settings.team_id}-")[2]
                .partition("/")[0]
            )
            file = workspace.store.files.get(file_id)
            if file is None or not file.mimetype.startswith("image/"):
                raise SlackError(
                    "invalid_blocks",
                    [f"invalid slack file [json-pointer:/blocks/{place}{name}/slack_file]"],
                )


def post(
    workspace: Workspace,
    channel: str,
    content: Content,
    *,
    thread_ts: str | None = None,
    broadcast: bool = False,
    only_for: str | None = None,
) -> Message:
    """Post a message as the bot."""
    message = workspace.store.add(
        Message(
            channel=channel,
            ts=workspace.store.clock.next(),
            user=workspace.settings.bot_user_id,
            text=content.text,
            blocks=content.blocks,
            thread_ts=thread_ts,
            metadata=content.metadata,
            broadcast=broadcast,
            only_for=only_for,
        )
    )
    workspace.live.change()
    return message


def replace(workspace: Workspace, message: Message, content: Content) -> None:
    """Edit a message in place: without blocks the old ones go, and it is marked as edited."""
    message.text = content.text
    message.blocks = content.blocks
    message.edits += 1
    if content.metadata is not None:
        message.metadata = content.metadata
    if content.blocks is None:
        message.edited_at = workspace.store.clock.next()
    workspace.store.changed(message)
    workspace.live.change()
