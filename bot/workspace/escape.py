"""What Slack makes of the words a person types."""

import re

from bot.workspace.store import Store

_MENTION = re.compile(r"(?<![\w<])([@#])([a-z0-9][\w.-]*)")
_URL = re.compile(r"(?<![\w<|])https?://[^\s<>|]+")


def plain(text: str) -> str:
    """Escape the three characters that mean something in mrkdwn."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def typed(text: str, store: Store, *, named: bool) -> str:
    """Turn @name, #channel and URLs into links; `named` adds the name as commands have it."""

    def mention(match: re.Match[str]) -> str:
        sign, name = match.groups()
        found = _find(store, sign, name.rstrip("."))
        if found is None:
            return match.group(0)
        key, rest = found, name[len(name.rstrip(".")) :]
        return f"<{key}|{name.rstrip('.')}>{rest}" if named else f"<{key}>{rest}"

    linked = _URL.sub(lambda m: f"<{m.group(0)}>", plain(text))
    return _MENTION.sub(mention, linked)


def _find(store: Store, sign: str, name: str) -> str | None:
    if sign == "#":
        ids = [c.id for c in store.channels.values() if c.im_with is None and c.name == name]
        return f"#{ids[0]}" if ids else None
    if name in ("here", "channel", "everyone"):
        return f"!{name}"
    if name == store.settings.bot_name:
        return f"@{store.settings.bot_user_id}"
    people = [p.id for p in store.people.values() if p.name == name]
    groups = [g.id for g in store.settings.groups if g.handle == name]
    if people:
        return f"@{people[0]}"
    return f"!subteam^{groups[0]}" if groups else None
