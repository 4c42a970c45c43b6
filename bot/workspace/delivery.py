"""Bringing payloads to the app, by Socket Mode or by signed HTTP requests."""

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import httpx

from bot.workspace.links import Links
from bot.workspace.settings import Settings
from bot.workspace.wire import Json, SlackError

# Socket Mode's name of a delivery, and the retry reasons of the Events API.
COMMAND, INTERACTION, EVENT = "slash_commands", "interactive", "events_api"


def signature(secret: str, timestamp: str, body: str) -> str:
    """Sign a raw body as Slack does."""
    base = f"v0:{timestamp}:{body}".encode()
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class Delivery:
    """Sends one payload and gives what the app acknowledged it with."""

    def __init__(self, settings: Settings, links: Links) -> None:
        self._settings = settings
        self._links = links
        self._client: httpx.AsyncClient | None = None

    async def send(self, kind: str, payload: Json, retry: int = 0, reason: str = "") -> Json:
        """Deliver once; raises `operation_timeout` or `dispatch_failed` as the user sees them."""
        if self._settings.request_urls is not None:
            return await self._send_http(kind, payload, retry, reason)
        again = {"retry_attempt": retry, "retry_reason": reason} if kind == EVENT else {}
        try:
            answer = await self._links.deliver(kind, payload, again)
        except ConnectionError:
            raise SlackError("dispatch_failed") from None
        except TimeoutError:
            raise SlackError("operation_timeout") from None
        return {"text": answer} if isinstance(answer, str) else answer

    async def close(self) -> None:
        """Close the HTTP client, if there is one."""
        if self._client is not None:
            await self._client.aclose()

    async def _send_http(self, kind: str, payload: Json, retry: int, reason: str) -> Json:
        urls = self._settings.request_urls
        assert urls is not None
        url, body, content_type = urls.commands, urlencode(payload), _FORM
        if kind == INTERACTION:
            url, body = urls.interactivity, urlencode({"payload": json.dumps(payload)})
        elif kind == EVENT:
            url, body, content_type = urls.events, json.dumps(payload), "application/json"
        try:
            response = await self._post(url, body, content_type, retry, reason)
        except httpx.TimeoutException:
            raise SlackError("operation_timeout") from None
        except httpx.HTTPError:
            raise SlackError("dispatch_failed") from None
        if response.status_code != httpx.codes.OK:
            raise SlackError("dispatch_failed")
        return _acknowledgement(response.text)

    async def _post(
        self, url: str, body: str, content_type: str, retry: int, reason: str
    ) -> httpx.Response:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._settings.ack_seconds, trust_env=False)
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._settings.signing_secret, timestamp, body),
        }
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        return await self._client.post(url, content=body, headers=headers)


_FORM = "application/x-www-form-urlencoded"


def _acknowledgement(text: str) -> Json:
    """Read the body of an answer: JSON, or the words of a message."""
    if not text.strip():
        return {}
    try:
        answer = json.loads(text)
    except ValueError:
        return {"text": text}
    return answer if isinstance(answer, dict) else {"text": text}
