"""The registry of methods: each with its tier, its scope and its token."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.workspace.core import Workspace
from bot.workspace.posting import parsed
from bot.workspace.store import Channel
from bot.workspace.wire import Json, SlackError

PAGE = 100


class RateLimitedError(Exception):
    """A call was one too many; `seconds` is what Retry-After says."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method with its arguments, from a form or from JSON."""

    workspace: Workspace
    args: Json

    def text(self, name: str, default: str = "") -> str:
        """Give an argument as a string."""
        value = self.args.get(name)
        return default if value is None else str(value)

    def need(self, name: str) -> str:
        """Give an argument that must be there."""
        value = self.text(name)
        if not value:
            raise SlackError("invalid_arguments", [f"missing required field: {name}"])
        return value

    def flag(self, name: str) -> bool:
        """Give a yes or no, as JSON or as a form writes it."""
        return self.text(name).lower() in ("true", "1")

    def number(self, name: str, default: int) -> int:
        """Give a whole number."""
        try:
            return int(self.text(name) or default)
        except ValueError:
            raise SlackError("invalid_arguments", [f"{name} must be an integer"]) from None

    def json(self, name: str, error: str = "invalid_arguments") -> Any:
        """Give a structure, as JSON or as JSON within a form."""
        return parsed(self.args.get(name), error)

    def channel(self, name: str = "channel") -> Channel:
        """Find the channel that is meant."""
        return self.workspace.store.channel(self.text(name))

    def own_channel(self) -> Channel:
        """Find the channel that is meant; the bot must be in it."""
        channel = self.channel()
        if self.workspace.settings.bot_user_id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def page(self, rows: list[Any], most: int = 1000) -> tuple[list[Any], Json]:
        """Cut one page out of rows; the cursor is the place of the next row."""
        limit = min(max(1, self.number("limit", PAGE)), most)
        cursor = self.text("cursor")
        if cursor and not cursor.isdigit():
            raise SlackError("invalid_cursor")
        start = int(cursor or 0)
        following = str(start + limit) if start + limit < len(rows) else ""
        return rows[start : start + limit], {"next_cursor": following}


Handler = Callable[[Call], Json]


@dataclass(frozen=True, slots=True)
class Method:
    """How a method is called."""

    handler: Handler
    tier: str
    scope: str | None
    caller: str | None


METHODS: dict[str, Method] = {}


def method(
    name: str, tier: str, scope: str | None = None, caller: str | None = "bot"
) -> Callable[[Handler], Handler]:
    """Register the function below as a method of the Web API."""

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(handler, tier, scope, caller)
        return handler

    return register
