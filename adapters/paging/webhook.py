"""Pages by an HTTP POST to an address of the team's: an on-call service, a relay, another chat.

The body is JSON with a sentence in `text`, which Slack's, Mattermost's and Google Chat's incoming
webhooks show as it is, and the rest as fields for whatever reads them.
"""

import asyncio
from typing import Final

import httpx

from bot.ports import Alarm, PortError

DEADLINE: Final = 10.0
"""Seconds for one attempt."""


class WebhookPager:
    """Posts each alarm; the address is a secret and never shown beyond its host."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        """Take the address.

        Raises:
            PortError: it is no http(s) address.

        """
        try:
            self._url = httpx.URL(url)
        except (httpx.InvalidURL, TypeError, ValueError):
            self._url = httpx.URL()
        if self._url.scheme not in {"http", "https"} or not self._url.host:
            raise PortError(
                "the webhook's address is no http:// or https:// address; correct CANARY_WEBHOOK_URL"
            )
        self._http = http

    async def page(self, alarm: Alarm) -> None:
        """Post it; `key` lets the receiver know the same alarm again.

        Raises:
            PortError: not taken; what, why, and what to do next.

        """
        body = {
            "text": alarm.text,
            "event": "rollback_not_confirmed",
            "key": alarm.key,
            "service": alarm.service,
            "revision": alarm.revision,
            "canary_id": alarm.canary_id,
            "since": alarm.since.isoformat(),
        }
        what = f"The alarm about {alarm.service} was not taken by the webhook at {self._url.host}"
        try:
            async with asyncio.timeout(DEADLINE):
                response = await self._http.post(self._url, json=body)
        except (TimeoutError, httpx.TimeoutException):
            raise PortError(f"{what}: no answer in time. It is tried again.") from None
        except (httpx.HTTPError, UnicodeError, ValueError) as error:
            kind = type(error).__name__
            raise PortError(
                f"{what}: it cannot be reached ({kind}). Check CANARY_WEBHOOK_URL and the network."
            ) from None
        if not response.is_success:
            raise PortError(
                f"{what}: it answered {response.status_code} {response.reason_phrase}. "
                "Check CANARY_WEBHOOK_URL."
            )
