"""A client of Slack's Web API whose calls are counted, by method and by Slack's error."""

import asyncio
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.ports.meters import NO_METERS, Meters
from bot.slack.faults import BROKEN, error_code, retry_after


class CountedClient(AsyncWebClient):
    """The SDK's client; every method of it comes through `api_call`."""

    meters: Meters = NO_METERS

    async def api_call(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        """Call, and count what came of it; a call repeated after a 429 counts once."""
        try:
            answer = await super().api_call(api_method, **arguments)
        except asyncio.CancelledError:
            self.meters.slack_called(api_method, "cancelled")
            raise
        except BROKEN as error:
            limited = "ratelimited" if retry_after(error) is not None else ""
            self.meters.slack_called(api_method, limited or error_code(error) or "unreachable")
            raise
        self.meters.slack_called(api_method, "")
        return answer
