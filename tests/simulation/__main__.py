"""Replays one rollout with everything that happens in it: `python -m simulation --seed 123`."""

import argparse
import sys

from simulation.rollout import simulate
from simulation.scenario import scenario


def main() -> int:
    """Print the trace; the exit code says whether the oracle is content."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="which rollout")
    seed = parser.parse_args().seed
    chosen = scenario(seed)
    sys.stdout.write(f"{chosen.story}, {chosen.replicas} replicas, stable {chosen.stable}\n")
    for trouble in chosen.troubles:
        sys.stdout.write(f"  {trouble}\n")
    result = simulate(seed, verbose=True)
    sys.stdout.write("\n".join(result.trace) + "\n")
    for wrong in result.wrong:
        sys.stdout.write(f"WRONG {wrong}\n")
    sys.stdout.write(f"{'wrong' if result.wrong else 'right'}, trace {result.fingerprint}\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
