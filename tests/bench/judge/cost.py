"""`python -m bench.judge.cost`: CPU time of one look with four SLOs, as a plain print."""

import sys
import time

from bench.judge.cells import Cell
from bench.judge.ours import Ours
from bench.judge.traces import trace


def main() -> None:
    """Print the mean and the dearest look of healthy sessions at every traffic."""
    for rate in (1.0, 10.0, 100.0, 1000.0):
        ticks = list(trace(Cell("iid", rate), 1).ticks())
        judge = Ours()
        judge.prelude([tick for tick in ticks if tick.at < 0])
        spent = []
        for tick in ticks:
            if tick.at >= 0:
                begun = time.process_time()
                judge.tick(tick)
                spent.append(1000 * (time.process_time() - begun))
        mean = sum(spent) / len(spent)
        sys.stdout.write(f"{rate:>6g} rps: {mean:.2f} ms a look, dearest {max(spent):.2f} ms\n")


if __name__ == "__main__":
    main()
