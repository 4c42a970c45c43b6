"""Links to where a person can look further, for the time around a canary."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from bot.core.canary import Canary
from bot.slack.text import clip, name
from bot.slack.views.kit import Block, words

Line = list[Block]

AROUND: Final = timedelta(minutes=5)
"""How much before and after a canary a dashboard shows."""


def further(canary: Canary, until: datetime) -> Line:
    """Where to look on, for the time around the breach."""
    filled = {
        "{service}": quote(canary.service, safe=""),
        "{revision}": quote(canary.revision, safe=""),
        "{from}": str(_milliseconds(canary.created_at - AROUND)),
        "{to}": str(_milliseconds(until + AROUND)),
    }
    line: Line = []
    for dashboard in canary.plan.dashboards:
        url = dashboard.url
        for mark, value in filled.items():
            url = url.replace(mark, value)
        line += [words(" · " if line else "Look further: ")]
        line.append({"type": "link", "url": clip(url, 3000), "text": name(dashboard.name)})
    return line


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
