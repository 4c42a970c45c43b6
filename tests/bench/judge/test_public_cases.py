"""Bad canaries of public threads: the peer of the thread promotes them, our judge does not."""

import pytest
from bench.judge.ours import Ours
from bench.judge.peers.fixtures import CASES, PublicCase
from bench.judge.protocol import Decision, Judge


def decided(judge: Judge, case: PublicCase) -> Decision:
    ticks = case.ticks()
    judge.prelude([tick for tick in ticks if tick.at < 0])
    if any(judge.tick(tick) == "rollback" for tick in ticks if tick.at >= 0):
        return "rollback"
    return judge.finish()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_peer_of_the_thread_promotes_it(case: PublicCase) -> None:
    """As the thread reports."""
    assert "promote" == decided(case.peer(), case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_our_judge_does_not(case: PublicCase) -> None:
    """It rolls back, or leaves to a human what four errors in all cannot decide."""
    held = case.name == "kayenta#426"

    assert ("inconclusive" if held else case.right) == decided(Ours(), case)
