"""Many services' questions as few queries, and each service's own series out of the answers.

A question asks for the series of one metric whose labels are one of some values. Questions that
differ in those values only can be asked at once: the merged query finds at least what each of
them would have found, and every series says by its labels whose it is. So nobody gets a series
that was not asked for, and nobody misses one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Final

from adapters.metrics.promql import alternatives, literal, selector
from adapters.metrics.samples import Series

MOST: Final = 100
"""Values of one label in a query: servers look a short list of values up in their index, and try a
long one on every value there is."""
LONGEST: Final = 12_000
"""Bytes of a selector: servers and what stands before them limit the length of a query."""

Values = tuple[tuple[str, frozenset[str]], ...]
"""By label, in order, the values of which it must have one; "" is a label that is not there."""
Shape = tuple[str, timedelta, frozenset[tuple[str, str]], tuple[str, ...]]
"""What all questions of a query have in common: metric, window, expressions, labels with values."""


class NotDealt(Exception):  # noqa: N818 - it says what happened to the answer
    """The answer lacks labels that it was chosen by, so nobody can tell whose series are whose."""


@dataclass(frozen=True, slots=True)
class Question:
    """Raw samples of some series of one metric; made by `question`.

    Attributes:
        metric: its name.
        window: how far back from now.
        expressions: labels that must fit an expression, as in `Selector`, with the "~".
        values: labels that must be one of some values.

    """

    metric: str
    window: timedelta
    expressions: frozenset[tuple[str, str]]
    values: Values

    @property
    def shape(self) -> Shape:
        """Questions of different shapes are never merged."""
        labels = tuple(label for label, _ in self.values)
        return self.metric, self.window, self.expressions, labels

    @property
    def matchers(self) -> Mapping[str, str]:
        """As `promql.selector` takes them."""
        return _matchers(self.expressions, dict(self.values))

    @property
    def keys(self) -> Iterable[tuple[str, ...]]:
        """What the labels with values may be in its series, taken together."""
        return product(*(values for _, values in self.values))


@dataclass(frozen=True, slots=True)
class Query:
    """Questions that are asked at once; they are of one shape, and each is there once.

    Attributes:
        questions: one or more.
        values: by label, those of all questions.

    """

    questions: tuple[Question, ...]
    values: Mapping[str, frozenset[str]]

    @property
    def matchers(self) -> Mapping[str, str]:
        """As `promql.selector` takes them."""
        return _matchers(self.questions[0].expressions, self.values)

    def deal(self, series: Sequence[Series]) -> Mapping[Question, list[Series]]:
        """Every question's own series, in the order they came; a lone one has them all.

        Raises:
            NotDealt: a series lacks what it was asked by, as behind a layer that removes labels.

        """
        if len(self.questions) == 1:
            return {self.questions[0]: list(series)}
        dealt: dict[Question, list[Series]] = {one: [] for one in self.questions}
        owners: dict[tuple[str, ...], list[list[Series]]] = {}
        for one, own in dealt.items():
            for key in one.keys:
                owners.setdefault(key, []).append(own)
        for found in series:
            key = tuple(found.labels.get(label, "") for label in self.values)
            for own in owners.get(key, ()):
                own.append(found)
            if key not in owners and any(
                value not in wanted
                for value, wanted in zip(key, self.values.values(), strict=True)
            ):
                raise NotDealt
        return dealt


def question(
    metric: str, matchers: Mapping[str, str], among: Mapping[str, Iterable[str]], window: timedelta
) -> Question:
    """Ask for a metric's series.

    Args:
        metric: its name.
        matchers: by label, the value; "~" before it makes it an expression.
        among: by label, values of which it must have one; they go before `matchers`.
        window: how far back from now, more than zero.

    """
    plain = {
        label: frozenset((value,)) for label, value in matchers.items() if value[:1] != "~"
    } | {label: frozenset(values) for label, values in among.items()}
    expressions = frozenset(
        (label, value)
        for label, value in matchers.items()
        if value[:1] == "~" and label not in plain
    )
    return Question(metric, window, expressions, tuple(sorted(plain.items())))


def alone(question: Question) -> Query:
    """A query of one question."""
    return Query((question,), dict(question.values))


def merged(
    questions: Iterable[Question], at_most: Mapping[Shape, int] | None = None
) -> list[Query]:
    """Put questions together, as many as may be; equal ones become one.

    Labels with several values (the arms) are put together, and of the others the one that tells
    most questions apart (the service). Were more of them put together, the query would find the
    series of every combination, also of those that nobody asked for.

    Args:
        questions: in any order.
        at_most: how many may be in one query, by their shape; left out, as the limits allow.

    """
    shapes: dict[Shape, dict[Question, None]] = {}
    queries: list[Query] = []
    for one in dict.fromkeys(questions):
        if any("" in values for _, values in one.values):
            queries.append(alone(one))  # by what is not there nothing can be dealt
        else:
            shapes.setdefault(one.shape, {})[one] = None
    for shape, same in shapes.items():
        most = (at_most or {}).get(shape, MOST)
        for kin in _kin(list(same)):
            queries += _packed(kin, most)
    return queries


def _kin(questions: Sequence[Question]) -> Iterable[list[Question]]:
    """Questions of one shape by what they must agree in."""
    several: set[str] = set()
    variety: dict[str, set[frozenset[str]]] = {}
    for one in questions:
        for label, values in one.values:
            variety.setdefault(label, set()).add(values)
            if len(values) > 1:
                several.add(label)
    single = [label for label in variety if label not in several]
    telling = max(single, key=lambda label: len(variety[label]), default="")
    free = several | {telling}
    kin: dict[Values, list[Question]] = {}
    for one in questions:
        agreed = tuple((label, values) for label, values in one.values if label not in free)
        kin.setdefault(agreed, []).append(one)
    return kin.values()


def _packed(questions: Sequence[Question], most: int) -> Iterable[Query]:
    """Fill one query after the other up to the limits; a question that is too long is alone."""
    pack: list[Question] = []
    values: dict[str, set[str]] = {}
    length = 0
    for one in questions:
        new = {label: own - values.get(label, set()) for label, own in one.values}
        longer = sum(_length(value) for added in new.values() for value in added)
        if pack and (
            len(pack) >= most
            or length + longer > LONGEST
            or any(len(values[label]) + len(added) > MOST for label, added in new.items())
        ):
            yield _query(pack, values)
            pack, values, length = [], {}, 0
            longer = sum(_length(value) for _, own in one.values for value in own)
        if not pack:
            length = len(
                selector(one.metric, _matchers(one.expressions, {})).encode(errors="replace")
            )
        pack.append(one)
        length += longer
        for label, own in one.values:
            values.setdefault(label, set()).update(own)
    if pack:
        yield _query(pack, values)


def _query(pack: Sequence[Question], values: Mapping[str, set[str]]) -> Query:
    return Query(tuple(pack), {label: frozenset(own) for label, own in values.items()})


def _length(value: str) -> int:
    """Bytes of a value in a selector, and a few more for the bar between."""
    return len(selector("", {"": f"~{literal(value)}"}).encode(errors="replace"))


def _matchers(
    expressions: Iterable[tuple[str, str]], values: Mapping[str, Iterable[str]]
) -> Mapping[str, str]:
    return dict(sorted(expressions)) | {label: alternatives(own) for label, own in values.items()}
