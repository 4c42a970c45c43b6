"""What Slack sends to an app: commands, clicks, views and events."""

import time
from dataclasses import dataclass

from bot.workspace import render
from bot.workspace.blocks import interactive
from bot.workspace.core import Workspace
from bot.workspace.elements import initial_value
from bot.workspace.store import Channel, Message, ResponseUrl, View
from bot.workspace.wire import Json, new_id


@dataclass(frozen=True, slots=True)
class Asker:
    """Who does something, and where."""

    user: str
    channel: Channel


def _response_url(workspace: Workspace, asker: Asker, path: str, message: Message | None) -> str:
    settings = workspace.settings
    key = workspace.store.new_response_url(
        ResponseUrl(
            user=asker.user,
            channel=asker.channel.id,
            expires_at=time.monotonic() + settings.response_url_seconds,
            uses_left=settings.response_url_uses,
            message_ts=message.ts if message else None,
            thread_ts=message.thread_ts if message else None,
            ephemeral=message is not None and message.only_for is not None,
        )
    )
    return f"{workspace.base_url}/{key.replace('actions', path, 1)}"


def _user(workspace: Workspace, user: str) -> Json:
    name = workspace.store.person(user).name
    return {"id": user, "username": name, "name": name, "team_id": workspace.settings.team_id}


def _interaction(workspace: Workspace, kind: str, user: str) -> Json:
    return {
        "type": kind,
        "user": _user(workspace, user),
        "api_app_id": workspace.settings.app_id,
        "token": workspace.settings.verification_token,
        "team": render.team(workspace.settings),
        "enterprise": None,
        "is_enterprise_install": False,
    }


def command(workspace: Workspace, asker: Asker, name: str, text: str) -> Json:
    """Describe a slash command."""
    settings = workspace.settings
    channel = asker.channel
    return {
        "token": settings.verification_token,
        "team_id": settings.team_id,
        "team_domain": settings.team_domain,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.im_with else channel.name,
        "user_id": asker.user,
        "user_name": workspace.store.person(asker.user).name,
        "command": name,
        "text": text,
        "api_app_id": settings.app_id,
        "is_enterprise_install": "false",
        "response_url": _response_url(workspace, asker, "commands", None),
        "trigger_id": workspace.store.new_trigger(asker.user),
    }


def _message_state(message: Message, action: Json) -> Json:
    """Give the state of a message's menus and inputs, with what was just chosen."""
    values: Json = {}
    for block_id, element in interactive(message.blocks):
        state = initial_value(element)
        if state is None:
            continue
        if (block_id, element["action_id"]) == (action["block_id"], action["action_id"]):
            state = {name: action.get(name) for name in state}
        values.setdefault(block_id, {})[element["action_id"]] = state
    return {"values": values}


def message_action(workspace: Workspace, asker: Asker, message: Message, action: Json) -> Json:
    """Describe a click on a message; an ephemeral one is not shown to the app again."""
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.only_for is not None,
    }
    if message.thread_ts is not None and message.thread_ts != message.ts:
        container["thread_ts"] = message.thread_ts
    channel = asker.channel
    payload = {
        **_interaction(workspace, "block_actions", asker.user),
        "container": container,
        "trigger_id": workspace.store.new_trigger(asker.user),
        "channel": {
            "id": channel.id,
            "name": "directmessage" if channel.im_with else channel.name,
        },
        "state": _message_state(message, action),
        "response_url": _response_url(workspace, asker, "actions", message),
        "actions": [action],
    }
    if message.only_for is None:
        payload["message"] = render.message(message, workspace.store)
    return payload


def view_action(workspace: Workspace, view: View, action: Json) -> Json:
    """Describe a click in a modal or a home tab."""
    return {
        **_interaction(workspace, "block_actions", view.user),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": workspace.store.new_trigger(view.user, view.id),
        "view": render.view(view, workspace.settings),
        "actions": [action],
    }


def suggestion(
    workspace: Workspace,
    user: str,
    place: tuple[str, str],
    words: str,
    where: View | Message,
) -> Json:
    """Describe that somebody types into an external select; `place` is block and action."""
    payload = {
        **_interaction(workspace, "block_suggestion", user),
        "action_id": place[1],
        "block_id": place[0],
        "value": words,
    }
    if isinstance(where, View):
        shown = render.view(where, workspace.settings)
        return payload | {"container": {"type": "view", "view_id": where.id}, "view": shown}
    channel = workspace.store.channels[where.channel]
    name = "directmessage" if channel.im_with else channel.name
    return payload | {
        "container": {
            "type": "message",
            "message_ts": where.ts,
            "channel_id": where.channel,
            "is_ephemeral": where.only_for is not None,
        },
        "channel": {"id": channel.id, "name": name},
        "message": render.message(where, workspace.store),
    }


def submission(workspace: Workspace, view: View) -> Json:
    """Describe the submission of a modal."""
    return {
        **_interaction(workspace, "view_submission", view.user),
        "trigger_id": workspace.store.new_trigger(view.user, view.id),
        "view": render.view(view, workspace.settings),
        "response_urls": [],
    }


def closed(workspace: Workspace, view: View, *, cleared: bool) -> Json:
    """Describe that a modal was closed without being submitted."""
    return {
        **_interaction(workspace, "view_closed", view.user),
        "view": render.view(view, workspace.settings),
        "is_cleared": cleared,
    }


def home_opened(workspace: Workspace, user: str) -> Json:
    """Describe that somebody opened the app's home tab."""
    settings = workspace.settings
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": workspace.store.direct(user).id,
        "tab": "home",
        "event_ts": workspace.store.clock.next(),
    }
    home = workspace.store.homes.get(user)
    if home is not None:
        event["view"] = render.view(home, settings)
    return {
        "token": settings.verification_token,
        "team_id": settings.team_id,
        "api_app_id": settings.app_id,
        "type": "event_callback",
        "event": event,
        "event_id": new_id("Ev"),
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": settings.team_id,
                "user_id": settings.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }
