"""Strict Block Kit validation: every documented block, element and limit."""

from bot.workspace.blocks.check import check_message, check_view, complete, interactive

__all__ = ["check_message", "check_view", "complete", "interactive"]
