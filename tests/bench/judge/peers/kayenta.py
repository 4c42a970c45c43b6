"""Kayenta's NetflixACAJudge-v1.0: classify each metric, score the groups, repeat or not.

After `kayenta-judge/.../{NetflixACAJudge,MannWhitneyClassifier,IQRDetector,WeightedSumScorer}` and
`standalone_canary_analysis` of spinnaker/kayenta at a69573b.
"""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.judge.peers.mann_whitney import AllTiedError, interval, superiority
from bench.judge.peers.rollup import MINUTE, Counts, Scrapes
from bench.judge.protocol import Decision, Tick

Label = Literal["Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"]

PASS, MARGINAL = 95.0, 75.0
CONFIDENCE, TOLERANCE = 0.98, 0.25


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric's configuration, with Kayenta's defaults.

    Attributes:
        allowed, critical_at: effect sizes (down, up) below and above which it counts; None is
            the default of the measure, 1.0 for `meanRatio` and 0.5 for `cles`.

    """

    name: str
    group: str = "all"
    direction: Literal["increase", "decrease", "either"] = "either"
    nan: Literal["remove", "replace"] = "remove"
    outliers: Literal["keep", "remove"] = "keep"
    outlier_factor: float = 3.0
    critical: bool = False
    must_have_data: bool = False
    muted: bool = False
    measure: Literal["meanRatio", "cles"] = "meanRatio"
    allowed: tuple[float, float] | None = None
    critical_at: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Classified:
    """What was said of one metric; `critical` fails the whole canary unless it passed."""

    metric: Metric
    label: Label
    critical: bool = False


def classify(
    metric: Metric,
    control: Sequence[float],
    experiment: Sequence[float],
    noise: random.Random,
    *,
    confidence: float = CONFIDENCE,
    tolerance: float = TOLERANCE,
) -> Classified:
    """Compare one metric's two series, one value a minute, NaN where there was none."""
    x, y = _cleaned(metric, experiment), _cleaned(metric, control)
    if not x or not y:
        if metric.nan == "replace":
            return Classified(metric, "Pass")
        if metric.must_have_data and not metric.critical:
            return Classified(metric, "NodataFailMetric")
        return Classified(metric, "Nodata", metric.critical)
    if sorted(x) == sorted(y) or len({*x, *y}) == 1:
        return Classified(metric, "Pass")
    if len(set(x)) == len(set(y)) == 1:
        x = [value + noise.gauss(0, 1) * x[0] * 1e-5 for value in x]
        y = [value + noise.gauss(0, 1) * y[0] * 1e-5 for value in y]
    try:
        found = interval(x, y, confidence)
    except AllTiedError:
        return Classified(metric, "Error")  # not critical even where the metric is: it fails open
    default = 1.0 if metric.measure == "meanRatio" else 0.5
    effect = _mean_ratio(x, y) if metric.measure == "meanRatio" else superiority(x, y)
    down, up = metric.allowed or (default, default)
    worst_down, worst_up = metric.critical_at or (default, default)
    band = tolerance * abs(found.estimate)
    # A NaN effect (a mean of zero) blocks nothing, hence the comparisons by what is NOT the case.
    if metric.direction != "decrease" and found.lower > band and not effect < up:
        return Classified(metric, "High", metric.critical and not effect < worst_up)
    if metric.direction != "increase" and found.upper < -band and not effect > down:
        return Classified(metric, "Low", metric.critical and not effect > worst_down)
    return Classified(metric, "Pass")


def score(results: Sequence[Classified], weights: Mapping[str, float] | None = None) -> float:
    """The summary score, 0 to 100; `weights` are percents by group, the rest is shared evenly."""
    counted = [one for one in results if not one.metric.muted]
    if any(one.critical and one.label != "Pass" for one in counted):
        return 0.0
    if counted and sum(one.label == "Nodata" for one in counted) / len(counted) >= 0.5:
        return 0.0
    groups: dict[str, list[Label]] = defaultdict(list)
    for one in counted:
        groups[one.metric.group].append(one.label)
    given = dict(weights or {})
    without = groups.keys() - given.keys()
    share = (100 - sum(given.values())) / len(without) if without else 0.0
    total = 0.0
    for group, labels in groups.items():
        judged = sum(label not in ("Nodata", "Error") for label in labels)
        passed = 100.0 * labels.count("Pass") / judged if judged else 100.0
        total += passed * given.get(group, share) / 100
    return round(total, 2)


