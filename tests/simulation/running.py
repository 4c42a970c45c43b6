"""Runs many seeds over all processors, and stops at the first one that goes wrong."""

import gc
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from simulation.rollout import Result, simulate

PORTION = 50
"""Seeds a process runs before it says how they went."""

IN_CI = 10_000
OTHERWISE = 1_000


@dataclass(slots=True)
class Summary:
    """How many rollouts went: the wrong ones, and what occurred in all of them."""

    rollouts: int = 0
    wrong: list[Result] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def take(self, others: "Summary") -> None:
        """Add what another portion found."""
        self.rollouts += others.rollouts
        self.wrong += others.wrong
        self.counts.update(others.counts)

    def complaint(self) -> str:
        """The wrong seeds, each with the command that replays it."""
        lines = [f"{len(self.wrong)} of {self.rollouts} rollouts went wrong"]
        for result in sorted(self.wrong, key=lambda each: each.seed)[:10]:
            lines += [
                f"seed {result.seed}: {result.wrong[0]}",
                f"  replay: PYTHONPATH=tests python -m simulation --seed {result.seed}",
            ]
        return "\n".join(lines)


def wanted() -> int:
    """How many rollouts the environment asks for."""
    usual = IN_CI if os.environ.get("CI") else OTHERWISE
    return int(os.environ.get("CANARY_SIMULATIONS", usual))


def portion(seeds: Iterable[int]) -> Summary:
    """Run some seeds in this process."""
    summary = Summary()
    gc.disable()  # a rollout is thrown away as a whole
    try:
        for seed in seeds:
            result = simulate(seed)
            summary.rollouts += 1
            summary.counts.update(result.counts)
            if result.wrong:
                summary.wrong.append(result)
            if seed % 10 == 0:
                gc.collect()
    finally:
        gc.enable()
    return summary


def prepare() -> None:
    """Let tests that wait for real parts go first, and leave the modules out of collections."""
    os.nice(10)
    gc.collect()
    gc.freeze()


def run(amount: int) -> Summary:
    """Run the seeds from 0 on, on every processor."""
    portions = [range(at, min(at + PORTION, amount)) for at in range(0, amount, PORTION)]
    total = Summary()
    spawn = get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawn, initializer=prepare) as pool:
        for summary in pool.map(portion, portions):
            total.take(summary)
    return total
