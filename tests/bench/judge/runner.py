"""Feed sessions to judges, in parallel processes, and count what they decided."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

from bench.judge.cells import Cell
from bench.judge.protocol import Judge, Tick
from bench.judge.score import Outcome, Score
from bench.judge.session import Trace
from bench.judge.shapes import TICK, WINDOW
from bench.judge.traces import trace

Factory = Callable[[], Judge]
Task = tuple[int, Future[list[Score]]]
"""How many sessions, and what will come of them."""

Progress = Callable[[int, int], None]
"""Hears of sessions done and of all there are."""

CHUNK = 25
"""Sessions a task; a task is one cell, so that a table can grow line by line."""

END = WINDOW * TICK


class SessionFailedError(RuntimeError):
    """A judge raised an error: which one, on which session, and how to see it again."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What every judge is fed: stable's hour before the window or not, counters by pod or not."""

    history: bool = True
    pods: bool = False


def run(made: Trace, ticks: Sequence[Tick], judge: Judge, *, history: bool = True) -> Outcome:
    """One session through one judge; a rollback at the very end took the whole window."""
    judge.prelude([tick for tick in ticks if tick.at < 0] if history else [])
    for tick in ticks:
        if tick.at >= 0 and judge.tick(tick) == "rollback":
            harmed = float(made.harm[: int(tick.at / TICK)].sum())
            return Outcome("rollback", tick.at - made.onset, harmed)
    last = judge.finish()
    at = END - made.onset if last == "rollback" else None
    return Outcome(last, at, float(made.harm.sum()))


def batch(
    cell: Cell, seeds: range, factories: Sequence[Factory], variant: Variant = Variant()
) -> list[Score]:
    """Every judge on the same sessions of one cell."""
    scores = [Score(factory().name, cell, [(seeds.start, seeds.stop)]) for factory in factories]
    for seed in seeds:
        made = trace(cell, seed, pods=variant.pods)
        ticks = list(made.ticks())
        for score, factory in zip(scores, factories, strict=True):
            begun = time.process_time()
            try:
                outcome = run(made, ticks, factory(), history=variant.history)
            except Exception as error:
                where = f"--cells {cell} --first-seed {seed} --runs 1 --defect-runs 1"
                raise SessionFailedError(
                    f"{score.judge} broke off with {error!r}; see it again with {where}"
                ) from error
            score.cpu += time.process_time() - begun
            score.looks += _looks(outcome, made, variant)
            score.add(outcome)
    return scores


def _looks(outcome: Outcome, made: Trace, variant: Variant) -> int:
    """Ticks the judge was fed."""
    seen = END if outcome.at is None else outcome.at + made.onset
    return int(seen / TICK) + 1 + (len(made.stable.seen) - WINDOW) * variant.history


def bench(
    cells: Iterable[Cell],
    factories: Sequence[Factory],
    *,
    runs: Callable[[Cell], int],
    first_seed: int,
    processes: int | None = None,
    variant: Variant = Variant(),
    report: Callable[[Sequence[Score]], None] = lambda scores: None,
    progress: Progress = lambda done, total: None,
) -> list[Score]:
    """All judges on all cells; `report` hears of each cell as soon as it is done.

    Interrupted by Ctrl-C it gives the cells that were finished.

    Raises:
        SessionFailedError: when a judge does, on any session.

    """
    done: list[Score] = []
    workers = processes or os.cpu_count()
    ignore = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is answered here, once
    with ProcessPoolExecutor(workers, initializer=signal.signal, initargs=ignore) as pool:
        work = [
            [(len(seeds), pool.submit(batch, cell, seeds, factories, variant)) for seeds in chunks]
            for cell, chunks in ((cell, _chunks(first_seed, runs(cell))) for cell in cells)
        ]
        try:
            for merged in _collected(work, progress):
                report(merged)
                done += merged
        except KeyboardInterrupt:
            pass  # what is finished is worth telling
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return done


def _collected(work: Sequence[Sequence[Task]], progress: Progress) -> Iterator[list[Score]]:
    """The scores of each cell, as soon as all of its tasks and of those before it are done."""
    total, finished = sum(size for tasks in work for size, _ in tasks), 0
    for tasks in work:
        merged: list[Score] = []
        for size, task in tasks:
            _merge(merged, task)
            finished += size
            progress(finished, total)
        yield merged


def _chunks(first: int, count: int) -> list[range]:
    last = first + count
    return [range(begin, min(last, begin + CHUNK)) for begin in range(first, last, CHUNK)]


def _merge(merged: list[Score], task: Future[list[Score]]) -> None:
    scores = task.result()
    if not merged:
        merged += scores
        return
    for score, more in zip(merged, scores, strict=True):
        score.plus(more)
