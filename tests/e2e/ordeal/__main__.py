"""`python -m ordeal`: faults on real parts for as long as one likes; `make soak` runs it."""

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

from ordeal.trial import Summary, run


def new_seed() -> str:
    """The seed in CANARY_FAULT_SEED, or a fresh one."""
    return os.environ.get("CANARY_FAULT_SEED") or secrets.token_hex(4)


def main() -> int:
    """Run; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m ordeal", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=60.0, help="how long faults are inflicted"
    )
    parser.add_argument("--pace", type=float, default=4.0, help="seconds between two, on average")
    parser.add_argument("--seed", default=new_seed(), help="replays the same plan of faults")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="canary-soak-"))
    began = time.monotonic()

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:7.1f}  {line}\n")
        sys.stdout.flush()

    tell(f"seed {asked.seed}; the logs are in {folder}")
    summary: Summary = asyncio.run(
        run(folder, asked.seed, tell, seconds=asked.minutes * 60, pace=asked.pace)
    )
    sys.stdout.write(f"\n{summary}\n")
    return 1 if summary.problems else 0


if __name__ == "__main__":
    sys.exit(main())
