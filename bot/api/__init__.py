"""The pipeline's HTTP API: start a canary, wait for its end, decide about it, freeze."""

from bot.api.app import make_api
from bot.api.server import ApiServer

__all__ = ["ApiServer", "make_api"]
