"""conversations.*: channels and what was said in them."""

from bot.workspace import render
from bot.workspace.methods.registry import Call, method
from bot.workspace.store import Message
from bot.workspace.wire import Json, SlackError


def _shown(call: Call, message: Message) -> Json:
    shown = render.message(message, call.workspace.store)
    if not call.flag("include_all_metadata"):
        shown.pop("metadata", None)
    if message.files:
        files, base_url = call.workspace.store.files, call.workspace.base_url
        settings = call.workspace.settings
        shown["files"] = [render.file(files[f], settings, base_url) for f in message.files]
    return shown


def _within(call: Call, message: Message) -> bool:
    """Tell if a message is in the asked range of time."""
    oldest, latest = call.text("oldest", "0"), call.text("latest") or "9999999999.999999"
    try:
        ts, low, high = float(message.ts), float(oldest or 0), float(latest)
    except ValueError:
        raise SlackError("invalid_ts_latest") from None
    return low <= ts <= high if call.flag("inclusive") else low < ts < high


@method("conversations.info", "T3", "channels:read")
def info(call: Call) -> Json:
    """Describe a channel."""
    channel = call.channel()
    shown = render.channel(channel, call.workspace.settings)
    if not call.flag("include_num_members"):
        shown.pop("num_members", None)
    return {"channel": shown}


@method("conversations.list", "T2", "channels:read")
def list_(call: Call) -> Json:
    """List the channels."""
    kinds = call.text("types", "public_channel").split(",")
    found = [
        render.channel(c, call.workspace.settings)
        for c in call.workspace.store.channels.values()
        if ("im" if c.im_with else "public_channel") in kinds
    ]
    rows, following = call.page(found)
    return {"channels": rows, "response_metadata": following}


@method("conversations.history", "T3", "channels:history")
def history(call: Call) -> Json:
    """List the messages of a channel, the newest first, without thread replies."""
    channel = call.own_channel()
    found = [
        m
        for m in reversed(channel.messages.values())
        if m.only_for is None and (m.thread_ts in (None, m.ts) or m.broadcast) and _within(call, m)
    ]
    rows, following = call.page(found, most=999)
    return {
        "messages": [_shown(call, m) for m in rows],
        "has_more": bool(following["next_cursor"]),
        "pin_count": 0,
        "response_metadata": following,
    }


@method("conversations.replies", "T3", "channels:history")
def replies(call: Call) -> Json:
    """List a thread: its first message, then the replies, the oldest first."""
    channel = call.own_channel()
    asked = channel.messages.get(call.need("ts"))
    if asked is None or asked.only_for is not None:
        raise SlackError("thread_not_found")
    root = channel.messages.get(asked.thread_ts or asked.ts, asked)
    found = [root, *(m for m in channel.replies(root.ts) if _within(call, m))]
    rows, following = call.page(found)
    return {
        "messages": [_shown(call, m) for m in rows],
        "has_more": bool(following["next_cursor"]),
        "response_metadata": following,
    }


@method("conversations.join", "T3", "channels:join")
def join(call: Call) -> Json:
    """Make the bot a member of a channel."""
    channel = call.channel()
    if channel.im_with is not None:
        raise SlackError("method_not_supported_for_channel_type")
    call.workspace.store.join(channel, call.workspace.settings.bot_user_id)
    call.workspace.live.change()
    return {"channel": render.channel(channel, call.workspace.settings)}


@method("conversations.open", "T3", "im:write")
def open_(call: Call) -> Json:
    """Open the direct messages with one person."""
    users = [u for u in call.text("users").split(",") if u]
    if not users and call.text("channel"):
        users = [call.channel().im_with or ""]
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 1:
        raise SlackError("invalid_arguments", ["group direct messages are not supported here"])
    call.workspace.store.person(users[0])
    channel = call.workspace.store.direct(users[0])
    shown = {"id": channel.id}
    if call.flag("return_im"):
        shown = render.channel(channel, call.workspace.settings)
    return {"channel": shown}


@method("conversations.members", "T4", "channels:read")
def members(call: Call) -> Json:
    """List who is in a channel."""
    rows, following = call.page(sorted(call.channel().members))
    return {"members": rows, "response_metadata": following}
