"""The Web API's methods, one module a family; importing them fills the registry."""

from bot.workspace.methods import chat, conversations, files, people, views
from bot.workspace.methods.registry import METHODS, Call, RateLimitedError

__all__ = [
    "METHODS",
    "Call",
    "RateLimitedError",
    "chat",
    "conversations",
    "files",
    "people",
    "views",
]
