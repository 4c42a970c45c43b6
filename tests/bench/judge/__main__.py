"""`python -m tests.bench.judge`: every judge on every cell, as a table and a picture."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.judge.cells import FAMILIES, Cell, cells, chosen
from tests.bench.judge.ours import Ours
from tests.bench.judge.runner import Factory, Score, bench
from tests.bench.judge.table import HEADER, line, picture, summary

REPORTED = 1_000_000
"""First seed of reported sessions; settings were chosen on seeds below 10,000."""


def factories(names: str | None) -> list[Factory]:
    """Our judge and every peer (`peers.ALL`), or those named.

    Raises:
        ValueError: for a name that is none, with the known ones.

    """
    try:
        peers: Sequence[Factory] = importlib.import_module("tests.bench.judge.peers").ALL
    except ModuleNotFoundError:
        peers = ()
    known = {factory().name: factory for factory in (Ours, *peers)}
    if names is None:
        return list(known.values())
    missing = [name for name in names.split(",") if name not in known]
    if missing:
        raise ValueError(f"there is no judge {missing[0]!r}; known: {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; the exit code is 2 for a mistyped name."""
    parser = argparse.ArgumentParser(prog="make bench-judge", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="sessions a healthy cell")
    parser.add_argument("--defect-runs", type=int, default=300, help="sessions a defect cell")
    parser.add_argument("--quick", action="store_true", help="40 sessions a cell")
    parser.add_argument("--cells", help="aa, defects, thin, or names: x2@100,sticky")
    parser.add_argument("--judges", help="comma-separated; all by default")
    parser.add_argument("--processes", type=int, help="all cores by default")
    parser.add_argument("--first-seed", type=int, default=REPORTED)
    parser.add_argument("--pods", action="store_true", help="feed counters by pod as well")
    parser.add_argument("--picture", type=Path, help="write a picture to this file")
    given = parser.parse_args(arguments)
    try:
        wanted = chosen(given.cells) if given.cells else cells()
        judges = factories(given.judges)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2

    def runs(cell: Cell) -> int:
        if given.quick:
            return 40
        return int(given.runs if cell.name in FAMILIES else given.defect_runs)

    def report(score: Score) -> None:
        sys.stdout.write(line(score) + "\n")
        sys.stdout.flush()

    sys.stdout.write(HEADER + "\n")
    scores = bench(
        wanted,
        judges,
        runs=runs,
        first_seed=given.first_seed,
        processes=given.processes,
        pods=given.pods,
        report=report,
    )
    sys.stdout.write("\n" + summary(scores) + "\n")
    if given.picture:
        picture(scores, given.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
