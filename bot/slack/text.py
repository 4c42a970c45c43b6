"""Words and numbers for people: cleaned, clipped, escaped, and rounded as one would say them."""

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Final

_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPACES: Final = re.compile(r"\s+")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that show nothing or turn the text around them (U+202E and its like)."""

_JOINER: Final = "\N{ZERO WIDTH JOINER}"
"""Kept: it makes one emoji of several, and letters in some scripts."""


def clean(value: str) -> str:
    """One line of visible characters; what cannot be seen, or turns the line around, is dropped."""
    flat = _SPACES.sub(" ", value)
    shown = (c for c in flat if c == _JOINER or unicodedata.category(c) not in _INVISIBLE)
    return "".join(shown).strip()


def clip(value: str, longest: int) -> str:
    """At most `longest` characters, the last one an ellipsis where something was cut."""
    return value if len(value) <= longest else value[: longest - 1].rstrip() + "…"


def escaped(value: str, longest: int = 300) -> str:
    """Text from outside for a field that Slack reads as mrkdwn, `text` included.

    At most `longest` characters once escaped; an escape is never cut in two.
    """
    pieces: list[str] = []
    room = longest
    for char in clean(value):
        piece = _ESCAPES.get(char, char)
        if len(piece) > room - 1:
            return "".join(pieces) + "…"
        pieces.append(piece)
        room -= len(piece)
    return "".join(pieces)


def name(value: str, longest: int = 60) -> str:
    """A service, revision or person as plain text, on one line, never empty."""
    return clip(clean(value), longest) or "?"


def percent(rate: float) -> str:
    """A rate such as 0.0052 as `0.52 %`."""
    value = rate * 100
    if value == 0:
        return "0 %"
    if value < 0.01:
        return "<0.01 %"
    if value < 10:
        return f"{value:.2f} %"
    return f"{value:.1f} %" if value < 99.95 else "100 %"


def latency(seconds: float) -> str:
    """Seconds as `81 ms` or `1.2 s`."""
    if seconds < 0.01:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:,.0f} s"


def times(ratio: float) -> str:
    """A ratio as `1.6x`, `14x`."""
    if ratio < 0.05:
        return "0x"
    if ratio >= 1000:
        return ">1,000x"
    return f"{ratio:.1f}x" if ratio < 10 else f"{ratio:.0f}x"


def duration(span: timedelta) -> str:
    """A span as one would say it: `30 ms`, `0.4 s`, `45 s`, `20 min`, `1 h 5 min`."""
    seconds = max(0.0, span.total_seconds())
    if 0 < seconds < 0.095:
        return f"{max(1, round(seconds * 1000))} ms"
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{round(hours / 24)} days"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def clock_time(at: datetime) -> str:
    """For readers that know no time zone: `12:20 UTC`."""
    return f"{at:%H:%M} UTC"


def bar(share: float, cells: int = 10) -> str:
    """A bar of `cells` characters, full at 1."""
    full = round(max(0.0, min(1.0, share)) * cells)
    return "▰" * full + "▱" * (cells - full)


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 request`, `1,234 requests`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
