"""The command: its tables, its files, its pictures, and what it says of a mistake."""

import json
from pathlib import Path

import pytest
from bench.judge.__main__ import main
from bench.judge.cells import Cell, chosen
from bench.judge.goals import GOALS, short
from bench.judge.judges import factories
from bench.judge.score import Outcome, Score
from bench.judge.table import block, line, summary

SMALL = ["--runs", "2", "--defect-runs", "2", "--processes", "1"]


def score(judge: str, cell: Cell, *outcomes: Outcome) -> Score:
    made = Score(judge, cell, [(0, len(outcomes))])
    for outcome in outcomes:
        made.add(outcome)
    return made


def test_the_tables_count_what_happened() -> None:
    """A false rollback, a wrong promotion, a find and an early one, each in its own column."""
    back, through = Outcome("rollback", 60.0, 5.0), Outcome("promote", None, 50.0)
    healthy = score("hasty", chosen("iid@1")[0], back, through)
    bad = score("hasty", chosen("x5_half@1000")[0], back, through, Outcome("rollback", -10, 0.0))
    bad.plus(Score("hasty", bad.cell, [(3, 4)], runs=1, promoted=1))

    assert ["hasty", "2", "50.0%", "-", "-", "-", "-", "-", "0.0%", "-"] == line(healthy).split()
    assert "25.0%   25.0%       -       -   50.0%    0.0%" in line(bad)
    assert "false rollbacks: worst 50.00% in iid@1" in summary([healthy, bad])
    assert len({len(row) for row in block([healthy]).splitlines() if row}) == 1


def test_the_short_table_marks_goals_that_are_reached() -> None:
    """One column a judge, a dash where nothing was run, bold where the goal is met."""
    quick, slow = (
        score(name, Cell("x5", 1000.0), Outcome("rollback", at, 0.0))
        for name, at in (("quick", 20.0), ("slow", 300.0))
    )
    table = short([quick, slow])

    assert "| x5 at 1,000 rps, median | ≤ 30 s | **20 s** | 300 s |" in table
    assert "| x2 at 1,000 rps, median | ≤ 150 s | - | - |" in table
    assert len(GOALS) + 3 == len(table.splitlines())


def test_a_run_in_pieces_prints_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Saved pieces with seeds of their own are added up, drawn, and refused when given twice."""
    files = [tmp_path / f"{first}.json" for first in (0, 2)]
    for first, file in zip(("0", "2"), files, strict=True):
        judges = ["--judges", "canarybot,flagger"]
        given = ["--cells", "iid@100,x5@100,zero", "--first-seed", first, "--save", str(file)]
        assert 0 == main([*SMALL, *judges, *given])
    capsys.readouterr()
    pictures = tmp_path / "all.png", tmp_path / "short.png"

    drawn = ["--picture", str(pictures[0]), "--short-picture", str(pictures[1])]
    assert 0 == main(["--from", *map(str, files), *drawn])
    told = capsys.readouterr()
    assert "  canarybot                  4" in told.out
    assert "Flagger 10" in told.out
    assert "" == told.err
    assert all(path.stat().st_size > 5000 for path in pictures)
    assert 2 == main(["--from", str(files[0]), str(files[0])])
    assert "twice" in capsys.readouterr().err


def test_results_of_other_sources_are_said_to_be_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A digest that differs from the sources of today is named, a broken file refused."""
    file = tmp_path / "old.json"
    assert 0 == main([*SMALL, "--judges", "naive", "--cells", "iid@1", "--save", str(file)])
    made = json.loads(file.read_text())
    file.write_text(json.dumps(made | {"digests": made["digests"] | {"our judge": "0000"}}))
    capsys.readouterr()

    assert 0 == main(["--from", str(file), "--short"])
    assert "our judge changed since these results were made (0000 then" in capsys.readouterr().err
    file.write_text("[]")
    assert 2 == main(["--from", str(file)])
    assert "holds no results" in capsys.readouterr().err
    assert 2 == main(["--from", str(tmp_path / "none.json")])
    assert "cannot be read" in capsys.readouterr().err


def test_judges_are_known_by_the_beginning_of_their_names() -> None:
    """`kayenta` is both of them, and dashes stand for spaces."""
    names = [made().name for made in factories("kayenta,z-score,naive-z-test")]

    assert ["Kayenta at the end", "Kayenta every 5 min"] == names[:2]
    assert 4 == len(names)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--cells", "x3"], "x1.5"),
        (["--judges", "nobody"], "canarybot"),
        (["--judges", ""], "there is no judge ''"),
        (["--runs", "0"], "--runs must be 1 or more"),
        (["--first-seed", "-1"], "--first-seed must be 0 or more"),
    ],
)
def test_a_mistake_is_answered_with_what_is_known(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and exit code 2."""
    assert 2 == main(given)
    assert told in capsys.readouterr().err
