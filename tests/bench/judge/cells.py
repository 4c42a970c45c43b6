"""The cells of the benchmark: a family of healthy sessions, or one defect, at one traffic."""

from dataclasses import dataclass
from typing import Final

RATES: Final = (1.0, 10.0, 100.0, 1000.0)

FAMILIES: Final = (
    "iid",
    "overdispersed",
    "retry_bursts",
    "sticky",
    "noisy_pods",
    "diurnal",
    "incident",
    "cold_start",
    "rare_logs",
    "gaps",
    "resets",
    "real_shape",
)
"""Healthy canaries: a rollback in any of them is a false one."""

DEFECTS: Final = (
    "x1.5",
    "x2",
    "x5",
    "+1pp",
    "+5pp",
    "+20pp",
    "x5_half",
    "leak",
    "x5_bursty",
    "x5_sticky",
    "p99_x1.3",
    "p99_x2",
    "p95_shift",
    "new_log",
    "unready",
    "crash_loop",
)
"""Bad canaries: a promotion of any of them is a wrong one."""

THIN: Final = ("thin_half", "thin_good", "zero", "no_metrics")
"""Too little to see; only `thin_half` is bad."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One line of the table: `name` at `rate` requests a second, both arms together."""

    name: str
    rate: float

    @property
    def healthy(self) -> bool:
        """Whether a rollback would be false."""
        return self.name in FAMILIES or self.name in ("thin_good", "zero", "no_metrics")

    @property
    def family(self) -> str:
        """The traffic the cell is drawn from; defects ride on plain traffic unless they say."""
        if self.name in FAMILIES:
            return self.name
        return {"x5_bursty": "retry_bursts", "x5_sticky": "sticky"}.get(self.name, "iid")

    def __str__(self) -> str:
        return f"{self.name}@{self.rate:g}"


def cells() -> tuple[Cell, ...]:
    """Every cell: 12 families and 16 defects at four rates, and the thin ones."""
    wide = [Cell(name, rate) for name in (*FAMILIES, *DEFECTS) for rate in RATES]
    return (*wide, *(Cell(name, 20 / 0.05 / 1200) for name in THIN))


def chosen(patterns: str) -> tuple[Cell, ...]:
    """Cells by comma-separated names, each with or without its rate (`x2@100`, `sticky`).

    Raises:
        ValueError: for a name that is none, with the known ones.

    """
    found: list[Cell] = []
    for pattern in patterns.split(","):
        match = [cell for cell in cells() if pattern in (str(cell), cell.name)]
        groups = {"aa": FAMILIES, "defects": DEFECTS, "thin": THIN}
        match = match or [cell for cell in cells() if cell.name in groups.get(pattern, ())]
        if not match:
            known = ", ".join(dict.fromkeys(cell.name for cell in cells()))
            raise ValueError(f"there is no cell {pattern!r}; known: aa, defects, thin, {known}")
        found += match
    return tuple(dict.fromkeys(found))
