"""What one judge did in one cell: counts that can be added up, saved and read again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from bench.judge.cells import FAMILIES, Cell
from bench.judge.protocol import Decision


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one judge ended one session.

    Attributes:
        at: seconds from the onset to the rollback; negative or 0 where it came before.
        harmed: requests the defect harmed until then, or in the whole window.

    """

    decision: Decision
    at: float | None
    harmed: float


@dataclass(slots=True)
class Score:
    """One judge in one cell, over all its sessions.

    Attributes:
        seeds: `(first, after the last)` of each part that was run.
        early: rollbacks of a bad canary before its defect began: false alarms, not detections.
        times: seconds from the onset to each other rollback.
        harm: requests harmed, all sessions together; `cpu` seconds spent over `looks` ticks.

    """

    judge: str
    cell: Cell
    seeds: list[tuple[int, int]] = field(default_factory=list)
    runs: int = 0
    promoted: int = 0
    undecided: int = 0
    early: int = 0
    times: list[float] = field(default_factory=list)
    harm: float = 0.0
    cpu: float = 0.0
    looks: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one session."""
        self.runs += 1
        self.harm += outcome.harmed
        if outcome.decision == "rollback":
            at = 0.0 if outcome.at is None else outcome.at
            if at > 0:
                self.times.append(at)
            else:
                self.early += 1
        elif outcome.decision == "promote":
            self.promoted += 1
        else:
            self.undecided += 1

    def plus(self, other: Self) -> None:
        """Take in other sessions of the same judge and cell.

        Raises:
            ValueError: where both hold the same session.

        """
        for first, end in other.seeds:
            if any(first < known_end and known < end for known, known_end in self.seeds):
                raise ValueError(
                    f"{self.judge} in {self.cell} was run twice on seeds from {first}: give each "
                    "piece of a long run its own --first-seed"
                )
        self.seeds = sorted([*self.seeds, *other.seeds])
        self.times = [*self.times, *other.times]
        for name in ("runs", "promoted", "undecided", "early", "harm", "cpu", "looks"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def _part(self, count: int) -> float:
        return count / self.runs if self.runs else 0.0

    @property
    def rolled_back(self) -> float:
        """Share of sessions rolled back, whenever; of a healthy canary, falsely."""
        return self._part(len(self.times) + self.early)

    @property
    def found(self) -> float:
        """Share of sessions rolled back after the onset."""
        return self._part(len(self.times))

    @property
    def too_early(self) -> float:
        """Share of sessions rolled back before the onset."""
        return self._part(self.early)

    @property
    def wrong(self) -> float:
        """Share of sessions promoted; of a bad canary, wrongly."""
        return self._part(self.promoted)

    @property
    def open(self) -> float:
        """Share of sessions left to a human."""
        return self._part(self.undecided)

    @property
    def harmed(self) -> float:
        """Mean requests harmed a session."""
        return self.harm / self.runs if self.runs else 0.0

    def percentile(self, share: float) -> float | None:
        """Time within which that share of ALL sessions was found; None if fewer were."""
        wanted = max(1, math.ceil(share * self.runs))
        return sorted(self.times)[wanted - 1] if len(self.times) >= wanted else None

    def saved(self) -> dict[str, Any]:
        """As plain data."""
        return {
            name: getattr(self, name) for name in self.__slots__ if name not in ("cell", "times")
        } | {"cell": self.cell.name, "rate": self.cell.rate, "times": sorted(self.times)}

    @classmethod
    def read(cls, saved: dict[str, Any]) -> Self:
        """From plain data."""
        given = dict(saved)
        cell = Cell(given.pop("cell"), given.pop("rate"))
        seeds = [(first, end) for first, end in given.pop("seeds")]
        return cls(cell=cell, seeds=seeds, **given)


def families(scores: Sequence[Score]) -> list[Score]:
    """The A/A cells among them."""
    return [score for score in scores if score.cell.name in FAMILIES]
