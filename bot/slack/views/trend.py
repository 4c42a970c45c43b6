"""How both arms did lately, as lines of small bars: enough to see which way it goes."""

from collections.abc import Sequence
from typing import Final

from bot.core.trend import Point, Trend
from bot.slack.text import latency, percent
from bot.slack.views.kit import Block, strong, words

BARS: Final = "▁▂▃▄▅▆▇█"
GAP: Final = "·"
FEWEST: Final = 3
"""Points below which there is nothing to be seen."""

Values = Sequence[float | None]


def trend_lines(trend: Trend) -> list[list[Block]]:
    """Errors and the 95th percentile over time, canary beside stable on one scale."""
    if len(trend.points) < FEWEST:
        return []
    errors = [[_rate(point, arm) for point in trend.points] for arm in (0, 1)]
    slow = [[point.p95[arm] for point in trend.points] for arm in (0, 1)]
    lines = [_line("Errors", errors, least=0.01)]
    if any(value is not None for values in slow for value in values):
        lines.append(_line("p95", slow, least=0.0))
    return lines


def _rate(point: Point, arm: int) -> float | None:
    return point.errors[arm] / point.requests[arm] if point.requests[arm] else None


def _line(label: str, arms: Sequence[Values], least: float) -> list[Block]:
    seen = [value for values in arms for value in values if value is not None]
    top = max([least, *seen])
    written = percent(top) if label == "Errors" else latency(top)
    canary, stable = (sparkline(values, top) for values in arms)
    return [
        strong(f"{label} "),
        words("canary "),
        bars(canary),
        words(" stable "),
        bars(stable),
        words(f" (full bar: {written})"),
    ]


def sparkline(values: Values, top: float) -> str:
    """One character a value, the highest bar at `top`; a dot where nothing was seen."""
    last = len(BARS) - 1
    return "".join(
        GAP if value is None else BARS[min(last, round(value / top * last) if top > 0 else 0)]
        for value in values
    )


def bars(text: str) -> Block:
    """In letters of one width, so that both arms line up."""
    return {"type": "text", "text": text or GAP, "style": {"code": True}}
