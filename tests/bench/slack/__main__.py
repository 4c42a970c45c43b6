"""`python -m bench.slack`: how live canaries share Slack's limit of edits, against a strict one."""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from bench.slack.rollouts import Plan, measured
from bench.slack.table import Found, table

from bot.ports import PortError

PLANS = (Plan(1), Plan(20), Plan(100), Plan(20, replicas=2))
QUICK = (Plan(1), Plan(20), Plan(20, replicas=2))

EPILOG = """\
A full run takes about six minutes, --quick about two, without 100 canaries. Each row has a local
Slack of its own, a process with Slack's limits (50 edits a minute, 20 at once), and all rows run at
the same time. What is measured begins once every message was edited, and 429s from the start."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a row could not be measured. A missed goal is no failure."""
    parser = argparse.ArgumentParser(
        prog="make bench-slack",
        description="How live canaries share Slack's limit of edits.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="shorter, to see that it works")
    given = parser.parse_args(arguments)
    sys.stdout.write("slack\n")
    begun = time.monotonic()
    try:
        found = asyncio.run(_run(QUICK, 60.0) if given.quick else _run(PLANS, 170.0))
    except ExceptionGroup as errors:
        known, unknown = errors.split((AssertionError, OSError, PortError))
        if unknown or known is None:
            raise
        said = "; ".join(str(error) for error in _leaves(known))
        sys.stderr.write(f"slack could not be measured: {said}\n")
        return 1
    sys.stdout.write(f"{table(found)}\n  ({time.monotonic() - begun:.0f} s)\n")
    return 0


def _leaves(group: ExceptionGroup) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _run(plans: Sequence[Plan], seconds: float) -> list[Found]:
    with TemporaryDirectory() as folder:
        folders = [Path(mkdtemp(dir=folder)) for _ in plans]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(measured(plan, seconds, each))
                for plan, each in zip(plans, folders, strict=True)
            ]
    return [task.result() for task in tasks]


if __name__ == "__main__":
    sys.exit(main())
