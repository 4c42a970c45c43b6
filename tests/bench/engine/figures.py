"""What was measured, beside what is wanted of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    Attributes:
        what: what was measured, and on how many.
        value: in `unit`; None where it could not be measured.
        goal: at most so much is wanted, or at least; None where nothing is.

    """

    part: str
    what: str
    value: float | None
    unit: str
    goal: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """OK, MISSED, or nothing where there is no goal."""
        if self.goal is None:
            return ""
        if self.value is None:
            return "MISSED"
        met = self.value >= self.goal if self.at_least else self.value <= self.goal
        return "OK" if met else "MISSED"

    @property
    def wanted(self) -> str:
        """The goal in words; empty where there is none."""
        sign = "≥" if self.at_least else "≤"
        return "" if self.goal is None else f"{sign} {self.shown(self.goal)}"

    def shown(self, value: float | None) -> str:
        """A value in the row's unit."""
        if value is None:
            return "-"
        if self.unit in {"ms", "kB", "canaries"} and value >= 10:
            return f"{value:,.0f} {self.unit}"
        return f"{value:,.3g} {self.unit}".strip()

    def __str__(self) -> str:
        goal = f"  (goal {self.wanted})" if self.wanted else ""
        return f"  {self.what}: {self.shown(self.value)}{goal}  {self.verdict}".rstrip()

    def dump(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "verdict": self.verdict}


def quantile(values: Sequence[float], q: float) -> float | None:
    """The q-quantile, the higher of two neighbours; None of nothing."""
    ordered = sorted(values)
    return ordered[max(0, ceil(q * len(ordered)) - 1)] if ordered else None


def milliseconds(seconds: float | None) -> float | None:
    """The same in milliseconds."""
    return None if seconds is None else 1000 * seconds


def table(figures: Sequence[Figure]) -> str:
    """All of it in Markdown."""
    lines = ["| part | what | measured | goal | |", "|---|---|---|---|---|"]
    for each in figures:
        cells = (each.part, each.what, each.shown(each.value), each.wanted, each.verdict)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
