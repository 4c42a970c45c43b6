"""Merged questions find for each service what its own question would have found."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.metrics.merging import (
    LONGEST,
    MOST,
    NotDealt,
    Question,
    alone,
    merged,
    question,
)
from adapters.metrics.promql import alternatives, literal, selector
from adapters.metrics.samples import Series

WINDOW: Final = timedelta(seconds=30)
ODD: Final = st.sampled_from(
    [
        "",
        "a",
        "b",
        "a|b",
        ".*",
        "~a",
        "~",
        'a"b',
        "a\\",
        "a\\b",
        "(",
        "[a",
        "a\n",
        "é",
        "日本",
        "😀",
        "-",
    ]
)
VALUES: Final = ODD | st.text(
    st.characters(codec="utf-8") | st.sampled_from(r'\.+*?()|[]{}^$"~-# '), max_size=6
)
LABELS: Final = st.fixed_dictionaries({"service": VALUES, "arm": VALUES, "code": VALUES})
EXPRESSIONS: Final = st.sampled_from(["~.*", "~5..", "~(?s).+", "~a|b"])


def is_found(matchers: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """As Prometheus matches: whole values, and a label that is missing is empty."""
    return all(
        re.fullmatch(wanted[1:], labels.get(label, "")) is not None
        if wanted.startswith("~")
        else labels.get(label, "") == wanted
        for label, wanted in matchers.items()
    )


def answer(matchers: Mapping[str, str], series: Sequence[Series]) -> list[Series]:
    return [one for one in series if is_found(matchers, one.labels)]


def series(labels: Mapping[str, str]) -> Series:
    return Series("m", {label: value for label, value in labels.items() if value}, (1.0,), (1.0,))


@st.composite
def questions(draw: st.DrawFn) -> Question:
    metric = draw(st.sampled_from(["m", "n"]))
    matchers = {}
    if draw(st.booleans()):
        matchers["service"] = draw(ODD.filter(lambda value: not value.startswith("~")))
    if draw(st.booleans()):
        matchers["code"] = draw(EXPRESSIONS | st.just("500"))
    arms = draw(st.lists(VALUES, min_size=1, max_size=3))
    return question(metric, matchers, {"arm": arms}, WINDOW)


@given(st.lists(questions(), max_size=12), st.lists(LABELS, max_size=20), st.integers(1, 5))
def test_everyone_gets_what_it_would_have_found_alone(
    asked: list[Question], labels: list[Mapping[str, str]], most: int
) -> None:
    """Whatever the values, the merged answers dealt back are the single answers, in their order."""
    known = [series(own) for own in labels]
    dealt: dict[Question, list[Series]] = {}
    for query in merged(asked, {one.shape: most for one in asked}):
        assert len(query.questions) <= most
        dealt |= query.deal(answer(query.matchers, known))

    assert dealt == {one: answer(one.matchers, known) for one in asked}


@given(VALUES, VALUES)
def test_a_literal_fits_itself_only(value: str, other: str) -> None:
    """An escaped value, and its quotes, stand for that value and for no other."""
    assert re.fullmatch(literal(value), value) is not None
    assert (re.fullmatch(literal(value), other) is not None) == (value == other)
    text = selector("m", {"a": alternatives([value, other])})
    quoted = text.removeprefix("m{a=").removeprefix("~").removesuffix("}")
    assert "\n" not in quoted
    wanted = alternatives([value, other])
    assert wanted[wanted.startswith("~") :] == json.loads(quoted)


@given(st.lists(VALUES, min_size=1, max_size=400, unique=True), st.integers(1, 200))
def test_no_query_goes_beyond_the_limits(values: list[str], most: int) -> None:
    """A query of several questions has few enough values, questions and bytes; none gets lost."""
    asked = [question("m", {"long": "x" * 300}, {"arm": [value * 30]}, WINDOW) for value in values]
    queries = merged(asked, {asked[0].shape: most})
    for query in queries:
        size = len(selector("m", query.matchers).encode())
        assert len(query.questions) == 1 or size <= LONGEST
        assert len(query.questions) <= most
        assert all(len(own) <= MOST for own in query.values.values())
    assert {one for query in queries for one in query.questions} == set(asked)


def test_services_of_one_kind_are_one_query() -> None:
    """Services that differ in one label, and in their arms, are asked for at once."""
    asked = [
        question(
            "m", {"service": name, "code": "~5.."}, {"arm": [f"{name}-1", f"{name}-2"]}, WINDOW
        )
        for name in ("shop", "cart.eu")
    ]
    (query,) = merged(asked)
    assert selector("m", query.matchers) == (
        'm{code=~"5..",arm=~"cart\\\\.eu-1|cart\\\\.eu-2|shop-1|shop-2",service=~"cart\\\\.eu|shop"}'
    )


def test_what_is_asked_differently_stays_apart() -> None:
    """Another metric, window, expression or second label is another query."""
    base = question("m", {"service": "a", "code": "~5.."}, {"arm": ["x"]}, WINDOW)
    others = [
        question("n", {"service": "a", "code": "~5.."}, {"arm": ["x"]}, WINDOW),
        question("m", {"service": "a", "code": "~5.."}, {"arm": ["x"]}, 2 * WINDOW),
        question("m", {"service": "a", "code": "~4.."}, {"arm": ["x"]}, WINDOW),
        question("m", {"service": "a", "zone": "1"}, {"arm": ["x"]}, WINDOW),
    ]
    assert all(len(query.questions) == 1 for query in merged([base, *others]))
    two = [
        question("m", {"service": name, "zone": zone}, {"arm": ["x", "y"]}, WINDOW)
        for name in ("a", "b", "c")
        for zone in ("1", "2")
    ]
    assert [len(query.questions) for query in merged(two)] == [3, 3]


def test_an_answer_without_its_labels_is_not_dealt() -> None:
    """Behind a layer that removes a label nobody gets another's series; a lone one has its own."""
    asked = [question("m", {"replica": name}, {"arm": ["x"]}, WINDOW) for name in "ab"]
    (query,) = merged(asked)
    stripped = Series("m", {"arm": "x"}, (1.0,), (1.0,))
    with pytest.raises(NotDealt):
        query.deal([stripped])
    assert alone(asked[0]).deal([stripped]) == {asked[0]: [stripped]}
