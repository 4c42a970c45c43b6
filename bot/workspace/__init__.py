"""A small but strict local Slack: it knows Slack's wire format and nothing of the bot."""

from bot.workspace.app import create_app
from bot.workspace.runner import RunningWorkspace, running_workspace
from bot.workspace.settings import Settings, read_settings

__all__ = ["RunningWorkspace", "Settings", "create_app", "read_settings", "running_workspace"]
