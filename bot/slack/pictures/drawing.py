"""Draws a canary's picture: `python -m bot.slack.pictures.drawing` reads JSON and writes a PNG.

A process of its own: matplotlib takes a second and 100 MB, which the bot's event loop never pays.
"""

import json
import sys
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

from bot.slack.pictures.curves import (
    BAD,
    CARD,
    DPI,
    FAINT,
    FRAME,
    GOOD,
    GRID,
    INK,
    LEFT,
    RIGHT,
    SMALL_MEASURES,
    WIDE,
    draw_panel,
    fit,
    is_quiet,
    scale,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Json = dict[str, Any]

TALL, SMALL, QUIET, STRIP = 250, 165, 30, 62
"""Pixels of a panel, of one of whole numbers, of one where nothing was, and of the weights."""

HEAD, GAP, NAME, FOOT = 235, 92, 58, 120


def draw(what: Json) -> bytes:
    """The picture as a PNG, `WIDE` pixels wide.

    Args:
        what: as `bot.slack.pictures.captions.drawn` gives it.

    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    mpl.rcParams.update(
        {
            "font.family": "DejaVu Sans",  # comes with matplotlib
            "text.parse_math": False,  # a dollar sign in a revision is a dollar sign
            "font.size": 8,
            "path.simplify": True,
        }
    )
    panels, strip = what["panels"], STRIP if _stepped(what) else 0
    heights = [_height(panel) for panel in panels]
    tall = HEAD + strip + sum(heights) + GAP * max(0, len(panels) - 1) + FOOT
    figure = Figure(figsize=(WIDE / DPI, tall / DPI), dpi=DPI, facecolor=CARD)
    FigureCanvasAgg(figure)
    _head(figure, what, tall)
    top = tall - HEAD - strip
    if strip:
        _weights(_axes(figure, top + NAME, strip - 20, tall), what)
    for number, (panel, height) in enumerate(zip(panels, heights, strict=True)):
        axes = _axes(figure, top - height, height, tall)
        draw_panel(axes, panel, what["until"])
        _time(axes, what, last=number + 1 == len(panels))
        _marks(axes, what, first=number == 0, above=strip)
        top -= height + GAP
    out = BytesIO()
    figure.savefig(out, format="png", facecolor=CARD)
    return out.getvalue()


def _height(panel: Json) -> int:
    if is_quiet(panel):
        return QUIET
    return SMALL if panel["measure"] in SMALL_MEASURES else TALL


def _axes(figure: "Figure", bottom: float, height: float, tall: float) -> "Axes":
    axes = figure.add_axes(
        (LEFT / WIDE, bottom / tall, (WIDE - LEFT - RIGHT) / WIDE, height / tall),
        facecolor=CARD,
    )
    axes.tick_params(length=0, labelsize=8, labelcolor=FAINT, pad=4)
    for side in axes.spines.values():
        side.set_visible(False)
    return axes


def _head(figure: "Figure", what: Json, tall: float) -> None:
    """Frame, title, end and time of day."""
    from matplotlib.patches import FancyBboxPatch

    figure.add_artist(
        FancyBboxPatch(
            (0.006, 6.5 / tall),
            0.988,
            1 - 13 / tall,
            boxstyle="square,pad=0",
            facecolor="none",
            edgecolor=FRAME,
            linewidth=1.2,
        )
    )
    x, y = 34 / WIDE, 1 - 28 / tall
    title = figure.text(x, y, what["name"], size=12.5, weight="bold", color=INK, va="top")
    fit(title, WIDE - 68)
    sign, color = ("✓", GOOD) if what["good"] else ("✕", BAD)
    words = f"{sign} {what['end']}"
    clock = figure.text(
        1 - x, y - 76 / tall, what["clock"], size=8, color=FAINT, va="top", ha="right"
    )
    end = figure.text(x, y - 70 / tall, words, size=10.5, weight="bold", color=color, va="top")
    fit(end, WIDE - 68 - 24 - text_width(clock))
    if not what["panels"]:
        figure.text(0.5, 60 / tall, "nothing was seen", size=10, color=FAINT, ha="center")


def _stepped(what: Json) -> bool:
    return len(what["weights"]) > 1


def _weights(axes: "Axes", what: Json) -> None:
    """Which share of the traffic the canary had, as a strip."""
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.set_xticks([])
    scale(axes, what["until"])
    ends = [at for at, _ in what["weights"][1:]] + [what["until"]]
    for number, ((at, weight), end) in enumerate(zip(what["weights"], ends, strict=True)):
        axes.axvspan(at, end, color="#3a4450" if number % 2 else GRID, linewidth=0)
        if end - at > 0.09 * what["until"]:
            axes.text((at + end) / 2, 0.47, weight, size=8, color=INK, ha="center", va="center")
    axes.text(1.03, 0.47, "traffic", transform=axes.transAxes, size=8, color=FAINT, va="center")


def _time(axes: "Axes", what: Json, *, last: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    unit, units = (1, "minutes") if what["until"] >= 2 else (60, "seconds")
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * unit:g}"))
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(FRAME)
    if not last:
        axes.set_xticklabels([])
        return
    axes.set_xlabel(
        f"{units} since {what['start']} · {what['requests']}", size=8.5, color=FAINT, labelpad=3
    )


def _marks(axes: "Axes", what: Json, *, first: bool, above: float) -> None:
    """The onset and the decision, over all panels; their names once, at the top."""
    onset, decided = what["onset"], what["decided"]
    if onset and decided:
        axes.axvspan(onset[0], decided[0], color="#ffffff", alpha=0.06, linewidth=0, zorder=1)
    place: Json = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    rise = 17 + above * 72 / DPI
    if onset:
        axes.axvline(onset[0], color=INK, linewidth=1.1, linestyle=(0, (1, 1.5)), zorder=3)
        if first:
            side = "left" if onset[0] < 0.35 * what["until"] else "right"
            axes.annotate(
                f"onset {onset[1]}", (onset[0], 1), xytext=(0, rise), size=8.5, color=INK,
                ha=side, annotation_clip=False, **place,
            )  # fmt: skip
    if decided:
        axes.axvline(decided[0], color=INK, linewidth=1.4, zorder=3, clip_on=False)
        if first:
            axes.annotate(
                f"decided {decided[1]}", (decided[0], 1), xytext=(0, rise), size=8.5, color=INK,
                ha="left", annotation_clip=False, **place,
            )  # fmt: skip


def main() -> int:
    """Read what is to be drawn from stdin and write the PNG to stdout."""
    warnings.simplefilter("ignore")  # of letters that the font lacks; they are drawn as boxes
    try:
        picture = draw(json.load(sys.stdin))
    except ImportError as error:
        sys.stderr.write(f"{error.name or 'a library'} is not installed: {error}\n")
        return 3
    sys.stdout.buffer.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
