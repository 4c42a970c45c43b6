"""What people write first: a two-proportion z test of all errors so far, read at every tick."""

import math
from collections.abc import Sequence
from statistics import NormalDist

from bench.judge.protocol import ArmTick, Decision, Tick

LEVEL = 0.01
CRITICAL = NormalDist().inv_cdf(1 - LEVEL)


class Total:
    """Requests and errors of one arm since the first scrape, over resets of its counters."""

    def __init__(self) -> None:
        self.requests = self.errors = 0
        self._before: ArmTick | None = None

    def add(self, now: ArmTick | None) -> None:
        """Take one scrape; None is one that failed."""
        if now is None:
            return
        before = self._before or now
        again = now.requests < before.requests
        self.requests += now.requests - (0 if again else before.requests)
        self.errors += max(0, now.errors - (0 if again else before.errors))
        self._before = now


def z_test(canary: Total, stable: Total) -> float:
    """The pooled z statistic of the canary's error rate over stable's; 0 where it has none."""
    if not canary.requests or not stable.requests:
        return 0.0
    pooled = (canary.errors + stable.errors) / (canary.requests + stable.requests)
    variance = pooled * (1 - pooled) * (1 / canary.requests + 1 / stable.requests)
    if variance <= 0:
        return 0.0
    over = canary.errors / canary.requests - stable.errors / stable.requests
    return over / math.sqrt(variance)


class Naive:
    """Rolls back as soon as the one-sided test reads 1 %, however often it has looked before."""

    name = "naive z test"

    def __init__(self) -> None:
        self._canary, self._stable = Total(), Total()

    def prelude(self, ticks: Sequence[Tick]) -> None:
        """Nothing: only the window counts."""

    def tick(self, tick: Tick) -> Decision:
        """Test what has happened so far."""
        self._canary.add(tick.canary)
        self._stable.add(tick.stable)
        return "rollback" if z_test(self._canary, self._stable) > CRITICAL else "continue"

    def finish(self) -> Decision:
        """Nothing was significant."""
        return "promote"
