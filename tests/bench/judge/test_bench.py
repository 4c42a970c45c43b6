"""The benchmark is what it says: seeded, fair to every judge, and counted rightly."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.bench.judge.__main__ import main
from tests.bench.judge.cells import Cell, cells, chosen
from tests.bench.judge.ours import Ours
from tests.bench.judge.protocol import Decision, Tick
from tests.bench.judge.runner import Score, batch, run
from tests.bench.judge.table import line, picture, summary
from tests.bench.judge.traces import trace


class Always:
    """Rolls back at once, or never."""

    def __init__(self, answer: Decision) -> None:
        self.name: str = answer
        self.answer: Decision = answer

    def prelude(self, ticks: Sequence[Tick]) -> None:
        assert all(tick.canary is None for tick in ticks)

    def tick(self, tick: Tick) -> Decision:
        return self.answer if tick.at > 0 else "continue"

    def finish(self) -> Decision:
        return self.answer


@pytest.mark.parametrize("cell", cells(), ids=str)
def test_a_session_is_its_seed(cell: Cell) -> None:
    """The same seed gives the same ticks, another one others; an hour before, 20 minutes of it."""
    first, again = list(trace(cell, 5).ticks()), list(trace(cell, 5).ticks())

    assert first == again
    assert first != list(trace(cell, 6).ticks())
    assert (-3600.0, 1200.0, 481) == (first[0].at, first[-1].at, len(first))


def test_counters_fall_only_where_they_were_reset() -> None:
    """Cumulative counters of a session without resets only rise, errors within requests."""
    ticks = list(trace(Cell("sticky", 100), 3, pods=True).ticks())
    arms = [tick.stable for tick in ticks if tick.stable]

    for before, after in pairwise(arms):
        assert before.requests <= after.requests
        assert before.errors <= after.errors <= after.requests
        assert after.requests == after.buckets[-1][1]
        assert after.requests == sum(pod.requests for pod in after.pods.values())


def test_an_outcome_counts_from_the_onset_and_harm_up_to_the_rollback() -> None:
    """Before the onset there is no detection, and who never rolls back harms everybody."""
    made = trace(Cell("x5_half", 1000), 1)
    ticks = list(made.ticks())
    hasty, never = run(made, ticks, Always("rollback")), run(made, ticks, Always("promote"))

    assert (None, 0.0) == (hasty.at, hasty.harmed)
    assert ("promote", None) == (never.decision, never.at)
    assert never.harmed > 100


def test_the_table_counts_every_session_once(tmp_path: Path) -> None:
    """Two judges on the same sessions: one always false, one always wrong."""
    scores: list[Score] = []
    for cell in chosen("iid@1,x5@1"):
        factories = [lambda: Always("rollback"), lambda: Always("promote")]
        scores += batch(cell, range(3), factories, pods=False)

    assert "100.0%" in line(scores[0])
    assert "false rollbacks worst 100.00%" in summary(scores)
    assert [3] * 4 == [score.runs for score in scores]
    picture(scores, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").stat().st_size > 1000


def test_our_judge_does_its_work_here() -> None:
    """A sound canary goes on, a bad one is rolled back."""
    healthy, broken = trace(Cell("iid", 1000), 1), trace(Cell("x5", 1000), 1)

    assert "promote" == run(healthy, list(healthy.ticks()), Ours()).decision
    assert "rollback" == run(broken, list(broken.ticks()), Ours()).decision


def test_a_mistyped_cell_or_judge_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """One line on what is known, and exit code 2."""
    assert 2 == main(["--cells", "x3"])
    assert "x1.5" in capsys.readouterr().err
    assert 2 == main(["--judges", "nobody"])
    assert "canarybot" in capsys.readouterr().err
