"""What Slack's error codes mean: why it happened and what to do next, in plain words."""

import asyncio
from typing import Final

import aiohttp
from slack_sdk.errors import SlackApiError

RATE_LIMITED: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
MESSAGE_GONE: Final = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"}
)
"""This message will never be edited again; trying on would only cost rate limit."""

KEPT_OUT: Final = frozenset({"is_archived", "not_in_channel"})
"""The message is there, and only a person can let the bot edit it again."""

BAD_BLOCKS: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
BROKEN: Final = (SlackApiError, aiohttp.ClientError, OSError, asyncio.TimeoutError, ValueError)
"""What a call of Slack can fail with; ValueError for an answer that is no JSON."""

_MEANING: Final = {
    "not_in_channel": "the bot is not in that channel. Invite it there: /invite @canary",
    "channel_not_found": (
        "there is no such channel, or it is private and the bot is not in it. "
        "Check the channel id in the configuration, then /invite @canary there"
    ),
    "is_archived": "the channel is archived. Configure another channel for the service",
    "restricted_action": "a workspace setting keeps the bot from posting there. Ask an admin",
    "invalid_auth": "Slack does not know the bot token. Set a valid xoxb- token and restart",
    "not_authed": "no bot token is configured. Set an xoxb- token and restart",
    "token_revoked": "the bot token was revoked. Reinstall the app and set its new token",
    "token_expired": "the bot token has expired. Set a new one and restart",
    "account_inactive": "the app was uninstalled or disabled. Reinstall it in the workspace",
    "missing_scope": "the app lacks a scope. Compare its scopes with the manifest and reinstall",
    "messages_tab_disabled": "the app takes no direct messages. Compare it with the manifest",
    "thread_not_found": "the canary's message was deleted",
    "msg_blocks_too_long": "the message is too long for Slack. Please report this",
    "invalid_blocks": "Slack does not take the message's layout. Please report this",
    "service_unavailable": "Slack is unavailable. It is tried again",
    "internal_error": "Slack has an internal error. It is tried again",
    "fatal_error": "Slack has an internal error. It is tried again",
    "no_such_subteam": "there is no such user group. Check the approvers in the configuration",
    "plan_upgrade_required": "user groups need a paid Slack plan. Name approvers by user id",
}
_FOR_GOOD: Final = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"}
)


def error_code(error: BaseException) -> str:
    """Slack's own code for it, or nothing where Slack did not answer, or with a page of text."""
    if not isinstance(error, SlackApiError):
        return ""
    told = getattr(error.response, "data", error.response)
    return str(told.get("error") or "") if isinstance(told, dict) else ""


def retry_after(error: BaseException) -> float | None:
    """Seconds to wait, where Slack said that it is too much; else None."""
    if not isinstance(error, SlackApiError):
        return None
    status = getattr(error.response, "status_code", None)
    if status != 429 and error_code(error) not in RATE_LIMITED:
        return None
    headers = getattr(error.response, "headers", None) or {}
    value = next((v for k, v in headers.items() if k.lower() == "retry-after"), "30")
    value = value[0] if isinstance(value, list) else value
    return float(value) if str(value).isdigit() else 30.0


def is_setup(error: BaseException) -> bool:
    """Whether only a person can mend it, so that trying often is of no use."""
    return error_code(error) in _FOR_GOOD


def explain(what: str, error: BaseException) -> str:
    """What was not done, why, and what to do next."""
    wait = retry_after(error)
    if wait is not None:
        return f"{what}: Slack asks to wait {wait:.0f} s. It can be tried again then."
    code = error_code(error)
    if code:
        return f"{what}: {_MEANING.get(code, 'Slack refused it')} ({code})."
    reason = str(error) or type(error).__name__
    return f"{what}: Slack cannot be reached ({reason}). Check the network; it can be tried again."
