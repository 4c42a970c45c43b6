"""The z-score of Slack's ReleaseBot: whether the canary's last minute is unusual.

After slack.engineering, "The Scary Thing About Automating Deploys": (value - mean) / deviation of
the values before, taken as an anomaly above 3.
"""

import math
import statistics
from collections import deque
from collections.abc import Sequence

from bench.judge.peers.rollup import MINUTE, Scrapes
from bench.judge.protocol import Decision, Tick

THRESHOLD = 3.0
HISTORY = 60
"""Minutes of stable's error rate that the canary's minute is compared with."""


def z_score(value: float, history: Sequence[float]) -> float:
    """Deviations of `value` above the mean of `history`; NaN without two values of history.

    Against a history that never moved, any other value is infinitely unusual.
    """
    if len(history) < 2 or math.isnan(value):
        return math.nan
    over = value - statistics.fmean(history)
    deviation = statistics.stdev(history)
    if deviation:
        return over / deviation
    return math.copysign(math.inf, over) if over else 0.0


class ZScore:
    """The canary's error rate each minute against the last hour of stable's, as published.

    It knows nothing of an arm's size: where stable has nineteen times the requests, its minutes
    spread far less than the canary's, and an ordinary minute of the canary looks unusual.
    """

    name = "z-score as published"

    def __init__(self) -> None:
        self._history: deque[float] = deque(maxlen=HISTORY)
        self._canary, self._stable = Scrapes(), Scrapes()
        self._due: float | None = None

    def prelude(self, ticks: Sequence[Tick]) -> None:
        """Fill the history."""
        for tick in ticks:
            if self._minute(tick):
                self._remember(tick.at)

    def tick(self, tick: Tick) -> Decision:
        """Compare when a minute has passed; a minute without requests says nothing."""
        self._canary.add(tick.at, tick.canary)
        if not self._minute(tick):
            return "continue"
        counts = self._canary.window(tick.at)
        rate = math.nan if counts is None else counts.error_rate()
        unusual = z_score(rate, self._history) > THRESHOLD
        self._remember(tick.at)
        return "rollback" if unusual else "continue"

    def _minute(self, tick: Tick) -> bool:
        self._stable.add(tick.at, tick.stable)
        if self._due is None:
            self._due = tick.at + MINUTE
        if tick.at < self._due:
            return False
        self._due += MINUTE
        return True

    def _remember(self, at: float) -> None:
        counts = self._stable.window(at)
        if counts is not None and counts.requests:
            self._history.append(counts.error_rate())

    def finish(self) -> Decision:
        """Nothing unusual was seen."""
        return "promote"
