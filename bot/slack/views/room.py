"""How much fits into one message: Slack refuses all of it where the blocks hold too much text."""

from collections.abc import Sequence
from typing import Any, Final

from bot.slack.views.kit import Block

MOST: Final = 12_000
"""Characters of all blocks together; Slack was seen to refuse some 13,200."""


def size(value: Any) -> int:
    """The characters of all texts in a block, a line or several."""
    if isinstance(value, dict):
        own = value.get("text")
        here = len(own) if isinstance(own, str) else 0
        return here + sum(size(inner) for inner in value.values())
    return sum(map(size, value)) if isinstance(value, list | tuple) else 0


def first_of(rows: Sequence[list[Block]], room: int) -> list[list[Block]]:
    """As many of the first rows as there is room for."""
    kept: list[list[Block]] = []
    for row in rows:
        room -= size(row) + 1
        if room < 0:
            break
        kept.append(row)
    return kept


def last_of(rows: Sequence[list[Block]], room: int) -> list[list[Block]]:
    """As many of the last rows as there is room for, in their order."""
    return first_of(rows[::-1], room)[::-1]
