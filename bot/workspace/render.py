"""Things of the workspace as the Web API shows them."""

from bot.workspace.settings import Person, Settings, UserGroup
from bot.workspace.store import SLACKBOT, Channel, File, Message, Store, View
from bot.workspace.wire import Json


def team(settings: Settings) -> Json:
    """Show the team as interaction payloads name it."""
    return {"id": settings.team_id, "domain": settings.team_domain}


def bot_profile(settings: Settings) -> Json:
    """Show who is behind a bot message."""
    return {
        "id": settings.bot_id,
        "app_id": settings.app_id,
        "user_id": settings.bot_user_id,
        "name": settings.bot_name,
        "team_id": settings.team_id,
        "deleted": False,
    }


def user(person: Person, settings: Settings) -> Json:
    """Show a person."""
    return {
        "id": person.id,
        "team_id": settings.team_id,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": False,
        "color": person.color,
        "tz": person.tz,
        "is_admin": person.is_admin,
        "is_owner": False,
        "is_bot": False,
        "is_app_user": False,
        "profile": {
            "real_name": person.real_name,
            "display_name": person.name,
            "title": person.title,
            "team": settings.team_id,
        },
    }


def bot_user(settings: Settings) -> Json:
    """Show the bot's own user."""
    return {
        "id": settings.bot_user_id,
        "team_id": settings.team_id,
        "name": settings.bot_name,
        "real_name": settings.bot_name,
        "deleted": False,
        "is_bot": True,
        "is_app_user": False,
        "profile": {
            "real_name": settings.bot_name,
            "display_name": settings.bot_name,
            "bot_id": settings.bot_id,
            "api_app_id": settings.app_id,
            "team": settings.team_id,
        },
    }


def channel(found: Channel, settings: Settings) -> Json:
    """Show a channel or a direct message."""
    if found.im_with is not None:
        return {"id": found.id, "is_im": True, "is_channel": False, "user": found.im_with}
    return {
        "id": found.id,
        "name": found.name,
        "name_normalized": found.name,
        "is_channel": True,
        "is_im": False,
        "is_private": False,
        "is_archived": False,
        "is_member": settings.bot_user_id in found.members,
        "num_members": len(found.members),
        "topic": {"value": found.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "context_team_id": settings.team_id,
    }


def message(found: Message, store: Store) -> Json:
    """Show a message, as part of its channel."""
    settings = store.settings
    shown: Json = {
        "type": "message",
        "user": found.user,
        "ts": found.ts,
        "text": found.text,
        "team": settings.team_id,
    }
    if found.user == settings.bot_user_id:
        shown |= {
            "bot_id": settings.bot_id,
            "app_id": settings.app_id,
            "bot_profile": bot_profile(settings),
        }
    if found.user == SLACKBOT:
        shown["subtype"] = "bot_message"
    if found.blocks is not None:
        shown["blocks"] = found.blocks
    if found.metadata is not None:
        shown["metadata"] = found.metadata
    if found.files:
        shown["files"] = [file(store.files[f], settings, "") for f in found.files]
    if found.edited_at is not None:
        shown["edited"] = {"user": found.user, "ts": found.edited_at}
    if found.reactions:
        shown["reactions"] = [
            {"name": name, "users": users, "count": len(users)}
            for name, users in found.reactions.items()
        ]
    if found.only_for is not None:
        shown["is_ephemeral"] = True
    return shown | _thread(found, store)


def _thread(found: Message, store: Store) -> Json:
    channel_of = store.channels[found.channel]
    if found.thread_ts is not None and found.thread_ts != found.ts:
        shown: Json = {"thread_ts": found.thread_ts}
        root = channel_of.messages.get(found.thread_ts)
        if root is not None:
            shown["parent_user_id"] = root.user
        if found.broadcast:
            shown["subtype"] = "thread_broadcast"
        return shown
    replies = channel_of.replies(found.ts)
    if not replies:
        return {}
    return {
        "thread_ts": found.ts,
        "reply_count": len(replies),
        "reply_users": list(dict.fromkeys(r.user for r in replies)),
        "reply_users_count": len({r.user for r in replies}),
        "latest_reply": replies[-1].ts,
    }


def file(found: File, settings: Settings, base_url: str) -> Json:
    """Show an upload; before it is processed its type is empty."""
    shown: Json = {
        "id": found.id,
        "name": found.name,
        "title": found.title or found.name,
        "mimetype": found.mimetype,
        "filetype": found.mimetype.partition("/")[2],
        "size": found.length,
        "user": settings.bot_user_id,
        "user_team": settings.team_id,
        "mode": "hosted",
        "is_external": False,
        "is_public": bool(found.shares),
        "url_private": f"{base_url}/files/{settings.team_id}-{found.id}/{found.name}",
        "permalink": f"{base_url}/files/{settings.team_id}-{found.id}/{found.name}",
        "channels": list(found.shares),
        "shares": {"public": {c: [{"ts": ts} for ts in all_] for c, all_ in found.shares.items()}},
    }
    if found.alt_text:
        shown["alt_txt"] = found.alt_text
    return shown


def view(found: View, settings: Settings) -> Json:
    """Show a modal or a home tab."""
    body = {k: v for k, v in found.body.items() if v is not None}
    return {
        "id": found.id,
        "team_id": settings.team_id,
        "private_metadata": "",
        "callback_id": "",
        "title": None,
        "close": None,
        "submit": None,
        "clear_on_close": False,
        "notify_on_close": False,
        "external_id": "",
        **body,
        "state": {"values": found.values},
        "hash": found.hash,
        "root_view_id": found.root,
        "previous_view_id": found.previous,
        "app_id": settings.app_id,
        "app_installed_team_id": settings.team_id,
        "bot_id": settings.bot_id,
    }


def group(found: UserGroup, settings: Settings) -> Json:
    """Show a user group."""
    return {
        "id": found.id,
        "team_id": settings.team_id,
        "is_usergroup": True,
        "handle": found.handle,
        "name": found.name,
        "description": "",
        "date_delete": 0,
        "user_count": len(found.users),
    }
