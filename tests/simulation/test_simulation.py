"""Whole rollouts in virtual time: what may never happen does not, whatever goes wrong."""

import os
import sys

import pytest
from simulation.mutations import MUTATIONS, Mutation
from simulation.rollout import Result, simulate
from simulation.running import Summary, run, wanted
from simulation.scenario import KINDS, PRESSED

PHASES = (
    "pending_approval", "preparing", "shifting", "observing", "paused", "awaiting_decision",
    "promoting", "promoted", "rolling_back", "rolled_back", "rejected",
)  # fmt: skip
ENDS = ("promoted", "rolled_back", "rejected")
ENOUGH = 500
TRIES = 1500
"""Rollouts within which a missing safety must have been noticed."""


@pytest.fixture(scope="module")
def summary() -> Summary:
    """All rollouts, run once; or the one that is to be replayed."""
    seed = os.environ.get("CANARY_SIMULATION_SEED")
    if seed is None:
        return run(wanted())
    result = simulate(int(seed), verbose=True)
    sys.stdout.write("\n".join(result.trace))
    return Summary(1, [result] if result.wrong else [], result.counts)


@pytest.mark.timeout(600)
def test_every_rollout_ends_rightly_and_nothing_forbidden_happens_on_the_way(
    summary: Summary,
) -> None:
    """Crashes, stops, lost answers, lying routers and late clicks lead to no wrong step."""
    assert not summary.wrong, summary.complaint()


@pytest.mark.timeout(600)
def test_every_kind_of_trouble_and_every_phase_occurs(summary: Summary) -> None:
    """A generator that has died would let everything pass."""
    if summary.rollouts < ENOUGH:
        pytest.skip(f"{summary.rollouts} rollouts are too few to expect everything in them")
    wanted_often = [
        *KINDS,
        *(f"phase {phase}" for phase in PHASES),
        *(f"end {end}" for end in ENDS),
        *(f"click {what}" for what in PRESSED[0]),
        *(f"{what} refused" for what in PRESSED[0] if what != "freeze"),
        *(f"{what} canary" for what in PRESSED[0] if what != "freeze"),
        "click start",
        "start refused",
        "gate of 1 opened",
        "gate of 2 opened",
        "undone",
        "orphan found",
    ]
    least = max(1, summary.rollouts // 500)
    rare = {what: summary.counts[what] for what in wanted_often if summary.counts[what] < least}
    assert not rare


def test_a_seed_stands_for_one_trace() -> None:
    """The same seed does the same again, to the last call and moment."""
    for seed in range(30):
        assert simulate(seed).fingerprint == simulate(seed).fingerprint, seed


def test_a_replay_says_what_happened() -> None:
    """A verbose run takes the same course, and tells it line by line."""
    quiet, told = simulate(7), simulate(7, verbose=True)
    assert told.counts == quiet.counts
    assert any("wrote shop-0" in line for line in told.trace)


def first_wrong(seeds: range) -> Result | None:
    """The first rollout that the oracle does not like."""
    return next((result for result in map(simulate, seeds) if result.wrong), None)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: str(each.__name__))
def test_the_oracle_notices_a_safety_that_is_gone(mutation: Mutation) -> None:
    """Each safety is there for something that happens in some rollout."""
    with mutation():
        found = first_wrong(range(TRIES))
    assert found is not None
    assert not simulate(found.seed).wrong, "it goes wrong with the safety in place as well"
