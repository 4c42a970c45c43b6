"""users.* and usergroups.*: people and their groups."""

from bot.workspace import render
from bot.workspace.methods.registry import Call, method
from bot.workspace.wire import Json, SlackError


@method("users.info", "T4", "users:read")
def info(call: Call) -> Json:
    """Describe a person or the bot."""
    settings = call.workspace.settings
    user = call.text("user")
    if user == settings.bot_user_id:
        return {"user": render.bot_user(settings)}
    return {"user": render.user(call.workspace.store.person(user), settings)}


@method("users.list", "T2", "users:read")
def list_(call: Call) -> Json:
    """List everybody."""
    settings = call.workspace.settings
    everybody = [render.user(p, settings) for p in call.workspace.store.people.values()]
    rows, following = call.page([*everybody, render.bot_user(settings)])
    return {"members": rows, "cache_ts": 0, "response_metadata": following}


@method("usergroups.list", "T2", "usergroups:read")
def groups(call: Call) -> Json:
    """List the user groups."""
    settings = call.workspace.settings
    shown = []
    for group in settings.groups:
        entry = render.group(group, settings)
        if call.flag("include_users"):
            entry["users"] = list(group.users)
        shown.append(entry)
    return {"usergroups": shown}


@method("usergroups.users.list", "T2", "usergroups:read")
def group_users(call: Call) -> Json:
    """List who is in a user group."""
    for group in call.workspace.settings.groups:
        if group.id == call.text("usergroup"):
            return {"users": list(group.users)}
    raise SlackError("no_such_subteam")
