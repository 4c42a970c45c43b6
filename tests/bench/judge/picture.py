"""What the benchmark found, as pictures: every cell as a heat map, and the judges side by side."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from bench.judge.cells import DEFECTS, FAMILIES, RATES
from bench.judge.score import Score, families
from bench.judge.table import judges, mean
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

PAPER, INK, FAINT = "#fbfaf7", "#1d2229", "#6b7280"
"""Opaque paper, so that the picture reads the same on a light page and on a dark one."""

RED = LinearSegmentedColormap.from_list("false", ["#e8f3ea", "#fbe3c8", "#f2a07b", "#c73e3a"])
GREEN = LinearSegmentedColormap.from_list("found", ["#f6d5cf", "#fbf0d6", "#bfe0bf", "#3f9a5f"])
GREY = LinearSegmentedColormap.from_list("open", ["#f1f0ec", "#b9c2cc"])
INCHES, DPI = 12.0, 160

DARK = ("zero", "no_metrics", "thin_good")

Share = Callable[[Score], float]

WORDS = {
    "iid": "independent errors",
    "overdispersed": "overdispersed",
    "retry_bursts": "retry bursts by client",
    "sticky": "sticky sessions",
    "noisy_pods": "noisy pods",
    "diurnal": "diurnal ramp",
    "incident": "common incident",
    "cold_start": "cold start",
    "rare_logs": "rare log signatures",
    "gaps": "gaps in the metrics",
    "resets": "counter resets",
    "real_shape": "real traffic shape",
    "x1.5": "errors x1.5",
    "x2": "errors x2",
    "x5": "errors x5",
    "+1pp": "errors +1 pp",
    "+5pp": "errors +5 pp",
    "+20pp": "errors +20 pp",
    "x5_half": "x5, second half only",
    "leak": "slow leak",
    "x5_bursty": "x5 in bursts",
    "x5_sticky": "x5, sticky sessions",
    "p99_x1.3": "p99 x1.3",
    "p99_x2": "p99 x2",
    "p95_shift": "p95 shift",
    "new_log": "new log line, all 200s",
    "unready": "not ready",
    "crash_loop": "crash loop",
    "thin_half": "20 requests, half fail",
    "thin_good": "20 good requests",
    "zero": "no traffic",
    "no_metrics": "no metrics",
}


def full(scores: Sequence[Score], path: Path) -> None:
    """Every cell: a block of four traffics a judge; healthy above, bad below, thin last."""
    names = judges(scores)
    groups = [
        (
            "Healthy canaries rolled back, %, at 1 to 1,000 requests a second",
            FAMILIES,
            _rolled_back,
        ),
        ("Bad canaries found within 20 minutes, %", (*DEFECTS, "thin_half"), _found),
        ("Nothing to see, and decided all the same, %", DARK, _decided),
    ]
    ran = {score.cell.name for score in scores}
    shown = [
        (title, [cell for cell in cells if cell in ran], share)
        for title, cells, share in groups
        if ran & set(cells)
    ]
    rows = [len(cells) for _, cells, _ in shown]
    figure, axes = plt.subplots(
        len(shown),
        1,
        figsize=(INCHES, 0.235 * sum(rows) + 0.75 * len(rows) + 0.5),
        height_ratios=rows,
        squeeze=False,
        facecolor=PAPER,
        layout="constrained",
    )
    for axis, (title, cells, share) in zip(axes[:, 0], shown, strict=True):
        _grid(axis, scores, cells, share)
        axis.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=24)
        _heads(axis, names, by_traffic=share is not _decided)
    _write(figure, path)


def _rolled_back(score: Score) -> float:
    return score.rolled_back


def _found(score: Score) -> float:
    return score.found


def _decided(score: Score) -> float:
    return score.rolled_back + score.wrong


def _grid(axis: Axes, scores: Sequence[Score], cells: Sequence[str], share: Share) -> None:
    names, good = judges(scores), share is _found
    for score in scores:
        if score.cell.name not in cells:
            continue
        wide = score.cell.rate not in RATES
        column = 0 if wide else RATES.index(score.cell.rate)
        left, width = names.index(score.judge) * 4.35 + column, 4 if wide else 1
        value, row = share(score), cells.index(score.cell.name)
        # A false rollback weighs more than a miss: one in a hundred is already coloured.
        depth = value if good else min(1.0, value**0.5)
        color = (GREEN if good else RED)(depth)
        axis.add_patch(
            Rectangle((left, row), width, 1, facecolor=color, edgecolor=PAPER, linewidth=1)
        )
        light = not good and depth > 0.85
        axis.text(
            left + width / 2,
            row + 0.53,
            _number(value, exact=not good),
            ha="center",
            va="center",
            fontsize=6.8,
            color="white" if light else INK,
        )
    axis.set_xlim(0, len(names) * 4.35 - 0.35)
    axis.set_ylim(len(cells), 0)
    axis.set_yticks(
        [row + 0.5 for row in range(len(cells))],
        [WORDS.get(cell, cell) for cell in cells],
        fontsize=8.5,
        color=INK,
    )


def _heads(axis: Axes, names: Sequence[str], *, by_traffic: bool) -> None:
    """Judges above their blocks, and requests a second above the columns."""
    axis.set_facecolor(PAPER)
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    axis.xaxis.tick_top()
    places = [place * 4.35 + column + 0.5 for place in range(len(names)) for column in range(4)]
    traffic = ["1", "10", "100", "1k"] if by_traffic else [""] * 4
    axis.set_xticks(places, traffic * len(names), fontsize=6.5, color=FAINT)
    axis.tick_params(axis="x", pad=-1)
    for place, name in enumerate(names):
        axis.annotate(
            name,
            (place * 4.35 + 2, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 11),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            fontweight="bold" if place == 0 else "normal",
            color=INK,
        )


def _number(value: float, *, exact: bool) -> str:
    """A share in percent, short enough for its box."""
    percent = 100 * value
    if exact and 0 < percent < 9.95:
        return f"{percent:.1f}".replace(".0", "") if percent >= 1 else f"{percent:.1f}"
    return f"{percent:.0f}"


def short(scores: Sequence[Score], path: Path) -> None:
    """The judges beside each other: what they roll back falsely, promote wrongly, and find."""
    names = judges(scores)
    own = {name: [score for score in scores if score.judge == name] for name in names}
    healthy = {name: families(own[name]) for name in names}
    bad = {name: [score for score in own[name] if score.cell.name in DEFECTS] for name in names}
    figure, axes = plt.subplots(
        1,
        4,
        width_ratios=(1.15, 1.15, 0.85, 0.85),
        figsize=(INCHES, 0.42 * len(names) + 1.3),
        sharey=True,
        facecolor=PAPER,
        layout="constrained",
    )
    _bars(axes[0], healthy, "rolled_back", "Healthy rolled back, %")
    _bars(axes[1], bad, "wrong", "Bad ones promoted, %")
    _by_traffic(axes[2], bad, "found", "Bad ones found, %")
    _by_traffic(axes[3], healthy, "open", "Healthy left to a human, %")
    axes[0].set_yticks(range(len(names)), names, fontsize=10, color=INK)
    axes[0].set_ylim(len(names) - 0.4, -0.6)
    for label in axes[0].get_yticklabels()[:1]:
        label.set_fontweight("bold")
    _write(figure, path)


def _bars(axis: Axes, own: dict[str, list[Score]], what: str, title: str) -> None:
    """The mean as a bar, the worst cell as a mark."""
    _plain(axis, title)
    for row, scores in enumerate(own.values()):
        if not scores:
            continue
        average = 100 * mean(scores, what)
        worst = 100 * max(getattr(score, what) for score in scores)
        color = "#2f6fb0" if row == 0 else "#9aa5b1"
        axis.plot([average, worst], [row, row], color=color, linewidth=1.5, zorder=2)
        axis.barh(row, average, height=0.5, color=color, zorder=2)
        axis.plot(worst, row, marker="|", markersize=12, markeredgewidth=2, color=color, zorder=3)
        axis.text(
            worst + 2,
            row,
            f"{_number(average / 100, exact=True)}, worst {_number(worst / 100, exact=True)}",
            va="center",
            fontsize=8.5,
            color=INK,
        )
    axis.set_xlim(0, 160)
    axis.set_xticks([0, 25, 50, 75, 100])


def _by_traffic(axis: Axes, own: dict[str, list[Score]], what: str, title: str) -> None:
    """The mean over cells, a box a traffic."""
    _plain(axis, title)
    axis.set_xlim(-0.5, len(RATES) - 0.5)
    axis.set_xlabel("requests a second", fontsize=8.5, color=FAINT)
    axis.set_xticks(range(len(RATES)), [f"{rate:,.0f}" for rate in RATES], fontsize=9, color=FAINT)
    axis.grid(visible=False)
    colors = GREEN if what == "found" else GREY
    for row, scores in enumerate(own.values()):
        for column, rate in enumerate(RATES):
            cell = [score for score in scores if score.cell.rate == rate]
            if not cell:
                continue
            value = mean(cell, what)
            axis.add_patch(
                Rectangle((column - 0.48, row - 0.38), 0.96, 0.76, facecolor=colors(value))
            )
            axis.text(
                column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=9, color=INK
            )


def _plain(axis: Axes, title: str) -> None:
    axis.set_facecolor(PAPER)
    axis.set_title(title, loc="left", fontsize=10, fontweight="bold", color=INK)
    axis.tick_params(length=0, labelsize=8.5, labelcolor=FAINT)
    axis.grid(axis="x", color="#e3e0d8", linewidth=0.8, zorder=0)
    for side in axis.spines.values():
        side.set_visible(False)


def _write(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, facecolor=PAPER)
    plt.close(figure)
