"""`python -m bench.judge`: every judge on every cell, as tables and pictures."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.judge import goals, limits
from bench.judge.cells import FAMILIES, Cell, cells, chosen
from bench.judge.judges import factories
from bench.judge.results import Results, digests, load, merged, mismatches
from bench.judge.runner import Progress, SessionFailedError, Variant, bench
from bench.judge.score import Score
from bench.judge.table import LEGEND, block, by_cell, summary

REPORTED = 1_000_000
"""First seed of reported sessions; settings were chosen on seeds below 100,000."""

QUICK = 40

EPILOG = """\
A full run judges 96,000 healthy sessions and 20,400 bad or thin ones: about an hour and a half on
two cores, and --quick about five minutes. A long run can be done in pieces, each with its own
--first-seed (or --cells) and --save, and printed together with --from. Ctrl-C ends a run; what was
finished is printed and saved."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; the exit code is 2 for a mistyped name or number or a file without results."""
    given = _parser().parse_args(arguments)
    try:
        results = _read(given.files) if given.files else _run(given)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except SessionFailedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not results.scores:
        sys.stderr.write("no cell was finished\n")
        return 1
    if given.save:
        results.save(given.save)
    _show(results, given)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench-judge",
        description="Seeded canaries, healthy and bad, through our judge and its peers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--runs", type=int, default=2000, help="sessions a healthy cell (2000)")
    add("--defect-runs", type=int, default=300, help="sessions a bad or thin cell (300)")
    add("--quick", action="store_true", help=f"{QUICK} sessions a cell")
    add("--cells", help="aa, defects, thin, or names: x2@100,sticky")
    add("--judges", help="comma-separated, beginnings will do: canarybot,kayenta (all)")
    add("--processes", type=int, help="all cores by default")
    add("--first-seed", type=int, default=REPORTED, help=f"({REPORTED})")
    add("--no-history", action="store_true", help="no judge sees stable's hour before the window")
    add("--pods", action="store_true", help="feed counters by pod as well")
    add("--save", type=Path, metavar="FILE", help="write the results as JSON")
    add("--from", dest="files", type=Path, nargs="+", metavar="FILE", help="print saved results")
    add("--short", action="store_true", help="print the short table only")
    add("--picture", type=Path, metavar="FILE", help="draw every cell")
    add("--short-picture", type=Path, metavar="FILE", help="draw the judges beside each other")
    return parser


def _run(given: argparse.Namespace) -> Results:
    wanted = chosen(given.cells) if given.cells else cells()
    judges = factories(given.judges)
    for name in ("runs", "defect_runs", "processes"):
        if getattr(given, name) is not None and getattr(given, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be 1 or more")
    if given.first_seed < 0:
        raise ValueError("--first-seed must be 0 or more")

    def runs(cell: Cell) -> int:
        if given.quick:
            return QUICK
        return int(given.runs if cell.name in FAMILIES else given.defect_runs)

    def report(scores: Sequence[Score]) -> None:
        if not given.short:
            sys.stdout.write(block(scores) + "\n")
            sys.stdout.flush()

    variant = Variant(history=not given.no_history, pods=given.pods)
    scores = bench(
        wanted,
        judges,
        runs=runs,
        first_seed=given.first_seed,
        processes=given.processes,
        variant=variant,
        report=report,
        progress=_progress(),
    )
    return Results(scores, variant, digests())


def _progress() -> Progress:
    """Tell on stderr how far the run is, at most every ten seconds (every second on a terminal)."""
    begun = told = time.monotonic()
    terminal = sys.stderr.isatty()

    def progress(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if done < total and now - told < (1 if terminal else 10):
            return
        told = now
        left = (now - begun) / done * (total - done) / 60
        text = f"{done:,} of {total:,} sessions, about {left:.0f} min left"
        sys.stderr.write(f"\r{text}\033[K" if terminal and done < total else f"\r{text}\n")
        sys.stderr.flush()

    return progress


def _read(files: Sequence[Path]) -> Results:
    parts = [load(path) for path in files]
    for sentence in mismatches(parts):
        sys.stderr.write(f"note: {sentence}\n")
    return merged(parts)


def _show(results: Results, given: argparse.Namespace) -> None:
    scores = results.scores
    if given.files and not given.short:
        sys.stdout.write("\n".join(block(cell) for cell in by_cell(scores)) + "\n")
    if not given.short:
        sys.stdout.write(f"{LEGEND}\n{summary(scores)}\n\n{limits.text()}\n\n")
    sys.stdout.write(goals.short(scores) + "\n")
    if given.picture or given.short_picture:
        from bench.judge import picture  # slow to import, and not always wanted

        if given.picture:
            picture.full(scores, given.picture)
        if given.short_picture:
            picture.short(scores, given.short_picture)


if __name__ == "__main__":
    sys.exit(main())
