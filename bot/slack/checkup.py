"""Whether a Slack app is set up as the bot needs it: tokens, scopes, Socket Mode, channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

SCOPES: Final = (
    "commands",
    "chat:write",
    "files:write",
    "files:read",
    "usergroups:read",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
)
"""What the bot may do, and nothing more.

It reads who is in a channel where its members are the approvers, and what stands in one only to
find its own messages again.
"""

WHAT_TO_DO: Final = {
    "invalid_auth": "the token is not valid (any more): copy it again from the app's page",
    "not_authed": "the token is empty",
    "account_inactive": "the app was removed from the workspace: install it again",
    "token_revoked": "the token was revoked: install the app again",
    "missing_scope": "a scope is missing: compare the app with `canary manifest`, install it again",
    "not_in_channel": "the bot is not in this channel: /invite it there",
    "channel_not_found": "there is no such channel, or it is private and the bot is not in it",
    "is_archived": "the channel is archived",
    "not_allowed_token_type": "this is another kind of token: xapp-… is wanted for Socket Mode",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that was asked of Slack: what, whether it works, and what was found or to do."""

    what: str
    ok: bool
    text: str


async def check_slack(
    bot_token: str, app_token: str | None, api_url: str, channels: Sequence[str]
) -> tuple[Answer, ...]:
    """Ask Slack about the tokens; send a message to each of `channels` and delete it again.

    Args:
        bot_token: xoxb-…
        app_token: xapp-…, or None in HTTP mode, of which Slack cannot be asked anything.
        api_url: Slack's or a local workspace's API.
        channels: ids; none sends nothing.

    """
    client = AsyncWebClient(token=bot_token, base_url=api_url, timeout=8)
    answers = [await _identity(client)]
    if app_token is not None:
        answers.append(await _socket_mode(client, app_token))
    if answers[0].ok:
        answers += [await _channel(client, channel) for channel in channels]
    return tuple(answers)


async def _identity(client: AsyncWebClient) -> Answer:
    try:
        found = await client.auth_test()
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
        return Answer("bot token", ok=False, text=_sentence(error, client.base_url))
    headers: Any = found.headers or {}
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")} - {""}
    missing = [scope for scope in SCOPES if scope not in granted] if granted else []
    if missing:
        text = f"{WHAT_TO_DO['missing_scope']} (missing: {', '.join(missing)})"
        return Answer("bot token", ok=False, text=text)
    return Answer("bot token", ok=True, text=f"@{found['user']} in {found['team']}")


async def _socket_mode(client: AsyncWebClient, app_token: str) -> Answer:
    try:
        await client.apps_connections_open(app_token=app_token)
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
        return Answer("app token", ok=False, text=_sentence(error, client.base_url))
    return Answer("app token", ok=True, text="Socket Mode can be opened")


async def _channel(client: AsyncWebClient, channel: str) -> Answer:
    what = f"channel {channel}"
    try:
        posted = await client.chat_postMessage(
            channel=channel, text="canarybot checks whether it may post here."
        )
        await client.chat_delete(channel=posted["channel"], ts=posted["ts"])
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
        return Answer(what, ok=False, text=_sentence(error, client.base_url))
    return Answer(what, ok=True, text="posted and deleted a message")


def _sentence(error: Exception, where: str) -> str:
    if isinstance(error, SlackApiError):
        name = str(error.response.get("error", "no error name"))
        return f"{name}: {WHAT_TO_DO.get(name, 'see the method page of Slack for this error')}"
    return (
        f"{where} cannot be reached ({type(error).__name__}): check SLACK_API_URL and the network"
    )
