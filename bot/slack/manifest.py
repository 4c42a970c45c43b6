"""The Slack app's manifest: what to paste at api.slack.com to make the app, least scopes only."""

from typing import Any, Final

import yaml

from bot.slack.checkup import SCOPES

MANIFEST: Final[dict[str, Any]] = {
    "_metadata": {"major_version": 1, "minor_version": 1},
    "display_information": {
        "name": "canarybot",
        "description": "Start, watch, approve and abort canary deploys",
        "background_color": "#1d3557",
    },
    "features": {
        "app_home": {
            "home_tab_enabled": False,
            "messages_tab_enabled": False,
            "messages_tab_read_only_enabled": True,
        },
        "bot_user": {"display_name": "canary", "always_online": True},
        "slash_commands": [
            {
                "command": "/canary",
                "description": "Canary deploys",
                "usage_hint": "start <service> <revision> | status | list | abort | approve | help",
                "should_escape": True,
            }
        ],
    },
    "oauth_config": {"scopes": {"bot": list(SCOPES)}},
    "settings": {
        "interactivity": {"is_enabled": True},
        "org_deploy_enabled": False,
        "socket_mode_enabled": True,
        "token_rotation_enabled": False,
    },
}


def manifest() -> str:
    """The manifest as YAML."""
    return yaml.safe_dump(MANIFEST, sort_keys=False, width=100)