def _cleaned(metric: Metric, series: Sequence[float]) -> list[float]:
    if metric.nan == "remove":
        values = [value for value in series if not math.isnan(value)]
    else:
        values = [0.0 if math.isnan(value) else value for value in series]
    if metric.outliers == "keep" or not values:
        return values
    ranked = sorted(values)
    p1, q1, q3, p99 = (_percentile(ranked, part) for part in (0.01, 0.25, 0.75, 0.99))
    reach = metric.outlier_factor * (q3 - q1)
    low, high = min(p1, q1 - reach), max(p99, q3 + reach)
    return [value for value in values if low <= value <= high]


def _percentile(ranked: Sequence[float], part: float) -> float:
    """Type 7 of R: linear between the two nearest ranks."""
    place = part * (len(ranked) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (place - below) * (ranked[above] - ranked[below])


def _mean_ratio(x: Sequence[float], y: Sequence[float]) -> float:
    over, under = math.fsum(x) / len(x), math.fsum(y) / len(y)
    return over / under if over and under else math.nan


METRICS = (
    Metric("error rate, %", "errors", "increase"),
    Metric("p95, ms", "latency", "increase"),
    Metric("p99, ms", "latency", "increase"),
    Metric("log lines per 1,000 requests", "logs", "increase"),
    Metric("ready, %", "readiness", "decrease"),
)
"""Four groups of equal weight, in units where the solver's 1e-4 is small.

Lines are a rate and not a count: the arms differ in size, and Kayenta expects equal ones.
"""


def points(counts: Counts | None) -> tuple[float, ...]:
    """One minute of one arm in the order of `METRICS`; NaN where there is no such value."""
    if counts is None:
        return (math.nan,) * len(METRICS)
    lines = 1000 * counts.lines / counts.requests if counts.requests else math.nan
    return (
        100 * counts.error_rate(),
        1000 * counts.quantile(0.95),
        1000 * counts.quantile(0.99),
        lines,
        100 * counts.ready,
    )


class Kayenta:
    """The standalone analysis: a judgement every `every` seconds, or one at the end.

    The window grows from the start. A score at or below marginal ends the canary; the last score
    must reach pass.
    """

    def __init__(self, name: str, every: float | None) -> None:
        self.name = name
        self._every = every
        self._due = every or math.inf
        self._minute = MINUTE
        self._arms = Scrapes(), Scrapes()
        self._points: tuple[list[tuple[float, ...]], list[tuple[float, ...]]] = ([], [])
        self._score: float | None = None
        self._noise = random.Random(0)

    def prelude(self, ticks: Sequence[Tick]) -> None:
        """Nothing: control is what ran beside the canary."""

    def tick(self, tick: Tick) -> Decision:
        """Keep the minute, and judge when one is due."""
        for arm, scrape in zip(self._arms, (tick.stable, tick.canary), strict=True):
            arm.add(tick.at, scrape)
        if tick.at >= self._minute:
            self._minute += MINUTE
            for arm, kept in zip(self._arms, self._points, strict=True):
                kept.append(points(arm.window(tick.at)))
        if tick.at >= self._due:
            self._due += self._every or math.inf
            self._score = self.judge()
            if self._score <= MARGINAL:
                return "rollback"
        return "continue"

    def judge(self) -> float:
        """The score of all minutes so far."""
        control, experiment = (
            list(zip(*kept, strict=True)) or [()] * len(METRICS) for kept in self._points
        )
        return score(
            [
                classify(metric, ours, theirs, self._noise)
                for metric, ours, theirs in zip(METRICS, control, experiment, strict=True)
            ]
        )

    def finish(self) -> Decision:
        """Promote if the last judgement passed; what is only marginal by then has failed."""
        last = self.judge() if self._score is None else self._score
        return "promote" if last >= PASS else "rollback"


def kayenta_end() -> Kayenta:
    """One judgement when the window ends."""
    return Kayenta("Kayenta at the end", None)


def kayenta_5min() -> Kayenta:
    """A judgement every five minutes."""
    return Kayenta("Kayenta every 5 min", 300.0)
