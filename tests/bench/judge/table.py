"""What the benchmark found, as text and as a picture."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.bench.judge.cells import DEFECTS, FAMILIES, Cell
from tests.bench.judge.runner import Score

HEADER = (
    f"{'judge':<16}{'cell':<20}{'runs':>6}{'false':>8}{'found':>8}{'median':>8}{'90th':>8}"
    f"{'wrong':>8}{'undec.':>8}{'harmed':>10}"
)


def line(score: Score) -> str:
    """One judge in one cell."""
    healthy = score.cell.healthy
    false = f"{score.part('rollback'):.1%}" if healthy else "-"
    found = "-" if healthy else f"{score.part('rollback'):.1%}"
    wrong = "-" if score.cell.name in FAMILIES else f"{score.part('promote'):.1%}"
    times = ("-", "-") if healthy else (_seconds(score, 0.5), _seconds(score, 0.9))
    undecided = score.part("inconclusive")
    return (
        f"{score.judge:<16}{score.cell!s:<20}{score.runs:>6}{false:>8}{found:>8}{times[0]:>8}"
        f"{times[1]:>8}{wrong:>8}{undecided:>8.1%}{score.harmed:>10.1f}"
    )


def summary(scores: Sequence[Score]) -> str:
    """Worst and mean of each judge: false rollbacks, wrong promotions, defects found."""
    lines = []
    for judge in dict.fromkeys(score.judge for score in scores):
        own = [score for score in scores if score.judge == judge]
        false = [score.part("rollback") for score in own if score.cell.healthy]
        wrong = [score.part("promote") for score in own if score.cell.name in DEFECTS]
        found = [score.part("rollback") for score in own if score.cell.name in DEFECTS]
        parts = [
            f"{what} worst {max(values):.2%} mean {sum(values) / len(values):.2%}"
            for what, values in (("false rollbacks", false), ("wrong promotions", wrong))
            if values
        ]
        if found:
            parts.append(f"defects found {sum(found) / len(found):.1%}")
        lines.append(f"{judge:<16}" + "; ".join(parts))
    return "\n".join(lines)


def picture(scores: Iterable[Score], path: Path) -> None:
    """False rollbacks and defects found by cell, one bar a judge."""
    import matplotlib as mpl  # slow, and only the benchmark needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    scores = list(scores)
    judges = list(dict.fromkeys(score.judge for score in scores))
    figure, panels = plt.subplots(1, 2, figsize=(14, 12))
    titles = ("false rollbacks of healthy canaries (%)", "defects found in 20 minutes (%)")
    for panel, healthy, title in zip(panels, (True, False), titles, strict=True):
        cells: list[Cell] = list(
            dict.fromkeys(score.cell for score in scores if score.cell.healthy is healthy)
        )
        for index, judge in enumerate(judges):
            own = {score.cell: score for score in scores if score.judge == judge}
            values = [100 * own[cell].part("rollback") if cell in own else 0.0 for cell in cells]
            offset = index / (len(judges) + 1)
            panel.barh(
                [row + offset for row in range(len(cells))],
                values,
                height=1 / (len(judges) + 1),
                label=judge,
            )
        panel.set_yticks(range(len(cells)), [str(cell) for cell in cells], fontsize=6)
        panel.invert_yaxis()
        panel.set_title(title)
        panel.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _seconds(score: Score, share: float) -> str:
    at = score.percentile(share)
    return "-" if at is None else f"{at:.0f} s"
