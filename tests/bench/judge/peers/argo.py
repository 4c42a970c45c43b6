"""An AnalysisRun of Argo Rollouts in the background of a canary step, from a usual template.

After `analysis/analysis.go` and `utils/evaluate/evaluate.go` of argoproj/argo-rollouts at 9f8d111.
"""

from collections.abc import Callable, Sequence

from bench.judge.peers.rollup import MINUTE, USUAL_P99, Counts, Scrapes, p99_limit
from bench.judge.protocol import Decision, Tick

COUNT = 20
FAILURE_LIMIT = 2
CONSECUTIVE_ERROR_LIMIT = 4
RETRY = 10.0
"""Seconds from an error to the next measurement, whatever the interval."""

Query = Callable[[Counts], float | None]


class Measured:
    """One metric of the run: `successCondition: result[0] <= limit` and no failure condition.

    NaN is not at or below anything, so it fails; an empty result has no `result[0]`, which is an
    error. Errors are not measurements: they neither add to `count` nor clear the failures.
    """

    def __init__(self, query: Query, limit: float) -> None:
        self._query = query
        self.limit = limit
        self.due = MINUTE
        self._count = self._failed = self._errors = 0

    def measure(self, at: float, counts: Counts | None) -> bool:
        """Measure if it is time; answer whether the metric has not gone bad."""
        if at < self.due or self._count >= COUNT:
            return True
        value = None if counts is None else self._query(counts)
        if value is None:
            self._errors += 1
            self.due = at + RETRY
        else:
            self._errors = 0
            self._count += 1
            self._failed += not value <= self.limit
            self.due = at + MINUTE
        return self._failed <= FAILURE_LIMIT and self._errors <= CONSECUTIVE_ERROR_LIMIT


def _p99(counts: Counts) -> float | None:
    return counts.quantile(0.99) if counts.buckets else None


class Argo:
    """Error rate at most 1 % and p99 within `p99_limit`, each measured 20 times.

    `interval: 60s, initialDelay: 60s, count: 20, failureLimit: 2, consecutiveErrorLimit: 4`. A
    metric that failed or erred too often aborts the rollout. Replicas that are not available do
    not abort it (`progressDeadlineAbort: false`); they only hold up the promotion.
    """

    name = "Argo Rollouts"

    def __init__(self) -> None:
        self._metrics = Measured(Counts.error_rate, 0.01), Measured(_p99, USUAL_P99)
        self._canary = Scrapes()
        self._ready = True

    def prelude(self, ticks: Sequence[Tick]) -> None:
        """Choose the limit on p99; the limits stay fixed from there on."""
        self._metrics[1].limit = p99_limit(ticks)

    def tick(self, tick: Tick) -> Decision:
        """Measure what is due."""
        self._canary.add(tick.at, tick.canary)
        if tick.canary is not None:
            self._ready = tick.canary.ready >= tick.canary.desired
        if tick.at < self._next():
            return "continue"
        counts = self._canary.window(tick.at)
        fine = [metric.measure(tick.at, counts) for metric in self._metrics]
        return "continue" if all(fine) else "rollback"

    def _next(self) -> float:
        return min(metric.due for metric in self._metrics)

    def finish(self) -> Decision:
        """What has not failed when the step ends is successful."""
        return "promote" if self._ready else "inconclusive"
