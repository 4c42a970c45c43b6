"""Reads the text formats of Prometheus (0.0.4) and OpenMetrics, only as far as it is asked to."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as classic

from adapters.metrics.counting import Point
from bot.core.slo import NoData

ACCEPT: Final = (
    "text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1"
)
_SUFFIXES: Final = ("_total", "_bucket", "_count", "_sum", "_created")


@dataclass(frozen=True, slots=True)
class Exposition:
    """What an endpoint told.

    Attributes:
        points: the series that were asked for.
        declared: the names asked for that have a TYPE, even where they have no series yet.

    """

    points: tuple[Point, ...]
    declared: frozenset[str]


def parse(text: str, content_type: str, names: Sequence[str]) -> Exposition | NoData:
    """Read the series of these names; `NoData` when the text is not what it claims to be.

    Only lines of these names are parsed: a server's other metrics, thousands of lines at times,
    cost nothing and can break nothing.
    """
    is_open = "openmetrics" in content_type
    if is_open and not text.rstrip().endswith("# EOF"):
        return NoData("the metrics were cut off: the closing # EOF is missing")
    lines = _open_lines(text, names) if is_open else _classic_lines(text, names)
    try:
        families: list[Metric] = list(_open_metrics(lines) if is_open else classic(lines))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        # The parsers check with whatever Python raises.
        return NoData(f"the metrics cannot be parsed: {str(error)[:200] or type(error).__name__}")
    points = _points(families, set(names))
    twice = _told_twice(points)
    if twice is not None:
        return NoData(f"the metrics tell {twice} twice with the same labels")
    declared = {name for name in names if _is_declared(text, name)}
    return Exposition(points, frozenset(declared))


def resembling(text: str, name: str) -> tuple[str, ...]:
    """Names in an exposition that look like `name`, at most five."""
    return close_to(
        name, set(re.findall(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)[{ \t]", text, re.MULTILINE))
    )


def close_to(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that look like `name`, the closest first, at most five."""
    return tuple(difflib.get_close_matches(name, sorted(names), n=5, cutoff=0.6))


def _open_metrics(lines: str) -> Iterable[Metric]:
    families: Iterable[Metric] = open_metrics(lines)  # type: ignore[no-untyped-call]  # it has no types
    return families


def _any_of(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in names)


def _classic_lines(text: str, names: Sequence[str]) -> str:
    """The lines of these series and no TYPE: told of a counter the parser renames its series.

    With its TYPE, Envoy's `upstream_rq` becomes `upstream_rq_total`, which exists as well.
    """
    found = re.findall(rf"^[ \t]*(?:{_any_of(names)})[{{ \t][^\n]*$", text, re.MULTILINE)
    return "\n".join(line.strip() for line in found)


def _open_lines(text: str, names: Sequence[str]) -> str:
    """The whole families of these series, as the parser checks a family as one."""
    families = {name.removesuffix(suffix) for name in names for suffix in ("", *_SUFFIXES)}
    chosen = _any_of(sorted(families))
    suffix = "|".join(_SUFFIXES)
    found = re.findall(
        rf"^(?:# TYPE (?:{chosen}) [^\n]*|(?:{chosen})(?:{suffix})?[{{ ][^\n]*)$",
        text,
        re.MULTILINE,
    )
    return "\n".join([*found, "# EOF\n"])


def _points(families: Iterable[Metric], names: set[str]) -> tuple[Point, ...]:
    return tuple(
        Point(
            sample.name,
            sample.labels,
            float(sample.value),
            None if sample.timestamp is None else float(sample.timestamp),
        )
        for family in families
        for sample in family.samples
        if sample.name in names
    )


def _told_twice(points: Iterable[Point]) -> str | None:
    seen = set()
    for point in points:
        series = (point.name, frozenset(point.labels.items()))
        if series in seen:
            return point.name
        seen.add(series)
    return None


def _is_declared(text: str, name: str) -> bool:
    family = rf"{re.escape(name.removesuffix('_total'))}(?:_total)?"
    return re.search(rf"^# TYPE {family} ", text, re.MULTILINE) is not None
