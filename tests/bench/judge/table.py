"""What the benchmark found, as text: a block a cell, and the worst and the mean of each judge."""

from collections.abc import Sequence

from bench.judge.cells import DEFECTS, FAMILIES, THIN
from bench.judge.score import Score, families

from bot.core.calibration import wilson

WIDTH = 22
COLUMNS = ("runs", "false", "early", "found", "median", "90th", "wrong", "open", "harmed")

LEGEND = """\
false   healthy canaries rolled back
early   bad canaries rolled back before the defect began: false alarms, no detections
found   bad canaries rolled back after it began; median and 90th: seconds until then, of all runs
wrong   canaries promoted that are bad, or of which nothing was seen
open    left to a human; harmed: requests the defect failed or slowed, a session
"""


def block(scores: Sequence[Score]) -> str:
    """All judges in one cell."""
    head = f"{scores[0].cell!s:<{WIDTH}}" + "".join(f"{name:>8}" for name in COLUMNS)
    return "\n".join([head, *(line(score) for score in scores), ""])


def line(score: Score) -> str:
    """One judge in one cell."""
    name, healthy = score.cell.name, score.cell.healthy
    cells = (
        str(score.runs),
        percent(score.rolled_back) if healthy else "-",
        "-" if healthy else percent(score.too_early),
        "-" if healthy else percent(score.found),
        "-" if healthy else seconds(score.percentile(0.5)),
        "-" if healthy else seconds(score.percentile(0.9)),
        "-" if name in FAMILIES else percent(score.wrong),
        percent(score.open),
        "-" if healthy else f"{score.harmed:.1f}",
    )
    return f"  {score.judge:<{WIDTH - 2}}" + "".join(f"{cell:>8}" for cell in cells)


def summary(scores: Sequence[Score]) -> str:
    """Worst and mean of each judge, and its CPU time."""
    lines = []
    for judge in judges(scores):
        own = [score for score in scores if score.judge == judge]
        healthy = families(own)
        bad = [score for score in own if score.cell.name in DEFECTS]
        parts = []
        if healthy:
            worst = max(healthy, key=lambda score: score.rolled_back)
            low, high = wilson(worst.rolled_back * worst.runs, worst.runs)
            parts.append(
                f"false rollbacks: worst {worst.rolled_back:.2%} in {worst.cell} "
                f"(95 %: {low:.2%} to {high:.2%}), mean {mean(healthy, 'rolled_back'):.2%}"
            )
        if bad:
            worst = max(bad, key=lambda score: score.wrong)
            parts.append(
                f"wrong promotions: worst {worst.wrong:.2%} in {worst.cell}, "
                f"mean {mean(bad, 'wrong'):.2%}"
            )
            parts.append(
                f"found {mean(bad, 'found'):.1%}, rolled back before the onset "
                f"{mean(bad, 'too_early'):.2%}"
            )
        parts.append(f"CPU {cpu(own)}")
        lines += [judge, *(f"  {part}" for part in parts)]
    return "\n".join(lines)


def cpu(scores: Sequence[Score]) -> str:
    """CPU time of a session and of a look."""
    spent, looks = sum(score.cpu for score in scores), sum(score.looks for score in scores)
    runs = sum(score.runs for score in scores)
    return f"{1000 * spent / max(1, runs):.1f} ms a session, {1000 * spent / max(1, looks):.3f} ms a look"


def judges(scores: Sequence[Score]) -> list[str]:
    """Names of the judges, in order."""
    return list(dict.fromkeys(score.judge for score in scores))


def by_cell(scores: Sequence[Score]) -> list[list[Score]]:
    """The scores of each cell: families, defects, thin ones."""
    order = {name: place for place, name in enumerate((*FAMILIES, *DEFECTS, *THIN))}
    cells: dict[str, list[Score]] = {}
    for score in sorted(scores, key=lambda score: (order[score.cell.name], score.cell.rate)):
        cells.setdefault(str(score.cell), []).append(score)
    return list(cells.values())


def mean(scores: Sequence[Score], what: str) -> float:
    """Mean over cells, each counting the same."""
    values: list[float] = [getattr(score, what) for score in scores]
    return sum(values) / len(values)


def percent(part: float) -> str:
    """A share, to a tenth of a percent."""
    return f"{part:.1%}"


def seconds(value: float | None) -> str:
    """A time, or a dash where there is none."""
    return "-" if value is None else f"{value:.0f} s"
