"""The short table: what the judge was built to reach, and what each judge does reach."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.judge.cells import DEFECTS, RATES
from bench.judge.score import Score, families
from bench.judge.table import judges, mean

from bot.core.calibration import wilson

Own = dict[str, Score]
"""One judge's scores by cell, as text."""

Value = Callable[[Own], float | None]
"""A share, or seconds, or milliseconds; None where a cell was not run or a time does not exist."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One row: what is measured, how much of it is wanted, and how it is written."""

    what: str
    value: Value
    limit: float
    unit: str = "%"
    at_least: bool = False
    interval: bool = False

    def wanted(self) -> str:
        """The goal in words."""
        sign = "≤" if not self.at_least else "≥" if self.limit < 1 else ""
        return f"{sign} {self.shown(self.limit)}".strip()

    def shown(self, value: float) -> str:
        """A value in the row's unit."""
        if self.unit == "%":
            text = f"{100 * value:.1f}".removesuffix(".0")
            return f"{text} %"
        return f"{value:.0f} s" if self.unit == "s" else f"{value:.2f} ms"

    def met(self, value: float | None) -> bool:
        """Whether it is reached."""
        if value is None:
            return False
        return value >= self.limit if self.at_least else value <= self.limit


def _median(cell: str) -> Value:
    return lambda own: own[cell].percentile(0.5) if cell in own else None


def _found(cell: str) -> Value:
    return lambda own: own[cell].found if cell in own else None


def _of(scores: Sequence[Score], what: str, *, worst: bool) -> float | None:
    if not scores:
        return None
    return max(getattr(score, what) for score in scores) if worst else mean(scores, what)


def _false(*, worst: bool) -> Value:
    return lambda own: _of(families(list(own.values())), "rolled_back", worst=worst)


def _wrong(*, worst: bool) -> Value:
    def value(own: Own) -> float | None:
        bad = [score for score in own.values() if score.cell.name in DEFECTS]
        return _of(bad, "wrong", worst=worst)

    return value


def _unseen(own: Own) -> float | None:
    dark = [s.open for s in own.values() if s.cell.name in ("zero", "no_metrics", "thin_good")]
    return min(dark) if dark else None


def _thin_half(own: Own) -> float | None:
    return next((score.found for score in own.values() if score.cell.name == "thin_half"), None)


def _new_log(own: Own) -> list[Score]:
    return [own[f"new_log@{rate:g}"] for rate in RATES if f"new_log@{rate:g}" in own]


def _new_log_found(own: Own) -> float | None:
    scores = _new_log(own)
    return min(score.found for score in scores) if scores else None


def _new_log_median(own: Own) -> float | None:
    times = [score.percentile(0.5) for score in _new_log(own)]
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None


def _look(own: Own) -> float | None:
    return max((1000 * s.cpu / s.looks for s in own.values() if s.looks), default=None)


GOALS: tuple[Goal, ...] = (
    Goal("false rollbacks, worst healthy cell", _false(worst=True), 0.01, interval=True),
    Goal("false rollbacks, mean", _false(worst=False), 0.002),
    Goal("wrong promotions, worst defect cell", _wrong(worst=True), 0.025),
    Goal("wrong promotions, mean", _wrong(worst=False), 0.002),
    Goal("no traffic, no metrics, 20 good requests: left to a human", _unseen, 1.0, at_least=True),
    Goal("x5 at 1,000 rps, median", _median("x5@1000"), 30, "s"),
    Goal("x2 at 1,000 rps, median", _median("x2@1000"), 150, "s"),
    Goal(
        "x5 from the second half on at 1,000 rps, found",
        _found("x5_half@1000"),
        1.0,
        at_least=True,
    ),
    Goal("the same, median", _median("x5_half@1000"), 60, "s"),
    Goal("x5 at 100 rps, median", _median("x5@100"), 120, "s"),
    Goal("x2 at 100 rps, found", _found("x2@100"), 0.8, at_least=True),
    Goal("p99 x1.3 at 100 rps, found", _found("p99_x1.3@100"), 0.9, at_least=True),
    Goal("x5 in bursts at 100 rps, found", _found("x5_bursty@100"), 0.95, at_least=True),
    Goal("x5 at 10 rps, found", _found("x5@10"), 0.8, at_least=True),
    Goal("20 requests, half of them failing, found", _thin_half, 0.75, at_least=True),
    Goal("new log signature, found, worst traffic", _new_log_found, 0.98, at_least=True),
    Goal("new log signature, median, worst traffic", _new_log_median, 450, "s"),
    Goal("one look at four SLOs, CPU, dearest cell", _look, 1.0, "ms"),
)


def short(scores: Sequence[Score]) -> str:
    """The goals as a Markdown table, a column a judge; bold where the goal is reached."""
    names = judges(scores)
    own = {
        name: {str(score.cell): score for score in scores if score.judge == name} for name in names
    }
    lines = [
        "| | goal | " + " | ".join(names) + " |",
        "|---|---|" + "---|" * len(names),
    ]
    for goal in GOALS:
        cells = " | ".join(_cell(goal, own[name]) for name in names)
        lines.append(f"| {goal.what} | {goal.wanted()} | {cells} |")
    cells = " | ".join(_left_open(own[name]) for name in names)
    lines.append(f"| healthy canaries left to a human at 1, 10, 100, 1,000 rps | | {cells} |")
    return "\n".join(lines)


def _left_open(own: Own) -> str:
    """What caution costs: a judge that never decides would be never wrong."""
    healthy = families(list(own.values()))
    by_rate = [[score for score in healthy if score.cell.rate == rate] for rate in RATES]
    shares = [f"{100 * mean(scores, 'open'):.0f}" if scores else "-" for scores in by_rate]
    return ", ".join(shares) + " %" if healthy else "-"


def _cell(goal: Goal, own: Own) -> str:
    value = goal.value(own)
    if value is None:
        return "-"
    text = goal.shown(value)
    text = f"**{text}**" if goal.met(value) else text
    if not goal.interval:
        return text
    worst = max(families(list(own.values())), key=lambda score: score.rolled_back)
    low, high = wilson(value * worst.runs, worst.runs)
    return f"{text} ({100 * low:.1f} to {100 * high:.1f})"
