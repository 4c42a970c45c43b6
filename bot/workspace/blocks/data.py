"""Blocks that hold data: tables and charts."""

from typing import Any

from bot.workspace.blocks.objects import BLOCK_ID
from bot.workspace.blocks.rich_text import RICH_TEXT
from bot.workspace.blocks.rules import (
    Problems,
    Rule,
    boolean,
    by_type,
    fields,
    integer,
    items,
    number,
    one_of,
    string,
    unique,
)
from bot.workspace.wire import Json

TABLE_CHARACTERS = 10_000

_PLAIN_CELLS: dict[str, Rule] = {
    "raw_text": fields({"text": string(TABLE_CHARACTERS)}),
    "raw_number": fields({"value": number, "text": string(255)}),
}
_CELL = by_type({**_PLAIN_CELLS, "rich_text": RICH_TEXT})
_HEADER_CELL = by_type(_PLAIN_CELLS)


def characters(value: Any) -> int:
    """Count the characters of every text inside a block."""
    if isinstance(value, dict):
        own = value.get("text")
        here = len(own) if isinstance(own, str) else 0
        return here + sum(characters(v) for v in value.values() if not isinstance(v, str))
    if isinstance(value, list):
        return sum(characters(item) for item in value)
    return 0


def _not_too_long(value: Json, at: str, problems: Problems) -> None:
    if characters(value.get("rows")) > TABLE_CHARACTERS:
        problems.add(f"{at}/rows", f"must be less than {TABLE_CHARACTERS + 1} characters in all")


def _rows(value: Json) -> list[list[Any]]:
    rows = value.get("rows")
    return [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []


def _same_width(value: Json, at: str, problems: Problems) -> None:
    rows = _rows(value)
    for place, row in enumerate(rows):
        if len(row) != len(rows[0]):
            problems.add(f"{at}/rows/{place}", "all rows must have the same number of cells")


def _plain_header(value: Json, at: str, problems: Problems) -> None:
    for place, cell in enumerate(_rows(value)[0] if _rows(value) else []):
        _HEADER_CELL(cell, f"{at}/rows/0/{place}", problems)


def _nullable(rule: Rule) -> Rule:
    def check(value: Any, at: str, problems: Problems) -> None:
        if value is not None:
            rule(value, at, problems)

    return check


TABLE = fields(
    {"rows": items(items(_CELL, 20), 100)},
    {
        "block_id": BLOCK_ID,
        "column_settings": items(
            _nullable(
                fields({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})
            ),
            20,
        ),
    },
    _not_too_long,
)
DATA_TABLE = fields(
    {"rows": items(items(_CELL, 20), 101, 2), "caption": string(2000)},
    {
        "block_id": BLOCK_ID,
        "page_size": integer(1, 100),
        "row_header_column_index": integer(0, 19),
    },
    _same_width,
    _plain_header,
    _not_too_long,
)


def _positive(value: Any, at: str, problems: Problems) -> None:
    number(value, at, problems)
    if isinstance(value, int | float) and value <= 0:
        problems.add(at, "must be greater than 0")


def _one_value_per_category(value: Json, at: str, problems: Problems) -> None:
    axis, series = value.get("axis_config"), value.get("series")
    if not isinstance(axis, dict) or not isinstance(series, list):
        return
    categories = axis.get("categories")
    for place, line in enumerate(series):
        data = line.get("data") if isinstance(line, dict) else None
        if not isinstance(data, list):
            continue
        labels = [point.get("label") for point in data if isinstance(point, dict)]
        if labels != categories:
            problems.add(f"{at}/series/{place}/data", "must have one value for each category")


_SERIES = fields(
    {
        "name": string(20),
        "data": items(fields({"label": string(20), "value": number}), 20),
    }
)
_LINES = fields(
    {
        "series": items(_SERIES, 6),
        "axis_config": fields(
            {"categories": items(string(20), 20)}, {"x_label": string(50), "y_label": string(50)}
        ),
    },
    {},
    unique("series", "name"),
    _one_value_per_category,
)
_PIE = fields({"segments": items(fields({"label": string(20), "value": _positive}), 6)})

CHART = fields(
    {
        "title": string(50),
        "chart": by_type({"line": _LINES, "bar": _LINES, "area": _LINES, "pie": _PIE}),
    },
    {"block_id": BLOCK_ID},
)
