"""Everything one person can see, for the page and for tests."""

from bot.workspace import render
from bot.workspace.core import Workspace
from bot.workspace.store import Message, View
from bot.workspace.wire import Json


def message_for_tests(message: Message, workspace: Workspace) -> Json:
    """Show a message with what only the workspace knows about it."""
    return render.message(message, workspace.store) | {
        "channel": message.channel,
        "edits": message.edits,
        "first_text": message.first_text,
        "ephemeral_for": message.only_for,
        "broadcast": message.broadcast,
    }


def _view(view: View, workspace: Workspace) -> Json:
    return render.view(view, workspace.settings) | {"errors": view.errors}


def snapshot(workspace: Workspace, user: str | None) -> Json:
    """Show the workspace as one person sees it; without a person, all of it."""
    store, settings = workspace.store, workspace.settings
    channels = []
    for channel in store.channels.values():
        if user is not None and channel.im_with not in (None, user):
            continue
        visible = [
            message_for_tests(m, workspace)
            for m in channel.messages.values()
            if user is None or m.only_for in (None, user)
        ]
        channels.append(
            render.channel(channel, settings)
            | {"members": sorted(channel.members), "messages": visible}
        )
    views = {u: [_view(v, workspace) for v in stack] for u, stack in store.stacks.items()}
    homes = {u: _view(v, workspace) for u, v in store.homes.items()}
    return {
        "ok": True,
        "version": workspace.live.version,
        "user": user,
        "team": {"id": settings.team_id, "name": settings.team_name},
        "bot": render.bot_user(settings),
        "users": [render.user(p, settings) for p in store.people.values()],
        "groups": [{**render.group(g, settings), "users": g.users} for g in settings.groups],
        "commands": [c.model_dump() for c in settings.commands],
        "channels": channels,
        "views": [v for stack in views.values() for v in stack]
        if user is None
        else views.get(user, []),
        "home": homes.get(user or ""),
        "homes": homes if user is None else {},
        "notices": workspace.notices[user] if user else [],
        "files": {
            f.id: render.file(f, settings, workspace.base_url) for f in store.files.values()
        },
        "connections": workspace.links.count,
        "counters": workspace.counts.wire(),
    }
