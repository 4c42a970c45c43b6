"""`python -m bench.engine`: what the engine carries, and how quickly it acts, on this machine."""

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from bench.engine.ack import acknowledged
from bench.engine.adopt import adopted
from bench.engine.breach import breached
from bench.engine.carry import carried
from bench.engine.figures import Figure, table
from bench.engine.scraped import from_prometheus

Part = Callable[[bool, str], AsyncIterator[Figure]]

SIZES = (10, 100, 1000, 5000)
PARTS: dict[str, Part] = {
    "carry": lambda quick, profile: carried(
        "carry", (10, 1000) if quick else SIZES, 12 if quick else 40, profile=profile
    ),
    "prometheus": lambda quick, profile: carried(
        "prometheus",
        (100,) if quick else SIZES,
        10 if quick else 30,
        from_prometheus,
        profile=profile,
    ),
    "breach": lambda quick, _: breached(1 if quick else 6),
    "adopt": lambda quick, _: adopted(200 if quick else 1000),
    "ack": lambda quick, profile: acknowledged(
        200 if quick else 1000, 6 if quick else 20, profile
    ),
}

EPILOG = """\
A full run takes about a quarter of an hour, --quick about two minutes. Every server is real and started by the
run itself: Valkey with an append-only file, Envoy, Prometheus (from the operating system), the
local Slack. A busy machine measures itself: run it on an idle one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a part could not be measured. A missed goal is no failure."""
    given = _parser().parse_args(arguments)
    figures, failed = asyncio.run(_run(given))
    place = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    sys.stdout.write(f"\nOn {place}:\n\n{table(figures)}\n")
    if given.save:
        given.save.parent.mkdir(parents=True, exist_ok=True)
        found = {"on": place, "figures": [figure.dump() for figure in figures]}
        given.save.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Live canaries one process carries, and how quickly it acts.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="smaller and shorter, to see that all of it works")
    add("--part", choices=list(PARTS), action="append", help="only this one; may be repeated")
    add("--save", type=Path, metavar="FILE", help="write the figures as JSON")
    add(
        "--profile",
        default="",
        metavar="FILE",
        help="what took the bot's CPU (not of breach and adopt)",
    )
    return parser


async def _run(given: argparse.Namespace) -> tuple[list[Figure], bool]:
    figures: list[Figure] = []
    failed = False
    for name in given.part or PARTS:
        begun = time.monotonic()
        sys.stdout.write(f"{name}\n")
        try:
            async for figure in PARTS[name](given.quick, given.profile):
                figures.append(figure)
                sys.stdout.write(f"{figure}\n")
                sys.stdout.flush()
        except (AssertionError, OSError, TimeoutError) as error:
            failed = True
            sys.stderr.write(
                f"{name} could not be measured: {str(error) or type(error).__name__}\n"
            )
        sys.stdout.write(f"  ({time.monotonic() - begun:.0f} s)\n")
    return figures, failed


if __name__ == "__main__":
    sys.exit(main())
