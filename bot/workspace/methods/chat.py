"""chat.*, reactions.* and what has no family."""

import time

from bot.workspace import render
from bot.workspace.methods.registry import Call, RateLimitedError, method
from bot.workspace.posting import UPDATE_TEXT, post, read_content, replace
from bot.workspace.store import Channel, File, Message
from bot.workspace.wire import Json, SlackError


@method("api.test", "T4", caller=None)
def api_test(call: Call) -> Json:
    """Give the arguments back, or the error that was asked for."""
    if call.text("error"):
        raise SlackError(call.text("error"), args=call.args)
    return {"args": {k: v for k, v in call.args.items() if k != "token"}}


@method("auth.test", "special")
def auth_test(call: Call) -> Json:
    """Tell whose token this is."""
    settings = call.workspace.settings
    return {
        "url": f"{call.workspace.base_url}/",
        "team": settings.team_name,
        "user": settings.bot_name,
        "team_id": settings.team_id,
        "user_id": settings.bot_user_id,
        "bot_id": settings.bot_id,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", "T3", caller="app")
def apps_connections_open(call: Call) -> Json:
    """Give a WebSocket URL whose ticket is good for one handshake."""
    if call.workspace.settings.request_urls is not None:
        raise SlackError("socket_mode_not_enabled")
    host = call.workspace.base_url.replace("http", "ws", 1)
    ticket = call.workspace.links.new_ticket()
    return {"url": f"{host}/link?ticket={ticket}&app_id={call.workspace.settings.app_id}"}


def _thread(call: Call, channel: Channel) -> str | None:
    """Give the ts of the thread's first message."""
    wanted = call.text("thread_ts")
    if not wanted:
        return None
    root = channel.messages.get(wanted)
    if root is None or root.only_for is not None:
        raise SlackError("thread_not_found")
    return root.thread_ts or root.ts


@method("chat.postMessage", "special", "chat:write")
def post_message(call: Call) -> Json:
    """Post a message, to a channel the bot is in or to a person."""
    workspace = call.workspace
    channel = call.channel()
    in_it = workspace.settings.bot_user_id in channel.members
    if not in_it and "chat:write.public" not in workspace.settings.scopes:
        raise SlackError("not_in_channel")
    content = read_content(workspace, call.args)
    thread_ts = _thread(call, channel)
    seconds = workspace.limits.wait_for_post(channel.id)
    if seconds:
        raise RateLimitedError(seconds)
    broadcast = thread_ts is not None and call.flag("reply_broadcast")
    message = post(workspace, channel.id, content, thread_ts=thread_ts, broadcast=broadcast)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "message": render.message(message, workspace.store),
    }


def _own_message(call: Call, refusal: str) -> Message:
    channel = call.channel()
    message = call.workspace.store.message(channel, call.need("ts"))
    if message.only_for is not None:
        raise SlackError("message_not_found")
    if message.user != call.workspace.settings.bot_user_id:
        raise SlackError(refusal)
    return message


def _new_files(call: Call) -> list[File]:
    """Find the uploads that an edit attaches."""
    given = call.args.get("file_ids") or []
    if isinstance(given, str):  # with commas or as JSON
        given = call.json("file_ids") if given.startswith("[") else given.split(",")
    wanted: list[object] = given if isinstance(given, list) else [given]
    found = [call.workspace.store.files.get(str(one)) for one in wanted]
    known = [file for file in found if file is not None and file.mimetype]
    if len(known) < len(wanted):
        raise SlackError("file_not_found")
    return known


@method("chat.update", "T3", "chat:write")
def update(call: Call) -> Json:
    """Edit a message of the bot; `text` without `blocks` removes the blocks."""
    message = _own_message(call, "cant_update_message")
    content = read_content(call.workspace, call.args)
    if len(content.text) > UPDATE_TEXT:
        raise SlackError("msg_too_long")
    files = _new_files(call)
    if call.flag("reply_broadcast") and message.thread_ts not in (None, message.ts):
        message.broadcast = True
    message.files += [file.id for file in files if file.id not in message.files]
    for file in files:
        file.shares.setdefault(message.channel, []).append(message.ts)
    replace(call.workspace, message, content)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": message.text,
        "message": render.message(message, call.workspace.store),
    }


@method("chat.delete", "T3", "chat:write")
def delete(call: Call) -> Json:
    """Delete a message of the bot."""
    message = _own_message(call, "cant_delete_message")
    call.workspace.store.delete(message)
    call.workspace.live.change()
    return {"channel": message.channel, "ts": message.ts}


@method("chat.postEphemeral", "T4", "chat:write")
def post_ephemeral(call: Call) -> Json:
    """Show a message to one person; its ts is of no use for chat.update."""
    channel = call.own_channel()
    user = call.need("user")
    if user not in call.workspace.store.people:
        raise SlackError("user_not_found")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    content = read_content(call.workspace, call.args)
    thread_ts = _thread(call, channel)
    message = post(call.workspace, channel.id, content, thread_ts=thread_ts, only_for=user)
    return {"message_ts": message.ts}


@method("chat.getPermalink", "special")
def get_permalink(call: Call) -> Json:
    """Give a link to a message which the page opens."""
    channel = call.channel()
    message = call.workspace.store.message(channel, call.need("message_ts"))
    link = f"{call.workspace.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


@method("reactions.add", "T3", "reactions:write")
def reactions_add(call: Call) -> Json:
    """Add a reaction of the bot."""
    channel = call.own_channel()
    message = call.workspace.store.message(channel, call.need("timestamp"))
    users = message.reactions.setdefault(call.need("name").strip(":"), [])
    if call.workspace.settings.bot_user_id in users:
        raise SlackError("already_reacted")
    users.append(call.workspace.settings.bot_user_id)
    call.workspace.store.changed(message)
    call.workspace.live.change()
    return {}


def use_response_url(call: Call, key: str) -> None:
    """Take one use of a response_url: a new message, or the original changed or deleted."""
    store = call.workspace.store
    answer = store.response_urls.get(key)
    if answer is None or time.monotonic() > answer.expires_at:
        raise SlackError("expired_url")
    if answer.uses_left == 0:
        raise SlackError("used_url")
    channel = store.channels[answer.channel]
    original = channel.messages.get(answer.message_ts or "")
    if call.flag("delete_original"):
        store.use_response_url(key)
        if original is not None:
            store.delete(original)
            call.workspace.live.change()
        return
    content = read_content(call.workspace, call.args)
    store.use_response_url(key)
    if call.flag("replace_original") and original is not None:
        replace(call.workspace, original, content)
        return
    everyone = call.text("response_type") == "in_channel"
    post(
        call.workspace,
        channel.id,
        content,
        thread_ts=_thread(call, channel),
        only_for=None if everyone else answer.user,
    )
