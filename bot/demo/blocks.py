"""Slack's blocks as lines of plain text, for the terminal."""

import re
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Names = Callable[[str], str]

_MARKS = re.compile(r"<([^<>]+)>")


def lines_of(message: Json, name: Names) -> list[str]:
    """A message as a person would read it, its buttons included.

    Args:
        message: as Slack shows it; its text stands in where it has no blocks.
        name: what people call the id of a user, group or channel.

    """
    blocks = message.get("blocks")
    if not blocks:
        return plain(message.get("text", ""), name).splitlines()
    return [line.rstrip() for block in blocks for line in _block(block, name)]


def headline(message: Json) -> str:
    """The text of a message's header, or nothing."""
    for block in message.get("blocks") or ():
        if block["type"] == "header":
            return str(block["text"]["text"])
    return ""


def buttons(message: Json) -> Iterator[tuple[str, str]]:
    """The buttons of a message: what each is called and its action id."""
    for block in message.get("blocks") or ():
        for element in block.get("elements", ()) if block["type"] == "actions" else ():
            if element["type"] == "button":
                yield element["text"]["text"], element["action_id"]


def plain(mrkdwn: str, name: Names) -> str:
    """Slack's markup without its marks: mentions by name, dates by their fallback."""

    def shown(found: re.Match[str]) -> str:
        target, _, label = found[1].partition("|")
        if label:
            return label
        if target.startswith("@"):
            return f"@{name(target[1:])}"
        if target.startswith("#"):
            return f"#{name(target[1:])}"
        if target.startswith("!subteam^"):
            return f"@{name(target.removeprefix('!subteam^'))}"
        return target

    text = _MARKS.sub(shown, mrkdwn)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _block(block: Json, name: Names) -> list[str]:
    match block["type"]:
        case "header":
            return [str(block["text"]["text"])]
        case "section":
            texts = [block["text"]] if "text" in block else []
            return [
                line for text in [*texts, *block.get("fields", ())] for line in _text(text, name)
            ]
        case "rich_text":
            return [line for element in block["elements"] for line in _rich(element, name)]
        case "context":
            shown = [" ".join(_text(e, name)) for e in block["elements"] if "text" in e]
            return [" ".join(shown)]
        case "table":
            return _table(block)
        case "actions":
            row = " ".join(f"[{label}]" for label, _ in buttons({"blocks": [block]}))
            return [row] if row else []
        case _:
            return []


def _text(text: Json, name: Names) -> list[str]:
    content = str(text["text"])
    return (plain(content, name) if text["type"] == "mrkdwn" else content).splitlines()


def _rich(element: Json, name: Names) -> list[str]:
    if element["type"] == "rich_text_list":
        inner = [_rich(item, name) for item in element["elements"]]
        return [f"• {line}" for lines in inner for line in lines]
    text = "".join(_inline(part, name) for part in element["elements"])
    lines = text.splitlines()
    if element["type"] in ("rich_text_preformatted", "rich_text_quote"):
        return [f"  | {line}" for line in lines]
    return lines


def _inline(part: Json, name: Names) -> str:
    match part["type"]:
        case "text":
            return str(part["text"])
        case "user":
            return f"@{name(part['user_id'])}"
        case "usergroup":
            return f"@{name(part['usergroup_id'])}"
        case "channel":
            return f"#{name(part['channel_id'])}"
        case "date":
            return str(part.get("fallback", ""))
        case "link":
            return str(part.get("text") or part["url"])
        case "emoji":
            return f":{part['name']}:"
        case _:
            return ""


def _table(block: Json) -> list[str]:
    rows = [[str(cell.get("text", "")) for cell in row] for row in block["rows"]]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
