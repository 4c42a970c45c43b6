"""Private answers: by the response_url, else as an ephemeral message, else as a direct one."""

from typing import Any, Final

import structlog
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.faults import BROKEN, error_code
from bot.slack.limiter import Limiter, Priority, TooLong
from bot.slack.permissions import Visit
from bot.slack.views.kit import Message

PATIENCE: Final = 10.0
TIMEOUT: Final = 10

_log = structlog.get_logger()


class Replies:
    """Tells one person something; never fails, since there is nobody left to tell."""

    def __init__(self, client: Any, limiter: Limiter) -> None:
        self._client = client
        self._limiter = limiter

    async def privately(self, visit: Visit, message: Message) -> bool:
        """Whether the person could be told."""
        if visit.response_url and await self._respond(visit, message, "ephemeral"):
            return True
        if not visit.user_id:
            return False
        if visit.channel and await self._call("chat.postEphemeral", visit, message):
            return True
        return await self._call("chat.postMessage", visit, message)

    async def in_public(self, visit: Visit, message: Message) -> bool:
        """Tell the whole channel in which something was asked; where that fails, the person.

        Whether it was told at all.
        """
        if visit.response_url and await self._respond(visit, message, "in_channel"):
            return True
        return await self.privately(visit, message)

    async def _respond(self, visit: Visit, message: Message, kind: str) -> bool:
        webhook = AsyncWebhookClient(visit.response_url, timeout=TIMEOUT)
        webhook.proxy = self._client.proxy  # never another than the client's own
        body = {
            "text": message.text,
            "blocks": message.blocks,
            "response_type": kind,
            "replace_original": False,
        }
        try:
            answer = await webhook.send_dict(body)
        except BROKEN as error:
            _log.warning("slack.reply.failed", by="response_url", error=str(error))
            return False
        if answer.status_code != 200:
            _log.warning("slack.reply.failed", by="response_url", error=answer.body)
        return answer.status_code == 200

    async def _call(self, method: str, visit: Visit, message: Message) -> bool:
        content: dict[str, Any] = {"text": message.text, "blocks": message.blocks}
        try:
            if method == "chat.postEphemeral":
                await self._limiter.take(method, None, Priority.URGENT, PATIENCE)
                await self._client.chat_postEphemeral(
                    channel=visit.channel, user=visit.user_id, **content
                )
            else:
                await self._limiter.take(method, visit.user_id, Priority.NORMAL, PATIENCE)
                await self._client.chat_postMessage(channel=visit.user_id, **content)
        except TooLong as error:
            _log.warning("slack.reply.failed", by=method, error=str(error))
            return False
        except BROKEN as error:
            _log.warning("slack.reply.failed", by=method, error=error_code(error) or str(error))
            return False
        return True
