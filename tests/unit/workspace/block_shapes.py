"""Builders of blocks for the tests of validation."""

from typing import Any

from unit.workspace.support import Json, actions, button, mrkdwn, plain


def section(**more: Any) -> Json:
    """Make a section."""
    return {"type": "section", "text": mrkdwn("x"), **more}


def option(text: str = "a", value: str = "a") -> Json:
    """Make an option."""
    return {"text": plain(text), "value": value}


def menu(count: int, kind: str = "static_select") -> Json:
    """Make a menu with so many options."""
    return {
        "type": kind,
        "action_id": "m",
        "options": [option(value=str(i)) for i in range(count)],
    }


def confirm(**more: Any) -> Json:
    """Make a confirm object."""
    texts = {"title": plain("t"), "text": mrkdwn("x"), "confirm": plain("y"), "deny": plain("n")}
    return {**texts, **more}


def raw(text: str) -> Json:
    """Make a table cell."""
    return {"type": "raw_text", "text": text}


def rich(text: str) -> Json:
    """Make a rich_text block."""
    inner = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [inner]}


def table(rows: int = 1, columns: int = 1, text: str = "x", **more: Any) -> Json:
    """Make a table."""
    return {"type": "table", "rows": [[raw(text)] * columns for _ in range(rows)], **more}


def data_table(rows: int = 2, **more: Any) -> Json:
    """Make a data table."""
    return {"type": "data_table", "caption": "c", "rows": [[raw("x")]] * rows, **more}


def chart(series: int = 1, categories: int = 1, name: str = "s", title: str = "t") -> Json:
    """Make a line chart."""
    labels = [str(i) for i in range(categories)]
    data = [{"label": label, "value": 1} for label in labels]
    lines = [{"name": f"{name}{i}", "data": data} for i in range(series)]
    axis = {"categories": labels}
    inner = {"type": "line", "series": lines, "axis_config": axis}
    return {"type": "data_visualization", "title": title, "chart": inner}


def pie(*values: float) -> Json:
    """Make a pie chart."""
    segments = [{"label": str(i), "value": value} for i, value in enumerate(values)]
    return {
        "type": "data_visualization",
        "title": "t",
        "chart": {"type": "pie", "segments": segments},
    }


def image(**more: Any) -> Json:
    """Make an image block."""
    return {"type": "image", "alt_text": "a", **more}


def task(status: str = "complete", **more: Any) -> Json:
    """Make a task card."""
    return {"type": "task_card", "task_id": "1", "title": "t", "status": status, **more}


def plan(count: int) -> Json:
    """Make a plan."""
    return {"type": "plan", "title": "p", "tasks": [task("pending") for _ in range(count)]}


def header(text: str) -> Json:
    """Make a header."""
    return {"type": "header", "text": plain(text)}


def context(count: int) -> Json:
    """Make a context block."""
    return {"type": "context", "elements": [mrkdwn("x")] * count}


def buttons(count: int) -> Json:
    """Make an actions block with so many buttons."""
    return actions(*[button(f"b{i}") for i in range(count)])


def card(**more: Any) -> Json:
    """Make a card."""
    return {"type": "card", "title": plain("t"), **more}
