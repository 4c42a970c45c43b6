"""What was measured, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

HEADINGS: Final = (
    *("live canaries", "edits a minute", "429s", "between two edits of a message"),
    *("an end is shown after", "ends in one moment", "a button's result is shown after"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One row.

    Attributes:
        live, replicas: how many canaries, on how many boards.
        edits: that Slack took in a minute.
        refused: calls that were answered with 429, of all methods, from the first on.
        gaps: seconds between two edits of one message, from its first on.
        ends: seconds until Slack showed an end that came alone.
        together: the same where several came in the same moment.
        clicks: seconds until Slack showed the result of a click.

    """

    live: int
    replicas: int
    edits: float
    refused: int
    gaps: Sequence[float]
    ends: Sequence[float]
    together: Sequence[float]
    clicks: Sequence[float]


def both(seconds: Sequence[float]) -> str:
    """The median and the longest; of one only that; a dash of none."""
    if not seconds:
        return "-"
    longest = f"{max(seconds):.2g}" if max(seconds) < 10 else f"{max(seconds):.0f}"
    if len(seconds) == 1:
        return f"{longest} s"
    middle = median(seconds)
    return f"{middle:.2g} / {longest} s" if middle < 10 else f"{middle:.0f} / {longest} s"


def table(rows: Sequence[Found]) -> str:
    """In Markdown; of times the median and the longest."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
    for row in rows:
        live = f"{row.live}, 2 replicas" if row.replicas > 1 else f"{row.live}"
        moment = f"{both(row.together)} ({len(row.together)})" if row.together else "-"
        cells = (
            *(live, f"{row.edits:.0f}", f"{row.refused}", both(row.gaps), both(row.ends)),
            *(moment, both(row.clicks)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
