"""How many questions go into one query, learned from what became of the last ones."""

from collections.abc import Mapping
from typing import Final

from adapters.metrics.merging import MOST, Question, Shape

PATIENCE: Final = 2.0
"""Seconds a merged query may take: its questions must still have time to be asked one by one."""
PLENTY: Final = 50_000
"""Samples of an answer, above which fewer are asked for: to decode more (1.5 MB) would hold up
everything else in this process for longer than a twentieth of a second."""
APART: Final = 60.0
"""Seconds for which a question that failed is asked alone."""
_QUICK: Final = PATIENCE / 4


class Pacing:
    """What one Prometheus has shown to bear."""

    def __init__(self) -> None:
        self._most: dict[Shape, int] = {}
        self._apart: dict[Question, float] = {}

    @property
    def most(self) -> Mapping[Shape, int]:
        """Questions to a query, by shape, where less than the limit."""
        return self._most

    def answered(self, shape: Shape, asked: int, samples: int, seconds: float) -> None:
        """A query was answered: ask for less when it was too much, for more when it was little."""
        most = self._most.get(shape, MOST)
        if samples > PLENTY and asked > 1:
            self._most[shape] = max(1, min(most, asked * PLENTY // samples))
        elif asked >= most and samples * 2 < PLENTY and seconds < _QUICK:
            self._most[shape] = min(MOST, most + max(1, most // 4))

    def failed(self, shape: Shape, asked: int) -> None:
        """A merged query failed, and not because of one of its questions."""
        self._most[shape] = max(1, min(self._most.get(shape, MOST), asked) // 2)

    def set_apart(self, question: Question, now: float) -> None:
        """A question failed by itself: for a while it is nobody else's trouble."""
        self._apart = {one: until for one, until in self._apart.items() if until > now}
        self._apart[question] = now + APART

    def is_apart(self, question: Question, now: float) -> bool:
        """Whether to ask it alone."""
        return self._apart.get(question, now) > now
