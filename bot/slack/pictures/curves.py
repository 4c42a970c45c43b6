"""One panel of a canary's picture: both arms over the window, what they are held to, their names."""

import math
from typing import TYPE_CHECKING, Any, Final

from bot.slack.pictures.captions import spoken
from bot.slack.text import clip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

Json = dict[str, Any]

WIDE: Final = 1080
"""Pixels: three for each of a phone's 360, so that 8 points are 9 pixels there."""

DPI: Final = 240
LEFT, RIGHT = 150, 265
SMALL_MEASURES: Final = frozenset({"a minute", "down", "restarts"})

CARD, FRAME, INK, FAINT = "#14181e", "#56606c", "#f0f3f6", "#aab4bf"
CANARY, STABLE, LIMIT = "#ffa53d", "#6cb6ff", "#e6e9ed"
GOOD, BAD, GRID = "#7fc8ff", "#ffb65c", "#2b323b"
"""Blue and orange are told apart whatever one's eyes; nothing is said by colour alone."""

OUT_OF_SIGHT: Final = 3.0
"""A limit further above the highest value than this is told and not drawn."""


def is_quiet(panel: Json) -> bool:
    """Whether nothing at all happened that such a panel could show."""
    return panel["measure"] in SMALL_MEASURES and not any(
        value for point in panel["points"] for value in point[2:]
    )


def scale(axes: "Axes", until: float) -> None:
    """The same time on every panel."""
    axes.set_xlim(0, max(until, 1e-3))


def text_width(text: "Text") -> float:
    """In pixels."""
    return float(text.get_window_extent().width)


def fit(text: "Text", room: float, smallest: float = 8.5) -> None:
    """Smaller, then shorter, until it is no wider than this many pixels."""
    size = float(text.get_fontsize())
    while text_width(text) > room and size > smallest:
        size -= 0.5
        text.set_fontsize(size)
    while text_width(text) > room and len(text.get_text()) > 1:
        text.set_text(clip(text.get_text(), len(text.get_text()) - 1))


def draw_panel(axes: "Axes", panel: Json, until: float) -> None:
    """Draw one indicator.

    Args:
        axes: as large as it is to be.
        panel: one of those in `bot.slack.pictures.captions.drawn`.
        until: end of the time axis, in minutes.

    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    measure, points = panel["measure"], panel["points"]
    scale(axes, until)
    values = [v for point in points for v in point[2:] if v is not None]
    least = {"rate": 0.002, "seconds": 0.001}.get(measure, 1.0)
    highest = max([least, *values])
    limit = panel["limit"]
    near = limit is not None and limit <= OUT_OF_SIGHT * highest
    axes.set_ylim(0, max(1.12 * highest, 1.22 * limit if near else 0.0))  # room for its name
    small = measure in SMALL_MEASURES
    axes.yaxis.set_major_locator(MaxNLocator(2 if small else 3, integer=small))
    if is_quiet(panel):
        axes.set_yticks([])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(measure, value)))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    _heading(axes, panel)
    if near:
        axes.axhline(limit, color=LIMIT, linewidth=1.1, dashes=(5, 3), zorder=2)
    if limit is not None:
        _limit(axes, limit, measure, near=near)
    stable = _line(axes, points, 3, STABLE, measure)
    canary = _line(axes, points, 2, CANARY, measure)
    _ends(axes, [("canary", canary, CANARY), ("stable", stable, STABLE)], measure)


def _tick(measure: Any, value: float) -> str:
    if measure == "rate":
        return f"{100 * value:g} %"
    if measure == "seconds":
        return f"{1000 * value:g} ms" if value < 1 else f"{value:g} s"
    return f"{value:g}"


def _heading(axes: "Axes", panel: Json) -> None:
    place: Json = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    words = panel["name"] + (" ✕ breached" if panel["breached"] else "")
    color = BAD if panel["breached"] else INK
    heading = axes.annotate(
        words, (0, 1), xytext=(0, 4.5), size=9.5, weight="bold", color=color, **place
    )
    if panel["note"]:
        used = text_width(heading)
        note = axes.annotate(
            panel["note"],
            (0, 1),
            xytext=(used * 72 / DPI + 6, 4.5),
            size=8,
            color=FAINT,
            **place,
        )
        fit(note, WIDE - LEFT - 40 - used - 20, 7.5)


def _limit(axes: "Axes", limit: float, measure: Any, *, near: bool) -> None:
    words = f"limit {_tick(measure, limit)}"
    if near:
        axes.annotate(
            words,
            (0, limit),
            xycoords=("axes fraction", "data"),
            xytext=(3, 2),
            textcoords="offset points",
            size=8,
            color=LIMIT,
            zorder=6,
        )
    else:
        axes.annotate(
            f"↑ {words}",
            (1, 1),
            xycoords="axes fraction",
            xytext=(-3, -2),
            textcoords="offset points",
            size=8,
            color=FAINT,
            ha="right",
            va="top",
            zorder=6,
        )


def _line(
    axes: "Axes", points: list[Any], column: int, color: str, measure: Any
) -> tuple[float, float] | None:
    """Draw one arm; where its line ends, or None where it was never seen.

    Gaps stay gaps; a point between two of them is a dot.
    """
    style: Json = (
        {"linewidth": 2.4, "solid_capstyle": "round", "zorder": 5}
        if color == CANARY
        else {"linewidth": 1.8, "linestyle": (0, (1.6, 1.1)), "zorder": 4}
    )
    seen = [(point[0], point[1], point[column]) for point in points]
    xs: list[float] = []
    ys: list[float] = []
    for since, at, value in seen:
        number = math.nan if value is None else value
        xs += [since, at] if measure in SMALL_MEASURES else [at]
        ys += [number, number] if measure in SMALL_MEASURES else [number]
    axes.plot(xs, ys, color=color, clip_on=False, **style)
    if measure not in SMALL_MEASURES:
        padded = [math.nan, *ys, math.nan]
        alone = [
            at
            for at in range(len(ys))
            if math.isnan(padded[at]) and math.isnan(padded[at + 2]) and not math.isnan(ys[at])
        ]
        axes.plot(
            [xs[at] for at in alone],
            [ys[at] for at in alone],
            linestyle="",
            marker="o" if color == CANARY else "s",
            markersize=3.4,
            color=color,
            clip_on=False,
            zorder=style["zorder"],
        )
    known = [(at, value) for _, at, value in seen if value is not None]
    return known[-1] if known else None


def _ends(
    axes: "Axes", lines: list[tuple[str, tuple[float, float] | None, str]], measure: Any
) -> None:
    """Name and last value beside the end of each line, one above the other where they meet."""
    low, high = axes.get_ylim()
    apart = 42 / axes.get_window_extent().height * (high - low)
    ends = [(name, end[1], color) for name, end, color in lines if end is not None]
    heights = [value for _, value, _ in ends]
    if len(ends) == 2 and abs(heights[0] - heights[1]) < apart:
        middle = max(sum(heights) / 2, low + apart / 2)
        up = 1 if heights[0] >= heights[1] else -1
        heights = [middle + up * apart / 2, middle - up * apart / 2]
    for (name, value, color), height in zip(ends, heights, strict=True):
        text = axes.annotate(
            f"{name} {_short(measure, value)}",
            (1, height),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            size=8.5,
            weight="bold" if name == "canary" else "normal",
            color=color,
            va="center",
            annotation_clip=False,
        )
        fit(text, RIGHT - 34, 7)


def _short(measure: Any, value: float) -> str:
    return spoken(measure, value).removesuffix(" down").removesuffix(" restarts")
