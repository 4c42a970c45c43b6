"""Flagger's canary analysis: fixed limits each minute, and a count of the checks that failed.

After `pkg/controller/scheduler.go` and `scheduler_metrics.go` of fluxcd/flagger at 15bd6ad.
"""

from collections.abc import Sequence

from bench.judge.peers.rollup import MINUTE, USUAL_P99, Counts, Scrapes, p99_limit
from bench.judge.protocol import Decision, Tick

MIN_SUCCESS = 99.0
PROGRESS_DEADLINE = 600.0


def passes(counts: Counts | None, max_p99: float = USUAL_P99) -> bool:
    """Whether one check's metrics are within their limits; no data is a failed check."""
    if counts is None or not counts.requests:
        return False
    success = 100.0 * (counts.requests - counts.errors) / counts.requests
    return success >= MIN_SUCCESS and counts.quantile(0.99) <= max_p99  # NaN fails too


def last_value(values: Sequence[float]) -> float:
    """What a custom query's series is read as: its newest point alone.

    Raises:
        ValueError: for an empty series, which the check counts as failed.

    """
    if not values:
        raise ValueError("no values found")
    return values[-1]


class Flagger:
    """A check a minute; rolled back at the check after the `threshold`-th failed one.

    Failed checks add up and are never forgiven. A canary that is not ready ends the check before
    anything is counted or acted on, until the progress deadline of 600 s. `reads` is how many of
    the newest seconds a check sees: some providers hand over the newest point only.

    At least 99 % of requests must succeed and p99 be within `p99_limit`.
    """

    def __init__(self, threshold: int, *, reads: float = MINUTE) -> None:
        self.name = f"Flagger {threshold}"
        self._threshold = threshold
        self._canary = Scrapes(reads)
        self._due = MINUTE
        self._failed = 0
        self._max_p99 = USUAL_P99
        self._unready_since: float | None = None

    def prelude(self, ticks: Sequence[Tick]) -> None:
        """Choose the limit on p99; the limits stay fixed from there on."""
        self._max_p99 = p99_limit(ticks)

    def tick(self, tick: Tick) -> Decision:
        """Check when a minute has passed."""
        self._canary.add(tick.at, tick.canary)
        if tick.canary is not None:
            if tick.canary.ready >= tick.canary.desired:
                self._unready_since = None
            elif self._unready_since is None:
                self._unready_since = tick.at
        if tick.at < self._due:
            return "continue"
        self._due += MINUTE
        if self._unready_since is not None:
            late = tick.at - self._unready_since >= PROGRESS_DEADLINE
            return "rollback" if late else "continue"
        if self._failed >= self._threshold:
            return "rollback"
        self._failed += not passes(self._canary.window(tick.at), self._max_p99)
        return "continue"

    def finish(self) -> Decision:
        """Act on the last check; a canary that is not ready waits on."""
        if self._unready_since is not None:
            return "inconclusive"
        return "rollback" if self._failed >= self._threshold else "promote"


def flagger_5() -> Flagger:
    """The threshold of Flagger's tutorials."""
    return Flagger(5)


def flagger_10() -> Flagger:
    """The patient variant."""
    return Flagger(10)
