"""Nothing is lost: whatever is killed or stopped at whatever moment, on real parts."""

import sys
from pathlib import Path

import pytest
from ordeal.__main__ import new_seed
from ordeal.trial import run

pytestmark = [pytest.mark.e2e, pytest.mark.external_service, pytest.mark.timeout(400)]

FAULTS = 50


async def test_rollouts_end_as_they_must_under_fifty_faults(tmp_path: Path) -> None:
    """Two bots, Redis with Sentinels, Envoy and Slack are killed and stopped while four services roll out."""
    told = []

    def tell(line: str) -> None:
        told.append(line)
        sys.stdout.write(f"{line}\n")

    seed = new_seed()
    tell(f"replay it with CANARY_FAULT_SEED={seed}")
    summary = await run(tmp_path, seed, tell, seconds=50, pace=1.0, at_least=FAULTS)
    tell(str(summary))
    assert not summary.problems, "\n".join(told)
    assert summary.faults.total() >= FAULTS
    assert summary.ends.total() >= 8
