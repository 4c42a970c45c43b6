"""The Slack app's manifest: what to paste at api.slack.com to make the app, least scopes only."""

from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from bot.slack.checkup import SCOPES
from bot.slack.http import PATH

EVENTS: Final = ("app_home_opened",)

_USAGE: Final = "start | status | list | history | why | approve | abort | help"


def request_url(address: str) -> str:
    """The one address Slack calls in HTTP mode, from where the bot can be reached.

    Args:
        address: https://host, with a path if a proxy adds one; the path that the bot takes
            requests at may be there or not.

    Raises:
        ValueError: one sentence that says what would be right.

    """
    parts = urlsplit(address.strip())
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(
            f"{address!r} cannot be called by Slack: give an address that begins with https://, "
            "for example https://canary.example.com"
        )
    return f"https://{parts.netloc}{parts.path.rstrip('/').removesuffix(PATH)}{PATH}"


def manifest(address: str = "") -> str:
    """The manifest as YAML: for Socket Mode, or with an address for HTTP mode.

    Raises:
        ValueError: the address cannot be called by Slack.

    """
    url = request_url(address) if address else ""
    return yaml.safe_dump(_manifest(url), sort_keys=False, width=100)


def _manifest(url: str) -> dict[str, Any]:
    called = {"request_url": url} if url else {}
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "canarybot",
            "description": "Start, watch, approve and abort canary deploys",
            "background_color": "#1d3557",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "canary", "always_online": True},
            "slash_commands": [
                {
                    "command": "/canary",
                    **({"url": url} if url else {}),
                    "description": "Canary deploys",
                    "usage_hint": _USAGE,
                    "should_escape": True,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**called, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **called},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }
