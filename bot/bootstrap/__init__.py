"""The one place that chooses adapters and connects objects."""

from bot.bootstrap.configuration import Configuration, configure, http_client, redis_url
from bot.bootstrap.engine import Engine, make_engine, new_canary_id, new_owner
from bot.bootstrap.serving import guard, serve

__all__ = [
    "Configuration",
    "Engine",
    "configure",
    "guard",
    "http_client",
    "make_engine",
    "new_canary_id",
    "new_owner",
    "redis_url",
    "serve",
]
