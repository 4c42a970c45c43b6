"""Feed sessions to judges, in parallel processes, and count what they decided."""

import os
import statistics
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.bench.judge.cells import Cell
from tests.bench.judge.protocol import Decision, Judge, Tick
from tests.bench.judge.session import Trace
from tests.bench.judge.shapes import TICK
from tests.bench.judge.traces import trace

Factory = Callable[[], Judge]

CHUNK = 25
"""Sessions a task; a task is one cell, so that a table can grow line by line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one judge ended one session; `at` seconds after the onset, None before or never."""

    decision: Decision
    at: float | None
    harmed: float


@dataclass(slots=True)
class Score:
    """One judge in one cell, over all its sessions."""

    judge: str
    cell: Cell
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def runs(self) -> int:
        """Sessions judged."""
        return len(self.outcomes)

    def part(self, decision: Decision) -> float:
        """Share of sessions that ended so."""
        return sum(one.decision == decision for one in self.outcomes) / max(1, self.runs)

    @property
    def times(self) -> list[float]:
        """Seconds from the onset to each rollback that came after it."""
        return sorted(
            one.at for one in self.outcomes if one.decision == "rollback" and one.at is not None
        )

    def percentile(self, share: float) -> float | None:
        """Time within which that share of ALL sessions was rolled back; None if fewer were."""
        wanted = max(1, round(share * self.runs))
        return self.times[wanted - 1] if len(self.times) >= wanted else None

    @property
    def harmed(self) -> float:
        """Mean requests harmed a session."""
        return statistics.fmean(one.harmed for one in self.outcomes) if self.outcomes else 0.0


def run(made: Trace, ticks: Sequence[Tick], judge: Judge) -> Outcome:
    """One session through one judge."""
    judge.prelude([tick for tick in ticks if tick.at < 0])
    for tick in ticks:
        if tick.at < 0:
            continue
        if judge.tick(tick) == "rollback":
            since = tick.at - made.onset
            harmed = float(made.harm[: int(tick.at / TICK)].sum())
            return Outcome("rollback", since if since > 0 else None, harmed)
    return Outcome(judge.finish(), None, float(made.harm.sum()))


def batch(cell: Cell, seeds: range, factories: Sequence[Factory], pods: bool) -> list[Score]:
    """Every judge on the same sessions of one cell."""
    scores: list[Score] = []
    for seed in seeds:
        made = trace(cell, seed, pods=pods)
        ticks = list(made.ticks())
        for index, factory in enumerate(factories):
            judge = factory()
            if index == len(scores):
                scores.append(Score(judge.name, cell))
            scores[index].outcomes.append(run(made, ticks, judge))
    return scores


def bench(
    cells: Iterable[Cell],
    factories: Sequence[Factory],
    *,
    runs: Callable[[Cell], int],
    first_seed: int,
    processes: int | None = None,
    pods: bool = False,
    report: Callable[[Score], None] = lambda score: None,
) -> list[Score]:
    """All judges on all cells; `report` hears of each score as soon as its cell is done."""
    done: list[Score] = []
    with ProcessPoolExecutor(processes or os.cpu_count()) as pool:
        tasks = []
        for cell in cells:
            last = first_seed + runs(cell)
            chunks = [
                range(begin, min(last, begin + CHUNK)) for begin in range(first_seed, last, CHUNK)
            ]
            tasks.append([pool.submit(batch, cell, seeds, factories, pods) for seeds in chunks])
        for chunked in tasks:
            merged: list[Score] = []
            for task in chunked:
                for index, score in enumerate(task.result()):
                    if index == len(merged):
                        merged.append(score)
                    else:
                        merged[index].outcomes += score.outcomes
            for score in merged:
                report(score)
            done += merged
    return done
