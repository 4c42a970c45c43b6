"""Every limit of a block: what just passes and what is just too much."""

from unit.workspace.block_shapes import (
    buttons,
    card,
    chart,
    confirm,
    context,
    data_table,
    header,
    image,
    menu,
    option,
    pie,
    plan,
    raw,
    rich,
    section,
    table,
    task,
)
from unit.workspace.support import Json, actions, button, mrkdwn, plain, text_input

URL = "https://example.com/a.png"
# name: a block that passes, one that does not, and the pointer of what is wrong with it.
LIMITS: dict[str, tuple[Json, Json, str]] = {
    "section text": (
        section(text=mrkdwn("x" * 3000)),
        section(text=mrkdwn("x" * 3001)),
        "/text/text",
    ),
    "section text empty": (section(), section(text=mrkdwn("")), "/text/text"),
    "section without text": (
        {"type": "section", "fields": [mrkdwn("x")]},
        {"type": "section"},
        "",
    ),
    "fields": (section(fields=[mrkdwn("x")] * 10), section(fields=[mrkdwn("x")] * 11), "/fields"),
    "field text": (
        section(fields=[mrkdwn("x" * 2000)]),
        section(fields=[mrkdwn("x" * 2001)]),
        "/fields/0/text",
    ),
    "header": (header("x" * 150), header("x" * 151), "/text/text"),
    "header is plain": (header("x"), {"type": "header", "text": mrkdwn("x")}, "/text/type"),
    "context": (context(10), context(11), "/elements"),
    "actions": (buttons(25), buttons(26), "/elements"),
    "actions empty": (buttons(1), buttons(0), "/elements"),
    "button text": (
        actions(button(text=plain("x" * 75))),
        actions(button(text=plain("x" * 76))),
        "/elements/0/text/text",
    ),
    "button value": (
        actions(button(value="x" * 2000)),
        actions(button(value="x" * 2001)),
        "/elements/0/value",
    ),
    "button url": (
        actions(button(url="https://x/" + "x" * 2990)),
        actions(button(url="https://x/" + "x" * 2991)),
        "/elements/0/url",
    ),
    "button label": (
        actions(button(accessibility_label="x" * 75)),
        actions(button(accessibility_label="x" * 76)),
        "/elements/0/accessibility_label",
    ),
    "button style": (
        actions(button(style="danger")),
        actions(button(style="default")),
        "/elements/0/style",
    ),
    "action_id": (actions(button("x" * 255)), actions(button("x" * 256)), "/elements/0/action_id"),
    "block_id": (section(block_id="x" * 255), section(block_id="x" * 256), "/block_id"),
    "same action_id": (
        actions(button("a"), button("b")),
        actions(button("a"), button("a")),
        "/elements/1/action_id",
    ),
    "confirm title": (
        actions(button(confirm=confirm(title=plain("x" * 100)))),
        actions(button(confirm=confirm(title=plain("x" * 101)))),
        "/elements/0/confirm/title/text",
    ),
    "confirm text": (
        actions(button(confirm=confirm(text=mrkdwn("x" * 300)))),
        actions(button(confirm=confirm(text=mrkdwn("x" * 301)))),
        "/elements/0/confirm/text/text",
    ),
    "confirm button": (
        actions(button(confirm=confirm(confirm=plain("x" * 30)))),
        actions(button(confirm=confirm(confirm=plain("x" * 31)))),
        "/elements/0/confirm/confirm/text",
    ),
    "confirm style": (
        actions(button(confirm=confirm(style="danger"))),
        actions(button(confirm=confirm(style="red"))),
        "/elements/0/confirm/style",
    ),
    "select options": (actions(menu(100)), actions(menu(101)), "/elements/0/options"),
    "option text": (
        actions({**menu(1), "options": [option("x" * 75)]}),
        actions({**menu(1), "options": [option("x" * 76)]}),
        "/elements/0/options/0/text/text",
    ),
    "option value": (
        actions({**menu(1), "options": [option(value="x" * 150)]}),
        actions({**menu(1), "options": [option(value="x" * 151)]}),
        "/elements/0/options/0/value",
    ),
    "initial option": (
        actions({**menu(1), "initial_option": option(value="0")}),
        actions({**menu(1), "initial_option": option(value="other")}),
        "/elements/0",
    ),
    "overflow": (
        actions(menu(5, "overflow")),
        actions(menu(6, "overflow")),
        "/elements/0/options",
    ),
    "radio buttons": (
        actions(menu(10, "radio_buttons")),
        actions(menu(11, "radio_buttons")),
        "/elements/0/options",
    ),
    "checkboxes": (
        actions(menu(10, "checkboxes")),
        actions(menu(11, "checkboxes")),
        "/elements/0/options",
    ),
    "date": (
        actions({"type": "datepicker", "initial_date": "2026-11-23"}),
        actions({"type": "datepicker", "initial_date": "23.11.2026"}),
        "/elements/0/initial_date",
    ),
    "date exists": (
        actions({"type": "datepicker", "initial_date": "2028-02-29"}),
        actions({"type": "datepicker", "initial_date": "2026-02-29"}),
        "/elements/0/initial_date",
    ),
    "time exists": (
        actions({"type": "timepicker", "initial_time": "23:59"}),
        actions({"type": "timepicker", "initial_time": "24:00"}),
        "/elements/0/initial_time",
    ),
    "text lengths": (
        text_input("v", "a", min_length=2, max_length=2),
        text_input("v", "a", min_length=3, max_length=2),
        "/element",
    ),
    "image url": (
        image(image_url=URL),
        image(image_url=URL, slack_file={"id": "F0ABCDEFGH"}),
        "",
    ),
    "image alt": (
        image(image_url=URL, alt_text="x" * 2000),
        image(image_url=URL, alt_text="x" * 2001),
        "/alt_text",
    ),
    "image alt missing": (image(image_url=URL), {"type": "image", "image_url": URL}, ""),
    "image scheme": (image(image_url=URL), image(image_url="javascript:x"), "/image_url"),
    "image file id": (
        image(slack_file={"id": "F0ABCDEFGH"}),
        image(slack_file={"id": "f1"}),
        "/slack_file/id",
    ),
    "table rows": (table(100), table(101), "/rows"),
    "table columns": (table(1, 20), table(1, 21), "/rows/0"),
    "table cell empty": (table(), table(text=""), "/rows/0/0/text"),
    "table characters": (table(text="x" * 10_000), table(2, text="x" * 5001), "/rows"),
    "table align": (
        table(column_settings=[{"align": "right"}, None]),
        table(column_settings=[{"align": "middle"}]),
        "/column_settings/0/align",
    ),
    "table rich cell": (
        {"type": "table", "rows": [[rich("x")]]},
        {"type": "table", "rows": [[mrkdwn("x")]]},
        "/rows/0/0/type",
    ),
    "table number": (
        {"type": "table", "rows": [[{"type": "raw_number", "value": 1, "text": "1"}]]},
        {"type": "table", "rows": [[{"type": "raw_number", "value": "1", "text": "1"}]]},
        "/rows/0/0/value",
    ),
    "data table rows": (data_table(101), data_table(102), "/rows"),
    "data table header": (data_table(), data_table(1), "/rows"),
    "data table page": (data_table(page_size=100), data_table(page_size=101), "/page_size"),
    "data table rich header": (
        {"type": "data_table", "caption": "c", "rows": [[raw("x")], [rich("x")]]},
        {"type": "data_table", "caption": "c", "rows": [[rich("x")], [rich("x")]]},
        "/rows/0/0/type",
    ),
    "data table width": (
        data_table(),
        {"type": "data_table", "caption": "c", "rows": [[raw("x")], [raw("x")] * 2]},
        "/rows/1",
    ),
    "chart title": (chart(title="x" * 50), chart(title="x" * 51), "/title"),
    "chart series": (chart(6), chart(7), "/chart/series"),
    "chart categories": (chart(1, 20), chart(1, 21), "/chart/axis_config/categories"),
    "chart name": (chart(name="x" * 19), chart(name="x" * 20), "/chart/series/0/name"),
    "pie value": (pie(1), pie(0), "/chart/segments/0/value"),
    "pie segments": (pie(*[1] * 6), pie(*[1] * 7), "/chart/segments"),
    "card body": (card(body=mrkdwn("x" * 200)), card(body=mrkdwn("x" * 201)), "/body/text"),
    "card buttons": (
        card(actions=[button(f"b{i}") for i in range(3)]),
        card(actions=[button(f"b{i}") for i in range(4)]),
        "/actions",
    ),
    "carousel": (
        {"type": "carousel", "elements": [card()] * 10},
        {"type": "carousel", "elements": [card()] * 11},
        "/elements",
    ),
    "container": (
        {"type": "container", "child_blocks": [section()] * 10},
        {"type": "container", "child_blocks": [section()] * 11},
        "/child_blocks",
    ),
    "plan": (plan(50), plan(51), "/tasks"),
    "task status": (task("error"), task("pending"), "/status"),
    "markdown": (
        {"type": "markdown", "text": "x" * 12_000},
        {"type": "markdown", "text": "x" * 12_001},
        "/text",
    ),
    "context actions": (
        {
            "type": "context_actions",
            "elements": [{"type": "icon_button", "icon": "trash", "text": plain("x")}],
        },
        {"type": "context_actions", "elements": [button()]},
        "/elements/0/type",
    ),
    "rich text": (rich("x"), rich(""), "/elements/0/elements/0/text"),
    "input label": (
        text_input("v", "a"),
        {**text_input("v", "a"), "label": mrkdwn("x")},
        "/label/type",
    ),
    "alert": (section(), {"type": "alert", "text": mrkdwn("x")}, "/type"),
    "unknown type": (section(), {"type": "sektion"}, "/type"),
    "unknown field": (section(), section(colour="red"), ""),
    "no object": (section(), "section", ""),  # type: ignore[dict-item] # the mistake is the point
}
