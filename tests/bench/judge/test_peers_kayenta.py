"""Kayenta's statistics and scores, against its own suite, its users' threads and their output."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from bench.judge.peers.fixtures import CASES, NARROW, WIDE, PublicCase
from bench.judge.peers.kayenta import Classified, Label, Metric, classify, score
from bench.judge.peers.mann_whitney import interval, statistic
from hypothesis import given
from hypothesis import strategies as st

METRIC = Metric("m")
INCREASE = Metric("m", direction="increase")
SIZES = [55.6, 54.5, 55.1, 54.9, 57.4]


def label(x: Sequence[float], y: Sequence[float], metric: Metric = METRIC) -> Label:
    """What Kayenta says of canary x beside control y."""
    return classify(metric, y, x, random.Random(1)).label


@pytest.mark.parametrize(
    ("x", "y", "confidence", "printed"),
    [
        ([10, 20, 30, 40], [1, 2, 3, 4], 0.95, (6, 39, 22.5)),
        # A user's debug output in spinnaker#6278, to the last figures of the solver.
        ([100] * 7 + [1] * 3, [1] * 10, 0.98, (6.825022991538781e-5, 99, 98.99992904170193)),
    ],
)
def test_interval_is_the_one_their_code_prints(
    x: list[float], y: list[float], confidence: float, printed: tuple[float, float, float]
) -> None:
    """Bounds and estimate agree to twelve figures with what Kayenta itself computed."""
    found = interval(x, y, confidence)
    assert (found.lower, found.upper, found.estimate) == pytest.approx(printed, rel=1e-12)


@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=12),
    st.lists(st.integers(0, 6), min_size=2, max_size=12),
    st.integers(-6, 6),
)
def test_statistic_is_the_rank_sum_by_definition(x: list[int], y: list[int], mu: int) -> None:
    """Counting against the sorted control gives the average ranks and ties of the joint sample."""
    n, m = len(x), len(y)
    joint = [value - mu for value in x] + y
    ranks = [sum(b < a for b in joint) + (1 + sum(b == a for b in joint)) / 2 for a in joint]
    ties = sum(joint.count(value) ** 3 - joint.count(value) for value in set(joint))
    off = sum(ranks[:n]) - n * (n + 1) / 2 - n * m / 2
    variance = n * m / 12 * ((n + m + 1) - ties / ((n + m) * (n + m - 1)))
    if variance > 0:
        sign = (off > 0) - (off < 0)
        assert statistic(x, y)(mu) == pytest.approx((off - 0.5 * sign) / math.sqrt(variance))


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ([20, 22, 21, 25, 30], [1, 2.2, 1.1, 2.5, 3], "High"),
        ([1, 1, 1, 1, 10], [1, 1, 1, 1, 1], "Pass"),
        ([0, 1, 1, 1, 1], [1, 1, 1, 1, 1], "Pass"),
        ([10] * 5, [0] * 5, "High"),
        ([10] * 5, [1] * 5, "High"),
        ([0] * 5, SIZES, "Low"),
        (SIZES, [0] * 5, "High"),
        ([1, 1, 1], [1, 1], "Pass"),
        ([5, 4, 3], [3, 4, 5], "Pass"),
        ([], [1, 2, 3], "Nodata"),
    ],
)
def test_labels_are_those_of_their_suite(x: list[float], y: list[float], says: Label) -> None:
    """With the suite's tolerance and confidence, each of its small series is labelled as there."""
    found = classify(Metric("m"), y, x, random.Random(1), confidence=0.95, tolerance=0.1)
    assert found.label == says


STEADY = [100.0 + at % 5 / 10 for at in range(20)]


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ([0] * 10 + [50] * 10, [0] * 20, "Pass"),
        (STEADY[:8] + [10 * value for value in STEADY[8:]], STEADY, "Pass"),
        ([0, 0.05, 0, 0.18, 0.09, 0, 0.1, 0.04, 0, 0] * 5, [0] * 50, "Pass"),
        ([200, 201], [100, 101], "High"),
        ([200], [100], "Error"),
    ],
)
def test_blind_spots_are_those_measured(x: list[float], y: list[float], says: Label) -> None:
    """Half the minutes failing, a late tenfold latency and sparse errors pass; n = 1 is an error."""
    assert label(x, y, INCREASE) == says


def test_missing_data_is_treated_as_configured() -> None:
    """NaN is removed or a zero; an empty series is Nodata, a failure, critical, or passes."""
    none = [math.nan] * 5
    assert label(none, SIZES) == "Nodata"
    assert label(none, SIZES, Metric("m", must_have_data=True)) == "NodataFailMetric"
    assert classify(Metric("m", critical=True), SIZES, none, random.Random(1)).critical
    assert label(none, SIZES, Metric("m", nan="replace")) == "Low"
    assert label([], SIZES, Metric("m", nan="replace")) == "Pass"


def test_outliers_are_kept_unless_asked() -> None:
    """Beyond the fences a value is dropped, and one within the first percentile never is."""
    spiky = [*range(1, 200), 10_000.0]
    fenced = Metric("m", outliers="remove")
    assert label(spiky, list(range(1, 200)), fenced) == "Pass"
    assert label([10, 11, 12, 13], [1, 2, 3, 4], fenced) == "High"


def test_effect_size_can_block_and_can_be_critical() -> None:
    """A ratio under the allowed one passes, one over the critical one fails the canary alone."""
    x, y = [20.0, 22, 21, 25, 30], [1.0, 2.2, 1.1, 2.5, 3]
    assert label(x, y, Metric("m", allowed=(1, 13))) == "Pass"
    harsh = Metric("m", critical=True, critical_at=(1, 1.2))
    mild = Metric("m", critical=True, critical_at=(1, 13))
    assert classify(harsh, y, x, random.Random(1)).critical
    assert not classify(mild, y, x, random.Random(1)).critical
    assert label(x, y, Metric("m", measure="cles", allowed=(0.2, 0.8))) == "High"


def results(*labels: Label, **options: bool) -> list[Classified]:
    return [
        Classified(Metric(one, f"group {at}", muted=options.get("muted", False)), one)
        for at, one in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("made", "weights", "total"),
    [
        (results("Pass", "Pass", "High", "Pass"), {}, 75.0),
        (results("Pass", "Low", "Pass"), {}, 66.67),
        (results("Pass", "High"), {"group 0": 90.0}, 90.0),
        (results("Error"), {}, 100.0),
        (results("Pass", "Pass", "Nodata"), {}, 100.0),
        (results("Pass", "Nodata"), {}, 0.0),
        (results("Pass", "Pass", "NodataFailMetric", "Pass"), {}, 75.0),
        (results("Pass") + results("High", muted=True), {}, 100.0),
        ([*results("Pass", "Pass"), Classified(Metric("m"), "High", critical=True)], {}, 0.0),
    ],
)
def test_score_weighs_groups_and_fails_open(
    made: list[Classified], weights: dict[str, float], total: float
) -> None:
    """Errors and missing data count as passed until half of the metrics are missing."""
    assert score(made, weights) == total


@pytest.mark.parametrize("case", CASES[:3], ids=lambda case: case.name)
def test_public_series_pass_kayenta(case: PublicCase) -> None:
    """Kayenta says Pass to the very series of the thread, with the thread's treatment of NaN."""
    assert label(case.experiment, case.control, replace(INCREASE, nan="replace")) == "Pass"
    assert label(NARROW, WIDE) == label(WIDE, NARROW) == "Pass"
